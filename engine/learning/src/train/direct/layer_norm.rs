//! Normalisation over channels by hand (Ba et al. 2016).

use super::elementwise::{relu_all, sum, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use crate::network::LAYER_NORM_EPSILON;
use std::ops::Range;

/// `y = scale_c * (x - mean) / sqrt(variance + epsilon) + shift_c`, mean and variance over the channels at
/// one place of one sample.
#[derive(Debug)]
pub(super) struct LayerNorm {
    pub(super) channels: usize,
    pub(super) plane: usize,
    pub(super) scale: Range<usize>,
    pub(super) shift: Range<usize>,
}

impl LayerNorm {
    /// Means and inverse deviations of the places of one sample.
    fn measure(&self, x: &[f32], means: &mut [f32], inverses: &mut [f32]) {
        let share = 1.0 / self.channels as f32;
        means.fill(0.0);
        inverses.fill(0.0);
        for x in x.chunks_exact(self.plane) {
            means.iter_mut().zip(x).for_each(|(mean, x)| *mean += x * share);
        }
        for x in x.chunks_exact(self.plane) {
            for ((inverse, mean), x) in inverses.iter_mut().zip(means.iter()).zip(x) {
                *inverse += (x - mean) * (x - mean) * share;
            }
        }
        inverses.iter_mut().for_each(|v| *v = 1.0 / (*v + LAYER_NORM_EPSILON).sqrt());
    }
}

impl Kernel for LayerNorm {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let len = self.channels * self.plane;
        let statistics = grown(&mut memory.floats, 2 * pass.batch * self.plane);
        simd!({
            let samples = pass.input.chunks_exact(len).zip(output.chunks_exact_mut(len));
            for ((x, y), statistics) in samples.zip(statistics.chunks_exact_mut(2 * self.plane)) {
                let (means, inverses) = statistics.split_at_mut(self.plane);
                self.measure(x, means, inverses);
                let planes = x.chunks_exact(self.plane).zip(y.chunks_exact_mut(self.plane));
                for (channel, (x, y)) in planes.enumerate() {
                    let scale = pass.params[self.scale.start + channel];
                    let shift = pass.params[self.shift.start + channel];
                    let places = means.iter().zip(inverses.iter());
                    for ((y, x), (mean, inverse)) in y.iter_mut().zip(x).zip(places) {
                        *y = (x - mean) * inverse * scale + shift;
                    }
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, mut pass: Backward<'_>, memory: &Memory, scratch: &mut Scratch) {
        let len = self.channels * self.plane;
        let sums = grown(&mut scratch.transposed, 3 * self.plane);
        let (plain, rest) = sums.split_at_mut(self.plane);
        let (along, normal) = rest.split_at_mut(self.plane);
        pass.gradient[self.scale.clone()].fill(0.0);
        pass.gradient[self.shift.clone()].fill(0.0);
        simd!({
            let samples = pass.input.chunks_exact(len).zip(pass.output_gradient.chunks_exact(len));
            let all = samples.zip(memory.floats.chunks_exact(2 * self.plane));
            for (index, ((x, dy), statistics)) in all.enumerate() {
                let (means, inverses) = statistics.split_at(self.plane);
                // Sums over the channels of scale * dy, and of scale * dy * normalised x.
                plain.fill(0.0);
                along.fill(0.0);
                let planes = x.chunks_exact(self.plane).zip(dy.chunks_exact(self.plane));
                for (channel, (x, dy)) in planes.clone().enumerate() {
                    let scale = pass.params[self.scale.start + channel];
                    for (place, normal) in normal.iter_mut().enumerate() {
                        *normal = (x[place] - means[place]) * inverses[place];
                        plain[place] += scale * dy[place];
                        along[place] += scale * dy[place] * *normal;
                    }
                    pass.gradient[self.shift.start + channel] += sum(dy);
                    pass.gradient[self.scale.start + channel] +=
                        sum_of(normal, dy, |normal, dy| normal * dy);
                }
                let Some(dx) = pass.input_gradient.as_deref_mut() else { continue };
                let share = 1.0 / self.channels as f32;
                let dx = dx[index * len..][..len].chunks_exact_mut(self.plane);
                for (channel, ((x, dy), dx)) in planes.zip(dx).enumerate() {
                    let scale = pass.params[self.scale.start + channel];
                    for (place, dx) in dx.iter_mut().enumerate() {
                        let inverse = inverses[place];
                        let normal = (x[place] - means[place]) * inverse;
                        let pull = (plain[place] + normal * along[place]) * share;
                        let value = (scale * dy[place] - pull) * inverse;
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
