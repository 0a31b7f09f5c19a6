//! How good reconstructions are.

use super::{Reconstruction, match_images, ssim};
use crate::reid::similarity::{products, unit_rows};
use serde::{Deserialize, Serialize};

/// Figures of a batch, each the mean over its images, paired by [`match_images`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Mean squared error of pixels; 0 is perfect.
    pub mse: f64,
    /// Peak signal-to-noise ratio in decibels, of the mean squared error over the batch.
    pub psnr: f64,
    /// Structural similarity, at most 1.
    pub ssim: f64,
    /// Share of images with the right label.
    pub labels: f64,
}

/// Mean squared difference of two vectors of the same length.
pub fn mse(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    sum / a.len().max(1) as f64
}

/// Peak signal-to-noise ratio in decibels for pixels `0..=1`: `-10 log10(mse)`; infinite for equal images.
pub fn psnr(mse: f64) -> f64 {
    -10.0 * mse.log10()
}

/// Share of labels that are right, when `paired[i]` is the reconstruction of original `i`.
pub fn label_accuracy(originals: &[usize], found: &[usize], paired: &[usize]) -> f64 {
    let right = originals.iter().zip(paired).filter(|(label, at)| **label == found[**at]).count();
    right as f64 / originals.len().max(1) as f64
}

/// The figures of a reconstruction beside the originals (`batch x pixels`, `0..=1`). Reconstructed pixels are cut to
/// `0..=1` first, as a picture would show them.
///
/// # Panics
/// When the batches differ in size.
pub fn compare(
    originals: &[f32],
    labels: &[usize],
    found: &Reconstruction,
    shape: [usize; 3],
) -> Figures {
    let pixels = shape.iter().product();
    let cut: Vec<f32> = found.images.iter().map(|pixel| shown(*pixel)).collect();
    let paired = match_images(originals, &cut, pixels);
    let (mut error, mut similar) = (0.0, 0.0);
    for (original, at) in originals.chunks_exact(pixels).zip(&paired) {
        let image = &cut[at * pixels..][..pixels];
        error += mse(original, image);
        similar += ssim(original, image, shape);
    }
    let count = paired.len().max(1) as f64;
    Figures {
        mse: error / count,
        psnr: psnr(error / count),
        ssim: similar / count,
        labels: label_accuracy(labels, &found.labels, &paired),
    }
}

/// A pixel as it is shown: within `0..=1`, what is no number as 0.
pub(super) fn shown(pixel: f32) -> f32 {
    if pixel.is_nan() { 0.0 } else { pixel.clamp(0.0, 1.0) }
}

/// Share of reconstructions that are recognised: whose most similar feature in the gallery, by cosine (of equal ones
/// the first), belongs to the right person. `found` and `gallery` are row-major with `dims` columns; features come
/// from a recognition model that the attacker has.
///
/// # Panics
/// When persons and rows do not agree in number, or the gallery is empty.
pub fn reidentified(
    found: &[f32],
    persons: &[u32],
    gallery: &[f32],
    gallery_persons: &[u32],
    dims: usize,
) -> f64 {
    assert_eq!(found.len(), persons.len() * dims, "a person for each row");
    assert_eq!(gallery.len(), gallery_persons.len() * dims, "a person for each row");
    assert!(!gallery_persons.is_empty(), "a gallery");
    let (found, gallery) = (unit_rows(found, dims), unit_rows(gallery, dims));
    let mut similar = vec![0.0; persons.len() * gallery_persons.len()];
    products(&found, &gallery, dims, &mut similar);
    let rows = similar.chunks_exact(gallery_persons.len()).zip(persons);
    let right = rows.filter(|(row, person)| gallery_persons[super::dlg::largest(row)] == **person);
    right.count() as f64 / persons.len().max(1) as f64
}

/// Share of `images` (`count x pixels`) that are recognised: whose most similar picture in the gallery, by the cosine of
/// what differs from the gallery's mean picture (of equal ones the first), has the right label. Of faces, the label is
/// the person. `None` without a gallery.
///
/// # Panics
/// When labels and images do not agree in number.
pub fn recognised(
    images: &[f32],
    labels: &[usize],
    gallery: &[f32],
    gallery_labels: &[u32],
    pixels: usize,
) -> Option<f64> {
    if gallery_labels.is_empty() || labels.is_empty() {
        return None;
    }
    let mut mean = vec![0.0f64; pixels];
    for picture in gallery.chunks_exact(pixels) {
        mean.iter_mut().zip(picture).for_each(|(sum, pixel)| *sum += f64::from(*pixel));
    }
    let count = gallery_labels.len() as f64;
    let apart = |pictures: &[f32]| -> Vec<f32> {
        let of =
            |(at, pixel): (usize, &f32)| (f64::from(*pixel) - mean[at % pixels] / count) as f32;
        pictures.iter().enumerate().map(of).collect()
    };
    let persons: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
    Some(reidentified(&apart(images), &persons, &apart(gallery), gallery_labels, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_by_hand() {
        assert_eq!(mse(&[0.0, 1.0], &[0.5, 1.0]), 0.125);
        assert!((psnr(0.01) - 20.0).abs() < 1e-12);
        assert_eq!(psnr(0.0), f64::INFINITY);
    }

    #[test]
    fn batches_are_compared_in_the_best_order() {
        let originals: Vec<f32> = [[0.0f32; 4], [1.0; 4]].concat();
        let images: Vec<f32> = [[1.2f32; 4], [-0.1, 0.0, f32::NAN, 0.2]].concat();
        let found = Reconstruction { images, labels: vec![8, 3], loss: 0.0, evaluations: 0 };
        let figures = compare(&originals, &[3, 7], &found, [1, 2, 2]);
        assert!((figures.mse - 0.005).abs() < 1e-9, "{figures:?}");
        assert_eq!(figures.labels, 0.5);
    }

    /// Bright and dark pictures differ in their mean alone; what tells persons apart is where they are bright.
    #[test]
    fn pictures_are_recognised_by_what_differs_from_the_mean() {
        let gallery = [0.9, 0.7, 0.7, 0.7, 0.7, 0.9, 0.7, 0.7, 0.7, 0.7, 0.9, 0.7];
        let images = [0.75, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 0.7];
        let share = |labels: &[usize]| recognised(&images, labels, &gallery, &[4, 5, 6], 4);
        assert_eq!(
            (share(&[4, 6]), share(&[4, 5]), share(&[5, 4])),
            (Some(1.0), Some(0.5), Some(0.0))
        );
        assert_eq!(recognised(&images, &[4, 6], &[], &[], 4), None);
    }

    #[test]
    fn persons_are_recognised_by_the_nearest_feature() {
        let gallery = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0];
        let found = [0.9, 0.1, 0.2, 0.8, 0.7, 0.6];
        assert_eq!(reidentified(&found, &[5, 6, 6], &gallery, &[5, 6, 7], 2), 2.0 / 3.0);
    }
}
