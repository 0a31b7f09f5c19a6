//! What clients minimise.

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// Softmax cross-entropy on class labels.
    CrossEntropy,
    /// Squared distance between the features (what goes into the head) and the targets of the request,
    /// averaged over batch and width: distillation of features. The head stays as it is.
    FeatureMse,
}

impl Loss {
    /// Whether the loss reads class labels.
    pub fn uses_labels(self) -> bool {
        self != Self::FeatureMse
    }

    /// Whether the loss reads the outputs of the head, so that the head is trained.
    pub fn uses_head(self) -> bool {
        self != Self::FeatureMse
    }
}

impl Default for Objective {
    fn default() -> Self {
        Self { loss: Loss::CrossEntropy, proximal: 0.0 }
    }
}
