//! FedAdagrad (Reddi et al. 2021, Algorithm 2).

use crate::combine::moments::Moments;
use crate::combine::sums::mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`FedAdagrad`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedAdagradSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// Decay of the first moment, in [0, 1); 0 in the paper's experiments.
    pub beta1: f64,
    /// Degree of adaptivity, above 0: the smaller, the more adaptive.
    pub tau: f64,
}

impl Default for FedAdagradSettings {
    fn default() -> Self {
        Self { rate: 0.1, beta1: 0.0, tau: 1e-3 }
    }
}

/// With `d` the weighted mean change: `m <- beta1 m + (1 - beta1) d`, `v <- v + d^2`,
/// `x <- x + rate m / (sqrt(v) + tau)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedAdagrad {
    settings: FedAdagradSettings,
    moments: Moments,
}

impl FedAdagrad {
    /// An optimizer with these settings.
    pub fn new(settings: FedAdagradSettings) -> Self {
        Self { settings, moments: Moments::default() }
    }
}

impl Combine for FedAdagrad {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let change = mean_change(batch, |_| {});
        let FedAdagradSettings { rate, beta1, tau } = self.settings;
        self.moments.step(batch, &change, (rate, beta1, tau), |v, d| v + d * d)
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
        let mut part = FedAdagrad::new(FedAdagradSettings { rate: 0.5, beta1: 0.0, tau: 1.0 });
        let world = World::new(1);
        let step = |part: &mut FedAdagrad, x: f32, d: f32| {
            combine(part, &[x], &[update(0, &[0.0], &[d])], &[1.0], &world)
        };
        // v = 1 + 9 = 10; then 10 + 16 = 26.
        let first = step(&mut part, 1.0, 3.0);
        close(&first, &[1.0 + 0.5 * 3.0 / (10f64.sqrt() + 1.0)]);
        close(&step(&mut part, 1.0, -4.0), &[1.0 - 0.5 * 4.0 / (26f64.sqrt() + 1.0)]);
    }
}
