//! Layers as Burn tensor operations.

use crate::layout::Layout;
use crate::network::{
    BATCH_NORM_MOMENTUM, GRN_EPSILON, LAYER_NORM_EPSILON, Layer, NORM_EPSILON, Network,
    ROOT_EPSILON, Shape,
};
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

    /// Changes a batch that keeps its shape; vectors pass as images of one place.
    fn map(self, f: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        match self {
            Self::Vectors(tensor) => {
                let shape = tensor.dims();
                Self::Vectors(f(tensor.unsqueeze_dims(&[-1, -1])).reshape(shape))
            }
            Self::Images(tensor) => Self::Images(f(tensor)),
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

/// Parameters by place in the layout, each as a flat tensor, and what a pass takes and leaves.
struct Context<'a> {
    layout: &'a Layout,
    tensors: &'a [Tensor<1>],
    /// The masks of dropout that are left, in order; empty in evaluation.
    masks: std::vec::IntoIter<Tensor<2>>,
    training: bool,
    statistics: Vec<(usize, Tensor<1>)>,
}

impl Context<'_> {
    fn place(&self, name: &str, kind: &str) -> Option<usize> {
        let matches = |entry: &str| {
            entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) == Some(kind)
        };
        self.layout.entries().iter().position(|entry| matches(&entry.name))
    }

    fn tensor<const D: usize>(&self, name: &str, kind: &str) -> Option<Tensor<D>> {
        let place = self.place(name, kind)?;
        let shape: [usize; D] = self.layout.entries()[place].shape.as_slice().try_into().ok()?;
        Some(self.tensors[place].clone().reshape(shape))
    }

    /// `images * scale + shift`, channel by channel.
    fn scaled(&self, name: &str, kinds: [&str; 2], images: Tensor<4>) -> Tensor<4> {
        let channels = images.dims()[1];
        let mut outputs = images;
        if let Some(scale) = self.tensor::<1>(name, kinds[0]) {
            outputs = outputs * scale.reshape([1, channels, 1, 1]);
        }
        if let Some(shift) = self.tensor::<1>(name, kinds[1]) {
            outputs = outputs + shift.reshape([1, channels, 1, 1]);
        }
        outputs
    }
}

/// What a pass below the head gives.
#[derive(Debug)]
pub(crate) struct Features {
    /// The features `[batch, width]`.
    pub(crate) values: Tensor<2>,
    /// Running statistics after the pass, with their places in the layout; none in evaluation.
    pub(crate) statistics: Vec<(usize, Tensor<1>)>,
}

/// The features for inputs `[batch, numbers]`. `params` holds one flat tensor for each entry of the
/// layout; those of the head are not used. `masks` are those of dropout, `None` in evaluation.
pub(crate) fn features(
    network: &Network,
    params: &[Tensor<1>],
    inputs: Tensor<2>,
    masks: Option<Vec<Tensor<2>>>,
) -> Features {
    let batch = match network.input() {
        Shape::Vector(_) => Batch::Vectors(inputs),
        Shape::Image(channels, height, width) => {
            let samples = inputs.dims()[0];
            Batch::Images(inputs.reshape([samples, channels, height, width]))
        }
    };
    let mut context = Context {
        layout: network.layout(),
        tensors: params,
        training: masks.is_some(),
        masks: masks.unwrap_or_default().into_iter(),
        statistics: Vec::new(),
    };
    let (_, body) = split(network);
    let values = chain(body, &mut context, batch).vectors();
    Features { values, statistics: context.statistics }
}

/// The logits `[batch, classes]` for features `[batch, width]`.
pub(crate) fn head(network: &Network, params: &[Tensor<1>], features: Tensor<2>) -> Tensor<2> {
    let mut context = Context {
        layout: network.layout(),
        tensors: params,
        training: false,
        masks: Vec::new().into_iter(),
        statistics: Vec::new(),
    };
    let (head, _) = split(network);
    chain(head, &mut context, Batch::Vectors(features)).vectors()
}

/// The head, and the layers below it.
fn split(network: &Network) -> (&[Layer], &[Layer]) {
    let layers = network.layers();
    let (body, head) = layers.split_at(layers.len().saturating_sub(1));
    (head, body)
}

fn chain(layers: &[Layer], context: &mut Context<'_>, batch: Batch) -> Batch {
    layers.iter().fold(batch, |batch, layer| apply(layer, context, batch))
}

