//! `[output]`: what the run leaves behind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the run leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSection {
    /// Where run directories are made; a relative path counts from where the command is called.
    pub dir: PathBuf,
    /// Whether `metrics.csv` has rows for every client task.
    pub tasks: bool,
    /// Whether the final model is kept as `model.safetensors`.
    pub model: bool,
    /// Whether `metrics.parquet` is written beside `metrics.csv` (builds with feature `parquet`).
    pub parquet: bool,
    /// When snapshots are kept, from which `offbeat resume` goes on.
    pub snapshot: SnapshotSection,
}

impl Default for OutputSection {
    fn default() -> Self {
        Self {
            dir: "runs".into(),
            tasks: true,
            model: true,
            parquet: false,
            snapshot: SnapshotSection::default(),
        }
    }
}

/// When snapshots are kept. One is always kept when the run is interrupted. Those by real time are for
/// safety: they go when the run is complete.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotSection {
    /// Every so many minutes of virtual time, above 0; never when not set.
    pub every_virtual_minutes: Option<f64>,
    /// Every so many minutes of real time; 0 for never.
    pub every_wall_minutes: f64,
    /// How many are kept, at least 1; older ones are removed.
    pub keep: usize,
}

impl Default for SnapshotSection {
    fn default() -> Self {
        Self { every_virtual_minutes: None, every_wall_minutes: 5.0, keep: 3 }
    }
}
