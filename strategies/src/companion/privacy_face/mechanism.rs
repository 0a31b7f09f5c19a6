//! Differentially private local clustering (DPLC) in a form that can be proven: what a client tells others about its
//! class centres.
//!
//! Neighbouring inputs differ by one class centre, that is one identity: added or removed. For each of at most `Q`
//! clusters:
//!
//! 1. Pivots are unit vectors drawn without looking at the data, and public. The number of centres within the angle
//!    `rho` of each is counted; one centre changes each count by at most 1. The pivot with the highest count after noise
//!    Lap(2 / epsilon_1) is chosen: report noisy max, epsilon_1 (Dwork and Roth 2014, claim 3.9).
//! 2. Its count after fresh noise Lap(1 / epsilon_2) must reach the least size `T`, or clustering ends: epsilon_2.
//! 3. The mean of its centres is released with noise N(0, sigma^2) on each coordinate. The sum is divided by the larger
//!    of its size and `T`, so that one centre moves it by at most `max(1, 2 sin rho) / T` whatever the size: a new member
//!    of a cap moves a mean of at least `T` by the largest chord of the cap over the size, and that of a smaller set by
//!    one over `T`. No failure of the count has to be covered by delta.
//! 4. The members leave. Each centre is part of one mean at most.
//!
//! The published method picks its pivots among the data by an exact count; here that choice is random and accounted.

use offbeat_kernel::Stream;
use offbeat_learning::reid::similarity::{products, unit_rows};
use rand::RngExt;
use rand_distr::StandardNormal;

/// How clusters are found and how much noise is added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mechanism {
    /// Most clusters, `Q`.
    pub clusters: usize,
    /// Angular radius `rho`, above 0 and at most pi / 2.
    pub radius: f64,
    /// Least size `T`, at least 1.
    pub minimum: usize,
    /// How many pivots are tried.
    pub pivots: usize,
    /// Noise of one release; `None` for none.
    pub noise: Option<Noise>,
    /// Caps lie anywhere, whatever the centres are: [`Mechanism::clusters`] unit vectors, for comparison.
    pub random: bool,
}

/// Noise of one release.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// `epsilon_1` of each choice of a pivot.
    pub selection: f64,
    /// `epsilon_2` of each count.
    pub count: f64,
    /// Standard deviation of a mean's noise over what one centre can move it by.
    pub multiplier: f64,
}

impl Mechanism {
    /// By how much one centre can move a released mean, Euclidean.
    pub fn sensitivity(&self) -> f64 {
        (2.0 * self.radius.sin()).max(1.0) / self.minimum.max(1) as f64
    }

    /// Standard deviation of the noise on each coordinate of a released mean.
    pub fn sigma(&self) -> f64 {
        self.noise.map_or(0.0, |noise| noise.multiplier * self.sensitivity())
    }

    /// Numbers in a release: [`Mechanism::clusters`] rows of a mean and a radius.
    pub fn len(&self, width: usize) -> usize {
        self.clusters * (width + 1)
    }

    /// Whether nothing is ever released.
    pub fn is_empty(&self) -> bool {
        self.clusters == 0
    }

    /// Pivots of length 1, row-major: `public` must not depend on any client's data.
    pub fn pivots(&self, width: usize, public: &mut Stream) -> Vec<f32> {
        let draws: Vec<f32> =
            (0..self.pivots * width).map(|_| public.sample(StandardNormal)).collect();
        unit_rows(&draws, width)
    }

    /// The clusters of `centres` (row-major, `width` columns, any length above 0): always as many rows of a mean and
    /// a radius as there can be clusters, zeros where there are fewer, so that the size tells nothing.
    pub fn release(
        &self,
        centres: &[f32],
        width: usize,
        pivots: &[f32],
        secret: &mut Stream,
    ) -> Vec<f32> {
        if self.random {
            return self.anywhere(width, secret);
        }
        let mut left = unit_rows(centres, width);
        let mut released = Vec::with_capacity(self.len(width));
        for _ in 0..self.clusters {
            let caps = self.caps(&left, width, pivots);
            let Some(pivot) = self.choose(&caps, secret) else { break };
            let members = &caps[pivot];
            if members.len() as f64 + self.laplace(|noise| noise.count, secret)
                < self.minimum as f64
            {
                break;
            }
            released.extend(self.mean(&left, width, members, secret));
            released.push(self.radius as f32);
            left = without(&left, width, members);
        }
        released.resize(self.len(width), 0.0);
        released
    }

    /// Caps in random directions, as many as there can be.
    fn anywhere(&self, width: usize, secret: &mut Stream) -> Vec<f32> {
        let draws: Vec<f32> =
            (0..self.clusters * width).map(|_| secret.sample(StandardNormal)).collect();
        let directions = unit_rows(&draws, width);
        let radius = [self.radius as f32];
        directions.chunks_exact(width).flat_map(|row| row.iter().chain(&radius).copied()).collect()
    }

    /// Rows within the radius of each pivot.
    pub(super) fn caps(&self, centres: &[f32], width: usize, pivots: &[f32]) -> Vec<Vec<usize>> {
        let count = centres.len() / width;
        let mut cosines = vec![0.0; count];
        let least = self.radius.cos() as f32;
        let mut near = |pivot: &[f32]| {
            products(pivot, centres, width, &mut cosines);
            (0..count).filter(|row| cosines[*row] >= least).collect()
        };
        pivots.chunks_exact(width).map(&mut near).collect()
    }

    /// The pivot with the highest noisy count; `None` without pivots.
    fn choose(&self, caps: &[Vec<usize>], secret: &mut Stream) -> Option<usize> {
        let noisy: Vec<f64> = caps
            .iter()
            .map(|cap| cap.len() as f64 + 2.0 * self.laplace(|noise| noise.selection, secret))
            .collect();
        (0..noisy.len()).max_by(|a, b| noisy[*a].total_cmp(&noisy[*b]))
    }

    /// The noisy mean of the members.
    pub(super) fn mean(
        &self,
        centres: &[f32],
        width: usize,
        members: &[usize],
        secret: &mut Stream,
    ) -> Vec<f32> {
        let size = members.len().max(self.minimum).max(1) as f64;
        let mut mean = vec![0.0f64; width];
        for row in members {
            let row = &centres[row * width..(row + 1) * width];
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x) / size);
        }
        let sigma = self.sigma();
        let mut noisy = |mean: f64| {
            let noise: f64 = if sigma > 0.0 { secret.sample(StandardNormal) } else { 0.0 };
            (mean + sigma * noise) as f32
        };
        mean.into_iter().map(&mut noisy).collect()
    }

    /// Laplace noise of scale 1 / epsilon; 0 without noise.
    pub(super) fn laplace(&self, epsilon: impl Fn(&Noise) -> f64, secret: &mut Stream) -> f64 {
        let Some(noise) = &self.noise else { return 0.0 };
        let uniform: f64 = secret.random::<f64>() - 0.5;
        // The inverse of the distribution function; the argument of the logarithm is above 0.
        -uniform.signum() * (1.0 - 2.0 * uniform.abs()).max(f64::MIN_POSITIVE).ln() / epsilon(noise)
    }
}

/// The rows that are not among `members`, which ascend.
fn without(centres: &[f32], width: usize, members: &[usize]) -> Vec<f32> {
    let rows = centres.chunks_exact(width).enumerate();
    let kept = rows.filter(|(row, _)| members.binary_search(row).is_err());
    kept.flat_map(|(_, row)| row.iter().copied()).collect()
}
