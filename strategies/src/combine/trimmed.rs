//! The coordinate-wise trimmed mean (Yin et al. 2018, option II).

use crate::combine::median::by_coordinate;
use crate::combine::sums::all_changes;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `x` plus, in every coordinate, the mean of the changes without the `floor(trim * n)` smallest and
/// largest. Weights are not used. Holds all updates at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrimmedMean {
    /// Share that is cut off on each side, in [0, 0.5).
    pub trim: f64,
}

impl Default for TrimmedMean {
    fn default() -> Self {
        Self { trim: 0.1 }
    }
}

impl Combine for TrimmedMean {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let changes = all_changes(batch);
        let cut = (self.trim * changes.len() as f64 + 1e-9).floor() as usize;
        let mean = by_coordinate(&changes, batch.model.len(), |column| {
            let kept = &column[cut..column.len() - cut];
            (kept.iter().map(|value| f64::from(*value)).sum::<f64>() / kept.len() as f64) as f32
        });
        let mut model = batch.model.clone();
        model.add_scaled(1.0, &mean);
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
    fn the_extremes_are_cut_off() {
        let values = [1.0f32, -1e6, 3.0, 1e6, 5.0];
        let updates: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(c, value)| update(c as u32, &[0.0], &[*value]))
            .collect();
        let mut part = TrimmedMean { trim: 0.2 };
        close(&combine(&mut part, &[1.0], &updates, &[1.0; 5], &World::new(5)), &[4.0]);
    }

    proptest! {
        #[test]
        fn without_trim_it_is_the_uniform_mean(
            values in proptest::collection::vec(-1.0f32..1.0, 1..20),
        ) {
            let world = World::new(20);
            let updates: Vec<_> = values.iter().enumerate()
                .map(|(client, value)| update(client as u32, &[0.25], &[*value])).collect();
            let weights = vec![1.0; values.len()];
            let own = combine(&mut TrimmedMean { trim: 0.0 }, &[0.5], &updates, &weights, &world);
            let mean = combine(&mut Mean::default(), &[0.5], &updates, &weights, &world);
            prop_assert!((own[0] - mean[0]).abs() < 1e-6);
        }
    }
}
