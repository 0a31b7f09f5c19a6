//! The few special functions that the models of hardship need.

use std::f64::consts::{PI, SQRT_2};

/// The density of the standard normal distribution at `x`.
pub(crate) fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The standard normal distribution function: the probability of a value below `x`.
///
/// Series around zero and a continued fraction in the tails, so that small probabilities keep their
/// relative precision (Abramowitz and Stegun 26.2.11 and 26.2.14).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.abs() > 4.0 {
        let tail = upper_tail(x.abs());
        return if x > 0.0 { 1.0 - tail } else { tail };
    }
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    0.5 + normal_density(x) * sum
}

/// The probability of a value above `x > 0`, by the continued fraction x + 1/(x + 2/(x + 3/...)).
fn upper_tail(x: f64) -> f64 {
    let fraction = (1..=80).rev().fold(x, |below, k| x + f64::from(k) / below);
    normal_density(x) / fraction
}

/// The standard normal score below which a share `p` of all values lies; infinite at 0 and 1.
///
/// A rational first guess in the tails' variable, brought to full precision by Halley steps on
/// `normal_cdf`.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    // Abramowitz and Stegun 26.2.23: off by less than 4.5e-4 everywhere.
    let t = (-2.0 * p.ln()).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = top / bottom - t;
    for _ in 0..3 {
        let step = (normal_cdf(x) - p) / normal_density(x);
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

/// The gamma function for `x > 0`, by Lanczos's approximation (g = 7, nine terms).
pub(crate) fn gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return PI / ((PI * x).sin() * gamma(1.0 - x));
    }
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (k, term) in TERMS.iter().enumerate() {
        sum += term / (x + k as f64 + 1.0);
    }
    let t = x + 7.5;
    PI.sqrt() * SQRT_2 * t.powf(x + 0.5) * (-t).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_normal_distribution_has_its_tabulated_values() {
        for (x, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
            (3.0, 0.998_650_101_968_369_9),
            (-6.0, 9.865_876_450_376_98e-10),
            (-10.0, 7.619_853_024_160_527e-24),
        ] {
            assert!((normal_cdf(x) / p - 1.0).abs() < 1e-12, "at {x}: {}", normal_cdf(x));
            assert!((normal_quantile(p) - x).abs() < 1e-9, "at {p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn gamma_has_its_tabulated_values() {
        for (x, value) in [
            (1.0, 1.0),
            (5.0, 24.0),
            (0.5, 1.772_453_850_905_516),
            (1.5, 0.886_226_925_452_758),
            (0.1, 9.513_507_698_668_732),
        ] {
            assert!((gamma(x) / value - 1.0).abs() < 1e-12, "at {x}: {}", gamma(x));
        }
    }

    proptest! {
        #[test]
        fn the_quantile_undoes_the_distribution_function(x in -7.9f64..7.9) {
            let p = normal_cdf(x);
            // Above zero, the precision of `p` itself ends near one.
            let slack = 1e-11 + 4.0 * f64::EPSILON / normal_density(x);
            prop_assert!((normal_quantile(p) - x).abs() < slack);
        }
    }
}
