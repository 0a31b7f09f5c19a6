//! What lies below the bottleneck of a re-identification network.

use super::convnext::convnext;
use super::layer::Layer;
use super::resnet::{SmallResnet, imagenet_resnet, small_resnet};
use super::shape::Shape;
use super::zoo::{channels, default_width, linear};
use crate::error::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What turns an image into a vector. All names begin with `backbone.`, so that a rate group can name
/// them; the rest of the name is that of published weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Backbone {
    /// ResNet-50 with batch normalisation and torchvision's names; 2048 numbers.
    #[serde(rename = "resnet-50")]
    Resnet50,
    /// ResNet-18 with batch normalisation and torchvision's names; 512 numbers.
    #[serde(rename = "resnet-18")]
    Resnet18,
    /// A residual network for small images; four times `width` numbers.
    Resnet {
        /// Weighted layers: 8 or 20.
        depth: usize,
        /// Channels of the first stage; the second and third have two and four times as many.
        #[serde(default = "default_width")]
        width: usize,
        /// What follows each convolution.
        #[serde(default)]
        norm: Normalisation,
    },
    /// ConvNeXt V2: normalises without statistics of the batch, hence has no buffers. The defaults make
    /// the smallest published size, atto.
    ConvnextV2 {
        /// Blocks of each stage: atto to nano `[2, 2, 6, 2]` or `[2, 2, 8, 2]`, tiny `[3, 3, 9, 3]`.
        #[serde(default = "atto_depths")]
        depths: Vec<usize>,
        /// Channels of each stage, doubling from atto 40, femto 48, pico 64, nano 80, tiny 96.
        #[serde(default = "atto_widths")]
        widths: Vec<usize>,
        /// Side of the windows of the first convolution; 4 as published, less for small images.
        #[serde(default = "default_patch")]
        patch: usize,
    },
    /// Linear layers with ReLU behind each, on the pixels as they are: for small pictures whose contents keep their
    /// place, such as cut-out faces. Without hidden layers the bottleneck sees the pixels.
    Mlp {
        /// Widths of the hidden layers, each at least 1.
        #[serde(default)]
        hidden: Vec<usize>,
    },
}

/// What follows a convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// Batch normalisation, with running statistics as buffers.
    #[default]
    Batch,
    /// Group normalisation with at most 8 groups, without statistics of the batch.
    Group,
}

fn atto_depths() -> Vec<usize> {
    vec![2, 2, 6, 2]
}

fn atto_widths() -> Vec<usize> {
    vec![40, 80, 160, 320]
}

fn default_patch() -> usize {
    4
}

/// What the names of all tensors of a backbone begin with.
pub(super) const PREFIX: &str = "backbone.";

impl Backbone {
    /// The layers for images of shape `input`, up to a vector, and the vector's length.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the settings make no network.
    pub(super) fn layers(&self, input: Shape) -> Result<(Vec<Layer>, usize), LearnError> {
        let channels = channels(input, "reid")?;
        let (mut layers, outputs) = match self {
            Self::Resnet50 => imagenet_resnet(PREFIX, channels, true),
            Self::Resnet18 => imagenet_resnet(PREFIX, channels, false),
            Self::Resnet { depth, width, norm } => {
                let small = SmallResnet { depth: *depth, width: *width, norm: *norm };
                small_resnet(PREFIX, channels, small)?
            }
            Self::ConvnextV2 { depths, widths, patch } => {
                return convnext(PREFIX, channels, depths, widths, *patch);
            }
            Self::Mlp { hidden } => return perceptron(input, hidden),
        };
        layers.push(Layer::GlobalAvgPool);
        Ok((layers, outputs))
    }
}

fn perceptron(input: Shape, hidden: &[usize]) -> Result<(Vec<Layer>, usize), LearnError> {
    if hidden.contains(&0) {
        let reason = format!("mlp: hidden = {hidden:?}; each width must be at least 1");
        return Err(LearnError::Invalid(reason));
    }
    let (mut layers, mut inputs) = (vec![Layer::Flatten], input.len());
    for (index, &outputs) in hidden.iter().enumerate() {
        layers.push(linear(format!("{PREFIX}f{}", index + 1), inputs, outputs));
        layers.push(Layer::Relu);
        inputs = outputs;
    }
    Ok((layers, inputs))
}

impl Normalisation {
    /// The layer called `name` for `channels` channels.
    pub(super) fn layer(self, name: String, channels: usize) -> Layer {
        match self {
            Self::Batch => Layer::BatchNorm { name, channels },
            Self::Group => {
                // At most 8 groups, as many as divide the channels.
                let groups = (1..=8).rev().find(|groups| channels.is_multiple_of(*groups));
                Layer::GroupNorm { name, groups: groups.unwrap_or(1), channels }
            }
        }
    }
}
