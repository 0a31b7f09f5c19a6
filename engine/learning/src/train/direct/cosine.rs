//! A head of cosines by hand.

use super::elementwise::{relu_all, sum_of};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};
use super::product::{Matrix, Mode, product};
use crate::network::ROOT_EPSILON;
use std::ops::Range;

/// `y_ij = x_i w_j / (|x_i| |w_j|)`.
#[derive(Debug)]
pub(super) struct Cosine {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weight: Range<usize>,
}

impl Kernel for Cosine {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let weights = &pass.params[self.weight.clone()];
        let x = Matrix::new(pass.input, pass.batch, self.inputs);
        product(
            output,
            Mode::Write,
            x,
            Matrix::new(weights, self.outputs, self.inputs).transposed(),
        );
        // Lengths of samples, lengths of weights, and the cosines themselves, for the backward pass.
        let lengths = pass.batch + self.outputs;
        let kept = grown(&mut memory.floats, lengths + output.len());
        let (lengths, cosines) = kept.split_at_mut(lengths);
        simd!({
            let rows = pass.input.chunks_exact(self.inputs);
            for (length, row) in
                lengths.iter_mut().zip(rows.chain(weights.chunks_exact(self.inputs)))
            {
                *length = (sum_of(row, row, |a, b| a * b) + ROOT_EPSILON).sqrt();
            }
            let (of_samples, of_weights) = lengths.split_at(pass.batch);
            for (row, length) in output.chunks_exact_mut(self.outputs).zip(of_samples) {
                row.iter_mut().zip(of_weights).for_each(|(y, weight)| *y /= length * weight);
            }
        });
        cosines.copy_from_slice(output);
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, memory: &Memory, scratch: &mut Scratch) {
        let (of_samples, rest) = memory.floats.split_at(pass.batch);
        let (of_weights, cosines) = rest.split_at(self.outputs);
        let weights = &pass.params[self.weight.clone()];
        // dy_ij / (|x_i| |w_j|)
        let scaled = grown(&mut scratch.columns, pass.batch * self.outputs);
        for (index, scaled) in scaled.iter_mut().enumerate() {
            let (i, j) = (index / self.outputs, index % self.outputs);
            *scaled = pass.output_gradient[index] / (of_samples[i] * of_weights[j]);
        }
        let scaled = Matrix::new(scaled, pass.batch, self.outputs);
        let x = Matrix::new(pass.input, pass.batch, self.inputs);
        let own = &mut pass.gradient[self.weight.clone()];
        product(own, Mode::Write, scaled.transposed(), x);
        // Along its own direction nothing changes.
        for (j, (own, weight)) in
            own.chunks_exact_mut(self.inputs).zip(weights.chunks_exact(self.inputs)).enumerate()
        {
            let column = (0..pass.batch).map(|i| i * self.outputs + j);
            let pull: f32 = column.map(|at| pass.output_gradient[at] * cosines[at]).sum();
            let pull = pull / (of_weights[j] * of_weights[j]);
            own.iter_mut().zip(weight).for_each(|(own, weight)| *own -= pull * weight);
        }
        let Some(dx) = pass.input_gradient else { return };
        let mode = if pass.add { Mode::Add } else { Mode::Write };
        product(dx, mode, scaled, Matrix::new(weights, self.outputs, self.inputs));
        let rows = dx.chunks_exact_mut(self.inputs).zip(pass.input.chunks_exact(self.inputs));
        for (i, (dx, x)) in rows.enumerate() {
            let row = i * self.outputs..(i + 1) * self.outputs;
            let pull = sum_of(&pass.output_gradient[row.clone()], &cosines[row], |a, b| a * b);
            let pull = pull / (of_samples[i] * of_samples[i]);
            dx.iter_mut().zip(x).for_each(|(dx, x)| *dx -= pull * x);
        }
    }

    fn learns(&self) -> bool {
        true
    }
}
