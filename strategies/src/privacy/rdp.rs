//! Rényi differential privacy of the sampled Gaussian mechanism (Mironov, Talwar and Zhang 2019, "Rényi
//! Differential Privacy of the Sampled Gaussian Mechanism", section 3.3).

use super::special::{ln_add, ln_erfc, ln_subtract};
use std::f64::consts::SQRT_2;

/// Below this logarithm a term of the series for fractional orders changes nothing any more.
const NEGLIGIBLE: f64 = -30.0;

/// The Rényi divergence of `order` (above 1) between what one release says with and without one member,
/// when each is in it with probability `rate` independently of all others (Poisson sampling), and the
/// noise has `noise` times the most that a member can contribute as its standard deviation.
///
/// With `rate` 1 this is the Gaussian mechanism's `order / (2 noise^2)`.
pub fn sampled_gaussian(rate: f64, noise: f64, order: f64) -> f64 {
    if rate == 0.0 {
        return 0.0;
    }
    if noise <= 0.0 || !order.is_finite() {
        return f64::INFINITY;
    }
    if rate >= 1.0 {
        return order / (2.0 * noise * noise);
    }
    let moment = if order.fract() == 0.0 {
        ln_moment_whole(rate, noise, order)
    } else {
        ln_moment_fractional(rate, noise, order)
    };
    moment / (order - 1.0)
}

/// `ln A(order)` for a whole order, a finite sum: equation 5 of section 3.3.
fn ln_moment_whole(rate: f64, noise: f64, order: f64) -> f64 {
    let (stay, join) = ((-rate).ln_1p(), rate.ln());
    let (mut sum, mut ln_choose) = (f64::NEG_INFINITY, 0.0);
    for k in 0..=order as u32 {
        let k = f64::from(k);
        let exponent = (k * k - k) / (2.0 * noise * noise);
        sum = ln_add(sum, ln_choose + k * join + (order - k) * stay + exponent);
        ln_choose += ((order - k) / (k + 1.0)).ln();
    }
    sum
}

