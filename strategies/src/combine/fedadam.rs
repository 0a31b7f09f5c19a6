//! FedAdam (Reddi et al. 2021, Algorithm 2).

use crate::combine::moments::Moments;
use crate::combine::sums::mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`FedAdam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedAdamSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Degree of adaptivity, above 0: the smaller, the more adaptive.
    pub tau: f64,
}

impl Default for FedAdamSettings {
    fn default() -> Self {
        Self { rate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }
    }
}

/// With `d` the weighted mean change: `m <- beta1 m + (1 - beta1) d`,
/// `v <- beta2 v + (1 - beta2) d^2`, `x <- x + rate m / (sqrt(v) + tau)`, without correction of bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedAdam {
    settings: FedAdamSettings,
    moments: Moments,
}

impl FedAdam {
    /// An optimizer with these settings.
    pub fn new(settings: FedAdamSettings) -> Self {
        Self { settings, moments: Moments::default() }
    }
}

impl Combine for FedAdam {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let change = mean_change(batch, |_| {});
        let FedAdamSettings { rate, beta1, beta2, tau } = self.settings;
        let keep = beta2 as f32;
        let second = |v: f32, d: f32| keep * v + (1.0 - keep) * d * d;
        self.moments.step(batch, &change, (rate, beta1, tau), second)
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    /// Two updates of weights 1 and 3 make the change 2; tau = 1, so v starts at 1.
    #[test]
    fn two_steps_by_hand() {
        let settings = FedAdamSettings { rate: 0.1, beta1: 0.5, beta2: 0.75, tau: 1.0 };
        let mut part = FedAdam::new(settings);
        let updates = [update(0, &[1.0], &[6.0]), update(1, &[1.0], &[2.0])];
        let first = combine(&mut part, &[1.0], &updates, &[1.0, 3.0], &World::new(2));
        // m = 1, v = 0.75 + 0.25 * 4 = 1.75
        close(&first, &[1.0 + 0.1 / (1.75f64.sqrt() + 1.0)]);
        let second = combine(&mut part, &[0.0], &updates[1..], &[1.0], &World::new(2));
        // change 1: m = 0.5 + 0.5 = 1, v = 0.75 * 1.75 + 0.25 = 1.5625
        close(&second, &[0.1 / (1.25 + 1.0)]);
    }

    #[test]
    fn a_snapshot_holds_the_moments() {
        let run = |part: &mut FedAdam| {
            combine(part, &[0.0], &[update(0, &[0.0], &[1.0])], &[1.0], &World::new(1))
        };
        let mut part = FedAdam::new(FedAdamSettings::default());
        run(&mut part);
        let mut restored = FedAdam::new(FedAdamSettings::default());
        restored.restore(&part.save().expect("plain data")).expect("what was saved");
        assert_eq!(restored, part);
        assert_eq!(run(&mut restored), run(&mut part));
    }
}
