//! Batch-hard triplets (Hermans et al. 2017).

use super::elementwise::sum_of;

/// Squared distances up to this count as 0 and have no slope.
const NEAREST: f32 = 1e-12;

/// Adds the triplet loss of each sample to `losses`, and writes the gradient of their mean by the features
/// (`[batch, width]`) to `gradient`. Of equal distances the first sample counts.
pub(super) fn of(
    margin: f32,
    features: &[f32],
    labels: &[u32],
    gradient: &mut [f32],
    losses: &mut [f64],
) {
    let (batch, width) = (labels.len(), features.len() / labels.len());
    let row = |sample: usize| &features[sample * width..][..width];
    let distance =
        |a: usize, b: usize| sum_of(row(a), row(b), |a, b| (a - b) * (a - b)).max(NEAREST).sqrt();
    gradient.fill(0.0);
    for anchor in 0..batch {
        let (mut farthest, mut nearest) = (None, None);
        for other in (0..batch).filter(|other| *other != anchor) {
            let far = distance(anchor, other);
            let place = if labels[other] == labels[anchor] {
                Some(&mut farthest).filter(|best| best.is_none_or(|(best, _)| far > best))
            } else {
                Some(&mut nearest).filter(|best| best.is_none_or(|(best, _)| far < best))
            };
            if let Some(place) = place {
                *place = Some((far, other));
            }
        }
        let (Some((far, same)), Some((near, different))) = (farthest, nearest) else { continue };
        let loss = margin + far - near;
        // A NaN is let through, so that a diverged training is noticed.
        if loss <= 0.0 {
            continue;
        }
        losses[anchor] += f64::from(loss);
        for (other, distance, sign) in [(same, far, 1.0), (different, near, -1.0)] {
            if distance * distance <= NEAREST {
                continue;
            }
            let share = sign / (distance * batch as f32);
            for place in 0..width {
                let pull =
                    share * (features[anchor * width + place] - features[other * width + place]);
                gradient[anchor * width + place] += pull;
                gradient[other * width + place] -= pull;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line: the hardest positive and negative of each are counted by hand.
    #[test]
    fn by_hand_on_a_line() {
        let (features, labels) = ([0.0, 1.0, 3.0, 4.5], [0, 0, 1, 1]);
        let (mut gradient, mut losses) = ([0.0; 4], [0.0; 4]);
        of(2.5, &features, &labels, &mut gradient, &mut losses);
        // 2.5 + 1 - 3, 2.5 + 1 - 2, 2.5 + 1.5 - 2, 2.5 + 1.5 - 3.5
        assert_eq!(losses, [0.5, 1.5, 2.0, 0.5]);
        // Of 0: to 1 and from 3: -1 + 1; of 1: +1 to 0, +1 from 3; of 3: -1 to 4.5, -1 from 1;
        // of 4.5: +1 to 3, -1 from 1; each also moves its partners.
        let expected = [-1.0, 1.0 + 1.0 + 1.0 + 1.0 + 1.0, -1.0 - 1.0 - 1.0 - 1.0 - 1.0, 1.0];
        assert_eq!(gradient, expected.map(|v: f32| v / 4.0));
        let mut none = [0.0; 4];
        of(0.5, &features, &[0, 1, 2, 3], &mut gradient, &mut none);
        assert_eq!((none, gradient), ([0.0; 4], [0.0; 4]));
        of(0.0, &features, &labels, &mut gradient, &mut none);
        assert_eq!((none, gradient), ([0.0; 4], [0.0; 4]), "far enough apart already");
    }
}
