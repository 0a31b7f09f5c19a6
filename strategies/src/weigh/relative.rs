//! By samples, on the scale of 1.

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::{Arrival, Update};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};

/// `K n_k / sum n` over the `K` updates of an aggregation: 1 in the mean. A mean by count then adds
/// `n_k / sum n` times what further weights leave of each change, and is not divided by them (FederatedScope,
/// Xie et al. 2023; Pisces, Jiang et al. 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelativeSamples;

fn relative(samples: impl Iterator<Item = u64> + Clone) -> Vec<f64> {
    let (count, total) = samples.clone().fold((0.0, 0.0), |(k, sum), n| (k + 1.0, sum + n as f64));
    samples.map(|n| if total > 0.0 { n as f64 * count / total } else { 0.0 }).collect()
}

impl Weigh for RelativeSamples {
    fn weigh(&mut self, updates: &[Update], _: &Flat, _: &View<'_>) -> Vec<f64> {
        relative(updates.iter().map(|update| update.arrival.samples))
    }

    fn weigh_arrivals(&mut self, arrivals: &[Arrival], _: &View<'_>) -> Option<Vec<f64>> {
        Some(relative(arrivals.iter().map(|arrival| arrival.samples)))
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, arrival};

    #[test]
    fn by_hand() {
        let arrivals = [arrival(0, 10, 0), arrival(1, 4, 0), arrival(2, 6, 0)];
        let weights = RelativeSamples.weigh_arrivals(&arrivals, &World::new(3).view());
        assert_eq!(weights, Some(vec![1.5, 0.6, 0.9]));
        let nothing = [arrival(0, 0, 0)];
        let weights = RelativeSamples.weigh_arrivals(&nothing, &World::new(3).view());
        assert_eq!(weights, Some(vec![0.0]));
    }
}
