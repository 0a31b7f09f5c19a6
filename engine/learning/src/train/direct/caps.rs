//! Foreign caps as extra negatives, by hand. See [`crate::caps`].

use crate::caps::Caps;
use crate::network::ROOT_EPSILON;

/// The logits `[batch, caps]` of features `[batch, width]`, and their slopes by the cosine between feature and centre.
pub(super) fn logits(caps: &Caps, scale: f32, features: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let width = caps.width();
    let (mut logits, mut slopes) = (Vec::new(), Vec::new());
    for feature in features.chunks_exact(width) {
        let length = length(feature);
        for (centre, radius) in caps.centres().chunks_exact(width).zip(caps.radii()) {
            let cosine = dot(feature, centre) / length;
            let (value, slope) = nearest(cosine, *radius);
            logits.push(scale * value);
            slopes.push(scale * slope);
        }
    }
    (logits, slopes)
}

/// The cosine to the nearest point of a cap, and its slope by the cosine to its centre.
fn nearest(cosine: f32, radius: f32) -> (f32, f32) {
    let (sin, cos) = radius.sin_cos();
    if cosine >= cos {
        return (1.0, 0.0);
    }
    let root = ((1.0 - cosine * cosine).max(0.0) + ROOT_EPSILON).sqrt();
    (cosine * cos + root * sin, cos - sin * cosine / root)
}

/// Adds the gradient by the features to `by_features`: `gradient` is that by the logits, times their slopes.
pub(super) fn backward(caps: &Caps, gradient: &[f32], features: &[f32], by_features: &mut [f32]) {
    let (width, count) = (caps.width(), caps.len());
    let rows = features.chunks_exact(width).zip(by_features.chunks_exact_mut(width));
    for ((feature, out), gradient) in rows.zip(gradient.chunks_exact(count)) {
        let length = length(feature);
        for (centre, gradient) in caps.centres().chunks_exact(width).zip(gradient) {
            let pull = dot(feature, centre) / (length * length);
            for ((out, p), x) in out.iter_mut().zip(centre).zip(feature) {
                *out += gradient * (p - pull * x) / length;
            }
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(row: &[f32]) -> f32 {
    (dot(row, row) + ROOT_EPSILON).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_to_the_nearest_point_by_hand() {
        // 60 degrees from the centre, 60 - 20 from a cap of 20, none from one of 70.
        let cosine = 0.5f32;
        let degrees = |d: f32| d.to_radians();
        assert!((nearest(cosine, degrees(20.0)).0 - degrees(40.0).cos()).abs() < 1e-5);
        assert_eq!(nearest(cosine, degrees(70.0)), (1.0, 0.0));
        // A point is a class centre.
        let (value, slope) = nearest(cosine, 0.0);
        assert!((value - cosine).abs() < 1e-6 && (slope - 1.0).abs() < 1e-6);
        assert!(nearest(-1.0, 0.3).1.is_finite());
    }
}
