//! Layers as Burn tensor operations.

use crate::layout::Layout;
use crate::network::{GROUP_NORM_EPSILON, Layer, Network, Shape};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, activation};

/// A batch between two layers.
#[derive(Clone, Debug)]
enum Batch {
    /// `[batch, length]`.
    Vectors(Tensor<2>),
    /// `[batch, channels, height, width]`.
    Images(Tensor<4>),
}

impl Batch {
    fn vectors(self) -> Tensor<2> {
        match self {
            Self::Vectors(tensor) => tensor,
            Self::Images(tensor) => tensor.flatten(1, 3),
        }
    }

    fn images(self) -> Tensor<4> {
        match self {
            // The network's shapes have been checked, so this is never reached with real vectors.
            Self::Vectors(tensor) => tensor.unsqueeze_dims(&[-1, -1]),
            Self::Images(tensor) => tensor,
        }
    }
}

/// Parameters by place in the layout, each as a flat tensor.
struct Lookup<'a> {
    layout: &'a Layout,
    tensors: &'a [Tensor<1>],
}

impl Lookup<'_> {
    fn tensor<const D: usize>(&self, name: &str, kind: &str) -> Option<Tensor<D>> {
        let entries = self.layout.entries().iter();
        let matches = |entry: &str| {
            entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) == Some(kind)
        };
        let place = entries.clone().position(|entry| matches(&entry.name))?;
        let shape: [usize; D] = self.layout.entries()[place].shape.as_slice().try_into().ok()?;
        Some(self.tensors[place].clone().reshape(shape))
    }
}

/// The features `[batch, width]` for inputs `[batch, numbers]`. `params` holds one flat tensor for each
/// entry of the layout; those of the head are not used.
pub(super) fn features(network: &Network, params: &[Tensor<1>], inputs: Tensor<2>) -> Tensor<2> {
    let batch = match network.input() {
        Shape::Vector(_) => Batch::Vectors(inputs),
        Shape::Image(channels, height, width) => {
            let samples = inputs.dims()[0];
            Batch::Images(inputs.reshape([samples, channels, height, width]))
        }
    };
    let lookup = Lookup { layout: network.layout(), tensors: params };
    let (_, body) = split(network);
    chain(body, &lookup, batch).vectors()
}

/// The logits `[batch, classes]` for features `[batch, width]`.
pub(super) fn head(network: &Network, params: &[Tensor<1>], features: Tensor<2>) -> Tensor<2> {
    let lookup = Lookup { layout: network.layout(), tensors: params };
    let (head, _) = split(network);
    chain(head, &lookup, Batch::Vectors(features)).vectors()
}

/// The head, and the layers below it.
fn split(network: &Network) -> (&[Layer], &[Layer]) {
    let layers = network.layers();
    let (body, head) = layers.split_at(layers.len().saturating_sub(1));
    (head, body)
}

fn chain(layers: &[Layer], params: &Lookup<'_>, batch: Batch) -> Batch {
    layers.iter().fold(batch, |batch, layer| apply(layer, params, batch))
}

fn apply(layer: &Layer, params: &Lookup<'_>, batch: Batch) -> Batch {
    match layer {
        Layer::Linear { name, .. } => {
            let mut outputs = batch.vectors();
            if let Some(weight) = params.tensor::<2>(name, "weight") {
                outputs = outputs.matmul(weight.transpose());
            }
            if let Some(bias) = params.tensor::<1>(name, "bias") {
                outputs = outputs + bias.unsqueeze();
            }
            Batch::Vectors(outputs)
        }
        Layer::Conv { name, stride, padding, .. } => {
            let images = batch.images();
            let options = ConvOptions::new([*stride; 2], [*padding; 2], [1, 1], 1);
            Batch::Images(match params.tensor::<4>(name, "weight") {
                Some(weight) => conv2d(images, weight, params.tensor::<1>(name, "bias"), options),
                None => images,
            })
        }
        Layer::Relu => match batch {
            Batch::Vectors(tensor) => Batch::Vectors(activation::relu(tensor)),
            Batch::Images(tensor) => Batch::Images(activation::relu(tensor)),
        },
        Layer::MaxPool(size) => {
            Batch::Images(max_pool2d(batch.images(), MaxPoolOptions::new([*size; 2])))
        }
        Layer::GlobalAvgPool => {
            let pooled: Tensor<3> = batch.images().flatten(2, 3);
            Batch::Vectors(pooled.mean_dim(2).squeeze_dim::<2>(2))
        }
        Layer::Flatten => Batch::Vectors(batch.vectors()),
        Layer::GroupNorm { name, groups, .. } => {
            Batch::Images(group_norm(name, *groups, params, batch.images()))
        }
        Layer::Residual { body, shortcut } => {
            let (long, short) =
                (chain(body, params, batch.clone()), chain(shortcut, params, batch));
            match (long, short) {
                (Batch::Images(long), Batch::Images(short)) => Batch::Images(long + short),
                (long, short) => Batch::Vectors(long.vectors() + short.vectors()),
            }
        }
    }
}

fn group_norm(name: &str, groups: usize, params: &Lookup<'_>, images: Tensor<4>) -> Tensor<4> {
    let shape = images.dims();
    let [samples, channels, height, width] = shape;
    let grouped = images.reshape([samples, groups, channels / groups * height * width]);
    let centred = grouped.clone() - grouped.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    let mut outputs = (centred / (variance + GROUP_NORM_EPSILON).sqrt()).reshape(shape);
    if let Some(scale) = params.tensor::<1>(name, "weight") {
        outputs = outputs * scale.reshape([1, channels, 1, 1]);
    }
    if let Some(shift) = params.tensor::<1>(name, "bias") {
        outputs = outputs + shift.reshape([1, channels, 1, 1]);
    }
    outputs
}
