//! Logarithms of the special functions that the accountant needs, precise where the functions themselves
//! would underflow.

use std::f64::consts::PI;

/// `ln(exp(a) + exp(b))`.
pub(super) fn ln_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// `ln(exp(a) - exp(b))`; minus infinity unless `a > b`.
pub(super) fn ln_subtract(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY {
        return a;
    }
    if a > b { a + (-(b - a).exp_m1()).ln() } else { f64::NEG_INFINITY }
}

/// `ln erfc(x)`, the complementary error function.
///
/// The Taylor series of `erf` near zero and the continued fraction of `erfc` in the tail (Abramowitz and
/// Stegun 7.1.6 and 7.1.14).
pub(super) fn ln_erfc(x: f64) -> f64 {
    if x < 0.0 {
        // erfc(-x) = 2 - erfc(x)
        return (2.0 - ln_erfc(-x).exp()).ln();
    }
    if x < 2.0 {
        return (1.0 - erf(x)).ln();
    }
    let fraction = (1..=120).rev().fold(x, |below, k| x + 0.5 * f64::from(k) / below);
    -x * x - 0.5 * PI.ln() - fraction.ln()
}

/// `erf(x)` for `0 <= x < 3`.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term > 1e-18 * sum {
        k += 2.0;
        term *= 2.0 * x * x / k;
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got}, not {expected}");
    }

    #[test]
    fn sums_and_differences_by_hand() {
        near(ln_add(3f64.ln(), 5f64.ln()), 8f64.ln());
        near(ln_add(f64::NEG_INFINITY, 2.0), 2.0);
        near(ln_add(-1000.0, -1000.0), -1000.0 + 2f64.ln());
        near(ln_subtract(5f64.ln(), 3f64.ln()), 2f64.ln());
        near(ln_subtract(2.0, f64::NEG_INFINITY), 2.0);
        assert_eq!(ln_subtract(1.0, 1.0), f64::NEG_INFINITY);
    }

    /// Values of erfc of Abramowitz and Stegun, table 7.1, and of its asymptotic form.
    #[test]
    fn the_error_function_at_known_points() {
        near(ln_erfc(0.0), 0.0);
        near(ln_erfc(1.0).exp(), 0.157_299_207_050_285_13);
        near(ln_erfc(2.0).exp(), 0.004_677_734_981_047_266);
        near(ln_erfc(-1.0).exp(), 1.842_700_792_949_715);
        // At 30 the first terms of the asymptotic series give all digits.
        let x: f64 = 30.0;
        let y = 1.0 / (2.0 * x * x);
        let series = 1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y)));
        near(ln_erfc(x), -x * x - (x * PI.sqrt()).ln() + series.ln());
        // The two forms meet.
        assert!((ln_erfc(2.0 - 1e-12) - ln_erfc(2.0)).abs() < 1e-10);
    }
}
