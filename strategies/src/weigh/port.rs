//! Port's weights (Su and Li 2022): similarity to the server's own way, and staleness.

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Update;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `n_k / n * (similarity * (cos + 1) / 2 + staleness * B / (tau + B))`, where `cos` is the cosine
/// between the way the global model went since the client's base, `w_t - w_(t - tau)`, and the client's
/// own change. A client that started from the present model has no such way: its cosine is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Port {
    /// Factor on the similarity, at least 0.
    pub similarity: f64,
    /// Factor on the staleness, at least 0.
    pub staleness: f64,
    /// Staleness bound B in versions, above 0.
    pub bound: f64,
}

impl Default for Port {
    fn default() -> Self {
        Self { similarity: 1.0, staleness: 1.0, bound: 10.0 }
    }
}

impl Weigh for Port {
    fn weigh(&mut self, updates: &[Update], model: &Flat, view: &View<'_>) -> Vec<f64> {
        let samples: f64 = updates.iter().map(|update| update.arrival.samples as f64).sum();
        let weight = |update: &Update| {
            let share = update.arrival.samples as f64 / samples.max(1.0);
            let cosine = model.minus(&update.base).cosine(&update.delta());
            let fresh = self.bound / (update.staleness(view.version) as f64 + self.bound);
            share * (self.similarity * 0.5 * (cosine + 1.0) + self.staleness * fresh)
        };
        updates.iter().map(weight).collect()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, update};
    use offbeat_kernel::Version;

    #[test]
    fn by_hand() {
        let mut world = World::new(3);
        world.version = Version(10);
        let model = Flat::new(vec![1.0, 0.0]);
        // The model went along (1, 0) since version 0.
        let mut along = update(0, &[0.0, 0.0], &[2.0, 0.0]);
        along.arrival.samples = 3;
        let against = update(1, &[0.0, 0.0], &[-1.0, 0.0]);
        let mut fresh = update(2, &[1.0, 0.0], &[1.0, 5.0]);
        fresh.arrival.base_version = Version(10);
        let weights = Port::default().weigh(&[along, against, fresh], &model, &world.view());
        // 3/5 (1 + 10/20); 1/5 (0 + 10/20); 1/5 (1/2 + 1).
        for (weight, expected) in weights.iter().zip([0.9, 0.1, 0.3]) {
            assert!((weight - expected).abs() < 1e-12, "{weight} instead of {expected}");
        }
    }
}
