//! GELU, sigmoid and dropout by hand.

use super::elementwise::relu_all;
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, simd};

/// `x * cdf(x)`.
#[derive(Debug)]
pub(super) struct Gelu;

/// The normal distribution's probability of at most `x`, and its density at `x`. The error function is
/// that of Abramowitz and Stegun 7.1.26, wrong by at most 1.5e-7.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let bell = (-0.5 * x * x).exp();
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let poly = t
        * (0.254_829_6
            + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let tail = 0.5 * poly * bell;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (below, bell * 0.398_942_3)
}

impl Kernel for Gelu {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], _: &mut Memory, _: &mut Scratch) {
        simd!(output.iter_mut().zip(pass.input).for_each(|(y, x)| *y = x * normal(*x).0));
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, _: &Memory, _: &mut Scratch) {
        let Some(dx) = pass.input_gradient else { return };
        simd!({
            for ((dx, x), dy) in dx.iter_mut().zip(pass.input).zip(pass.output_gradient) {
                let (below, density) = normal(*x);
                let value = dy * (below + x * density);
                *dx = if pass.add { *dx + value } else { value };
            }
        });
    }
}

/// `1 / (1 + exp(-x))`.
#[derive(Debug)]
pub(super) struct Sigmoid;

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Kernel for Sigmoid {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], _: &mut Memory, _: &mut Scratch) {
        // What is above zero already stays so under a ReLU.
        simd!(output.iter_mut().zip(pass.input).for_each(|(y, x)| *y = sigmoid(*x)));
    }

    fn backward(&self, pass: Backward<'_>, _: &Memory, _: &mut Scratch) {
        let Some(dx) = pass.input_gradient else { return };
        simd!({
            for ((dx, x), dy) in dx.iter_mut().zip(pass.input).zip(pass.output_gradient) {
                let y = sigmoid(*x);
                let value = dy * y * (1.0 - y);
                *dx = if pass.add { *dx + value } else { value };
            }
        });
    }
}

/// Multiplies with a mask in training and copies in evaluation.
#[derive(Debug)]
pub(super) struct Dropout {
    /// Which of the network's masks.
    pub(super) index: usize,
}

impl Kernel for Dropout {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], _: &mut Memory, _: &mut Scratch) {
        match pass.masks.get(self.index) {
            Some(mask) => simd!({
                let terms = pass.input.iter().zip(mask);
                output.iter_mut().zip(terms).for_each(|(y, (x, mask))| *y = x * mask);
            }),
            None => output.copy_from_slice(pass.input),
        }
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, _: &Memory, _: &mut Scratch) {
        let (Some(dx), Some(mask)) = (pass.input_gradient, pass.masks.get(self.index)) else {
            return;
        };
        simd!({
            for ((dx, mask), dy) in dx.iter_mut().zip(mask).zip(pass.output_gradient) {
                *dx = if pass.add { *dx + dy * mask } else { dy * mask };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the standard normal distribution from tables.
    #[test]
    fn the_normal_distribution_is_right() {
        for (x, below) in
            [(0.0, 0.5), (1.0, 0.841_344_7), (-1.0, 0.158_655_3), (2.0, 0.977_249_9), (-6.0, 0.0)]
        {
            assert!((normal(x).0 - below).abs() < 3e-7, "{x}: {}", normal(x).0);
        }
        assert!((normal(1.0).1 - 0.241_970_7).abs() < 1e-7);
        assert!(normal(f32::NAN).0.is_nan());
    }
}
