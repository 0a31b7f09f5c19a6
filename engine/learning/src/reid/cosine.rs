//! How far local training moved a model's answers: the cosine distance weight.
//!
//! Source: Zhuang et al., "Optimizing Performance of Federated Person Re-identification", TOMM 2022,
//! section 5.3, equations 1 and 2.

use crate::data::Shard;
use crate::{Flat, LearnError, Trainer};
use offbeat_kernel::Stream;
use rand::seq::SliceRandom;

/// Name of the scalar of an update that carries its cosine distance.
pub const COSINE_DISTANCE: &str = "cosine_distance";

/// `d = mean over samples of (1 - cos(before, after))`, in [0, 2]: logits of the same batch before and after
/// training, row-major with `classes` columns. Scaling the logits of a sample by a positive number changes
/// nothing. A sample whose logits are all zero on both sides did not move (0); on one side, it has no
/// direction to compare with (1).
///
/// # Errors
/// [`LearnError::Invalid`] when the lengths differ, are no whole rows, or there is no sample;
/// [`LearnError::NotFinite`] when a logit is not finite (`step` is then the sample).
pub fn cosine_distance(before: &[f32], after: &[f32], classes: usize) -> Result<f64, LearnError> {
    let whole = classes > 0 && !before.is_empty() && before.len().is_multiple_of(classes);
    if !whole || before.len() != after.len() {
        return Err(LearnError::Invalid(format!(
            "cosine distance: {} logits before and {} after training must be the same number of samples, \
             at least one, of {classes} classes",
            before.len(),
            after.len()
        )));
    }
    let pairs = before.chunks_exact(classes).zip(after.chunks_exact(classes));
    let mut sum = 0.0;
    for (sample, (before, after)) in pairs.enumerate() {
        let distance = of_sample(before, after);
        if !distance.is_finite() {
            return Err(LearnError::NotFinite { what: "logit", step: sample });
        }
        sum += distance;
    }
    Ok(sum / (before.len() / classes) as f64)
}

/// The cosine distance from `before` to `after`, all parameters each, on the first batch of the shard in an
/// order drawn from `stream`, in evaluation mode: how far a client's training moved its answers.
///
/// # Errors
/// When parameters and data do not fit, the shard is empty, or a logit is not finite.
pub fn moved(
    trainer: &dyn Trainer,
    before: &Flat,
    after: &Flat,
    shard: &Shard,
    batch: usize,
    stream: &mut Stream,
) -> Result<f64, LearnError> {
    let mut rows = shard.rows.to_vec();
    rows.shuffle(stream);
    rows.truncate(batch);
    let batch = Shard { data: shard.data.clone(), rows: rows.into() };
    let answers = |params| trainer.logits(params, &batch, 0..batch.len());
    cosine_distance(&answers(before)?, &answers(after)?, trainer.network().classes())
}

fn of_sample(before: &[f32], after: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    let (b, a) = (dot(before, before), dot(after, after));
    if b == 0.0 && a == 0.0 {
        return 0.0;
    }
    if b == 0.0 || a == 0.0 {
        return if (a + b).is_finite() { 1.0 } else { f64::NAN };
    }
    let distance = 1.0 - dot(before, after) / (b.sqrt() * a.sqrt());
    // Clamping keeps NaN, and takes off what rounding added.
    distance.clamp(0.0, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        // Right angle, half turn, 45 degrees, no move.
        let before = [1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 3.0, -4.0];
        let after = [0.0, 5.0, -2.0, -4.0, 7.0, 7.0, 3.0, -4.0];
        let expected = (1.0 + 2.0 + (1.0 - 0.5f64.sqrt()) + 0.0) / 4.0;
        let distance = cosine_distance(&before, &after, 2).expect("four samples");
        assert!((distance - expected).abs() < 1e-12, "{distance}");
    }

    #[test]
    fn zero_logits_have_a_rule() {
        let distance =
            |before: &[f32], after: &[f32]| cosine_distance(before, after, 2).expect("fits");
        assert_eq!(distance(&[0.0, 0.0], &[0.0, 0.0]), 0.0);
        assert_eq!(distance(&[0.0, 0.0], &[1.0, 0.0]), 1.0);
        assert_eq!(distance(&[1.0, 0.0], &[0.0, 0.0]), 1.0);
    }

    #[test]
    fn wrong_lengths_and_numbers_are_refused() {
        for (before, after, classes) in [
            (&[1.0][..], &[1.0, 2.0][..], 1),
            (&[][..], &[][..], 3),
            (&[1.0; 3], &[1.0; 3], 2),
            (&[1.0], &[1.0], 0),
        ] {
            let error = cosine_distance(before, after, classes).expect_err("does not fit");
            assert!(matches!(error, LearnError::Invalid(_)), "{error}");
        }
        let bad = [1.0, 1.0, f32::NAN, 0.0];
        let error = cosine_distance(&[1.0; 4], &bad, 2).expect_err("not finite");
        assert!(matches!(error, LearnError::NotFinite { step: 1, .. }), "{error}");
        let error = cosine_distance(&[0.0, 0.0], &[f32::INFINITY, 0.0], 2).expect_err("not finite");
        assert!(matches!(error, LearnError::NotFinite { step: 0, .. }), "{error}");
    }

    proptest! {
        #[test]
        fn stays_in_bounds_and_ignores_scale(
            pairs in proptest::collection::vec((-5.0f32..5.0, -5.0f32..5.0), 12),
            factor in 0.25f32..4.0,
        ) {
            let (before, after): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let distance = cosine_distance(&before, &after, 3).expect("four samples");
            prop_assert!((0.0..=2.0).contains(&distance));
            let scaled: Vec<f32> = after.iter().map(|x| x * factor).collect();
            let again = cosine_distance(&before, &scaled, 3).expect("four samples");
            prop_assert!((distance - again).abs() < 1e-5);
            prop_assert!(cosine_distance(&before, &before, 3).expect("four samples") < 1e-12);
        }
    }
}
