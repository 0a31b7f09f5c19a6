//! FADAS (Wang et al. 2024): AMSGrad at the server, with a rate that adapts to delays.

use crate::combine::sums::mean_change;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`Fadas`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FadasSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment, above 0.
    pub epsilon: f64,
    /// Largest staleness that leaves the rate alone (tau_c).
    pub tolerance: Option<u64>,
}

impl Default for FadasSettings {
    fn default() -> Self {
        Self { rate: 0.001, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, tolerance: Some(1) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    m: Flat,
    v: Flat,
    largest: Flat,
}

/// With `d` the mean change of the buffer: `m <- beta1 m + (1 - beta1) d`,
/// `v <- beta2 v + (1 - beta2) d^2`, `v^ <- max(v^, v)`, `x <- x + rate_t m / (sqrt(v^) + epsilon)`, where
/// `rate_t = min(rate, 1 / tau_max)` when the largest staleness of the buffer exceeds the tolerance. The
/// paper's mean is uniform: weigh uniformly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fadas {
    settings: FadasSettings,
    groups: BTreeMap<u32, State>,
}

impl Fadas {
    /// An optimizer with these settings.
    pub fn new(settings: FadasSettings) -> Self {
        Self { settings, groups: BTreeMap::new() }
    }

    fn rate(&self, staleness: u64) -> f64 {
        match self.settings.tolerance {
            Some(tolerance) if staleness > tolerance => {
                self.settings.rate.min(1.0 / staleness as f64)
            }
            _ => self.settings.rate,
        }
    }
}

impl Combine for Fadas {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let mut stalest = 0;
        let change = mean_change(batch, |u| stalest = stalest.max(u.staleness(view.version)));
        let rate = self.rate(stalest);
        let zeros = Flat::zeros(batch.model.len());
        let fresh = || State { m: zeros.clone(), v: zeros.clone(), largest: zeros.clone() };
        let state = self.groups.entry(batch.group).or_insert_with(fresh);
        let (keep1, keep2) = (self.settings.beta1 as f32, self.settings.beta2 as f32);
        let epsilon = self.settings.epsilon as f32;
        state.m.zip_mut(&change, |m, d| *m = keep1 * *m + (1.0 - keep1) * d);
        state.v.zip_mut(&change, |v, d| *v = keep2 * *v + (1.0 - keep2) * d * d);
        state.largest.zip_mut(&state.v, |largest, v| *largest = largest.max(v));
        let mut step = state.m.clone();
        step.zip_mut(&state.largest, |m, v| *m /= v.sqrt() + epsilon);
        let mut model = batch.model.clone();
        model.add_scaled(rate as f32, &step);
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};
    use offbeat_kernel::Version;

    fn settings() -> FadasSettings {
        FadasSettings { rate: 0.5, beta1: 0.5, beta2: 0.75, epsilon: 1.0, tolerance: Some(2) }
    }

    #[test]
    fn the_largest_second_moment_stays() {
        let mut part = Fadas::new(settings());
        let world = World::new(2);
        let updates = [update(0, &[0.0], &[6.0]), update(1, &[0.0], &[2.0])];
        // d = 4: m = 2, v = 4, v^ = 4
        let first = combine(&mut part, &[1.0], &updates, &[1.0, 1.0], &world);
        close(&first, &[1.0 + 0.5 * 2.0 / 3.0]);
        // d = 0: m = 1, v = 3, v^ = 4
        let zero = [update(0, &[0.0], &[0.0])];
        close(&combine(&mut part, &[1.0], &zero, &[1.0], &world), &[1.0 + 0.5 * 1.0 / 3.0]);
    }

    #[test]
    fn the_rate_shrinks_beyond_the_tolerance() {
        let part = Fadas::new(settings());
        assert_eq!([0, 2, 3, 4].map(|tau| part.rate(tau)), [0.5, 0.5, 1.0 / 3.0, 0.25]);
        let mut part = Fadas::new(settings());
        let mut world = World::new(1);
        world.version = Version(10);
        // d = 4 with staleness 10: rate 0.1
        let new = combine(&mut part, &[1.0], &[update(0, &[0.0], &[4.0])], &[1.0], &world);
        close(&new, &[1.0 + 0.1 * 2.0 / 3.0]);
    }
}
