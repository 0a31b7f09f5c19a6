//! The losses in `f64`, straight from their definitions.

use super::reference::Outputs;
use crate::masked::Masked;
use crate::objective::Loss;
use crate::train::gather::Gather;

/// The mean loss of a batch.
pub(super) fn mean_loss(loss: Loss, outputs: &Outputs, gather: &Gather<'_>) -> f64 {
    let losses = losses(loss, outputs, gather);
    losses.iter().sum::<f64>() / losses.len() as f64
}

/// The loss of each sample.
fn losses(loss: Loss, outputs: &Outputs, gather: &Gather<'_>) -> Vec<f64> {
    let (labels, targets) = (gather.labels(), gather.targets());
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
        Loss::Cosface { scale, margin } => {
            let changed = |cosine: f64| cosine - f64::from(margin);
            rows.map(|(row, label)| with_margin(row, *label, scale, &changed)).collect()
        }
        Loss::Arcface { scale, margin } => {
            let changed = |cosine: f64| {
                let (angle, margin) = (cosine.acos(), f64::from(margin));
                match angle + margin < std::f64::consts::PI {
                    true => (angle + margin).cos(),
                    false => cosine - margin * margin.sin(),
                }
            };
            rows.map(|(row, label)| with_margin(row, *label, scale, &changed)).collect()
        }
        Loss::Masked(masked) => painted(masked, outputs, targets, gather.hidden()),
        Loss::Triplet { margin, cross_entropy: weight } => {
            let own = rows.map(|(row, label)| f64::from(weight) * cross_entropy(row, *label));
            own.enumerate()
                .map(|(at, own)| own + triplet(&outputs.features, labels, at, f64::from(margin)))
                .collect()
        }
    }
}

fn painted(masked: Masked, outputs: &Outputs, targets: &[f32], hidden: &[bool]) -> Vec<f64> {
    let width = outputs.logits[0].len();
    let images = outputs.logits.iter().zip(targets.chunks(width)).zip(hidden.chunks(width));
    let one = |((row, image), hidden): ((&Vec<f64>, &[f32]), &[bool])| {
        let mean = |own: bool, error: &dyn Fn(f64) -> f64| {
            let places = (0..width).filter(|place| hidden[*place] == own);
            let errors = places.map(|place| error(row[place] - f64::from(image[place])));
            let errors: Vec<f64> = errors.collect();
            errors.iter().sum::<f64>() / errors.len() as f64
        };
        let smooth = |off: f64| if off.abs() < 2.0 { off * off / 4.0 } else { off.abs() - 1.0 };
        mean(true, &|off| off * off) + f64::from(masked.visible_weight) * mean(false, &smooth)
    };
    images.map(one).collect()
}

fn with_margin(row: &[f64], label: u32, scale: f32, changed: &dyn Fn(f64) -> f64) -> f64 {
    let mut row = row.to_vec();
    row[label as usize] = changed(row[label as usize]);
    row.iter_mut().for_each(|value| *value *= f64::from(scale));
    cross_entropy(&row, label)
}

fn triplet(features: &[Vec<f64>], labels: &[u32], anchor: usize, margin: f64) -> f64 {
    let distances = |same: bool| {
        let others = (0..labels.len())
            .filter(move |at| *at != anchor && (labels[*at] == labels[anchor]) == same);
        others.map(|at| {
            let pairs = features[anchor].iter().zip(&features[at]);
            pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        })
    };
    let (far, near) = (distances(true).reduce(f64::max), distances(false).reduce(f64::min));
    far.zip(near).map_or(0.0, |(far, near)| (margin + far - near).max(0.0))
}

fn cross_entropy(logits: &[f64], label: u32) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - top).exp()).sum();
    sum.ln() + top - logits[label as usize]
}
