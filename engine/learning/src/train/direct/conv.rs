//! Convolutions by hand: one matrix product for each sample, so that its columns stay in the cache; for small
//! images and many weights one for several samples, so that the weights are not read anew for a few columns.

use super::columns::{Place, Windows};
use super::elementwise::{add_plane_bias, relu_all, sum, transpose};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use super::product::{Matrix, Mode, product};
use std::ops::Range;

/// Samples with fewer windows than this share a product with others.
const FEW: usize = 64;

/// Weights from which that pays: more than the nearest caches hold.
const HEAVY: usize = 1 << 15;

/// About so many columns a shared product has.
const MANY: usize = 256;

/// A convolution; `weight` is `[outputs, window]`.
#[derive(Debug)]
pub(super) struct Conv {
    pub(super) windows: Windows,
    pub(super) outputs: usize,
    pub(super) weight: Range<usize>,
    pub(super) bias: Option<Range<usize>>,
}

impl Conv {
    fn input_len(&self) -> usize {
        self.windows.channels * self.windows.height * self.windows.width
    }

    fn output_len(&self) -> usize {
        self.outputs * self.windows.count()
    }

    /// How many samples share a product: a function of the shapes alone.
    fn together(&self) -> usize {
        match self.windows.count() {
            count @ 1..FEW if self.weight.len() >= HEAVY => MANY / count,
            _ => 1,
        }
    }

    /// The column matrix of some samples, side by side.
    fn spread(&self, samples: &[f32], padded: &mut [f32], columns: &mut [f32]) {
        let (w, line) = (&self.windows, self.line(samples));
        for (index, sample) in samples.chunks_exact(self.input_len()).enumerate() {
            w.spread(sample, padded, columns, Place { first: index * w.count(), line });
        }
    }

    /// Columns of the matrix of some samples.
    fn line(&self, samples: &[f32]) -> usize {
        samples.len() / self.input_len() * self.windows.count()
    }

    fn weight<'a>(&self, params: &'a [f32]) -> Matrix<'a> {
        Matrix::new(&params[self.weight.clone()], self.outputs, self.windows.window())
    }
}

impl Kernel for Conv {
    fn forward(
        &self,
        pass: Forward<'_>,
        output: &mut [f32],
        _: &mut Memory,
        scratch: &mut Scratch,
    ) {
        let w = &self.windows;
        let most = self.together().min(pass.input.len() / self.input_len()).max(1);
        let columns = grown(&mut scratch.columns, w.window() * w.count() * most);
        let padded = grown(&mut scratch.padded, w.padded_len());
        let block = grown(&mut scratch.block, self.output_len() * most);
        let weight = self.weight(pass.params);
        let groups = pass.input.chunks(most * self.input_len());
        for (samples, outputs) in groups.zip(output.chunks_mut(most * self.output_len())) {
            self.spread(samples, padded, columns);
            let line = self.line(samples);
            let columns = Matrix::new(columns, w.window(), line);
            if line == w.count() {
                product(outputs, Mode::Write, weight, columns);
            } else {
                product(block, Mode::Write, weight, columns);
                for (index, output) in outputs.chunks_exact_mut(self.output_len()).enumerate() {
                    let planes = output.chunks_exact_mut(w.count()).zip(block.chunks(line));
                    let first = index * w.count();
                    planes.for_each(|(to, row)| to.copy_from_slice(&row[first..][..w.count()]));
                }
            }
            for output in outputs.chunks_exact_mut(self.output_len()) {
                match &self.bias {
                    Some(bias) => {
                        add_plane_bias(output, w.count(), &pass.params[bias.clone()], pass.relu)
                    }
                    None if pass.relu => relu_all(output),
                    None => {}
                }
            }
        }
    }

