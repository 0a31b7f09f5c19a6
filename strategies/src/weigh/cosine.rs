//! By the cosine distance that training moved a client's answers (Zhuang et al., TOMM 2022, section 5.3).

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Update;
use offbeat_learning::Flat;
use offbeat_learning::reid::COSINE_DISTANCE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What weighs when no client moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// The samples.
    #[default]
    Samples,
    /// All the same.
    Uniform,
}

/// `p_k = d_k / sum_j d_j`, where `d_k` in [0, 2] is the scalar `cosine_distance` of an update, relative to
/// the model the client started from. Clients name it themselves, so it is held to its bounds: what is missing,
/// negative or not a number counts as 0, what is larger as 2. When all are 0, the fallback weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CosineDistance {
    /// What weighs when all distances are 0.
    pub fallback: Fallback,
}

fn distance(update: &Update) -> f64 {
    let named = update.scalars.get(COSINE_DISTANCE).copied().unwrap_or(0.0);
    if named.is_nan() { 0.0 } else { named.clamp(0.0, 2.0) }
}

impl Weigh for CosineDistance {
    fn weigh(&mut self, updates: &[Update], _: &Flat, _: &View<'_>) -> Vec<f64> {
        let distances: Vec<f64> = updates.iter().map(distance).collect();
        if distances.iter().any(|distance| *distance > 0.0) {
            return distances;
        }
        let instead = |update: &Update| match self.fallback {
            Fallback::Samples => update.arrival.samples as f64,
            Fallback::Uniform => 1.0,
        };
        updates.iter().map(instead).collect()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, update};
    use crate::weigh::normalised;

    fn weigh(distances: &[Option<f64>], fallback: Fallback) -> Vec<f64> {
        let updates: Vec<Update> = (0..)
            .zip(distances)
            .map(|(client, distance)| {
                let mut update = update(client, &[0.0], &[1.0]);
                update.arrival.samples = 10 * (u64::from(client) + 1);
                update.scalars.extend(distance.map(|d| (COSINE_DISTANCE.to_string(), d)));
                update
            })
            .collect();
        let world = World::new(9);
        CosineDistance { fallback }.weigh(&updates, &Flat::zeros(1), &world.view())
    }

    #[test]
    fn shares_are_distances_over_their_sum() {
        let weights = weigh(&[Some(0.5), Some(0.2), Some(0.3)], Fallback::Samples);
        assert_eq!(normalised(&weights), [0.5, 0.2, 0.3]);
        let equal = normalised(&weigh(&[Some(0.7); 4], Fallback::Samples));
        assert_eq!(equal, [0.25; 4]);
    }

    #[test]
    fn when_nobody_moved_the_fallback_weighs() {
        for still in [&[Some(0.0), Some(0.0)][..], &[None, Some(-1.0)], &[Some(f64::NAN), None]] {
            assert_eq!(weigh(still, Fallback::Samples), [10.0, 20.0]);
            assert_eq!(weigh(still, Fallback::Uniform), [1.0, 1.0]);
        }
    }

    #[test]
    fn nobody_weighs_more_than_a_half_turn() {
        assert_eq!(weigh(&[Some(1e9), Some(1.0), None], Fallback::Samples), [2.0, 1.0, 0.0]);
        assert_eq!(weigh(&[Some(f64::INFINITY), Some(0.1)], Fallback::Samples), [2.0, 0.1]);
    }
}
