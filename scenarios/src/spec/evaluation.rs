//! `[evaluation]`: when the model is evaluated, and on what.

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
}

impl Default for EvaluationSection {
    fn default() -> Self {
        Self {
            every_versions: None,
            every_virtual_minutes: None,
            on: vec![EvaluateOn::Test],
            local_baseline: false,
        }
    }
}
