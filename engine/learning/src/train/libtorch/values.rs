//! Parameters and batches as LibTorch tensors.

use crate::layout::Layout;
use crate::network::Shape;
use crate::plan::Sgd;
use crate::train::direct::Update;
use std::ops::Range;
use tch::Tensor;

/// The parameters of one training or evaluation: a tensor for each entry of the layout.
#[derive(Debug)]
pub(super) struct Values {
    tensors: Vec<Tensor>,
    ranges: Vec<Range<usize>>,
    /// Places of the tensors that are trained, with their rates.
    trained: Vec<(usize, f32)>,
    /// Of the tensors that are trained, in their order; empty before the first step.
    velocity: Vec<Tensor>,
    /// In host memory, in the layout's order, when a step needs more than the gradient.
    host: Host,
}

/// What [`Update`] works on.
#[derive(Debug, Default)]
struct Host {
    params: Vec<f32>,
    gradient: Vec<f32>,
    velocity: Vec<f32>,
}

impl Values {
    /// Cuts a flat vector into tensors; it may lack the entries at the end.
    pub(super) fn new(layout: &Layout, flat: &[f32]) -> Self {
        let entries = layout.entries().iter().take_while(|entry| entry.range().end <= flat.len());
        let (tensors, ranges) = entries
            .map(|entry| (shaped(&flat[entry.range()], &entry.shape), entry.range()))
            .unzip();
        Self { tensors, ranges, trained: Vec::new(), velocity: Vec::new(), host: Host::default() }
    }

    /// The same with gradients: `rates` are those of the stretches that are trained.
    pub(super) fn tracked(layout: &Layout, flat: &[f32], rates: &[(Range<usize>, f32)]) -> Self {
        let mut values = Self::new(layout, flat);
        let rate_at = |place| rates.iter().find(|(range, _)| range.contains(&place));
        for (place, entry) in layout.entries().iter().enumerate() {
            if let Some((_, rate)) = rate_at(entry.offset) {
                values.tensors[place] = values.tensors[place].set_requires_grad(true);
                values.trained.push((place, *rate));
            }
        }
        values
    }

    /// One tensor for each entry of the layout, in its shape.
    pub(super) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// One step down the gradient of `loss`, as `update` says.
    pub(super) fn step(&mut self, loss: &Tensor, update: &Update<'_>, first: bool) {
        let leaves: Vec<&Tensor> =
            self.trained.iter().map(|(place, _)| &self.tensors[*place]).collect();
        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);
        let _guard = tch::no_grad_guard();
        match update.is_local() {
            true => self.step_in_place(gradients, &update.plan.sgd),
            false => self.step_in_host_memory(&gradients, update, first),
        }
    }

    /// A step that needs nothing but the parameters, their gradient and their velocity.
    fn step_in_place(&mut self, gradients: Vec<Tensor>, sgd: &Sgd) {
        for (index, (mut gradient, (place, rate))) in
            gradients.into_iter().zip(&self.trained).enumerate()
        {
            let own = &mut self.tensors[*place];
            if sgd.weight_decay != 0.0 {
                gradient += &*own * f64::from(sgd.weight_decay);
            }
            if sgd.momentum != 0.0 {
                match self.velocity.get_mut(index) {
                    Some(velocity) => {
                        let _ = velocity.g_mul_scalar_(f64::from(sgd.momentum));
                        *velocity += &gradient;
                    }
                    None => self.velocity.push(gradient.copy()),
                }
                let gained = &self.velocity[index];
                gradient = match sgd.nesterov {
                    true => gradient + gained * f64::from(sgd.momentum),
                    false => gained.shallow_clone(),
                };
            }
            let _ = own.g_add_(&(gradient * -f64::from(*rate)));
        }
    }

    fn step_in_host_memory(&mut self, gradients: &[Tensor], update: &Update<'_>, first: bool) {
        if first {
            let length = self.ranges.last().map_or(0, |range| range.end);
            self.host.params = self.to_vec();
            self.host.gradient = vec![0.0; length];
            self.host.velocity = vec![0.0; length];
        }
        let Host { params, gradient, velocity } = &mut self.host;
        for ((place, _), tensor) in self.trained.iter().zip(gradients) {
            write(tensor, &mut gradient[self.ranges[*place].clone()]);
        }
        update.step(params, gradient, velocity, first);
        for (place, _) in &self.trained {
            let shape: Vec<usize> =
                self.tensors[*place].size().iter().map(|side| *side as usize).collect();
            let moved = shaped(&params[self.ranges[*place].clone()], &shape);
            self.tensors[*place].copy_(&moved);
        }
    }

    /// The parameters in the layout's order.
    pub(super) fn to_vec(&self) -> Vec<f32> {
        let mut flat = vec![0.0; self.ranges.last().map_or(0, |range| range.end)];
        for (tensor, range) in self.tensors.iter().zip(&self.ranges) {
            write(&tensor.detach(), &mut flat[range.clone()]);
        }
        flat
    }
}

/// The first `samples` samples of `inputs` as a batch `[samples, ...]`.
pub(super) fn batch_of(inputs: &[f32], samples: usize, input: Shape) -> Tensor {
    let inputs = &inputs[..samples * input.len()];
    match input {
        Shape::Vector(length) => shaped(inputs, &[samples, length]),
        Shape::Image(channels, height, width) => {
            shaped(inputs, &[samples, channels, height, width])
        }
    }
}

/// Numbers in row-major order as a tensor. One of four axes lies channels last in memory.
fn shaped(values: &[f32], shape: &[usize]) -> Tensor {
    let sides: Vec<i64> = shape.iter().map(|side| *side as i64).collect();
    let flat = Tensor::from_slice(values);
    match sides[..] {
        // With one channel both orders are the same; said in this way, it counts as channels last.
        [n, 1, h, w] => flat.view([n, h, w, 1]).permute([0, 3, 1, 2]),
        [n, c, h, w] => {
            flat.view([n, c, h, w]).permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
        }
        _ => flat.view(sides.as_slice()),
    }
}

/// The numbers of a tensor in row-major order.
pub(super) fn to_vec(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0; tensor.numel()];
    write(tensor, &mut values);
    values
}

fn write(tensor: &Tensor, to: &mut [f32]) {
    tensor.contiguous().copy_data(to, to.len());
}
