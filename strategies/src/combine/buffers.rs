//! Buffers, such as the running statistics of batch normalisation, apart from the parameters.

use crate::resources::BufferPolicy;
use crate::seams::{Batch, Combine, View};
use crate::update::Update;
use offbeat_kernel::codec::CodecError;
use offbeat_learning::Flat;
use std::ops::Range;

/// Any rule for the parameters. Buffers are no directions to step in: adding changes of stale updates, or of
/// clients that come from another group, can make a variance negative. Those in `range` are merged as values,
/// as `merge` says; without anything to merge they stay as they are.
#[derive(Debug)]
pub struct BuffersApart {
    /// The rule for all else.
    pub inner: Box<dyn Combine>,
    /// Where the buffers are.
    pub range: Range<usize>,
    /// How they are merged.
    pub merge: MergeBuffers,
}

/// How buffers are merged. With each, a merged buffer lies between the smallest and the largest value that the
/// merged clients sent, so a variance stays one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeBuffers {
    /// The mean of the clients' own values by their weights, whatever the rule does with parameters: for rules
    /// that step (means with a rate, server optimizers, memories of changes).
    Mean,
    /// Those of the merged client with the lowest id, as in the code of FedReID's authors, where the first
    /// client is drawn.
    First,
    /// What the rule makes of the values themselves in place of changes. For rules that choose, order or cut
    /// (Krum, the median, the trimmed mean, Bulyan): a mean over all would let hostile clients in.
    ByRule,
}

impl MergeBuffers {
    /// What to do under `policy` with a rule that is `robust`. A robust rule always decides itself.
    pub fn new(policy: BufferPolicy, robust: bool) -> Self {
        match policy {
            _ if robust => Self::ByRule,
            BufferPolicy::Average => Self::Mean,
            BufferPolicy::First => Self::First,
        }
    }
}

/// The merged buffers so far.
struct Merged {
    sums: Vec<f64>,
    total: f64,
    seen: bool,
}

impl BuffersApart {
    /// Notes the buffers of every update that the rule takes.
    fn noting(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let range = self.range.clone();
        let mut merged = Merged { sums: vec![0.0; range.len()], total: 0.0, seen: false };
        let (weights, first) = (batch.weights, self.merge == MergeBuffers::First);
        let mut updates = (&mut *batch.updates).inspect(|(at, update)| {
            let weight = match first {
                true => f64::from(u8::from(!merged.seen)),
                false => weights.get(*at).copied().unwrap_or(0.0),
            };
            merged.seen = true;
            if weight > 0.0 {
                merged.add(weight, &update.params.slice(range.clone()));
            }
        });
        let (model, group, tag) = (batch.model, batch.group, batch.tag);
        let mut noted = Batch { model, group, tag, weights, updates: &mut updates };
        let next = self.inner.combine(&mut noted, view);
        updates.by_ref().for_each(drop);
        drop(updates);
        let values = merged.mean().unwrap_or_else(|| model.slice(range.clone()));
        with_values(&next, &range, &values)
    }

    /// Lets the rule see values in place of changes: with zeros in the model and in every base, the rule's sum
    /// of model and changes is what it makes of the values.
    fn by_rule(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let zeros = Flat::zeros(self.range.len());
        let range = self.range.clone();
        let model = with_values(batch.model, &range, &zeros);
        let mut seen = false;
        let mut updates = (&mut *batch.updates).map(|(at, update)| {
            seen = true;
            (at, Update { base: with_values(&update.base, &range, &zeros), ..update })
        });
        let (group, tag, weights) = (batch.group, batch.tag, batch.weights);
        let mut levelled = Batch { model: &model, group, tag, weights, updates: &mut updates };
        let next = self.inner.combine(&mut levelled, view);
        drop(updates);
        match seen {
            true => next,
            false => with_values(&next, &range, &batch.model.slice(range.clone())),
        }
    }
}

impl Merged {
    fn add(&mut self, weight: f64, own: &Flat) {
        self.total += weight;
        let own = own.host();
        self.sums.iter_mut().zip(own.iter()).for_each(|(sum, v)| *sum += weight * f64::from(*v));
    }

    fn mean(self) -> Option<Flat> {
        let mean = |sum: f64| (sum / self.total) as f32;
        (self.total > 0.0).then(|| Flat::new(self.sums.into_iter().map(mean).collect()))
    }
}

/// `model` with other values in `range`.
fn with_values(model: &Flat, range: &Range<usize>, values: &Flat) -> Flat {
    model.slice(0..range.start).concat(values).concat(&model.slice(range.end..model.len()))
}

