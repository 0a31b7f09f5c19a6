//! Losses and their gradients.

use super::caps;
use super::margin::{self, Margin};
use super::program::Program;
use super::triplet;
use super::workspace::Workspace;
use crate::caps::Caps;
use crate::objective::Loss;
use crate::train::gather::Gather;
use crate::train::sums::LossSums;

/// The losses of the batch that has passed through `program`. The gradient of their mean goes to the slot
/// of the logits, or to that of the features when the head is not used; when both are, that by the
/// features goes to `work.by_features`.
pub(super) fn of(
    (loss, foreign): (Loss, Option<&Caps>),
    program: &Program,
    work: &mut Workspace,
    gather: &Gather<'_>,
    batch: usize,
) -> LossSums {
    let slot = if loss.uses_head() { program.logits() } else { program.features() };
    let len = batch * program.slots()[slot].0;
    let (values, gradient) = (&work.values[slot][..len], &mut work.gradients[slot][..len]);
    let (labels, losses) = (gather.labels(), &mut work.losses);
    losses.clear();
    work.by_features.clear();
    match loss {
        Loss::CrossEntropy => cross_entropy(values, labels, gradient, losses),
        Loss::FeatureMse => mean_square(values, gather.targets(), batch, gradient, losses),
        Loss::Masked(masked) => {
            let painted = (values, gather.targets());
            masked.losses(painted, gather.hidden(), (batch, gradient, losses));
        }
        Loss::Cosface { scale, margin } | Loss::Arcface { scale, margin } => {
            let margin = match loss {
                Loss::Cosface { .. } => Margin::Cosine(margin),
                _ => Margin::Angle(margin),
            };
            match foreign.filter(|caps| !caps.is_empty()) {
                None => margin::of(margin, scale, values, labels, gradient, losses),
                Some(foreign) => {
                    let slot = program.features();
                    let features = &work.values[slot][..batch * program.slots()[slot].0];
                    let (logits, slopes) = caps::logits(foreign, scale, features);
                    let beside = margin::Beside { logits: &logits, slopes: &slopes };
                    let by_caps =
                        margin::among((margin, scale), values, beside, labels, gradient, losses);
                    work.by_features.resize(features.len(), 0.0);
                    caps::backward(foreign, &by_caps, features, &mut work.by_features);
                }
            }
        }
        Loss::Triplet { margin, cross_entropy: weight } if loss.uses_head() => {
            cross_entropy(values, labels, gradient, losses);
            gradient.iter_mut().for_each(|gradient| *gradient *= weight);
            losses.iter_mut().for_each(|loss| *loss *= f64::from(weight));
            let slot = program.features();
            let features = &work.values[slot][..batch * program.slots()[slot].0];
            work.by_features.resize(features.len(), 0.0);
            triplet::of(margin, features, labels, &mut work.by_features, losses);
        }
        Loss::Triplet { margin, .. } => {
            losses.resize(batch, 0.0);
            triplet::of(margin, values, labels, gradient, losses);
        }
    }
    LossSums::of(losses.iter().copied())
}

/// The mean squared difference over each row of features, and the gradient of the rows' mean.
fn mean_square(
    features: &[f32],
    targets: &[f32],
    batch: usize,
    gradient: &mut [f32],
    losses: &mut Vec<f64>,
) {
    let width = features.len() / batch;
    let share = 2.0 / features.len() as f32;
    let rows = features.chunks_exact(width).zip(targets.chunks_exact(width));
    for ((features, targets), gradient) in rows.zip(gradient.chunks_exact_mut(width)) {
        let mut loss = 0.0;
        for ((feature, target), gradient) in features.iter().zip(targets).zip(gradient) {
            let difference = feature - target;
            *gradient = share * difference;
            loss += f64::from(difference * difference);
        }
        losses.push(loss / width as f64);
    }
}

/// Appends the losses of a batch from its logits (`[batch, classes]`), and writes the gradient of their
/// **mean** by the logits to `gradient`.
pub(super) fn cross_entropy(
    logits: &[f32],
    labels: &[u32],
    gradient: &mut [f32],
    losses: &mut Vec<f64>,
) {
    let classes = logits.len() / labels.len();
    let share = 1.0 / labels.len() as f32;
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
        losses.push(f64::from(total.ln() + (top - logits[label])));
        let factor = share / total;
        gradient.iter_mut().for_each(|gradient| *gradient *= factor);
        gradient[label] -= share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_for_two_classes() {
        let mut gradient = [0.0; 4];
        let mut found = Vec::new();
        cross_entropy(&[0.0, 0.0, 0.0, 3f32.ln()], &[0, 1], &mut gradient, &mut found);
        let sums = LossSums::of(found.iter().copied());
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
        let mut found = Vec::new();
        let (features, targets) = ([1.0, 2.0, 3.0, 5.0], [1.0, 0.0, 2.0, 2.0]);
        mean_square(&features, &targets, 2, &mut gradient, &mut found);
        let sums = LossSums::of(found.iter().copied());
        assert_eq!((sums.loss, sums.squared), (2.0 + 5.0, 4.0 + 25.0));
        assert_eq!(gradient, [0.0, 1.0, 0.5, 1.5]);
    }

    #[test]
    fn large_logits_do_not_overflow_and_nan_is_seen() {
        let mut gradient = [0.0; 2];
        let mut loss = |logits: [f32; 2]| {
            let mut losses = Vec::new();
            cross_entropy(&logits, &[1], &mut gradient, &mut losses);
            losses[0]
        };
        assert_eq!(loss([1000.0, -1000.0]), 2000.0);
        assert!(!loss([f32::NAN, 0.0]).is_finite());
        assert!(!loss([f32::INFINITY, 0.0]).is_finite());
    }
}
