//! The weighted mean (FedAvg, McMahan et al. 2017; FedBuff's sum, Nguyen et al. 2022).

use crate::combine::sums::add_mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use crate::update::Update;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the weighted sum of the changes is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The sum of the weights.
    #[default]
    Sum,
    /// The number of updates: FedBuff's form, in which stale updates also make the step shorter.
    Count,
}

/// What is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// What each client changed against the model that it started from, added to the present model: a stale
    /// update does not pull the model back.
    #[default]
    Changes,
    /// The clients' models themselves, as papers on synchronous averaging write it. The same when all updates
    /// started from the present model; otherwise (stale updates, clients that change groups) what the server
    /// learnt since is averaged away.
    Models,
}

/// `x + rate * sum_i w_i (x_i - base_i) / D`, `D` by [`By`]. With fresh updates and rate 1 this is the
/// weighted mean of the models. With [`Of::Models`], `x` stands in place of `base_i`. Streams: holds a few updates at a time, and one where
/// they are large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mean {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// The divisor.
    pub by: By,
    /// What is averaged.
    pub of: Of,
}

impl Default for Mean {
    fn default() -> Self {
        Self { rate: 1.0, by: By::Sum, of: Of::Changes }
    }
}

impl Combine for Mean {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let model = batch.model;
        if self.of == Of::Changes {
            return add_mean_change(model, self.rate, self.by, batch, |_| {});
        }
        let (group, tag, weights) = (batch.group, batch.tag, batch.weights);
        let from_here =
            |(at, update): (usize, Update)| (at, Update { base: model.clone(), ..update });
        let mut updates = (&mut *batch.updates).map(from_here);
        let mut batch = Batch { model, group, tag, weights, updates: &mut updates };
        add_mean_change(model, self.rate, self.by, &mut batch, |_| {})
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine, combine_some};
    use crate::select::testing::{World, update};
    use proptest::prelude::*;

    #[test]
    fn fresh_updates_give_the_weighted_mean_of_the_models() {
        let updates = [update(0, &[1.0, 1.0], &[2.0, 0.0]), update(1, &[1.0, 1.0], &[4.0, 8.0])];
        let new = combine(&mut Mean::default(), &[1.0, 1.0], &updates, &[3.0, 1.0], &World::new(2));
        close(&new, &[2.5, 2.0]);
    }

    /// FedBuff by hand: weights 1 and 1/sqrt(1 + 3) = 0.5, divided by K = 2, rate 0.5.
    #[test]
    fn by_count_stale_updates_make_the_step_shorter() {
        let updates = [update(0, &[1.0], &[3.0]), update(1, &[0.0], &[4.0])];
        let mut part = Mean { rate: 0.5, by: By::Count, ..Mean::default() };
        let new = combine(&mut part, &[1.0], &updates, &[1.0, 0.5], &World::new(2));
        close(&new, &[1.0 + 0.5 * (2.0 + 2.0) / 2.0]);
    }

    /// One update is fresh, the other started from 0 while the model has moved on to 10.
    #[test]
    fn models_and_changes_differ_when_updates_are_stale() {
        let updates = [update(0, &[10.0], &[12.0]), update(1, &[0.0], &[4.0])];
        let world = World::new(2);
        let merge = |of| {
            let mut part = Mean { of, ..Mean::default() };
            combine(&mut part, &[10.0], &updates, &[1.0, 1.0], &world)
        };
        close(&merge(Of::Models), &[8.0]);
        close(&merge(Of::Changes), &[13.0]);
        let fresh = |of| {
            let mut part = Mean { of, ..Mean::default() };
            combine(&mut part, &[10.0], &updates[..1], &[3.0], &world)
        };
        assert_eq!(fresh(Of::Models), fresh(Of::Changes));
    }

    #[test]
    fn missing_updates_are_left_out_of_the_mean() {
        let mut part = Mean::default();
        let present = vec![(0, update(0, &[0.0], &[1.0])), (2, update(2, &[0.0], &[4.0]))];
        let weights = [1.0, 7.0, 3.0];
        let new = combine_some(&mut part, &[10.0], present.clone(), &weights, &World::new(3));
        close(&new, &[10.0 + 13.0 / 4.0]);
        part.by = By::Count;
        let new = combine_some(&mut part, &[10.0], present, &weights, &World::new(3));
        close(&new, &[10.0 + 13.0 / 2.0]);
        close(&combine_some(&mut part, &[10.0], Vec::new(), &[1.0], &World::new(3)), &[10.0]);
        let zero = combine(
            &mut Mean::default(),
            &[2.0],
            &[update(0, &[0.0], &[1.0])],
            &[0.0],
            &World::new(1),
        );
        close(&zero, &[2.0]);
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(
            values in proptest::collection::vec((-1.0f32..1.0, 0.1f64..10.0), 1..30),
            seed: u64,
        ) {
            let world = World::new(30);
            let mut pairs: Vec<_> = values.iter().enumerate()
                .map(|(i, (value, weight))| (update(i as u32, &[0.5], &[*value]), *weight)).collect();
            let run = |pairs: &[(crate::Update, f64)]| {
                let (updates, weights): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
                combine(&mut Mean::default(), &[0.25], &updates, &weights, &world)[0]
            };
            let sorted = run(&pairs);
            let len = pairs.len();
            crate::select::draw::shuffle_front(&mut pairs, len, &mut crate::select::testing::stream(seed));
            prop_assert!((run(&pairs) - sorted).abs() < 1e-6);
            pairs.sort_by_key(|(update, _)| update.arrival.client);
            prop_assert_eq!(run(&pairs).to_bits(), sorted.to_bits());
        }
    }
}
