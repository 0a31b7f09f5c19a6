//! `[evaluation]`: when the model is evaluated, and on what.

use offbeat_learning::reid::RetrievalOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the global model is evaluated, and on what. The last version is always evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationSection {
    /// Every so many versions (1 when neither this nor `every_virtual_minutes` is given).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub every_versions: Option<u64>,
    /// Every so many minutes of virtual time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-6, max = 1e8))]
    pub every_virtual_minutes: Option<f64>,
    /// On what.
    pub on: Vec<EvaluateOn>,
    /// How pictures are ranked when persons are re-identified.
    #[serde(skip_serializing_if = "usual")]
    pub retrieval: RetrievalOptions,
    /// For comparison, let every client also train alone, as many steps as it did in the federation,
    /// and evaluate these models as the federation's.
    pub local_baseline: bool,
}

/// What a model is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvaluateOn {
    /// The common test samples.
    Test,
    /// Every client's own test samples, with its private head if it has one: mean, worst and best.
    Clients,
    /// The persons of each domain: rank-1, -5, -10 and mean average precision of the global model, or of
    /// the groups' models for their members' domains. On a domain that nobody learns from, each group's model
    /// is tried, and the mean counts.
    Retrieval,
    /// The same for each client's model after its last training, on the domains it holds.
    RetrievalLocal,
}

fn usual(options: &RetrievalOptions) -> bool {
    *options == RetrievalOptions::default()
}

impl Default for EvaluationSection {
    fn default() -> Self {
        Self {
            every_versions: None,
            every_virtual_minutes: None,
            on: vec![EvaluateOn::Test],
            retrieval: RetrievalOptions::default(),
            local_baseline: false,
        }
    }
}
