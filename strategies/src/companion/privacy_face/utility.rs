//! What of a cluster is left after its noise, and the noise of counts.

use super::budget::noise_for;
use super::mechanism::Noise;
use super::*;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand::RngExt;
use rand_distr::StandardNormal;

fn stream(counter: u64) -> Stream {
    SeedTree::new(6).stream(Purpose::Custom, 0, counter)
}

fn mechanism(minimum: usize, noise: Option<Noise>) -> Mechanism {
    Mechanism { clusters: 1, radius: 1.0, minimum, pivots: 1, noise, random: false }
}

/// Points of length 1 at uniform angles up to the radius from the first axis, in random directions.
fn cap(count: usize, width: usize, radius: f64, stream: &mut Stream) -> Vec<f32> {
    let mut rows = Vec::with_capacity(count * width);
    for _ in 0..count {
        let angle = radius * stream.random::<f64>();
        let aside: Vec<f64> = (1..width).map(|_| stream.sample(StandardNormal)).collect();
        let length = aside.iter().map(|x| x * x).sum::<f64>().sqrt();
        rows.push(angle.cos() as f32);
        rows.extend(aside.iter().map(|x| (angle.sin() * x / length) as f32));
    }
    rows
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Mean cosine between the noisy and the clean mean of as many members as a cluster must have.
fn kept(width: usize, minimum: usize, noise: Noise) -> f64 {
    let mut stream = stream(width as u64);
    let members: Vec<usize> = (0..minimum).collect();
    let all = cap(minimum, width, 1.0, &mut stream);
    let clean = mechanism(minimum, None).mean(&all, width, &members, &mut stream);
    let one = |_: usize| {
        let noisy = mechanism(minimum, Some(noise)).mean(&all, width, &members, &mut stream);
        dot(&noisy, &clean) / (dot(&noisy, &noisy) * dot(&clean, &clean)).sqrt()
    };
    (0..60).map(one).sum::<f64>() / 60.0
}

/// With the classical noise of epsilon 1 at delta 1e-5, `sqrt(2 ln(1.25 / delta))` sensitivities, about the share of the
/// direction survives that was computed beside the specification.
#[test]
fn directions_survive_as_computed() {
    let noise = Noise { selection: 1.0, count: 1.0, multiplier: (2.0 * 1.25e5f64.ln()).sqrt() };
    for (width, minimum, expected) in [
        (32, 64, 0.72),
        (32, 256, 0.97),
        (128, 64, 0.42),
        (128, 256, 0.90),
        (512, 64, 0.25),
        (512, 256, 0.70),
        (512, 1024, 0.97),
    ] {
        let found = kept(width, minimum, noise);
        assert!((found - expected).abs() < 0.1, "{width} wide, {minimum}: {found} {expected}");
    }
}

/// Less is left of a cluster the smaller the budget, the smaller the cluster and the wider the space.
#[test]
fn less_survives_with_less_budget_and_fewer_members() {
    let of = |epsilon: f64, width: usize, minimum: usize| {
        kept(width, minimum, noise_for(epsilon, 1e-5, 1, 1))
    };
    let falls = |found: [f64; 3]| {
        assert!(found.windows(2).all(|pair| pair[1] < pair[0]), "{found:?}");
    };
    falls([8.0, 2.0, 0.5].map(|epsilon| of(epsilon, 64, 64)));
    falls([256, 64, 16].map(|minimum| of(4.0, 64, minimum)));
    falls([16, 64, 256].map(|width| of(4.0, width, 64)));
}

/// One member in the place of another moves the mean by the cap's chord over the size at most, and nearly reaches it.
#[test]
fn a_swapped_member_moves_a_mean_by_the_chord_over_the_size() {
    let mut stream = stream(1);
    for radius in [0.3, 0.9, 1.4, std::f64::consts::FRAC_PI_2] {
        let mut reached = 0.0f64;
        for trial in 0..4000 {
            let (width, size) = (2 + trial % 3, 1 + trial % 9);
            let all = cap(size + 1, width, radius, &mut stream);
            let mechanism = Mechanism { radius, ..mechanism(5, None) };
            let mut before: Vec<usize> = (0..size).collect();
            let clean = mechanism.mean(&all, width, &before, &mut stream);
            before[size - 1] = size;
            let swapped = mechanism.mean(&all, width, &before, &mut stream);
            let moved: f64 =
                clean.iter().zip(&swapped).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let bound = 2.0 * radius.sin() / size.max(5) as f64;
            assert!(moved.sqrt() <= bound * (1.0 + 1e-5), "{radius}: {} {bound}", moved.sqrt());
            reached = reached.max(moved.sqrt() / bound);
        }
        assert!(reached > 0.9, "radius {radius}: the bound is never nearly reached: {reached}");
    }
}

/// Laplace noise of scale 1 / epsilon: mean size, both signs, and its tail.
#[test]
fn counts_have_the_noise_they_should() {
    let noise = Noise { selection: 0.5, count: 4.0, multiplier: 1.0 };
    let (mechanism, mut stream, runs) = (mechanism(5, Some(noise)), stream(2), 40_000);
    for epsilon in [0.5, 4.0] {
        let of = move |noise: &Noise| if epsilon < 1.0 { noise.selection } else { noise.count };
        let drawn: Vec<f64> = (0..runs).map(|_| mechanism.laplace(of, &mut stream)).collect();
        let share = |is: &dyn Fn(f64) -> bool| {
            drawn.iter().filter(|x| is(**x)).count() as f64 / f64::from(runs)
        };
        let size = drawn.iter().map(|x| x.abs()).sum::<f64>() / f64::from(runs);
        // The size has the standard deviation 1 / epsilon: five standard errors.
        assert!((size * epsilon - 1.0).abs() < 0.025, "{size}");
        assert!((share(&|x| x > 0.0) - 0.5).abs() < 0.0125);
        assert!((share(&|x| x.abs() > 2.0 / epsilon) - (-2.0f64).exp()).abs() < 0.009);
    }
}
