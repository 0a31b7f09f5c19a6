//! Convolutions by hand: one matrix product for each sample, so that its columns stay in the cache.

use super::columns::Windows;
use super::elementwise::{add_plane_bias, relu_all, sum, transpose};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use super::product::{Matrix, Mode, product};
use std::ops::Range;

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
        let columns = grown(&mut scratch.columns, w.window() * w.count());
        let padded = grown(&mut scratch.padded, w.padded_len());
        let weight = self.weight(pass.params);
        let samples = pass.input.chunks_exact(self.input_len());
        for (sample, output) in samples.zip(output.chunks_exact_mut(self.output_len())) {
            w.spread(sample, padded, columns);
            product(output, Mode::Write, weight, Matrix::new(columns, w.window(), w.count()));
            match &self.bias {
                Some(bias) => {
                    add_plane_bias(output, w.count(), &pass.params[bias.clone()], pass.relu)
                }
                None if pass.relu => relu_all(output),
                None => {}
            }
        }
    }

    fn backward(&self, mut pass: Backward<'_>, _: &Memory, scratch: &mut Scratch) {
        let w = &self.windows;
        let columns = grown(&mut scratch.columns, w.window() * w.count());
        let padded = grown(&mut scratch.padded, w.padded_len());
        let weight = self.weight(pass.params);
        // The gradient of the weight is summed up transposed: so the product reads the columns as they
        // lie, instead of packing them anew for each sample.
        let weight_gradient = grown(&mut scratch.transposed, self.outputs * w.window());
        if let Some(bias) = &self.bias {
            pass.gradient[bias.clone()].fill(0.0);
        }
        for index in 0..pass.batch {
            let sample = &pass.input[index * self.input_len()..][..self.input_len()];
            let dy = &pass.output_gradient[index * self.output_len()..][..self.output_len()];
            if let Some(bias) = &self.bias {
                add_plane_sums(&mut pass.gradient[bias.clone()], dy, w.count());
            }
            let dy = Matrix::new(dy, self.outputs, w.count());
            let mode = if index == 0 { Mode::Write } else { Mode::Add };
            w.spread(sample, padded, columns);
            let x = Matrix::new(columns, w.window(), w.count());
            product(weight_gradient, mode, x, dy.transposed());
            if let Some(dx) = pass.input_gradient.as_deref_mut() {
                product(columns, Mode::Write, weight.transposed(), dy);
                let dx = &mut dx[index * self.input_len()..][..self.input_len()];
                w.gather(columns, padded, dx, pass.add);
            }
        }
        transpose(&mut pass.gradient[self.weight.clone()], weight_gradient, self.outputs);
    }

    fn learns(&self) -> bool {
        true
    }
}

fn add_plane_sums(sums: &mut [f32], planes: &[f32], plane: usize) {
    simd!({
        for (total, plane) in sums.iter_mut().zip(planes.chunks_exact(plane)) {
            *total += sum(plane);
        }
    });
}
