//! Convolutions of each channel by itself, by hand.

use super::columns::Windows;
use super::elementwise::{relu_all, sum, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use std::ops::Range;

/// A depthwise convolution with stride 1; `weight` is `[channels, kernel, kernel]`.
#[derive(Debug)]
pub(super) struct Depthwise {
    pub(super) windows: Windows,
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
}

impl Depthwise {
    fn line(&self) -> usize {
        self.windows.width + 2 * self.windows.padding
    }

    fn padded_len(&self) -> usize {
        (self.windows.height + 2 * self.windows.padding) * self.line()
    }

    /// Calls `f(place of row y in the padded plane, row y)` for the image's rows.
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let (line, padding) = (self.line(), self.windows.padding);
        (0..self.windows.height).map(move |y| ((y + padding) * line + padding, y))
    }

    fn pad(&self, plane: &[f32], padded: &mut [f32]) {
        let width = self.windows.width;
        padded.fill(0.0);
        for (at, y) in self.rows() {
            padded[at..at + width].copy_from_slice(&plane[y * width..][..width]);
        }
    }
}

impl Kernel for Depthwise {
    fn forward(
        &self,
        pass: Forward<'_>,
        output: &mut [f32],
        _: &mut Memory,
        scratch: &mut Scratch,
    ) {
        let w = &self.windows;
        let taps = w.kernel * w.kernel;
        let padded = grown(&mut scratch.padded, self.padded_len());
        let planes = pass.input.chunks_exact(w.height * w.width);
        simd!({
            for (index, (x, y)) in planes.zip(output.chunks_exact_mut(w.count())).enumerate() {
                let channel = index % w.channels;
                let weights = &pass.params[self.weight.start + channel * taps..][..taps];
                self.pad(x, padded);
                y.fill(pass.params[self.bias.start + channel]);
                for (tap, weight) in weights.iter().enumerate() {
                    let offset = tap / w.kernel * self.line() + tap % w.kernel;
                    for (row, y) in y.chunks_exact_mut(w.out_width).enumerate() {
                        let x = &padded[row * self.line() + offset..][..w.out_width];
                        y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
                    }
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, mut pass: Backward<'_>, _: &Memory, scratch: &mut Scratch) {
        let w = &self.windows;
        let (taps, plane) = (w.kernel * w.kernel, w.height * w.width);
        let padded = grown(&mut scratch.padded, self.padded_len());
        let back = grown(&mut scratch.columns, self.padded_len());
        pass.gradient[self.weight.clone()].fill(0.0);
        pass.gradient[self.bias.clone()].fill(0.0);
        simd!({
            let planes = pass.input.chunks_exact(plane);
            let planes = planes.zip(pass.output_gradient.chunks_exact(w.count()));
            for (index, (x, dy)) in planes.enumerate() {
                let first = self.weight.start + index % w.channels * taps;
                self.pad(x, padded);
                back.fill(0.0);
                pass.gradient[self.bias.start + index % w.channels] += sum(dy);
                for tap in 0..taps {
                    let (weight, mut total) = (pass.params[first + tap], 0.0);
                    let offset = tap / w.kernel * self.line() + tap % w.kernel;
                    for (row, dy) in dy.chunks_exact(w.out_width).enumerate() {
                        let places =
                            row * self.line() + offset..row * self.line() + offset + w.out_width;
                        total += sum_of(&padded[places.clone()], dy, |x, dy| x * dy);
                        back[places].iter_mut().zip(dy).for_each(|(dx, dy)| *dx += weight * dy);
                    }
                    pass.gradient[first + tap] += total;
                }
                let Some(dx) = pass.input_gradient.as_deref_mut() else { continue };
                let dx = &mut dx[index * plane..][..plane];
                for (at, y) in self.rows() {
                    let sums = &back[at..at + w.width];
                    for (dx, sum) in dx[y * w.width..][..w.width].iter_mut().zip(sums) {
                        *dx = if pass.add { *dx + sum } else { *sum };
                    }
                }
            }
        });
    }

    fn learns(&self) -> bool {
        true
    }
}