    fn backward(&self, mut pass: Backward<'_>, _: &Memory, scratch: &mut Scratch) {
        let w = &self.windows;
        let most = self.together().min(pass.batch).max(1);
        let columns = grown(&mut scratch.columns, w.window() * w.count() * most);
        let padded = grown(&mut scratch.padded, w.padded_len());
        let block = grown(&mut scratch.block, self.output_len() * most);
        let weight = self.weight(pass.params);
        // The gradient of the weight is summed up transposed: so the product reads the columns as they
        // lie, instead of packing them anew for each sample.
        let weight_gradient = grown(&mut scratch.transposed, self.outputs * w.window());
        if let Some(bias) = &self.bias {
            pass.gradient[bias.clone()].fill(0.0);
        }
        for from in (0..pass.batch).step_by(most) {
            let samples = from..(from + most).min(pass.batch);
            let inputs = samples.start * self.input_len()..samples.end * self.input_len();
            let dy = samples.start * self.output_len()..samples.end * self.output_len();
            let dy = &pass.output_gradient[dy];
            if let Some(bias) = &self.bias {
                dy.chunks_exact(self.output_len()).for_each(|dy| {
                    add_plane_sums(&mut pass.gradient[bias.clone()], dy, w.count());
                });
            }
            let line = samples.len() * w.count();
            let dy = if samples.len() == 1 { dy } else { side_by_side(dy, w.count(), line, block) };
            let dy = Matrix::new(dy, self.outputs, line);
            let mode = if from == 0 { Mode::Write } else { Mode::Add };
            self.spread(&pass.input[inputs.clone()], padded, columns);
            let x = Matrix::new(columns, w.window(), line);
            product(weight_gradient, mode, x, dy.transposed());
            if let Some(dx) = pass.input_gradient.as_deref_mut() {
                product(columns, Mode::Write, weight.transposed(), dy);
                for (index, dx) in dx[inputs].chunks_exact_mut(self.input_len()).enumerate() {
                    let place = Place { first: index * w.count(), line };
                    w.gather((columns, place), padded, dx, pass.add);
                }
            }
        }
        transpose(&mut pass.gradient[self.weight.clone()], weight_gradient, self.outputs);
    }

    fn learns(&self) -> bool {
        true
    }
}

/// Planes of several samples `[samples, planes, count]` as `[planes, samples * count]`.
fn side_by_side<'a>(samples: &[f32], count: usize, line: usize, block: &'a mut [f32]) -> &'a [f32] {
    let sample_len = samples.len() / (line / count);
    for (index, sample) in samples.chunks_exact(sample_len).enumerate() {
        let rows = block.chunks_mut(line).zip(sample.chunks_exact(count));
        rows.for_each(|(row, plane)| row[index * count..][..count].copy_from_slice(plane));
    }
    &block[..samples.len()]
}

fn add_plane_sums(sums: &mut [f32], planes: &[f32], plane: usize) {
    simd!({
        for (total, plane) in sums.iter_mut().zip(planes.chunks_exact(plane)) {
            *total += sum(plane);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64 channels of 4 x 4 places to 64 channels.
    fn heavy() -> Conv {
        let (channels, side) = (64, 4);
        let windows = Windows {
            channels,
            height: side,
            width: side,
            kernel: 3,
            stride: 1,
            padding: 1,
            out_height: side,
            out_width: side,
        };
        let weights = 64 * windows.window();
        Conv { windows, outputs: 64, weight: 0..weights, bias: Some(weights..weights + 64) }
    }

    /// Small integers, so that every sum is exact.
    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| (i * step % 7) as f32 - 3.0).collect()
    }

    /// Outputs, gradient of the parameters and gradient of the inputs.
    fn both_ways(conv: &Conv, params: &[f32], input: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
        let (batch, masks) = (input.len() / conv.input_len(), &[]);
        let (mut memory, mut scratch) = (Memory::default(), Scratch::default());
        let mut output = vec![f32::NAN; dy.len()];
        let pass = Forward { params, input, batch, relu: false, training: true, masks };
        conv.forward(pass, &mut output, &mut memory, &mut scratch);
        let (mut gradient, mut dx) = (vec![f32::NAN; params.len()], vec![1.0; input.len()]);
        let pass = Backward {
            params,
            input,
            batch,
            output_gradient: dy,
            input_gradient: Some(&mut dx),
            add: true,
            masks,
            gradient: &mut gradient,
        };
        conv.backward(pass, &memory, &mut scratch);
        [output, gradient, dx]
    }

    #[test]
    fn samples_that_share_a_product_give_what_each_gives_alone() {
        let conv = heavy();
        assert_eq!(conv.together(), 16);
        let params = numbers(conv.weight.len() + 64, 5);
        // Two groups, the second one smaller.
        let (input, dy) = (numbers(18 * conv.input_len(), 3), numbers(18 * conv.output_len(), 11));
        let [output, gradient, dx] = both_ways(&conv, &params, &input, &dy);
        let mut sum = vec![0.0; params.len()];
        let samples = input.chunks(conv.input_len()).zip(dy.chunks(conv.output_len()));
        for (index, (sample, dy)) in samples.enumerate() {
            let [own, own_gradient, own_dx] = both_ways(&conv, &params, sample, dy);
            assert_eq!(output[index * own.len()..][..own.len()], own);
            assert_eq!(dx[index * own_dx.len()..][..own_dx.len()], own_dx);
            sum.iter_mut().zip(own_gradient).for_each(|(sum, own)| *sum += own);
        }
        assert_eq!(gradient, sum);
    }
}