fn apply(layer: &Layer, context: &mut Context<'_>, batch: Batch) -> Batch {
    match layer {
        Layer::Linear { name, .. } => {
            let mut outputs = batch.vectors();
            if let Some(weight) = context.tensor::<2>(name, "weight") {
                outputs = outputs.matmul(weight.transpose());
            }
            if let Some(bias) = context.tensor::<1>(name, "bias") {
                outputs = outputs + bias.unsqueeze();
            }
            Batch::Vectors(outputs)
        }
        Layer::Cosine { name, .. } => {
            let outputs = unit_rows(batch.vectors());
            Batch::Vectors(match context.tensor::<2>(name, "weight") {
                Some(weight) => outputs.matmul(unit_rows(weight).transpose()),
                None => outputs,
            })
        }
        Layer::Conv { name, stride, padding, .. } => {
            let options = ConvOptions::new([*stride; 2], [*padding; 2], [1, 1], 1);
            Batch::Images(convolved(name, context, batch.images(), options))
        }
        Layer::Depthwise { name, channels, padding, .. } => {
            let options = ConvOptions::new([1; 2], [*padding; 2], [1, 1], *channels);
            Batch::Images(convolved(name, context, batch.images(), options))
        }
        Layer::Relu => match batch {
            Batch::Vectors(tensor) => Batch::Vectors(activation::relu(tensor)),
            Batch::Images(tensor) => Batch::Images(activation::relu(tensor)),
        },
        Layer::Sigmoid => match batch {
            Batch::Vectors(tensor) => Batch::Vectors(activation::sigmoid(tensor)),
            Batch::Images(tensor) => Batch::Images(activation::sigmoid(tensor)),
        },
        Layer::Gelu => match batch {
            Batch::Vectors(tensor) => Batch::Vectors(activation::gelu(tensor)),
            Batch::Images(tensor) => Batch::Images(activation::gelu(tensor)),
        },
        Layer::Dropout(_) => match context.masks.next() {
            Some(mask) => batch.map(|images| {
                let shape = images.dims();
                images * mask.reshape(shape)
            }),
            None => batch,
        },
        Layer::MaxPool(size) => {
            Batch::Images(max_pool2d(batch.images(), MaxPoolOptions::new([*size; 2])))
        }
        Layer::OverlapMaxPool { kernel, stride, padding } => {
            let options = MaxPoolOptions::new([*kernel; 2])
                .with_stride([*stride; 2])
                .with_padding([*padding; 2]);
            Batch::Images(max_pool2d(batch.images(), options))
        }
        Layer::GlobalAvgPool => {
            let pooled: Tensor<3> = batch.images().flatten(2, 3);
            Batch::Vectors(pooled.mean_dim(2).squeeze_dim::<2>(2))
        }
        Layer::Flatten => Batch::Vectors(batch.vectors()),
        Layer::GroupNorm { name, groups, .. } => {
            batch.map(|images| group_norm(name, *groups, context, images))
        }
        Layer::BatchNorm { name, .. } => batch.map(|images| batch_norm(name, context, images)),
        Layer::LayerNorm { name, .. } => batch.map(|images| {
            let centred = images.clone() - images.mean_dim(1);
            let variance = (centred.clone() * centred.clone()).mean_dim(1);
            let outputs = centred / (variance + LAYER_NORM_EPSILON).sqrt();
            context.scaled(name, ["weight", "bias"], outputs)
        }),
        Layer::Grn { name, .. } => batch.map(|images| {
            let squares: Tensor<4> = images.clone() * images.clone();
            let norms = (squares.sum_dim(2).sum_dim(3) + ROOT_EPSILON).sqrt();
            let shares = norms.clone() / (norms.mean_dim(1) + GRN_EPSILON);
            images.clone() + context.scaled(name, ["gamma", "beta"], images * shares)
        }),
        Layer::Residual { body, shortcut } => {
            let (long, short) =
                (chain(body, context, batch.clone()), chain(shortcut, context, batch));
            match (long, short) {
                (Batch::Images(long), Batch::Images(short)) => Batch::Images(long + short),
                (long, short) => Batch::Vectors(long.vectors() + short.vectors()),
            }
        }
    }
}

fn unit_rows(rows: Tensor<2>) -> Tensor<2> {
    let lengths = ((rows.clone() * rows.clone()).sum_dim(1) + ROOT_EPSILON).sqrt();
    rows / lengths
}

fn convolved(
    name: &str,
    context: &Context<'_>,
    images: Tensor<4>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    match context.tensor::<4>(name, "weight") {
        Some(weight) => conv2d(images, weight, context.tensor::<1>(name, "bias"), options),
        None => images,
    }
}

fn group_norm(name: &str, groups: usize, context: &Context<'_>, images: Tensor<4>) -> Tensor<4> {
    let shape = images.dims();
    let [samples, channels, height, width] = shape;
    let grouped = images.reshape([samples, groups, channels / groups * height * width]);
    let centred = grouped.clone() - grouped.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    let outputs = (centred / (variance + NORM_EPSILON).sqrt()).reshape(shape);
    context.scaled(name, ["weight", "bias"], outputs)
}

/// With the statistics of the batch in training, which move the running ones, and with the running ones
/// otherwise, and for a batch with one number for each channel.
fn batch_norm(name: &str, context: &mut Context<'_>, images: Tensor<4>) -> Tensor<4> {
    let [samples, channels, height, width] = images.dims();
    let count = samples * height * width;
    let [mean, variance] = if context.training && count > 1 {
        let by_channel = images.clone().swap_dims(0, 1).reshape([channels, count]);
        let mean = by_channel.clone().mean_dim(1);
        let centred = by_channel - mean.clone();
        let variance = (centred.clone() * centred).mean_dim(1);
        let unbiased = variance.clone() * (count as f32 / (count - 1) as f32);
        for (kind, of_batch) in [("running_mean", mean.clone()), ("running_var", unbiased)] {
            if let Some(place) = context.place(name, kind) {
                let old = context.tensors[place].clone().inner();
                let of_batch = of_batch.inner().reshape([channels]);
                let new = old * (1.0 - BATCH_NORM_MOMENTUM) + of_batch * BATCH_NORM_MOMENTUM;
                context.statistics.push((place, new));
            }
        }
        [mean, variance].map(|values| values.reshape([1, channels, 1, 1]))
    } else {
        ["running_mean", "running_var"].map(|kind| {
            let running = context.tensor::<1>(name, kind);
            running.map_or_else(
                || images.zeros_like().mean_dim(1),
                |values| values.reshape([1, channels, 1, 1]),
            )
        })
    };
    let outputs = (images - mean) / (variance + NORM_EPSILON).sqrt();
    context.scaled(name, ["weight", "bias"], outputs)
}
