//! Group normalisation by hand (Wu and He, 2018).

use super::elementwise::{relu_all, sum, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use crate::network::NORM_EPSILON;
use std::ops::Range;

/// `y = scale_c * (x - mean) / sqrt(variance + epsilon) + shift_c`, mean and variance over a group of
/// channels of one sample.
#[derive(Debug)]
pub(super) struct GroupNorm {
    pub(super) groups: usize,
    pub(super) channels: usize,
    pub(super) plane: usize,
    pub(super) scale: Range<usize>,
    pub(super) shift: Range<usize>,
}

impl GroupNorm {
    fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    fn group_len(&self) -> usize {
        self.group_channels() * self.plane
    }
}

impl Kernel for GroupNorm {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let (scales, shifts) = (&pass.params[self.scale.clone()], &pass.params[self.shift.clone()]);
        let statistics = grown(&mut memory.floats, 2 * pass.batch * self.groups);
        simd!({
            let len = self.group_len();
            let groups = pass.input.chunks_exact(len).zip(output.chunks_exact_mut(len));
            for (index, (x, y)) in groups.enumerate() {
                let mean = sum(x) / len as f32;
                let variance = sum_of(x, x, |x, _| (x - mean) * (x - mean)) / len as f32;
                let inverse = 1.0 / (variance + NORM_EPSILON).sqrt();
                statistics[2 * index..2 * index + 2].copy_from_slice(&[mean, inverse]);
                let first = index % self.groups * self.group_channels();
                let planes = x.chunks_exact(self.plane).zip(y.chunks_exact_mut(self.plane));
                for (channel, (x, y)) in planes.enumerate() {
                    let scale = scales[first + channel] * inverse;
                    let shift = shifts[first + channel];
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * scale + shift);
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, memory: &Memory, _: &mut Scratch) {
        let scales = &pass.params[self.scale.clone()];
        pass.gradient[self.scale.clone()].fill(0.0);
        pass.gradient[self.shift.clone()].fill(0.0);
        let (gradient, mut dx, len) = (pass.gradient, pass.input_gradient, self.group_len());
        simd!({
            let groups = pass.input.chunks_exact(len).zip(pass.output_gradient.chunks_exact(len));
            for (index, (x, dy)) in groups.enumerate() {
                let (mean, inverse) = (memory.floats[2 * index], memory.floats[2 * index + 1]);
                let first = index % self.groups * self.group_channels();
                // Sums over the group of scale * dy, and of scale * dy * normalised x.
                let (mut plain, mut along) = (0.0, 0.0);
                let planes = x.chunks_exact(self.plane).zip(dy.chunks_exact(self.plane));
                for (channel, (x, dy)) in planes.clone().enumerate() {
                    let of_shift = sum(dy);
                    let of_scale = sum_of(x, dy, |x, dy| (x - mean) * dy) * inverse;
                    gradient[self.shift.start + first + channel] += of_shift;
                    gradient[self.scale.start + first + channel] += of_scale;
                    plain += scales[first + channel] * of_shift;
                    along += scales[first + channel] * of_scale;
                }
                let Some(dx) = dx.as_deref_mut() else { continue };
                let (plain, along) = (plain / len as f32, along / len as f32 * inverse);
                let dx = dx[index * len..][..len].chunks_exact_mut(self.plane);
                for (channel, ((x, dy), dx)) in planes.zip(dx).enumerate() {
                    let scale = scales[first + channel];
                    for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
                        let value = (scale * dy - plain - (x - mean) * along) * inverse;
                        *dx = if pass.add { *dx + value } else { value };
                    }
                }
            }
        });
    }

    fn learns(&self) -> bool {
        true
    }
}
