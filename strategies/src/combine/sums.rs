//! Weighted sums of changes in constant memory, shared by the combiners.

use crate::combine::By;
use crate::seams::Batch;
use crate::update::Update;
use offbeat_learning::Flat;

/// Updates that are added in one pass over the sum, if they are no larger together than [`TOGETHER_BYTES`].
const TOGETHER: usize = 8;

/// See [`TOGETHER`]; larger models are added one by one.
const TOGETHER_BYTES: usize = 64 << 20;

/// `start + rate * sum_i w_i (params_i - base_i) / D`, with `D` the sum of the weights or the number of
/// updates. Updates are added as they are taken, a few small ones at a time, then forgotten; `each` sees each
/// of them before.
///
/// `D` is computed from all expected updates beforehand. When some turn out to be missing, the sum is
/// rescaled at the end, otherwise not, so that the bits do not depend on the possibility.
pub fn add_mean_change(
    start: &Flat,
    rate: f64,
    by: By,
    batch: &mut Batch<'_>,
    mut each: impl FnMut(&Update),
) -> Flat {
    let share = |weight: f64| match by {
        By::Sum => weight,
        By::Count => 1.0,
    };
    let expected: f64 = batch.weights.iter().map(|weight| share(*weight)).sum();
    let (mut sum, mut present, mut taken) = (start.clone(), 0.0, 0);
    let together = (TOGETHER_BYTES / (4 * start.len()).max(1)).clamp(1, TOGETHER);
    let mut waiting: Vec<(f32, Flat, Flat)> = Vec::with_capacity(together);
    for (position, update) in &mut *batch.updates {
        each(&update);
        taken += 1;
        let weight = batch.weights.get(position).copied().unwrap_or(0.0);
        present += share(weight);
        if expected > 0.0 && weight > 0.0 {
            let factor = rate * weight / expected;
            waiting.push((factor as f32, update.params, update.base));
        }
        if waiting.len() == together {
            add(&mut sum, &mut waiting);
        }
    }
    add(&mut sum, &mut waiting);
    if taken < batch.weights.len() && present > 0.0 {
        let mut rescaled = start.clone();
        rescaled.add_scaled_difference((expected / present) as f32, &sum, start);
        return rescaled;
    }
    sum
}

/// Adds what waits, in its order.
fn add(sum: &mut Flat, waiting: &mut Vec<(f32, Flat, Flat)>) {
    let terms: Vec<_> = waiting.iter().map(|(factor, a, b)| (*factor, a, b)).collect();
    sum.add_scaled_differences(&terms);
    waiting.clear();
}

/// The weighted mean of the changes: what server optimizers take for a negative gradient.
pub fn mean_change(batch: &mut Batch<'_>, each: impl FnMut(&Update)) -> Flat {
    let zeros = batch.model.zeros_like();
    add_mean_change(&zeros, 1.0, By::Sum, batch, each)
}

/// All changes in host memory, for rules that have to see them side by side.
pub fn all_changes(batch: &mut Batch<'_>) -> Vec<Flat> {
    (&mut *batch.updates).map(|(_, update)| update.delta()).collect()
}
