//! FedAT's cross-tier mean (Chai et al. 2021, equation 2): slow tiers count more.

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keeps a model for each tier: the weighted mean of the models its clients returned last. The global
/// model is `sum_m T_(M + 1 - m) / T * w_m` over the tiers m = 1..M from fast to slow, where `T_m` counts
/// the aggregations of tier m and `T` all of them: the seldom heard tiers get the weights of the often heard.
/// A tier that was not heard yet has the initial model. The tier is the aggregation's tag, counted from 0;
/// use with the pace `tiers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedAt {
    tiers: usize,
    groups: BTreeMap<u32, Vec<Tier>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tier {
    model: Flat,
    count: u64,
}

impl FedAt {
    /// A combiner for `tiers` tiers.
    pub fn new(tiers: usize) -> Self {
        Self { tiers: tiers.max(1), groups: BTreeMap::new() }
    }
}

/// The weighted mean of the returned models; `None` when nothing came.
fn mean_model(batch: &mut Batch<'_>) -> Option<Flat> {
    let (mut sum, mut total) = (batch.model.zeros_like(), 0.0);
    for (position, update) in &mut *batch.updates {
        let weight = batch.weights.get(position).copied().unwrap_or(0.0);
        total += weight;
        sum.add_scaled(weight as f32, &update.params);
    }
    sum.scale((1.0 / total) as f32);
    (total > 0.0).then_some(sum)
}

impl Combine for FedAt {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let Some(mean) = mean_model(batch) else { return batch.model.clone() };
        let last = self.tiers - 1;
        let fresh = || vec![Tier { model: batch.model.clone(), count: 0 }; self.tiers];
        let tiers = self.groups.entry(batch.group).or_insert_with(fresh);
        let tier = (batch.tag as usize).min(last);
        tiers[tier].model = mean;
        tiers[tier].count += 1;
        let total: u64 = tiers.iter().map(|tier| tier.count).sum();
        let mut model = batch.model.zeros_like();
        for (m, tier) in tiers.iter().enumerate() {
            let weight = tiers[last - m].count as f64 / total as f64;
            model.add_scaled(weight as f32, &tier.model);
        }
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    #[test]
    fn slow_tiers_get_the_weights_of_fast_ones() {
        let mut part = FedAt::new(2);
        let world = World::new(2);
        let from = |client, tag, value: f32| {
            let mut update = update(client, &[0.0], &[value]);
            update.arrival.tag = tag;
            update
        };
        // Only the fast tier was heard: all the weight is the slow tier's, which has the initial model.
        let pair = [from(0, 0, 2.0), from(1, 0, 6.0)];
        close(&combine(&mut part, &[1.0], &pair, &[1.0, 3.0], &world), &[1.0]);
        // Slow: 9. Counts 1 and 1: (5 + 9) / 2.
        close(&combine(&mut part, &[1.0], &[from(0, 1, 9.0)], &[2.0], &world), &[7.0]);
        // Fast again: 3. Counts 2 and 1: 3 / 3 + 9 * 2 / 3.
        close(&combine(&mut part, &[7.0], &[from(0, 0, 3.0)], &[2.0], &world), &[7.0]);
        // And again: 5. Counts 3 and 1: 5 / 4 + 9 * 3 / 4.
        close(&combine(&mut part, &[7.0], &[from(0, 0, 5.0)], &[2.0], &world), &[8.0]);
    }
}
