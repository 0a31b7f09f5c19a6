//! Layers over several models at once: each model is a lane, parameters have a leading axis of lanes.
//!
//! Linear layers are batched matrix products, convolutions have a group of channels for each lane. No number
//! of one lane ever meets a number of another.

use crate::network::{Layer, Network, Shape};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, activation};

/// Whether a layer can be computed lane by lane.
pub(super) fn knows(layer: &Layer) -> bool {
    matches!(layer, Layer::Linear { .. } | Layer::Relu | Layer::Gelu | Layer::Flatten)
        || has_places(layer)
}

/// Whether a layer needs to know which place of an image a number belongs to.
pub(super) fn has_places(layer: &Layer) -> bool {
    matches!(layer, Layer::Conv { .. } | Layer::MaxPool(_) | Layer::GlobalAvgPool)
}

/// A batch of each lane between two layers.
enum Values {
    /// `[lanes, batch, length]`.
    Vectors(Tensor<3>),
    /// `[batch, lanes * channels, height, width]`.
    Images(Tensor<4>),
}

impl Values {
    fn vectors(self, lanes: usize) -> Tensor<3> {
        match self {
            Self::Vectors(tensor) => tensor,
            Self::Images(tensor) => {
                let [batch, channels, height, width] = tensor.dims();
                let length = channels / lanes * height * width;
                tensor.reshape([batch, lanes, length]).swap_dims(0, 1)
            }
        }
    }

    fn images(self) -> Tensor<4> {
        match self {
            // The network's shapes have been checked, so this is never reached with real vectors.
            Self::Vectors(tensor) => {
                let [lanes, batch, length] = tensor.dims();
                tensor.swap_dims(0, 1).reshape([batch, lanes * length, 1, 1])
            }
            Self::Images(tensor) => tensor,
        }
    }
}

/// The logits `[lanes, batch, classes]` for inputs `[lanes, batch, numbers]`. `params` holds a tensor
/// `[lanes, length]` for each entry of the layout. All layers must be ones that [`knows`] says yes to.
pub(super) fn logits(network: &Network, params: &[Tensor<2>], inputs: Tensor<3>) -> Tensor<3> {
    let [lanes, batch, _] = inputs.dims();
    let start = match network.input() {
        Shape::Image(channels, height, width) if network.layers().iter().any(has_places) => {
            let shape = [batch, lanes * channels, height, width];
            Values::Images(inputs.swap_dims(0, 1).reshape(shape))
        }
        _ => Values::Vectors(inputs),
    };
    let context = Context { network, params, lanes };
    let end = network.layers().iter().fold(start, |values, layer| context.apply(layer, values));
    end.vectors(lanes)
}

struct Context<'a> {
    network: &'a Network,
    params: &'a [Tensor<2>],
    lanes: usize,
}

impl Context<'_> {
    /// The tensor called `name.kind` of all lanes, and its shape in one of them.
    fn tensor(&self, name: &str, kind: &str) -> Option<(Tensor<2>, &[usize])> {
        let matches = |entry: &str| {
            entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) == Some(kind)
        };
        let entries = self.network.layout().entries();
        let place = entries.iter().position(|entry| matches(&entry.name))?;
        Some((self.params[place].clone(), &entries[place].shape))
    }

    fn apply(&self, layer: &Layer, values: Values) -> Values {
        match layer {
            Layer::Linear { name, inputs, outputs } => {
                let mut out = values.vectors(self.lanes);
                if let Some((weight, _)) = self.tensor(name, "weight") {
                    let weight = weight.reshape([self.lanes, *outputs, *inputs]);
                    out = out.matmul(weight.swap_dims(1, 2));
                }
                if let Some((bias, _)) = self.tensor(name, "bias") {
                    out = out + bias.reshape([self.lanes, 1, *outputs]);
                }
                Values::Vectors(out)
            }
            Layer::Conv { name, stride, padding, .. } => {
                let images = values.images();
                let Some((weight, shape)) = self.tensor(name, "weight") else {
                    return Values::Images(images);
                };
                let [outputs, channels, height, width]: [usize; 4] =
                    shape.try_into().unwrap_or([1; 4]);
                let weight = weight.reshape([self.lanes * outputs, channels, height, width]);
                let bias =
                    self.tensor(name, "bias").map(|(bias, _)| bias.reshape([self.lanes * outputs]));
                let options = ConvOptions::new([*stride; 2], [*padding; 2], [1, 1], self.lanes);
                Values::Images(conv2d(images, weight, bias, options))
            }
            Layer::Relu => match values {
                Values::Vectors(tensor) => Values::Vectors(activation::relu(tensor)),
                Values::Images(tensor) => Values::Images(activation::relu(tensor)),
            },
            Layer::Gelu => match values {
                Values::Vectors(tensor) => Values::Vectors(activation::gelu(tensor)),
                Values::Images(tensor) => Values::Images(activation::gelu(tensor)),
            },
            Layer::MaxPool(size) => {
                Values::Images(max_pool2d(values.images(), MaxPoolOptions::new([*size; 2])))
            }
            Layer::GlobalAvgPool => {
                let images = values.images();
                let [batch, channels, _, _] = images.dims();
                let pooled: Tensor<3> = images.flatten(2, 3);
                let shape = [batch, self.lanes, channels / self.lanes];
                Values::Vectors(pooled.mean_dim(2).reshape(shape).swap_dims(0, 1))
            }
            Layer::Flatten => Values::Vectors(values.vectors(self.lanes)),
            // `knows` says no to every other layer.
            _ => values,
        }
    }
}
