//! Margin and triplet losses, and that of painted pictures, as Burn tensor operations.

use crate::caps::Caps;
use crate::device::upload;
use crate::masked::{BEND, Masked};
use crate::network::ROOT_EPSILON;
use burn::tensor::{Bool, Device, Tensor, TensorData, activation};

/// Cosines `[batch, classes]` with the margin taken off where `marks` is 1 (CosFace).
pub(super) fn cosface(cosines: Tensor<2>, marks: Tensor<2>, margin: f32) -> Tensor<2> {
    cosines - marks * margin
}

/// Cosines `[batch, classes]` with the margin added to the angle where `marks` is 1 (ArcFace).
pub(super) fn arcface(cosines: Tensor<2>, marks: Tensor<2>, margin: f32) -> Tensor<2> {
    let squares = (cosines.clone() * cosines.clone()).neg() + 1.0;
    let sines = (activation::relu(squares) + ROOT_EPSILON).sqrt();
    let turned = cosines.clone() * margin.cos() - sines * margin.sin();
    let beyond = cosines.clone().lower_equal_elem(-margin.cos());
    let turned = turned.mask_where(beyond, cosines.clone() - margin * margin.sin());
    cosines.clone() + marks * (turned - cosines)
}

/// The batch-hard triplet loss of each sample from features `[batch, width]`.
pub(super) fn triplet(
    features: Tensor<2>,
    labels: &[u32],
    margin: f32,
    device: &Device,
) -> Tensor<1> {
    let batch = labels.len();
    let pairs = |wanted: fn(usize, usize, bool) -> bool| {
        let place = |at: usize| {
            let (a, b) = (at / batch, at % batch);
            wanted(a, b, labels[a] == labels[b])
        };
        (0..batch * batch).map(place).collect::<Vec<bool>>()
    };
    let mask = |values: Vec<bool>| -> Tensor<2, Bool> {
        upload(TensorData::new(values, [batch, batch]), device).autodiff()
    };
    let (same, different) = (pairs(|a, b, same| same && a != b), pairs(|_, _, same| !same));
    let rows = same.chunks(batch.max(1)).zip(different.chunks(batch.max(1)));
    let counts = rows.map(|(same, different)| {
        let both = same.contains(&true) && different.contains(&true);
        if both { 1.0f32 } else { 0.0 }
    });
    let counts: Tensor<1> =
        upload(TensorData::new(counts.collect::<Vec<_>>(), [batch]), device).autodiff();
    let apart = features.clone().unsqueeze_dim::<3>(1) - features.unsqueeze_dim::<3>(0);
    let squares = (apart.clone() * apart).sum_dim(2).squeeze_dim::<2>(2);
    let distances = squares.clamp_min(ROOT_EPSILON).sqrt();
    let far = distances.clone().mask_fill(mask(same).bool_not(), 0.0).max_dim(1);
    let near = distances.mask_fill(mask(different).bool_not(), f32::MAX).min_dim(1);
    let losses = activation::relu(far - near.clamp_max(f32::MAX / 2.0) + margin);
    losses.squeeze_dim::<1>(1) * counts
}

/// Cosines `[batch, classes]`, and behind them those of the features `[batch, width]` to the nearest points of foreign
/// caps.
pub(super) fn among(cosines: Tensor<2>, features: Tensor<2>, caps: Option<&Caps>) -> Tensor<2> {
    let Some(caps) = caps.filter(|caps| !caps.is_empty()) else { return cosines };
    let device = features.device().inner();
    let matrix = |values: Vec<f32>, columns: usize| -> Tensor<2> {
        let rows = values.len() / columns;
        upload(TensorData::new(values, [rows, columns]), &device).autodiff()
    };
    let count = caps.len();
    let centres = matrix(caps.centres().to_vec(), caps.width()).transpose();
    let cos = matrix(caps.radii().iter().map(|radius| radius.cos()).collect(), count);
    let sin = matrix(caps.radii().iter().map(|radius| radius.sin()).collect(), count);
    let squares = (features.clone() * features.clone()).sum_dim(1);
    let to_centre = features.matmul(centres) / (squares + ROOT_EPSILON).sqrt();
    let inside = (to_centre.clone() - cos.clone()).greater_equal_elem(0.0);
    let squares = (to_centre.clone() * to_centre.clone()).neg() + 1.0;
    let sines = (activation::relu(squares) + ROOT_EPSILON).sqrt();
    let nearest = (to_centre * cos + sines * sin).mask_fill(inside, 1.0);
    Tensor::cat(vec![cosines, nearest], 1)
}

/// The loss of each image from what was painted of it, `[batch, pixels]` ([`Masked::loss`]).
pub(super) fn painted(
    outputs: Tensor<2>,
    images: Tensor<2>,
    hidden: &[bool],
    masked: Masked,
) -> Tensor<1> {
    let ([batch, pixels], device) = (outputs.dims(), outputs.device().inner());
    // All images have as many hidden numbers.
    let [per_hidden, per_visible] = masked.weights(&hidden[..pixels]);
    let weights = |own: bool, weight: f32| -> Tensor<2> {
        let values = hidden.iter().map(|hidden| if *hidden == own { weight } else { 0.0 });
        upload(TensorData::new(values.collect::<Vec<f32>>(), [batch, pixels]), &device).autodiff()
    };
    let off = outputs - images;
    let squares = off.clone() * off.clone();
    let mut losses = squares.clone() * weights(true, per_hidden);
    if per_visible > 0.0 {
        let size = off.abs();
        let beyond = size.clone().greater_equal_elem(BEND);
        let smooth = (squares / (2.0 * BEND)).mask_where(beyond, size - BEND / 2.0);
        losses = losses + smooth * weights(false, per_visible);
    }
    losses.sum_dim(1).squeeze_dim::<1>(1)
}
