//! FedNova (Wang et al. 2020): normalised averaging against objective inconsistency.

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `x <- x + rate * t_eff * sum_i p_i D_i / |a_i|` with `t_eff = sum_i p_i |a_i|`, `p_i` the normalised
/// weights and `|a_i|` the 1-norm of what the local solver made of its gradients: the number of local
/// steps `t_i` for plain descent, `(t - m (1 - m^t) / (1 - m)) / (1 - m)` with local momentum `m`. Updates
/// without steps are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedNova {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// The clients' local momentum, in [0, 1).
    pub momentum: f64,
}

impl Default for FedNova {
    fn default() -> Self {
        Self { rate: 1.0, momentum: 0.0 }
    }
}

impl FedNova {
    fn norm(&self, steps: u64) -> f64 {
        let (t, m) = (steps as f64, self.momentum);
        (t - m * (1.0 - m.powf(t)) / (1.0 - m)) / (1.0 - m)
    }
}

impl Combine for FedNova {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let (mut sum, mut total, mut effective) = (batch.model.zeros_like(), 0.0, 0.0);
        for (position, update) in &mut *batch.updates {
            let weight = batch.weights.get(position).copied().unwrap_or(0.0);
            if update.steps > 0 && weight > 0.0 {
                let norm = self.norm(update.steps);
                sum.add_scaled_difference((weight / norm) as f32, &update.params, &update.base);
                effective += weight * norm;
                total += weight;
            }
        }
        let mut model = batch.model.clone();
        if total > 0.0 {
            // The sum and the effective steps both still carry the total weight.
            model.add_scaled((self.rate * effective / (total * total)) as f32, &sum);
        }
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::Mean;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};
    use proptest::prelude::*;

    #[test]
    fn unequal_steps_by_hand() {
        let mut updates = [update(0, &[0.0], &[2.0]), update(1, &[0.0], &[12.0])];
        (updates[0].steps, updates[1].steps) = (1, 4);
        let new = combine(&mut FedNova::default(), &[1.0], &updates, &[3.0, 1.0], &World::new(2));
        // t_eff = 3/4 + 4/4 = 1.75; 3/4 * 2 + 1/4 * 3 = 2.25
        close(&new, &[1.0 + 1.75 * 2.25]);
    }

    #[test]
    fn the_norm_with_momentum_adds_up_the_geometric_sums() {
        let part = FedNova { rate: 1.0, momentum: 0.5 };
        // Coefficients of the three gradients: 1.75, 1.5 and 1.
        assert!((part.norm(3) - 4.25).abs() < 1e-12);
        assert_eq!(FedNova::default().norm(7), 7.0);
    }

    proptest! {
        #[test]
        fn equal_steps_are_fedavg(
            values in proptest::collection::vec((-1.0f32..1.0, 0.1f64..10.0), 1..12),
            steps in 1u64..50,
        ) {
            let world = World::new(12);
            let mut updates: Vec<_> = values.iter().enumerate()
                .map(|(client, (value, _))| update(client as u32, &[0.5], &[*value])).collect();
            updates.iter_mut().for_each(|update| update.steps = steps);
            let weights: Vec<f64> = values.iter().map(|(_, weight)| *weight).collect();
            let nova = combine(&mut FedNova::default(), &[0.5], &updates, &weights, &world);
            let mean = combine(&mut Mean::default(), &[0.5], &updates, &weights, &world);
            prop_assert!((nova[0] - mean[0]).abs() < 1e-5, "{nova:?} {mean:?}");
        }
    }
}
