//! Tensor operations that generator and discriminator share, and their parameters in one flat vector.

use crate::flat::Flat;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use offbeat_kernel::Stream;
use rand::RngExt;

/// How a parameter tensor starts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// Uniform between minus and plus this bound.
    Uniform(f32),
    Ones,
    Zeros,
}

impl Start {
    /// PyTorch's default for weights and biases with so many inputs.
    pub(super) fn of(fan_in: usize) -> Self {
        Self::Uniform(1.0 / (fan_in as f32).sqrt())
    }
}

/// Lengths of parameter tensors with their first values.
pub(super) type Plan = Vec<(usize, Start)>;

/// Fresh parameters.
pub(super) fn draw(plan: &Plan, stream: &mut Stream) -> Flat {
    let mut values = Vec::new();
    for (len, start) in plan {
        values.extend((0..*len).map(|_| match start {
            Start::Uniform(bound) => (2.0 * stream.random::<f32>() - 1.0) * bound,
            Start::Ones => 1.0,
            Start::Zeros => 0.0,
        }));
    }
    Flat::new(values)
}

/// The parameters as leaves of a new graph on `device`.
pub(super) fn leaves(plan: &Plan, params: &Flat, device: &Device) -> Vec<Tensor<1>> {
    cut(plan, params, device).into_iter().map(|t| t.autodiff().require_grad()).collect()
}

/// The parameters as tensors on `device`, outside of any graph.
pub(super) fn cut(plan: &Plan, params: &Flat, device: &Device) -> Vec<Tensor<1>> {
    let mut offset = 0;
    let own = |(len, _): &(usize, Start)| {
        let range = offset..offset + len;
        offset = range.end;
        params.slice(range).tensor(device)
    };
    plan.iter().map(own).collect()
}

/// The gradients of leaves as one vector; 0 where there is none.
pub(super) fn gather(leaves: &[Tensor<1>], gradients: &mut Gradients) -> Flat {
    let own = leaves.iter().flat_map(|leaf| match leaf.grad_remove(gradients) {
        Some(gradient) => read(gradient),
        None => vec![0.0; leaf.dims()[0]],
    });
    Flat::new(own.collect())
}

/// `[batch, channels, height, width]` of row-major values, outside of any graph.
pub(super) fn images(
    values: &[f32],
    [channels, height, width]: [usize; 3],
    device: &Device,
) -> Tensor<4> {
    let batch = values.len() / (channels * height * width);
    let shape = [batch, channels, height, width];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// The values in host memory.
pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let len = tensor.shape().num_elements();
    Flat::from_tensor(tensor.reshape([len])).to_vec()
}

/// Batch normalisation by the batch's own figures: nothing runs along.
pub(super) fn normalised(images: Tensor<4>, scale: &Tensor<1>, shift: &Tensor<1>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let rows = images.swap_dims(0, 1).reshape([channels, batch * height * width]);
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    let unit = centred / (variance + 1e-5).sqrt();
    let rows = unit * scale.clone().reshape([channels, 1]) + shift.clone().reshape([channels, 1]);
    rows.reshape([channels, batch, height, width]).swap_dims(0, 1)
}

/// `max(x, 0.2 x)`.
pub(super) fn leaky(images: Tensor<4>) -> Tensor<4> {
    burn::tensor::activation::leaky_relu(images, 0.2)
}

/// Every pixel becomes 2 x 2.
pub(super) fn doubled(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let small: Tensor<5> = images.reshape([batch * channels, height, 1, width, 1]);
    let large: Tensor<5> = small.expand([batch * channels, height, 2, width, 2]);
    large.reshape([batch, channels, 2 * height, 2 * width])
}

/// Twice as high and wide, linear between the centres of pixels (PyTorch's `align_corners = false`).
pub(super) fn smoothly_doubled(
    images: Tensor<4>,
    device: &Device,
    constant: fn(Tensor<2>) -> Tensor<2>,
) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let (up, across) = (constant(between(height, device)), constant(between(width, device)));
    let rows: Tensor<2> = images.reshape([batch * channels * height, width]);
    let wide: Tensor<3> =
        rows.matmul(across.transpose()).reshape([batch * channels, height, 2 * width]);
    let turned: Tensor<2> = wide.swap_dims(1, 2).reshape([batch * channels * 2 * width, height]);
    let high: Tensor<3> =
        turned.matmul(up.transpose()).reshape([batch * channels, 2 * width, 2 * height]);
    high.swap_dims(1, 2).reshape([batch, channels, 2 * height, 2 * width])
}

/// `[2 len, len]`: how much of each old place a new one takes.
fn between(len: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0f32; 2 * len * len];
    for place in 0..2 * len {
        let at = ((place as f32 + 0.5) / 2.0 - 0.5).clamp(0.0, (len - 1) as f32);
        let (low, part) = (at.floor() as usize, at.fract());
        values[place * len + low] += 1.0 - part;
        values[place * len + (low + 1).min(len - 1)] += part;
    }
    Tensor::from_data(TensorData::new(values, [2 * len, len]), device)
}