/// `ln A(order)` for a fractional order: the two infinite series at the end of section 3.3, whose terms
/// change their sign after the order.
fn ln_moment_fractional(rate: f64, noise: f64, order: f64) -> f64 {
    let (stay, join) = ((-rate).ln_1p(), rate.ln());
    let middle = noise * noise * (stay - join) + 0.5;
    let half = |from: f64| 0.5f64.ln() + ln_erfc(from / (SQRT_2 * noise));
    let growth = |k: f64| (k * k - k) / (2.0 * noise * noise);
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut ln_choose, mut positive, mut i) = (0.0, true, 0.0);
    loop {
        let j = order - i;
        let below = ln_choose + i * join + j * stay + growth(i) + half(i - middle);
        let above = ln_choose + j * join + i * stay + growth(j) + half(middle - j);
        if positive {
            (low, high) = (ln_add(low, below), ln_add(high, above));
        } else {
            (low, high) = (ln_subtract(low, below), ln_subtract(high, above));
        }
        // The binomial coefficient of a fractional order: its factors turn negative behind the order.
        positive ^= j < 0.0;
        ln_choose += (j.abs() / (i + 1.0)).ln();
        i += 1.0;
        if i > order && below.max(above) < NEGLIGIBLE {
            return ln_add(low, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A(order)` by Simpson's rule over its definition, equation 2 of the paper: the mean under N(0, s^2) of
    /// the density ratio to the power of the order.
    fn ln_moment_by_integration(rate: f64, noise: f64, order: f64) -> f64 {
        let ln_integrand = |z: f64| {
            let ratio = (2.0 * z - 1.0) / (2.0 * noise * noise);
            let ln_density =
                -z * z / (2.0 * noise * noise) - (noise * (2.0 * std::f64::consts::PI).sqrt()).ln();
            ln_density + order * ln_add((-rate).ln_1p(), rate.ln() + ratio)
        };
        let (from, to, steps) = (-40.0 * noise, order + 40.0 * noise, 400_000);
        let width = (to - from) / f64::from(steps);
        let weight = |step: i32| match step {
            0 => 1.0,
            step if step == steps => 1.0,
            step if step % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let terms = (0..=steps)
            .map(|step| f64::ln(weight(step)) + ln_integrand(from + width * f64::from(step)));
        terms.fold(f64::NEG_INFINITY, ln_add) + (width / 3.0).ln()
    }

    #[test]
    fn without_sampling_the_closed_form_is_exact() {
        for (noise, order, expected) in
            [(1.0, 2.0, 1.0), (2.0, 8.0, 1.0), (0.5, 3.0, 6.0), (4.0, 1.5, 0.046_875)]
        {
            assert_eq!(sampled_gaussian(1.0, noise, order), expected);
        }
        assert_eq!(sampled_gaussian(0.0, 1.0, 2.0), 0.0);
        assert_eq!(sampled_gaussian(0.1, 0.0, 2.0), f64::INFINITY);
    }

    /// Order 2 by hand: A = (1 - q)^2 + 2 q (1 - q) + q^2 exp(1 / s^2) = 1 + q^2 (exp(1 / s^2) - 1).
    #[test]
    fn order_two_by_hand() {
        for (rate, noise) in [(0.01, 1.0), (0.1, 2.0), (0.5, 0.7)] {
            let expected = (rate * rate * (1.0f64 / (noise * noise)).exp_m1()).ln_1p();
            let got = sampled_gaussian(rate, noise, 2.0);
            assert!((got - expected).abs() < 1e-12, "{got}, not {expected}");
        }
    }

    #[test]
    fn whole_and_fractional_orders_agree_with_the_integral() {
        for (rate, noise) in [(0.01, 1.1), (0.1, 0.8), (0.001, 2.0), (0.9, 3.0), (0.3, 1.0)] {
            for order in [1.1, 1.5, 2.0, 3.7, 8.0, 10.9, 24.3] {
                let expected = ln_moment_by_integration(rate, noise, order) / (order - 1.0);
                let got = sampled_gaussian(rate, noise, order);
                // The integral itself is good to about 1e-12 absolutely.
                let fits = (got - expected).abs() < 1e-6 * expected + 1e-10;
                assert!(fits, "q {rate}, s {noise}, order {order}: {got}, not {expected}");
            }
        }
    }

    /// The values that the tests of TensorFlow's differential privacy library state for 50 steps of q = 0.01
    /// and a noise multiplier of 2.5 (`test_compute_rdp_poisson_sampled_gaussian`).
    #[test]
    fn published_divergences() {
        let published = [
            (1.5, 6.5007e-4),
            (2.5, 1.0854e-3),
            (5.0, 2.1808e-3),
            (50.0, 2.3846e-2),
            (100.0, 167.42),
        ];
        for (order, expected) in published {
            let got = 50.0 * sampled_gaussian(0.01, 2.5, order);
            assert!((got / expected - 1.0).abs() < 1e-4, "order {order}: {got}, not {expected}");
        }
    }

    /// More noise, less sampling and lower orders all say less.
    #[test]
    fn it_grows_with_rate_and_order_and_falls_with_noise() {
        let orders: Vec<f64> = (11..120).map(|tenth| f64::from(tenth) / 10.0).collect();
        for (rate, noise) in [(0.02, 1.0), (0.2, 1.5)] {
            let along: Vec<f64> =
                orders.iter().map(|order| sampled_gaussian(rate, noise, *order)).collect();
            assert!(along.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-9)), "{along:?}");
            for order in &orders {
                let here = sampled_gaussian(rate, noise, *order);
                assert!(sampled_gaussian(2.0 * rate, noise, *order) > here);
                assert!(sampled_gaussian(rate, 1.2 * noise, *order) < here);
                assert!(here <= order / (2.0 * noise * noise));
            }
        }
    }
}