impl Combine for BuffersApart {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        match self.merge {
            MergeBuffers::Mean | MergeBuffers::First => self.noting(batch, view),
            MergeBuffers::ByRule => self.by_rule(batch, view),
        }
    }

    fn failure(&mut self) -> Option<String> {
        self.inner.failure()
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        self.inner.save()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.inner.restore(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::combine::{By, Mean, Median, Mix};
    use crate::registry::{CombinePart, PacePart, Registry};
    use crate::resources::Resources;
    use crate::select::testing::{World, update};

    /// The present model's variance is 1. Both clients began with one of 9, in another group or long ago, and
    /// come back with 2 and 4: as changes -7 and -5, which would take the variance to -5.
    fn from_elsewhere() -> [Update; 2] {
        [
            update(1, &[0.0, 9.0, 0.0], &[2.0, 2.0, 1.0]),
            update(4, &[0.0, 9.0, 0.0], &[4.0, 4.0, 3.0]),
        ]
    }

    const MODEL: [f32; 3] = [0.0, 1.0, 0.0];

    fn apart(inner: impl Combine + 'static, merge: MergeBuffers) -> BuffersApart {
        BuffersApart { inner: Box::new(inner), range: 1..2, merge }
    }

    #[test]
    fn buffers_are_values_whatever_updates_started_from() {
        let world = World::new(5);
        let bare = combine(&mut Mean::default(), &MODEL, &from_elsewhere(), &[1.0, 3.0], &world);
        assert!(bare[1] < 0.0, "the changes alone should lead below zero: {bare:?}");
        for (merge, buffer) in [(MergeBuffers::First, 2.0), (MergeBuffers::Mean, 3.5)] {
            let mut part = apart(Mean::default(), merge);
            let next = combine(&mut part, &MODEL, &from_elsewhere(), &[1.0, 3.0], &world);
            close(&next, &[3.5, buffer, 2.5]);
        }
        let mut part = apart(Median, MergeBuffers::ByRule);
        let next = combine(&mut part, &MODEL, &from_elsewhere(), &[1.0, 3.0], &world);
        close(&next, &[3.0, 3.0, 2.0]);
    }

    /// All rules with the pace that each needs.
    fn rules() -> Vec<(CombinePart, PacePart)> {
        use CombinePart as Rule;
        let usual = [
            Rule::Mean(Mean { rate: 0.5, ..Mean::default() }),
            Rule::Mean(Mean { by: By::Count, ..Mean::default() }),
            Rule::Mix(Mix::default()),
            Rule::FedAvgM(Default::default()),
            Rule::FedAdagrad(Default::default()),
            Rule::FedAdam(Default::default()),
            Rule::FedYogi(Default::default()),
            Rule::Mifa(Default::default()),
            Rule::Ca2fl { rate: 1.0 },
            Rule::Fadas(Default::default()),
            Rule::FedNova(Default::default()),
            Rule::Median,
            Rule::TrimmedMean(Default::default()),
            Rule::Krum { byzantine: 0 },
            Rule::MultiKrum { byzantine: 0, keep: 2 },
            Rule::Bulyan { byzantine: 0 },
        ];
        let mut all: Vec<_> = usual.into_iter().map(|rule| (rule, PacePart::default())).collect();
        all.push((Rule::FedAt, PacePart::Tiers(Default::default())));
        all.push((Rule::Safa, PacePart::Safa(Default::default())));
        all
    }

    /// Several times over, so that memories, momenta and adaptive steps come in.
    #[test]
    fn no_rule_leads_a_variance_out_of_what_clients_sent() {
        let world = World::new(5);
        for (rule, pace) in rules() {
            for buffer_policy in [BufferPolicy::Average, BufferPolicy::First] {
                let resources = Resources { buffers: 1..2, buffer_policy, ..Resources::default() };
                let registry = Registry { resources, ..Registry::default() };
                let mut part = rule.with_buffers(&pace, &registry).expect("usual settings");
                let mut model = MODEL.to_vec();
                for round in 0..6 {
                    model = combine(&mut *part, &model, &from_elsewhere(), &[0.5, 0.25], &world);
                    let variance = model[1];
                    assert!(
                        (1.0..=4.0).contains(&variance),
                        "{rule:?}, {buffer_policy:?}, round {round}: {variance}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_hostile_client_does_not_choose_the_buffers_of_a_robust_rule() {
        let near = |client, variance| update(client, &[0.0; 3], &[1.0, variance, 1.0]);
        let updates = [near(0, -1e6), near(1, 2.0), near(2, 2.5), near(3, 3.0), near(4, 2.2)];
        let mut part = apart(Median, MergeBuffers::new(BufferPolicy::First, true));
        let next = combine(&mut part, &MODEL, &updates, &[1.0; 5], &World::new(5));
        close(&next, &[1.0, 2.2, 1.0]);
    }

    #[test]
    fn without_updates_buffers_stay() {
        for merge in [MergeBuffers::Mean, MergeBuffers::First, MergeBuffers::ByRule] {
            let next = combine(&mut apart(Median, merge), &MODEL, &[], &[], &World::new(5));
            close(&next, &[0.0, 1.0, 0.0]);
        }
    }
}
