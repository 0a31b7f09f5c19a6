//! REFL's boost of stale updates that say something new (Abdelmoniem et al. 2023, section 4.2).

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Update;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fresh updates weigh 1. A stale one weighs `(1 - beta) / (tau + 1) + beta (1 - exp(-L / L_max))`,
/// where `L = |mean_F - (u + n_F mean_F) / (n_F + 1)|^2 / |mean_F|^2` says how far the stale change `u`
/// would move the mean of the `n_F` fresh changes, and `L_max` is the largest `L` of the batch. Without
/// fresh updates there is nothing to deviate from, and the second term is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Refl {
    /// Share of the deviation in the weight, in [0, 1]; 0.35 in the paper.
    pub beta: f64,
}

impl Default for Refl {
    fn default() -> Self {
        Self { beta: 0.35 }
    }
}

/// `L` by position; 0 for fresh updates and where there is no fresh change to compare with.
fn deviations(updates: &[Update], view: &View<'_>) -> Vec<f64> {
    let fresh: Vec<bool> = updates.iter().map(|u| u.staleness(view.version) == 0).collect();
    let count = fresh.iter().filter(|fresh| **fresh).count();
    let Some(first) = updates.first().filter(|_| count > 0) else {
        return vec![0.0; updates.len()];
    };
    let mut mean = Flat::zeros(first.base.len());
    for (update, _) in updates.iter().zip(&fresh).filter(|(_, fresh)| **fresh) {
        mean.add_scaled_difference(1.0 / count as f32, &update.params, &update.base);
    }
    let norm = mean.dot(&mean);
    let deviation = |update: &Update| {
        // mean - (u + n mean) / (n + 1) = (mean - u) / (n + 1)
        let gap = mean.minus(&update.delta()).norm() / (count + 1) as f64;
        if norm > 0.0 { gap * gap / norm } else { 0.0 }
    };
    updates.iter().zip(&fresh).map(|(u, fresh)| if *fresh { 0.0 } else { deviation(u) }).collect()
}

impl Weigh for Refl {
    fn weigh(&mut self, updates: &[Update], _: &Flat, view: &View<'_>) -> Vec<f64> {
        let deviations = deviations(updates, view);
        let largest = deviations.iter().copied().fold(0.0, f64::max);
        let weight = |update: &Update, deviation: f64| match update.staleness(view.version) {
            0 => 1.0,
            tau => {
                let relative = if largest > 0.0 { deviation / largest } else { 0.0 };
                (1.0 - self.beta) / (tau as f64 + 1.0) + self.beta * (1.0 - (-relative).exp())
            }
        };
        updates.iter().zip(deviations).map(|(u, deviation)| weight(u, deviation)).collect()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, update};
    use offbeat_kernel::Version;

    fn aged(client: u32, base_version: u64, delta: [f32; 2]) -> Update {
        let mut update = update(client, &[0.0, 0.0], &delta);
        update.arrival.base_version = Version(base_version);
        update
    }

    #[test]
    fn deviations_and_weights_by_hand() {
        let mut world = World::new(4);
        world.version = Version(5);
        // The fresh mean is (2, 0) of two, its square 4. Stale: (2, 9) moves it by (0, 3), so 9 / 4;
        // (2, 3) by (0, 1), so 1 / 4, which is 1 / 9 of the largest.
        let updates = [
            aged(0, 5, [4.0, 0.0]),
            aged(1, 5, [0.0, 0.0]),
            aged(2, 4, [2.0, 9.0]),
            aged(3, 2, [2.0, 3.0]),
        ];
        let deviation = deviations(&updates, &world.view());
        assert!((deviation[2] - 2.25).abs() < 1e-12, "{deviation:?}");
        assert!((deviation[3] - 0.25).abs() < 1e-12, "{deviation:?}");
        let weights = Refl::default().weigh(&updates, &Flat::zeros(2), &world.view());
        let boost = |relative: f64| 0.35 * (1.0 - (-relative).exp());
        let expected = [1.0, 1.0, 0.65 / 2.0 + boost(1.0), 0.65 / 4.0 + boost(1.0 / 9.0)];
        for (weight, expected) in weights.iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-12, "{weight} instead of {expected}");
        }
    }

    #[test]
    fn without_fresh_updates_only_staleness_counts() {
        let mut world = World::new(2);
        world.version = Version(1);
        let updates = [aged(0, 0, [1.0, 0.0])];
        assert_eq!(Refl::default().weigh(&updates, &Flat::zeros(2), &world.view()), [0.65 / 2.0]);
    }
}
