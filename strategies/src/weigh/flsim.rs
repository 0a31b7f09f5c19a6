//! The normalised staleness discount of FLSim, the simulator of FedBuff's authors.

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Arrival;
use crate::weigh::known_at_arrival;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `n / N * (1 + tau)^-e / (1 + T)^-e` with `n` samples and staleness `tau`: an update of average size `N` and average
/// staleness `T` counts 1. Both averages are told, not measured, so that an update counts the same
/// whatever else is in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Flsim {
    /// Exponent `e`, in [0, 1].
    pub exponent: f64,
    /// The average staleness `T`, in versions.
    pub average_staleness: f64,
    /// The average samples of a client `N`; 1 when left out, so that weights are counts of samples.
    pub average_samples: Option<f64>,
}

impl Default for Flsim {
    fn default() -> Self {
        Self { exponent: 0.5, average_staleness: 1.0, average_samples: None }
    }
}

impl Flsim {
    fn of(&self, arrival: &Arrival, view: &View<'_>) -> f64 {
        let tau = view.version.since(arrival.base_version) as f64;
        let discount = |tau: f64| (1.0 + tau).powf(-self.exponent);
        let size = arrival.samples as f64 / self.average_samples.unwrap_or(1.0);
        size * discount(tau) / discount(self.average_staleness)
    }
}

impl Weigh for Flsim {
    known_at_arrival!();
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
        // Staleness 0, 3, 8 against 3: discounts 1, 1/2, 1/3 against 1/2.
        let arrivals = [arrival(0, 10, 8), arrival(1, 4, 5), arrival(2, 6, 0)];
        let mut rule = Flsim { average_staleness: 3.0, ..Flsim::default() };
        let close = |weights: Option<Vec<f64>>, expected: [f64; 3]| {
            for (weight, expected) in weights.expect("known").iter().zip(expected) {
                assert!((weight - expected).abs() < 1e-12, "{weight} instead of {expected}");
            }
        };
        close(rule.weigh_arrivals(&arrivals, &world.view()), [20.0, 4.0, 4.0]);
        rule.average_samples = Some(5.0);
        close(rule.weigh_arrivals(&arrivals, &world.view()), [4.0, 0.8, 0.8]);
    }
}
