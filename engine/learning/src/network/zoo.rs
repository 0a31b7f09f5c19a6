//! The networks by name.

use super::backbone::Normalisation;
use super::layer::Layer;
use super::reid::ReidSpec;
use super::resnet::{SmallResnet, small_resnet};
use super::shape::Shape;
use crate::error::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which network, as a scenario names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkSpec {
    /// Softmax (multinomial logistic) regression: one linear layer `f`, all of it head.
    Softmax,
    /// Linear layers `f1`, `f2`, ... with ReLU between them.
    Mlp {
        /// Widths of the hidden layers, each at least 1.
        hidden: Vec<usize>,
    },
    /// The convolutional network of the FedAvg paper (McMahan et al. 2017, section 3): two 5x5
    /// convolutions (32, 64 channels, padding 2), each with ReLU and 2x2 max pooling, then 512 units.
    Cnn,
    /// The small network that attacks on gradients are tried on (Zhu, Liu, Han 2019, "Deep Leakage from
    /// Gradients"): three 5x5 convolutions of 12 channels with strides 2, 2 and 1, each with a sigmoid, and a
    /// linear layer; all weights start uniform in +-0.5. For images whose sides are multiples of 4.
    Lenet,
    /// A residual network for small images (He et al. 2016, section 4.2) with group in place of batch
    /// normalisation, since statistics of one client's batch mislead the others.
    Resnet {
        /// Weighted layers: 8 or 20.
        depth: usize,
        /// Channels of the first stage; the second and third have two and four times as many.
        #[serde(default = "default_width")]
        width: usize,
    },
    /// A network for person re-identification or faces: a backbone, a bottleneck and a head.
    Reid(ReidSpec),
}

pub(super) fn default_width() -> usize {
    16
}

impl NetworkSpec {
    /// The layers for samples of shape `input` and `classes` classes. Shapes are not yet checked.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the settings make no network.
    pub(super) fn layers(&self, input: Shape, classes: usize) -> Result<Vec<Layer>, LearnError> {
        match self {
            Self::Softmax => Ok(perceptron(input, &[], classes, |_| "f".into())),
            Self::Mlp { hidden } => {
                if hidden.is_empty() || hidden.contains(&0) {
                    return Err(LearnError::Invalid(format!(
                        "mlp: hidden = {hidden:?}; give at least one width, each at least 1, or use softmax"
                    )));
                }
                Ok(perceptron(input, hidden, classes, |index| format!("f{}", index + 1)))
            }
            Self::Cnn => cnn(input, classes),
            Self::Lenet => lenet(input, classes),
            Self::Resnet { depth, width } => resnet(input, classes, *depth, *width),
            Self::Reid(spec) => spec.layers(input, classes),
        }
    }
}

pub(super) fn linear(name: String, inputs: usize, outputs: usize) -> Layer {
    Layer::Linear { name, inputs, outputs }
}

fn perceptron(
    input: Shape,
    hidden: &[usize],
    classes: usize,
    name: impl Fn(usize) -> String,
) -> Vec<Layer> {
    let mut layers = Vec::new();
    if matches!(input, Shape::Image(..)) {
        layers.push(Layer::Flatten);
    }
    let mut width = input.len();
    for (index, &next) in hidden.iter().enumerate() {
        layers.extend([linear(name(index), width, next), Layer::Relu]);
        width = next;
    }
    layers.push(linear(name(hidden.len()), width, classes));
    layers
}

pub(super) fn channels(input: Shape, network: &str) -> Result<usize, LearnError> {
    match input {
        Shape::Image(channels, ..) => Ok(channels),
        Shape::Vector(length) => Err(LearnError::Invalid(format!(
            "{network} needs images, but the data have vectors of length {length}; use softmax or mlp"
        ))),
    }
}

fn cnn(input: Shape, classes: usize) -> Result<Vec<Layer>, LearnError> {
    let conv = |name: &str, inputs, outputs| Layer::Conv {
        name: name.into(),
        inputs,
        outputs,
        kernel: 5,
        stride: 1,
        padding: 2,
        bias: true,
    };
    let mut layers = vec![
        conv("c1", channels(input, "cnn")?, 32),
        Layer::Relu,
        Layer::MaxPool(2),
        conv("c2", 32, 64),
        Layer::Relu,
        Layer::MaxPool(2),
        Layer::Flatten,
    ];
    let flat = super::layer::chain(&layers, input)?.len();
    layers.extend([linear("f1".into(), flat, 512), Layer::Relu, linear("f2".into(), 512, classes)]);
    Ok(layers)
}

fn lenet(input: Shape, classes: usize) -> Result<Vec<Layer>, LearnError> {
    let channels = channels(input, "lenet")?;
    let (_, height, width) = input.image("lenet")?;
    if height % 4 != 0 || width % 4 != 0 {
        return Err(LearnError::Invalid(format!(
            "lenet needs images whose sides are multiples of 4, but these are {height} x {width}; use cnn or mlp"
        )));
    }
    let conv = |name: &str, inputs, stride| Layer::Conv {
        name: name.into(),
        inputs,
        outputs: 12,
        kernel: 5,
        stride,
        padding: 2,
        bias: true,
    };
    let layers = [conv("c1", channels, 2), conv("c2", 12, 2), conv("c3", 12, 1)];
    let mut layers: Vec<Layer> =
        layers.into_iter().flat_map(|conv| [conv, Layer::Sigmoid]).collect();
    let flat = 12 * (height / 4) * (width / 4);
    layers.extend([Layer::Flatten, linear("f1".into(), flat, classes)]);
    Ok(layers)
}

fn resnet(
    input: Shape,
    classes: usize,
    depth: usize,
    width: usize,
) -> Result<Vec<Layer>, LearnError> {
    let small = SmallResnet { depth, width, norm: Normalisation::Group };
    let (mut layers, outputs) = small_resnet("", channels(input, "resnet")?, small)?;
    layers.extend([Layer::GlobalAvgPool, linear("fc".into(), outputs, classes)]);
    Ok(layers)
}
