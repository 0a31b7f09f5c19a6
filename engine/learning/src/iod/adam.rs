//! Adam with a state that can be kept.

use crate::flat::Flat;
use serde::{Deserialize, Serialize};

/// First and second moments of gradients (Kingma and Ba, 2015), with `beta_1 = 0.5` as adversarial networks are
/// trained (Radford et al. 2016), `beta_2 = 0.999` and epsilon 1e-8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    steps: u32,
    first: Flat,
    second: Flat,
}

const BETAS: (f32, f32) = (0.5, 0.999);

impl Adam {
    /// For `len` parameters.
    pub fn new(len: usize) -> Self {
        Self { steps: 0, first: Flat::zeros(len), second: Flat::zeros(len) }
    }

    /// Whether further steps can be taken from what is remembered.
    pub fn is_finite(&self) -> bool {
        self.first.is_finite() && self.second.is_finite()
    }

    /// The parameters after one step of size `rate` against `gradient`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn step(&mut self, params: &Flat, gradient: &Flat, rate: f32) -> Flat {
        self.steps = self.steps.saturating_add(1);
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let [one, two] = [BETAS.0, BETAS.1].map(|beta| 1.0 - beta.powi(steps));
        self.first.zip_mut(gradient, |first, slope| {
            *first = BETAS.0 * *first + (1.0 - BETAS.0) * slope;
        });
        self.second.zip_mut(gradient, |second, slope| {
            *second = BETAS.1 * *second + (1.0 - BETAS.1) * slope * slope;
        });
        let (values, first, second) = (params.host(), self.first.host(), self.second.host());
        let moments = first.iter().zip(second.iter());
        let moved = values.iter().zip(moments).map(|(value, (first, second))| {
            value - rate * (first / one) / ((second / two).sqrt() + 1e-8)
        });
        Flat::new(moved.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_steps_by_hand() {
        let mut adam = Adam::new(2);
        let start = Flat::new(vec![1.0, -1.0]);
        // The first step has the size of the rate, whatever the gradient.
        let one = adam.step(&start, &Flat::new(vec![4.0, -0.1]), 0.01);
        assert!((one.host()[0] - 0.99).abs() < 1e-6 && (one.host()[1] + 0.99).abs() < 1e-5);
        // Moments 0.5 * 2 + 0.5 * 0 = 1 of 1 - 0.25; 0.999 * 0.016 of 1 - 0.999^2.
        let two = adam.step(&one, &Flat::new(vec![0.0, 0.0]), 0.01);
        let (first, second): (f64, f64) = (1.0 / 0.75, 0.999 * 0.016 / (1.0 - 0.999 * 0.999));
        let expected = 0.99 - 0.01 * first / second.sqrt();
        assert!((f64::from(two.host()[0]) - expected).abs() < 1e-5);
    }
}
