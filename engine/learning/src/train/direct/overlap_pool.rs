//! Max pooling of windows that overlap, by hand.

use super::columns::Windows;
use super::elementwise::relu_all;
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown};

/// The maximum of each window. Of equal values the first in row order counts.
#[derive(Debug)]
pub(super) struct OverlapMaxPool {
    pub(super) windows: Windows,
}

impl OverlapMaxPool {
    /// Where tap `tap` of window `at` lies in the plane, if inside.
    fn place(&self, at: usize, tap: usize) -> Option<usize> {
        let w = &self.windows;
        let y = (at / w.out_width * w.stride + tap / w.kernel).checked_sub(w.padding)?;
        let x = (at % w.out_width * w.stride + tap % w.kernel).checked_sub(w.padding)?;
        (y < w.height && x < w.width).then_some(y * w.width + x)
    }
}

impl Kernel for OverlapMaxPool {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let w = &self.windows;
        let choices = grown(&mut memory.choices, output.len());
        let planes = pass.input.chunks_exact(w.height * w.width);
        let outputs = output.chunks_exact_mut(w.count()).zip(choices.chunks_exact_mut(w.count()));
        for (plane, (output, choices)) in planes.zip(outputs) {
            for (at, (output, choice)) in output.iter_mut().zip(choices).enumerate() {
                *output = f32::NEG_INFINITY;
                for tap in 0..w.kernel * w.kernel {
                    let Some(value) = self.place(at, tap).map(|place| plane[place]) else {
                        continue;
                    };
                    // A NaN is let through, so that a diverged training is noticed.
                    if value > *output || value.is_nan() {
                        (*output, *choice) = (value, tap as u8);
                    }
                }
            }
        }
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, memory: &Memory, _: &mut Scratch) {
        let w = &self.windows;
        let Some(dx) = pass.input_gradient else { return };
        if !pass.add {
            dx.fill(0.0);
        }
        let gradients = pass.output_gradient.chunks_exact(w.count());
        let outputs = gradients.zip(memory.choices.chunks_exact(w.count()));
        for (dx, (dy, choices)) in dx.chunks_exact_mut(w.height * w.width).zip(outputs) {
            for (at, (dy, choice)) in dy.iter().zip(choices).enumerate() {
                if let Some(place) = self.place(at, usize::from(*choice)) {
                    dx[place] += dy;
                }
            }
        }
    }
}
