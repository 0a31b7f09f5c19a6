//! The normalised staleness discount of FLSim, the simulator of FedBuff's authors.

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::{Arrival, Update};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `samples * (1 + tau)^-e / (1 + mean tau)^-e`: an update of average staleness counts by its samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Flsim {
    /// Exponent `e`, in [0, 1].
    pub exponent: f64,
}

impl Default for Flsim {
    fn default() -> Self {
        Self { exponent: 0.5 }
    }
}

impl Flsim {
    fn all<'a>(&self, arrivals: impl Iterator<Item = &'a Arrival>, view: &View<'_>) -> Vec<f64> {
        let stale: Vec<(f64, f64)> = arrivals
            .map(|a| (a.samples as f64, view.version.since(a.base_version) as f64))
            .collect();
        let mean = stale.iter().map(|(_, tau)| tau).sum::<f64>() / stale.len().max(1) as f64;
        let discount = |tau: f64| (1.0 + tau).powf(-self.exponent);
        stale.iter().map(|(samples, tau)| samples * discount(*tau) / discount(mean)).collect()
    }
}

impl Weigh for Flsim {
    fn weigh(&mut self, updates: &[Update], _: &Flat, view: &View<'_>) -> Vec<f64> {
        self.all(updates.iter().map(|update| &update.arrival), view)
    }

    fn weigh_arrivals(&mut self, arrivals: &[Arrival], view: &View<'_>) -> Option<Vec<f64>> {
        Some(self.all(arrivals.iter(), view))
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, arrival};
    use offbeat_kernel::Version;

    #[test]
    fn by_hand() {
        let mut world = World::new(3);
        world.version = Version(8);
        // Staleness 0, 1, 8: the mean is 3, its discount 1/2.
        let arrivals = [arrival(0, 10, 8), arrival(1, 4, 7), arrival(2, 6, 0)];
        let weights = Flsim::default().weigh_arrivals(&arrivals, &world.view()).expect("known");
        for (weight, expected) in weights.iter().zip([20.0, 8.0 / 2f64.sqrt(), 4.0]) {
            assert!((weight - expected).abs() < 1e-12, "{weight} instead of {expected}");
        }
    }
}
