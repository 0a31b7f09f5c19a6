//! `[network]`: what is trained.

use offbeat_learning::network::NetworkSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The network and its first weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSection {
    /// The network; its input and classes follow from the data.
    pub model: NetworkSpec,
    /// A file with the first weights: safetensors, or PyTorch's `.pt` or `.pth`; drawn from the seed when
    /// left out. A relative path counts from the scenario file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self { model: NetworkSpec::Softmax, weights: None }
    }
}
