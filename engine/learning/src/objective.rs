//! What clients minimise.

use crate::masked::Masked;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The local objective: a loss on the data, and what the strategy adds to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// The loss on the data.
    pub loss: Loss,
    /// Weight mu of the proximal term `mu/2 * |w - w_start|^2` (FedProx); 0 turns it off. It covers
    /// only what was received from the server, never a private head.
    pub proximal: f32,
}

/// A loss on the data, averaged over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// Softmax cross-entropy on class labels.
    CrossEntropy,
    /// Squared distance between the features (what goes into the head) and the targets of the request,
    /// averaged over batch and width: distillation of features. The head stays as it is.
    FeatureMse,
    /// CosFace (Wang et al. 2018, equation 4): cross-entropy on `scale * (cos - margin at the label)`.
    /// Needs a cosine head.
    Cosface {
        /// Factor `s` on the cosines; the paper's is 64.
        #[serde(default = "default_scale")]
        scale: f32,
        /// Margin `m`; the paper's is 0.35.
        #[serde(default = "cosface_margin")]
        margin: f32,
    },
    /// ArcFace (Deng et al. 2019, equation 3): cross-entropy on `scale * cos(angle + margin at the
    /// label)`; where the sum passes pi, `cos - margin * sin(margin)` goes on falling, as in the authors'
    /// code. Needs a cosine head.
    Arcface {
        /// Factor `s` on the cosines; the paper's is 64.
        #[serde(default = "default_scale")]
        scale: f32,
        /// Margin `m` in radians; the paper's is 0.5.
        #[serde(default = "arcface_margin")]
        margin: f32,
    },
    /// Batch-hard triplets (Hermans et al. 2017, equation 5) on the features, Euclidean: for each sample
    /// `max(0, margin + farthest of its identity - nearest of the others)`, 0 without both; plus
    /// cross-entropy with a weight. Best with `training.instances`.
    Triplet {
        /// Margin between distances.
        #[serde(default = "triplet_margin")]
        margin: f32,
        /// Weight of the cross-entropy; 0 leaves the head as it is.
        #[serde(default = "full_weight")]
        cross_entropy: f32,
    },
    /// Learning without labels (masked autoencoder, He et al. 2022): the network sees pictures with patches hidden and
    /// paints what is there. It then has an output for each number of a picture instead of one for each class.
    Masked(Masked),
}

fn default_scale() -> f32 {
    64.0
}

fn cosface_margin() -> f32 {
    0.35
}

fn arcface_margin() -> f32 {
    0.5
}

fn triplet_margin() -> f32 {
    0.3
}

fn full_weight() -> f32 {
    1.0
}

impl Loss {
    /// Whether the loss reads class labels.
    pub fn uses_labels(self) -> bool {
        !matches!(self, Self::FeatureMse | Self::Masked(_))
    }

    /// Whether the loss reads the outputs of the head, so that the head is trained.
    pub fn uses_head(self) -> bool {
        match self {
            Self::FeatureMse => false,
            Self::Triplet { cross_entropy, .. } => cross_entropy != 0.0,
            Self::CrossEntropy | Self::Cosface { .. } | Self::Arcface { .. } | Self::Masked(_) => {
                true
            }
        }
    }

    /// Whether the loss reads the features, so that something must lie below the head.
    pub fn uses_features(self) -> bool {
        matches!(self, Self::FeatureMse | Self::Triplet { .. })
    }

    /// What is hidden and painted, where that is the loss.
    pub fn masked(self) -> Option<Masked> {
        match self {
            Self::Masked(masked) => Some(masked),
            _ => None,
        }
    }

    /// How many outputs a network needs for pictures of `inputs` numbers and labels of `classes` classes.
    pub fn outputs(self, inputs: usize, classes: usize) -> usize {
        if self.masked().is_some() { inputs } else { classes }
    }

    /// Whether the loss reads cosines, so that the head must give them.
    pub fn uses_cosines(self) -> bool {
        matches!(self, Self::Cosface { .. } | Self::Arcface { .. })
    }
}

impl Default for Objective {
    fn default() -> Self {
        Self { loss: Loss::CrossEntropy, proximal: 0.0 }
    }
}
