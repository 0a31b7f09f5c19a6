//! How much noise a budget asks for, and what has been spent of it.

use super::mechanism::Noise;
use crate::privacy::Accountant;

/// Shares of one release's divergence: choosing pivots, counting, means.
const SELECTION: f64 = 0.4;
const COUNT: f64 = 0.2;
const MEAN: f64 = 0.4;

/// What one identity is told on by so many releases of so many clusters at most: the least epsilon at `delta`.
///
/// A release that is epsilon-differentially private counts as a Gaussian one with noise 1 / epsilon, since it is
/// epsilon^2 / 2 zero-concentrated (Bun and Steinke 2016, proposition 1.4). Of each release, an identity's centre is
/// in all choices and counts and in one mean at most, because the members of a cluster leave before the next.
pub fn spent(noise: Option<Noise>, clusters: u32, releases: u32, delta: f64) -> f64 {
    if releases == 0 {
        return 0.0;
    }
    let Some(noise) = noise else { return f64::INFINITY };
    let (stages, releases) = (f64::from(clusters) * f64::from(releases), f64::from(releases));
    let mut accountant = Accountant::default();
    accountant.add(1.0, 1.0 / noise.selection, stages);
    accountant.add(1.0, 1.0 / noise.count, stages);
    accountant.add(1.0, noise.multiplier, releases);
    accountant.epsilon(delta)
}

/// The least noise with which so many releases stay within `epsilon` at `delta`.
pub fn noise_for(epsilon: f64, delta: f64, clusters: u32, releases: u32) -> Noise {
    let stages = f64::from(clusters.max(1));
    // All three at divergence `scale^2` per order and release.
    let noise = |scale: f64| Noise {
        selection: scale * (2.0 * SELECTION / stages).sqrt(),
        count: scale * (2.0 * COUNT / stages).sqrt(),
        multiplier: 1.0 / (scale * (2.0 * MEAN).sqrt()),
    };
    let (mut low, mut high) = (1e-6, 1e3);
    for _ in 0..100 {
        let middle = f64::sqrt(low * high);
        let within = spent(Some(noise(middle)), clusters, releases, delta) <= epsilon;
        if within { low = middle } else { high = middle }
    }
    noise(low)
}
