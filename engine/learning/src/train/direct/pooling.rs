//! Max pooling, global average pooling and a bare copy, by hand.

use super::elementwise::{put, relu_all, sum};
use super::kernel::{Backward, Forward, Kernel, Memory, Scratch, grown, simd};

/// The maximum of `size x size` windows without overlap. Of equal values the first in row order counts.
#[derive(Debug)]
pub(super) struct MaxPool {
    pub(super) size: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl MaxPool {
    fn outputs(&self) -> (usize, usize) {
        (self.height / self.size, self.width / self.size)
    }
}

impl Kernel for MaxPool {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], memory: &mut Memory, _: &mut Scratch) {
        let (out_height, out_width) = self.outputs();
        let choices = grown(&mut memory.choices, output.len());
        simd!({
            let planes = pass.input.chunks_exact(self.height * self.width);
            let outputs = output.chunks_exact_mut(out_height * out_width);
            let choices = choices.chunks_exact_mut(out_height * out_width);
            for ((plane, output), choices) in planes.zip(outputs).zip(choices) {
                let rows = plane.chunks_exact(self.size * self.width);
                let outputs =
                    output.chunks_exact_mut(out_width).zip(choices.chunks_exact_mut(out_width));
                for (rows, (output, choices)) in rows.zip(outputs) {
                    if self.size == 2 {
                        pool_pairs(rows, output, choices);
                    } else {
                        self.pool_row(rows, output, choices);
                    }
                }
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, memory: &Memory, _: &mut Scratch) {
        let Some(dx) = pass.input_gradient else { return };
        let (out_height, out_width) = self.outputs();
        if !pass.add {
            dx.fill(0.0);
        }
        let per_plane = out_height * out_width;
        for (plane, dx) in dx.chunks_exact_mut(self.height * self.width).enumerate() {
            let dy = &pass.output_gradient[plane * per_plane..][..per_plane];
            let choices = &memory.choices[plane * per_plane..][..per_plane];
            let rows = dx.chunks_exact_mut(self.size * self.width);
            let outputs = dy.chunks_exact(out_width).zip(choices.chunks_exact(out_width));
            for (rows, (dy, choices)) in rows.zip(outputs) {
                for (x, (dy, choice)) in dy.iter().zip(choices).enumerate() {
                    let choice = usize::from(*choice);
                    rows[choice / self.size * self.width + x * self.size + choice % self.size] +=
                        dy;
                }
            }
        }
    }
}

impl MaxPool {
    fn pool_row(&self, rows: &[f32], output: &mut [f32], choices: &mut [u8]) {
        for (x, (output, choice)) in output.iter_mut().zip(choices).enumerate() {
            *output = rows[x * self.size];
            *choice = 0;
            for place in 1..self.size * self.size {
                let value =
                    rows[place / self.size * self.width + x * self.size + place % self.size];
                // `!(value <= ..)` lets a NaN through.
                if value > *output || value.is_nan() {
                    (*output, *choice) = (value, place as u8);
                }
            }
        }
    }
}

/// One row of outputs of 2x2 windows, without branches.
#[inline(always)]
fn pool_pairs(rows: &[f32], output: &mut [f32], choices: &mut [u8]) {
    let (top, bottom) = rows.split_at(rows.len() / 2);
    let (top, bottom) = (top.as_chunks::<2>().0, bottom.as_chunks::<2>().0);
    for (((top, bottom), output), choice) in top.iter().zip(bottom).zip(output).zip(choices) {
        let (mut best, mut place) = (top[0], 0);
        for (index, value) in [(1, top[1]), (2, bottom[0]), (3, bottom[1])] {
            let larger = value > best || value.is_nan();
            best = if larger { value } else { best };
            place = if larger { index } else { place };
        }
        (*output, *choice) = (best, place);
    }
}

/// The mean of each plane of `plane` numbers.
#[derive(Debug)]
pub(super) struct GlobalAvgPool {
    pub(super) plane: usize,
}

impl Kernel for GlobalAvgPool {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], _: &mut Memory, _: &mut Scratch) {
        simd!({
            for (output, plane) in output.iter_mut().zip(pass.input.chunks_exact(self.plane)) {
                *output = sum(plane) / self.plane as f32;
            }
        });
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, _: &Memory, _: &mut Scratch) {
        let Some(dx) = pass.input_gradient else { return };
        for (dx, dy) in dx.chunks_exact_mut(self.plane).zip(pass.output_gradient) {
            let share = dy / self.plane as f32;
            if pass.add {
                dx.iter_mut().for_each(|dx| *dx += share);
            } else {
                dx.fill(share);
            }
        }
    }
}

/// The input itself: what a ReLU acts on that follows no other layer.
#[derive(Debug)]
pub(super) struct Copy;

impl Kernel for Copy {
    fn forward(&self, pass: Forward<'_>, output: &mut [f32], _: &mut Memory, _: &mut Scratch) {
        output.copy_from_slice(pass.input);
        if pass.relu {
            relu_all(output);
        }
    }

    fn backward(&self, pass: Backward<'_>, _: &Memory, _: &mut Scratch) {
        if let Some(dx) = pass.input_gradient {
            put(dx, pass.output_gradient, pass.add);
        }
    }
}
