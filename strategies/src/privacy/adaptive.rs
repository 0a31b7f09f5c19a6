//! A clip norm that follows the norms of the changes (Andrew et al. 2021).

use super::noise::normal;
use super::{Adaptive, Central};
use offbeat_kernel::Stream;
use serde::{Deserialize, Serialize};

/// The clip norm of the next release, and how its changes compare with it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Clip {
    /// The present clip norm.
    pub(super) norm: f64,
    /// Sum over the release's changes of 1/2 where the change was not clipped and -1/2 where it was: a
    /// client moves it by at most 1/2.
    balance: f64,
}

/// How noise is shared between the sum of the changes and the count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Noise multiplier on the sum of the changes.
    pub(super) sum: f64,
    /// Standard deviation on the count; 0 where nothing is counted.
    pub(super) count: f64,
}

impl Share {
    /// Theorem 1 of the paper: `z_sum = (z^-2 - (2 s)^-2)^(-1/2)`, so that sum and count together cost
    /// what noise `z` costs on the sum alone.
    pub(super) fn of(central: &Central, expected: f64) -> Self {
        let noise = central.noise_multiplier;
        let Some(adaptive) = &central.adaptive else { return Self { sum: noise, count: 0.0 } };
        if noise == 0.0 {
            return Self { sum: 0.0, count: adaptive.count_noise.unwrap_or(0.0) };
        }
        let count = adaptive.count_noise.unwrap_or_else(|| (expected / 20.0).max(noise));
        let left = noise.powi(-2) - (2.0 * count).powi(-2);
        Self { sum: left.powf(-0.5), count }
    }
}

impl Clip {
    pub(super) fn new(norm: f64) -> Self {
        Self { norm, balance: 0.0 }
    }

    /// Takes note of a change of this norm.
    pub(super) fn saw(&mut self, norm: f64) {
        self.balance += if norm <= self.norm { 0.5 } else { -0.5 };
    }

    /// A release begins. One that was lost leaves nothing to count.
    pub(super) fn begin(&mut self) {
        self.balance = 0.0;
    }

    /// Moves the clip norm after a release of `expected` changes: `C <- C exp(-rate (share - quantile))`.
    pub(super) fn step(&mut self, by: &Adaptive, share: Share, expected: f64, stream: &mut Stream) {
        let unclipped = (self.balance + normal(share.count, stream)) / expected + 0.5;
        self.norm *= (-by.rate * (unclipped.clamp(0.0, 1.0) - by.quantile)).exp();
        self.balance = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::sampled_gaussian;
    use crate::select::testing::stream;

    #[test]
    fn one_step_by_hand() {
        let by = Adaptive { quantile: 0.5, rate: 0.2, count_noise: None };
        let mut clip = Clip::new(2.0);
        [1.0, 1.5, 2.0, 3.0].iter().for_each(|norm| clip.saw(*norm));
        // Three of four lie within: C <- 2 exp(-0.2 (0.75 - 0.5)).
        clip.step(&by, Share { sum: 0.0, count: 0.0 }, 4.0, &mut stream(1));
        assert!((clip.norm - 2.0 * (-0.05f64).exp()).abs() < 1e-12);
        assert_eq!(clip.balance, 0.0);
    }

    /// From far below and far above it comes to the median of the norms 1, 2, ..., 9.
    #[test]
    fn it_finds_the_quantile() {
        let by = Adaptive { quantile: 0.5, rate: 0.2, count_noise: Some(0.3) };
        for start in [0.01, 500.0] {
            let (mut clip, mut stream) = (Clip::new(start), stream(3));
            for _ in 0..200 {
                (1..=9).for_each(|norm| clip.saw(f64::from(norm)));
                clip.step(&by, Share { sum: 0.0, count: 0.3 }, 9.0, &mut stream);
            }
            assert!((4.0..6.0).contains(&clip.norm), "{}", clip.norm);
        }
    }

    /// The two parts together are one Gaussian mechanism of the noise multiplier that was asked for.
    #[test]
    fn the_count_is_paid_for() {
        let adaptive = Adaptive { count_noise: Some(5.0), ..Adaptive::default() };
        let central = Central { clip_norm: 1.0, noise_multiplier: 1.2, adaptive: Some(adaptive) };
        let share = Share::of(&central, 100.0);
        // The count has a sensitivity of 1/2.
        for order in [1.5, 2.0, 30.0] {
            let both = sampled_gaussian(1.0, share.sum, order)
                + sampled_gaussian(1.0, 2.0 * share.count, order);
            assert!((both / sampled_gaussian(1.0, 1.2, order) - 1.0).abs() < 1e-12);
        }
        let plain = Central { adaptive: None, ..central };
        assert_eq!(Share::of(&plain, 100.0), Share { sum: 1.2, count: 0.0 });
    }
}
