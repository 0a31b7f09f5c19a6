//! `[script]`: what a table cannot say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A script in the language rhai. It sees no file, no network and no clock. Its functions are called on
/// their occasion: `on_start()`, `on_update(u)`, `on_version(v)`, `on_evaluation(e)` and `on_timer(name)`
/// answer with entries of the timeline; `select(want, free)` names clients where `strategy.select` is
/// `"script"`, and `weigh(u)` a number where `"script"` is in `strategy.weigh`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptSection {
    /// The file. A relative path counts from the scenario file's folder.
    pub file: PathBuf,
    /// Operations that one call of a function may take at most.
    #[serde(default = "million")]
    pub most_operations: u64,
}

fn million() -> u64 {
    1_000_000
}
