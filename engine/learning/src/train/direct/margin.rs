//! Cross-entropy on scaled cosines with a margin at the label.

use super::loss::cross_entropy;
use crate::network::ROOT_EPSILON;

/// What makes the label's cosine harder to raise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Margin {
    /// Taken off the cosine (CosFace).
    Cosine(f32),
    /// Added to the angle, in radians (ArcFace).
    Angle(f32),
}

impl Margin {
    /// What stands in place of the label's cosine, and its slope.
    fn apply(self, cosine: f32) -> (f32, f32) {
        match self {
            Self::Cosine(margin) => (cosine - margin, 1.0),
            // Beyond pi the cosine of the sum would rise again.
            Self::Angle(margin) if cosine <= -margin.cos() => (cosine - margin * margin.sin(), 1.0),
            Self::Angle(margin) => {
                let square = (1.0 - cosine * cosine).max(0.0) + ROOT_EPSILON;
                let (sine, slope) = (square.sqrt(), if cosine.abs() < 1.0 { 1.0 } else { 0.0 });
                let value = cosine * margin.cos() - sine * margin.sin();
                (value, margin.cos() + slope * margin.sin() * cosine / sine)
            }
        }
    }
}

/// Appends the losses of a batch of cosines (`[batch, classes]`), and writes the gradient of their mean by
/// the cosines to `gradient`.
pub(super) fn of(
    margin: Margin,
    scale: f32,
    cosines: &[f32],
    labels: &[u32],
    gradient: &mut [f32],
    losses: &mut Vec<f64>,
) {
    let classes = cosines.len() / labels.len();
    let own = |(row, label): (usize, &u32)| row * classes + *label as usize;
    let mut logits: Vec<f32> = cosines.iter().map(|cosine| scale * cosine).collect();
    for place in labels.iter().enumerate().map(own) {
        logits[place] = scale * margin.apply(cosines[place]).0;
    }
    cross_entropy(&logits, labels, gradient, losses);
    gradient.iter_mut().for_each(|gradient| *gradient *= scale);
    for place in labels.iter().enumerate().map(own) {
        gradient[place] *= margin.apply(cosines[place]).1;
    }
}

/// Further negative logits, row-major, and their slopes by what they are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside<'a> {
    pub(super) logits: &'a [f32],
    pub(super) slopes: &'a [f32],
}

/// As [`of`], with further negatives beside the classes. Gives the gradient by what those are made of.
pub(super) fn among(
    (margin, scale): (Margin, f32),
    cosines: &[f32],
    beside: Beside<'_>,
    labels: &[u32],
    gradient: &mut [f32],
    losses: &mut Vec<f64>,
) -> Vec<f32> {
    let (classes, more) = (cosines.len() / labels.len(), beside.logits.len() / labels.len());
    let all = classes + more;
    let mut logits = Vec::with_capacity(labels.len() * all);
    let rows = cosines.chunks_exact(classes).zip(beside.logits.chunks_exact(more));
    for ((cosines, beside), label) in rows.zip(labels) {
        let first = logits.len();
        logits.extend(cosines.iter().map(|cosine| scale * cosine));
        logits.extend_from_slice(beside);
        let label = *label as usize;
        logits[first + label] = scale * margin.apply(cosines[label]).0;
    }
    let mut whole = vec![0.0; logits.len()];
    cross_entropy(&logits, labels, &mut whole, losses);
    let mut by_others = Vec::with_capacity(beside.logits.len());
    let rows = whole.chunks_exact(all).zip(gradient.chunks_exact_mut(classes));
    for (row, ((whole, own), label)) in rows.zip(labels).enumerate() {
        own.iter_mut().zip(whole).for_each(|(own, whole)| *own = scale * whole);
        let label = *label as usize;
        own[label] *= margin.apply(cosines[row * classes + label]).1;
        let slopes = &beside.slopes[row * more..(row + 1) * more];
        by_others.extend(whole[classes..].iter().zip(slopes).map(|(whole, slope)| whole * slope));
    }
    by_others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(margin: Margin, cosines: [f32; 2]) -> f64 {
        let mut losses = Vec::new();
        of(margin, 2.0, &cosines, &[0], &mut [0.0; 2], &mut losses);
        losses[0]
    }

    #[test]
    fn by_hand_for_two_classes() {
        // 2 (0.5 - 0.1) = 0.8 against 2 x 0.2 = 0.4.
        assert!((loss(Margin::Cosine(0.1), [0.5, 0.2]) - (-0.4f64).exp().ln_1p()).abs() < 1e-6);
        // The angle of 0.5 is 60 degrees; 30 more make 90, cosine 0: 0 against 0.4.
        let thirty = std::f32::consts::FRAC_PI_6;
        assert!((loss(Margin::Angle(thirty), [0.5, 0.2]) - 0.4f64.exp().ln_1p()).abs() < 1e-6);
        // Beyond pi: -0.9 - m sin m.
        let label = 2.0 * (-0.9 - std::f64::consts::FRAC_PI_6 * 0.5);
        let want = (0.4 - label).exp().ln_1p();
        assert!((loss(Margin::Angle(thirty), [-0.9, 0.2]) - want).abs() < 1e-6);
        // No margin: both are plain cross-entropy.
        assert_eq!(loss(Margin::Angle(0.0), [0.3, 0.2]), loss(Margin::Cosine(0.0), [0.3, 0.2]));
        let (value, slope) = Margin::Angle(0.5).apply(1.0);
        assert!((value - 0.5f32.cos()).abs() < 1e-5 && slope.is_finite());
    }
}
