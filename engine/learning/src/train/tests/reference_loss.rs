//! The losses in `f64`, straight from their definitions.

use super::reference::Outputs;
use crate::objective::Loss;

/// The mean loss of a batch.
pub(super) fn mean_loss(loss: Loss, outputs: &Outputs, labels: &[u32], targets: &[f32]) -> f64 {
    let losses = losses(loss, outputs, labels, targets);
    losses.iter().sum::<f64>() / losses.len() as f64
}

/// The loss of each sample.
pub(super) fn losses(loss: Loss, outputs: &Outputs, labels: &[u32], targets: &[f32]) -> Vec<f64> {
    let rows = outputs.logits.iter().zip(labels);
    match loss {
        Loss::CrossEntropy => rows.map(|(row, label)| cross_entropy(row, *label)).collect(),
        Loss::FeatureMse => {
            let width = outputs.features[0].len();
            let pairs = outputs.features.iter().zip(targets.chunks(width));
            let mean = |(features, targets): (&Vec<f64>, &[f32])| {
                let terms = features.iter().zip(targets);
                terms.map(|(a, b)| (a - f64::from(*b)).powi(2)).sum::<f64>() / width as f64
            };
            pairs.map(mean).collect()
        }
    }
}

fn cross_entropy(logits: &[f64], label: u32) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - top).exp()).sum();
    sum.ln() + top - logits[label as usize]
}
