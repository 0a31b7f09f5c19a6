//! Mixing (FedAsync, Xie et al. 2019, Algorithm 1).

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `x <- (1 - a) x + a x_i` with `a = alpha * w_i`, for one update after the other in the order of client
/// ids. The weights, a staleness discount in the paper, must lie in [0, 1] and are not normalised. `a` is
/// computed anew for every update: no discount outlives its update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Mixing weight alpha of a fresh update, in (0, 1].
    pub alpha: f64,
}

impl Default for Mix {
    fn default() -> Self {
        Self { alpha: 0.6 }
    }
}

impl Combine for Mix {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let mut model = batch.model.clone();
        for (position, update) in &mut *batch.updates {
            let weight = batch.weights.get(position).copied().unwrap_or(0.0);
            let share = (self.alpha * weight).clamp(0.0, 1.0);
            model.scale((1.0 - share) as f32);
            model.add_scaled(share as f32, &update.params);
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
    fn one_after_the_other_by_hand() {
        let mut part = Mix { alpha: 0.5 };
        let updates = [update(0, &[0.0], &[4.0]), update(1, &[0.0], &[8.0])];
        let new = combine(&mut part, &[2.0], &updates, &[1.0, 0.5], &World::new(2));
        // 0.5 * 2 + 0.5 * 4 = 3; 0.75 * 3 + 0.25 * 8 = 4.25
        close(&new, &[4.25]);
    }

    #[test]
    fn a_discount_does_not_outlive_its_update() {
        let mut part = Mix { alpha: 0.5 };
        let world = World::new(1);
        for _ in 0..20 {
            combine(&mut part, &[0.0], &[update(0, &[0.0], &[1.0])], &[0.1], &world);
        }
        let fresh = combine(&mut part, &[0.0], &[update(0, &[0.0], &[1.0])], &[1.0], &world);
        close(&fresh, &[0.5]);
    }
}
