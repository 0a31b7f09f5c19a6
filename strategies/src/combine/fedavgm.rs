//! FedAvgM (Hsu, Qi and Brown 2019): server momentum.

use crate::combine::sums::mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`FedAvgM`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedAvgMSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// Momentum, in [0, 1).
    pub momentum: f64,
}

impl Default for FedAvgMSettings {
    fn default() -> Self {
        Self { rate: 1.0, momentum: 0.9 }
    }
}

/// With `d` the weighted mean change: `v <- momentum v + d`, `x <- x + rate v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedAvgM {
    settings: FedAvgMSettings,
    velocity: BTreeMap<u32, Flat>,
}

impl FedAvgM {
    /// An optimizer with these settings.
    pub fn new(settings: FedAvgMSettings) -> Self {
        Self { settings, velocity: BTreeMap::new() }
    }
}

impl Combine for FedAvgM {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let change = mean_change(batch, |_| {});
        let zeros = || Flat::zeros(batch.model.len());
        let velocity = self.velocity.entry(batch.group).or_insert_with(zeros);
        velocity.scale(self.settings.momentum as f32);
        velocity.add_scaled(1.0, &change);
        let mut model = batch.model.clone();
        model.add_scaled(self.settings.rate as f32, velocity);
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::Mean;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    #[test]
    fn two_steps_by_hand() {
        let mut part = FedAvgM::new(FedAvgMSettings { rate: 0.5, momentum: 0.5 });
        let world = World::new(1);
        let step = |part: &mut FedAvgM, x: f32, d: f32| {
            combine(part, &[x], &[update(0, &[0.0], &[d])], &[1.0], &world)
        };
        close(&step(&mut part, 1.0, 4.0), &[3.0]);
        // v = 2 + 2 = 4
        close(&step(&mut part, 3.0, 2.0), &[5.0]);
    }

    #[test]
    fn without_momentum_it_is_the_mean() {
        let updates = [update(0, &[0.5], &[2.0]), update(1, &[0.25], &[-3.0])];
        let mut part = FedAvgM::new(FedAvgMSettings { rate: 1.0, momentum: 0.0 });
        for _ in 0..3 {
            let own = combine(&mut part, &[1.0], &updates, &[1.0, 3.0], &World::new(2));
            let mean = combine(&mut Mean::default(), &[1.0], &updates, &[1.0, 3.0], &World::new(2));
            close(&own, &[f64::from(mean[0])]);
        }
    }
}
