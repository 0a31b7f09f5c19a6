//! Batch normalisation by hand (Ioffe and Szegedy, 2015).

use super::elementwise::{relu_all, sum, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use crate::network::{BATCH_NORM_MOMENTUM, NORM_EPSILON};
use std::ops::Range;

/// `y = scale_c * (x - mean_c) / sqrt(variance_c + epsilon) + shift_c`, mean and variance over the batch and
/// all places, or the running ones.
#[derive(Debug)]
pub(super) struct BatchNorm {
    pub(super) channels: usize,
    pub(super) plane: usize,
    pub(super) scale: Range<usize>,
    pub(super) shift: Range<usize>,
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
}

/// What the memory says about the last pass: whether the statistics were those of the batch.
const FROM_BATCH: u8 = 1;

impl BatchNorm {
    /// Mean, inverse deviation and unbiased variance of each channel of the batch.
    fn measure(&self, input: &[f32], count: usize, statistics: &mut [f32]) {
        let (means, rest) = statistics.split_at_mut(self.channels);
        let (inverses, variances) = rest.split_at_mut(self.channels);
        means.fill(0.0);
        variances.fill(0.0);
        for sample in input.chunks_exact(self.channels * self.plane) {
            for (mean, x) in means.iter_mut().zip(sample.chunks_exact(self.plane)) {
                *mean += sum(x);
            }
        }
        means.iter_mut().for_each(|mean| *mean /= count as f32);
        for sample in input.chunks_exact(self.channels * self.plane) {
            let channels = variances.iter_mut().zip(means.iter());
            for ((variance, mean), x) in channels.zip(sample.chunks_exact(self.plane)) {
                *variance += sum_of(x, x, |x, _| (x - mean) * (x - mean));
            }
        }
        for (inverse, variance) in inverses.iter_mut().zip(variances) {
            *inverse = 1.0 / (*variance / count as f32 + NORM_EPSILON).sqrt();
            *variance /= (count - 1) as f32;
        }
    }

    /// The running mean and the inverse of the running deviation.
    fn recall(&self, params: &[f32], statistics: &mut [f32]) {
        statistics[..self.channels].copy_from_slice(&params[self.mean.clone()]);
        let inverses = statistics[self.channels..].iter_mut();
        for (inverse, variance) in inverses.zip(&params[self.variance.clone()]) {
            *inverse = 1.0 / (variance + NORM_EPSILON).sqrt();
        }
    }
}

impl Kernel for BatchNorm {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let count = pass.batch * self.plane;
        let statistics = grown(&mut memory.floats, 3 * self.channels);
        // One number has no variance.
        let from_batch = pass.training && count > 1;
        grown(&mut memory.choices, 1)[0] = if from_batch { FROM_BATCH } else { 0 };
        simd!({
            if from_batch {
                self.measure(pass.input, count, statistics);
            } else {
                self.recall(pass.params, statistics);
            }
            let (means, inverses) = statistics.split_at(self.channels);
            let len = self.channels * self.plane;
            for (x, y) in pass.input.chunks_exact(len).zip(output.chunks_exact_mut(len)) {
                let planes = x.chunks_exact(self.plane).zip(y.chunks_exact_mut(self.plane));
                for (channel, (x, y)) in planes.enumerate() {
                    let scale = pass.params[self.scale.start + channel] * inverses[channel];
                    let (mean, shift) = (means[channel], pass.params[self.shift.start + channel]);
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * scale + shift);
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, memory: &Memory, scratch: &mut Scratch) {
        let (means, rest) = memory.floats.split_at(self.channels);
        let count = (pass.batch * self.plane) as f32;
        let from_batch = memory.choices.first() == Some(&FROM_BATCH);
        let len = self.channels * self.plane;
        // Sums of dy, and of dy times the centred x.
        let sums = grown(&mut scratch.transposed, 2 * self.channels);
        simd!({
            sums.fill(0.0);
            let (plain, along) = sums.split_at_mut(self.channels);
            let samples = pass.input.chunks_exact(len).zip(pass.output_gradient.chunks_exact(len));
            for (x, dy) in samples.clone() {
                let planes = x.chunks_exact(self.plane).zip(dy.chunks_exact(self.plane));
                for (channel, (x, dy)) in planes.enumerate() {
                    let mean = means[channel];
                    plain[channel] += sum(dy);
                    along[channel] += sum_of(x, dy, |x, dy| (x - mean) * dy);
                }
            }
            for channel in 0..self.channels {
                pass.gradient[self.shift.start + channel] = plain[channel];
                pass.gradient[self.scale.start + channel] = along[channel] * rest[channel];
            }
            let Some(dx) = pass.input_gradient else { return };
            for ((x, dy), dx) in samples.zip(dx.chunks_exact_mut(len)) {
                let planes = x.chunks_exact(self.plane).zip(dy.chunks_exact(self.plane));
                let planes = planes.zip(dx.chunks_exact_mut(self.plane));
                for (channel, ((x, dy), dx)) in planes.enumerate() {
                    let (mean, inverse) = (means[channel], rest[channel]);
                    let factor = pass.params[self.scale.start + channel] * inverse;
                    // Running statistics do not depend on the input, the batch's do.
                    let share = if from_batch { 1.0 / count } else { 0.0 };
                    let level = plain[channel] * share;
                    let slope = along[channel] * share * inverse * inverse;
                    for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
                        let value = factor * (dy - level - (x - mean) * slope);
                        *dx = if pass.add { *dx + value } else { value };
                    }
                }
            }
        });
    }

    fn settle(&self, params: &mut [f32], memory: &Memory) {
        if memory.choices.first() != Some(&FROM_BATCH) {
            return;
        }
        for (place, start) in [(&self.mean, 0), (&self.variance, 2 * self.channels)] {
            for (running, of_batch) in params[place.clone()].iter_mut().zip(&memory.floats[start..])
            {
                *running = (1.0 - BATCH_NORM_MOMENTUM) * *running + BATCH_NORM_MOMENTUM * of_batch;
            }
        }
    }

    fn learns(&self) -> bool {
        true
    }
}
