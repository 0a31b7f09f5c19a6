//! FedYogi (Reddi et al. 2021, Algorithm 2).

use crate::combine::moments::Moments;
use crate::combine::sums::mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`FedYogi`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedYogiSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Degree of adaptivity, above 0: the smaller, the more adaptive.
    pub tau: f64,
}

impl Default for FedYogiSettings {
    fn default() -> Self {
        Self { rate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }
    }
}

/// With `d` the weighted mean change: `m <- beta1 m + (1 - beta1) d`,
/// `v <- v - (1 - beta2) d^2 sign(v - d^2)`, `x <- x + rate m / (sqrt(v) + tau)`, without correction of bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedYogi {
    settings: FedYogiSettings,
    moments: Moments,
}

impl FedYogi {
    /// An optimizer with these settings.
    pub fn new(settings: FedYogiSettings) -> Self {
        Self { settings, moments: Moments::default() }
    }
}

impl Combine for FedYogi {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let change = mean_change(batch, |_| {});
        let FedYogiSettings { rate, beta1, beta2, tau } = self.settings;
        let keep = beta2 as f32;
        let second = |v: f32, d: f32| {
            let square = d * d;
            // The sign of 0 is 0: where both agree, nothing changes.
            let sign = if v == square { 0.0 } else { (v - square).signum() };
            v - (1.0 - keep) * square * sign
        };
        self.moments.step(batch, &change, (rate, beta1, tau), second)
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    #[test]
    fn two_steps_by_hand() {
        let settings = FedYogiSettings { rate: 0.1, beta1: 0.5, beta2: 0.75, tau: 1.0 };
        let mut part = FedYogi::new(settings);
        let world = World::new(1);
        let step = |part: &mut FedYogi, d: f32| {
            combine(part, &[0.0], &[update(0, &[0.0], &[d])], &[1.0], &world)
        };
        // d = 2: v = 1 - 0.25 * 4 * sign(1 - 4) = 2, m = 1
        close(&step(&mut part, 2.0), &[0.1 / (2f64.sqrt() + 1.0)]);
        // d = 1: v = 2 - 0.25 * 1 * sign(2 - 1) = 1.75, m = 0.5 + 0.5 = 1
        close(&step(&mut part, 1.0), &[0.1 / (1.75f64.sqrt() + 1.0)]);
    }
}
