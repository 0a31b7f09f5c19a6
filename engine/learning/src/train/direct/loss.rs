//! Losses and their gradients.

use super::program::Program;
use super::workspace::Workspace;
use crate::objective::Loss;
use crate::train::gather::Gather;

/// Sums over one batch, or over several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LossSums {
    /// Sum of the samples' losses.
    pub(super) loss: f64,
    /// Sum of their squares.
    pub(super) squared: f64,
}

/// The losses of the batch that has passed through `program`; the gradient of their mean goes to the slot
/// that the loss reads.
pub(super) fn of(
    loss: Loss,
    program: &Program,
    work: &mut Workspace,
    gather: &Gather<'_>,
    batch: usize,
) -> LossSums {
    let slot = if loss.uses_head() { program.logits() } else { program.features() };
    let len = batch * program.slots()[slot].0;
    let (values, gradient) = (&work.values[slot][..len], &mut work.gradients[slot][..len]);
    match loss {
        Loss::CrossEntropy => cross_entropy(values, gather.labels(), gradient),
        Loss::FeatureMse => mean_square(values, gather.targets(), batch, gradient),
    }
}

/// The mean squared difference over each row of features, and the gradient of the rows' mean.
fn mean_square(features: &[f32], targets: &[f32], batch: usize, gradient: &mut [f32]) -> LossSums {
    let width = features.len() / batch;
    let share = 2.0 / features.len() as f32;
    let mut sums = LossSums::default();
    let rows = features.chunks_exact(width).zip(targets.chunks_exact(width));
    for ((features, targets), gradient) in rows.zip(gradient.chunks_exact_mut(width)) {
        let mut loss = 0.0;
        for ((feature, target), gradient) in features.iter().zip(targets).zip(gradient) {
            let difference = feature - target;
            *gradient = share * difference;
            loss += f64::from(difference * difference);
        }
        loss /= width as f64;
        sums.loss += loss;
        sums.squared += loss * loss;
    }
    sums
}

/// The losses of a batch from its logits (`[batch, classes]`), and the gradient of their **mean** by the
/// logits, written to `gradient`.
pub(super) fn cross_entropy(logits: &[f32], labels: &[u32], gradient: &mut [f32]) -> LossSums {
    let classes = logits.len() / labels.len();
    let share = 1.0 / labels.len() as f32;
    let mut sums = LossSums::default();
    let rows = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
    for ((logits, gradient), label) in rows.zip(labels) {
        let label = *label as usize;
        // The largest logit is taken out first, so that no exponential overflows.
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut total = 0.0;
        for (gradient, logit) in gradient.iter_mut().zip(logits) {
            *gradient = (logit - top).exp();
            total += *gradient;
        }
        let loss = f64::from(total.ln() + (top - logits[label]));
        sums.loss += loss;
        sums.squared += loss * loss;
        let factor = share / total;
        gradient.iter_mut().for_each(|gradient| *gradient *= factor);
        gradient[label] -= share;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_for_two_classes() {
        let mut gradient = [0.0; 4];
        let sums = cross_entropy(&[0.0, 0.0, 0.0, 3f32.ln()], &[0, 1], &mut gradient);
        let losses = [2f64.ln(), (4.0f64 / 3.0).ln()];
        assert!((sums.loss - losses.iter().sum::<f64>()).abs() < 1e-6);
        assert!((sums.squared - losses.iter().map(|loss| loss * loss).sum::<f64>()).abs() < 1e-6);
        for (have, want) in gradient.iter().zip([-0.25, 0.25, 0.125, -0.125]) {
            assert!((have - want).abs() < 1e-6);
        }
    }

    #[test]
    fn mean_squares_by_hand() {
        let mut gradient = [0.0; 4];
        let sums = mean_square(&[1.0, 2.0, 3.0, 5.0], &[1.0, 0.0, 2.0, 2.0], 2, &mut gradient);
        assert_eq!((sums.loss, sums.squared), (2.0 + 5.0, 4.0 + 25.0));
        assert_eq!(gradient, [0.0, 1.0, 0.5, 1.5]);
    }

    #[test]
    fn large_logits_do_not_overflow_and_nan_is_seen() {
        let mut gradient = [0.0; 2];
        let sums = cross_entropy(&[1000.0, -1000.0], &[1], &mut gradient);
        assert_eq!(sums.loss, 2000.0);
        assert!(!cross_entropy(&[f32::NAN, 0.0], &[1], &mut gradient).loss.is_finite());
        assert!(!cross_entropy(&[f32::INFINITY, 0.0], &[1], &mut gradient).loss.is_finite());
    }
}
