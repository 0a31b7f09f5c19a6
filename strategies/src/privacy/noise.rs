//! Clipping, and noise from the run's own streams.

use offbeat_kernel::Stream;
use offbeat_learning::Flat;
use rand_distr::{Distribution, StandardNormal};

/// The factor that brings a vector of this norm to at most `clip`, in `[0, 1]`.
pub(super) fn clip_factor(norm: f64, clip: f64) -> f64 {
    if norm > clip { clip / norm } else { 1.0 }
}

/// One normal value with mean 0.
pub(super) fn normal(deviation: f64, stream: &mut Stream) -> f64 {
    let draw: f64 = StandardNormal.sample(stream);
    deviation * draw
}

/// Adds an independent normal value to every element.
pub(super) fn add_noise(values: &mut Flat, deviation: f64, stream: &mut Stream) {
    if deviation > 0.0 {
        let noise = (0..values.len()).map(|_| normal(deviation, stream) as f32).collect();
        values.add_scaled(1.0, &Flat::new(noise));
    }
}

/// What leaves a client with local differential privacy in place of `params`: `base`, plus its change
/// clipped to `clip_norm`, plus noise of `noise_multiplier * clip_norm` on each parameter.
///
/// # Panics
/// When the lengths differ.
pub fn perturb(base: &Flat, params: &Flat, local: super::Local, stream: &mut Stream) -> Flat {
    let factor = clip_factor(params.minus(base).norm(), local.clip_norm);
    let mut sent = base.clone();
    sent.add_scaled_difference(factor as f32, params, base);
    add_noise(&mut sent, local.noise_multiplier * local.clip_norm, stream);
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::Local;
    use crate::select::testing::stream;

    #[test]
    fn a_change_is_clipped_before_it_gets_noise() {
        let (base, params) = (Flat::new(vec![1.0, 1.0]), Flat::new(vec![4.0, 5.0]));
        let quiet = Local { clip_norm: 2.5, noise_multiplier: 0.0 };
        assert_eq!(perturb(&base, &params, quiet, &mut stream(1)).to_vec(), [2.5, 3.0]);
        let wide = Local { clip_norm: 6.0, noise_multiplier: 0.0 };
        assert_eq!(perturb(&base, &params, wide, &mut stream(1)).to_vec(), [4.0, 5.0]);
    }

    /// 20,000 values of deviation 1.5: the mean within 4 of its standard errors, the variance within 4 %.
    #[test]
    fn noise_has_the_deviation_that_was_asked_for() {
        let base = Flat::zeros(20_000);
        let local = Local { clip_norm: 0.5, noise_multiplier: 3.0 };
        let sent = perturb(&base, &base, local, &mut stream(7)).to_vec();
        let mean = sent.iter().map(|v| f64::from(*v)).sum::<f64>() / 20_000.0;
        let variance = sent.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 4.0 * 1.5 / 20_000f64.sqrt(), "{mean}");
        assert!((variance / 2.25 - 1.0).abs() < 0.04, "{variance}");
        assert_eq!(perturb(&base, &base, local, &mut stream(7)).to_vec(), sent);
        assert_ne!(perturb(&base, &base, local, &mut stream(8)).to_vec(), sent);
    }
}
