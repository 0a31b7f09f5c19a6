//! What a file may say beside a scenario's own sections: where more of it stands, and a sweep.
//!
//! These keys are used up before the scenario is read: the types here only describe them.

use super::Target;
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Keys of a file that are used up before the scenario is read.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileKeys {
    /// Files whose keys are laid under this file's, in order: later ones beat earlier ones, and this
    /// file beats them all. A relative path counts from this file's folder.
    #[schemars(example = ["parts/phones.toml"])]
    pub include: Option<Vec<PathBuf>>,
    /// A scenario that this one starts from: its keys are laid under those of `include` and of this
    /// file. A relative path counts from this file's folder.
    #[schemars(example = &"base.toml")]
    pub extends: Option<PathBuf>,
    /// A grid of runs for `offbeat sweep`: keys with lists of values, such as
    /// `"training.batch" = [8, 32]`, and variants that set several keys together.
    pub sweep: Option<SweepKeys>,
}

/// A grid of runs. Every other key is the path of a scenario's key, in quotes, with a list of values.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct SweepKeys {
    /// Seeds to run each point with; short for `"run.seed"`.
    #[schemars(example = [1, 2, 3])]
    pub seed: Option<Vec<u64>>,
    /// What the runs race for in the comparison; the run's own target when left out.
    pub target: Option<Target>,
    /// Settings that go together, as `[[sweep.variant]]`.
    pub variant: Option<Vec<VariantKeys>>,
}

/// Settings of a sweep that go together.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantKeys {
    /// What the runs are called; their settings in words when left out.
    #[schemars(example = &"synchronous")]
    pub label: Option<String>,
    /// Paths of keys, in quotes, with their values.
    pub set: BTreeMap<String, serde_json::Value>,
}
