//! Global response normalisation by hand (Woo et al. 2023).

use super::elementwise::{relu_all, sum, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use crate::network::{GRN_EPSILON, ROOT_EPSILON};
use std::ops::Range;

/// `y = gamma_c * x * N_c + beta_c + x`, `N_c = G_c / (mean of G + epsilon)`, `G_c` the norm of channel `c`.
#[derive(Debug)]
pub(super) struct Grn {
    pub(super) channels: usize,
    pub(super) plane: usize,
    pub(super) gamma: Range<usize>,
    pub(super) beta: Range<usize>,
}

impl Kernel for Grn {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let len = self.channels * self.plane;
        let norms = grown(&mut memory.floats, pass.batch * self.channels);
        simd!({
            let samples = pass.input.chunks_exact(len).zip(output.chunks_exact_mut(len));
            for ((x, y), norms) in samples.zip(norms.chunks_exact_mut(self.channels)) {
                for (norm, x) in norms.iter_mut().zip(x.chunks_exact(self.plane)) {
                    *norm = (sum_of(x, x, |a, b| a * b) + ROOT_EPSILON).sqrt();
                }
                let level = sum(norms) / self.channels as f32 + GRN_EPSILON;
                let planes = x.chunks_exact(self.plane).zip(y.chunks_exact_mut(self.plane));
                for (channel, (x, y)) in planes.enumerate() {
                    let gamma = pass.params[self.gamma.start + channel];
                    let beta = pass.params[self.beta.start + channel];
                    let factor = 1.0 + gamma * norms[channel] / level;
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor + beta);
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, mut pass: Backward<'_>, memory: &Memory, scratch: &mut Scratch) {
        let len = self.channels * self.plane;
        let products = grown(&mut scratch.transposed, self.channels);
        pass.gradient[self.gamma.clone()].fill(0.0);
        pass.gradient[self.beta.clone()].fill(0.0);
        simd!({
            let samples = pass.input.chunks_exact(len).zip(pass.output_gradient.chunks_exact(len));
            let all = samples.zip(memory.floats.chunks_exact(self.channels));
            for (index, ((x, dy), norms)) in all.enumerate() {
                let level = sum(norms) / self.channels as f32 + GRN_EPSILON;
                // The loss by N_c is gamma_c times the sum of x dy; by the level, minus its sum with
                // G_c over the level squared.
                let mut by_level = 0.0;
                let planes = x.chunks_exact(self.plane).zip(dy.chunks_exact(self.plane));
                for (channel, (x, dy)) in planes.clone().enumerate() {
                    let along = sum_of(x, dy, |x, dy| x * dy);
                    pass.gradient[self.gamma.start + channel] += along * norms[channel] / level;
                    pass.gradient[self.beta.start + channel] += sum(dy);
                    products[channel] = pass.params[self.gamma.start + channel] * along;
                    by_level -= products[channel] * norms[channel] / (level * level);
                }
                let Some(dx) = pass.input_gradient.as_deref_mut() else { continue };
                let dx = dx[index * len..][..len].chunks_exact_mut(self.plane);
                for (channel, ((x, dy), dx)) in planes.zip(dx).enumerate() {
                    let gamma = pass.params[self.gamma.start + channel];
                    let factor = 1.0 + gamma * norms[channel] / level;
                    let by_norm = products[channel] / level + by_level / self.channels as f32;
                    let slope = by_norm / norms[channel];
                    for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
                        let value = dy * factor + x * slope;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Backbone, Network, NetworkSpec, ReidSpec};
    use offbeat_kernel::{Purpose, SeedTree};

    /// Two channels of two places: norms 5 and 0, mean 2.5.
    fn forward(params: &[f32]) -> Vec<f32> {
        let kernel = Grn { channels: 2, plane: 2, gamma: 0..2, beta: 2..4 };
        let (input, mut output) = ([3.0, -4.0, 0.0, 0.0], [9.0; 4]);
        let pass =
            Forward { params, input: &input, batch: 1, relu: false, training: true, masks: &[] };
        kernel.forward(pass, &mut output, &mut Memory::default(), &mut Scratch::default());
        output.to_vec()
    }

    #[test]
    fn responses_by_hand() {
        // 1 + 0.5 * 5 / 2.5 = 2, plus 0.25; a channel without response is shifted alone.
        for (have, want) in forward(&[0.5, 7.0, 0.25, -1.0]).iter().zip([6.25, -7.75, -1.0, -1.0]) {
            assert!((have - want).abs() < 1e-4, "{have} {want}");
        }
    }

    #[test]
    fn a_fresh_block_changes_nothing() {
        assert_eq!(forward(&[0.0; 4]), [3.0, -4.0, 0.0, 0.0]);
        let backbone = Backbone::ConvnextV2 { depths: vec![1], widths: vec![4], patch: 2 };
        let spec = NetworkSpec::Reid(ReidSpec::new(backbone));
        let network = Network::new(&spec, &[3, 8, 8], 4).expect("fits");
        let start = network.init(&mut SeedTree::new(1).stream(Purpose::ModelInit, 0, 0));
        let entries = network.layout().entries().iter();
        let fresh: Vec<_> = entries.filter(|entry| entry.name.contains(".grn.")).collect();
        assert_eq!(fresh.len(), 2, "gamma and beta");
        for entry in fresh {
            assert!(start.slice(entry.range()).to_vec().iter().all(|value| *value == 0.0));
        }
    }
}
