//! `[run]`: the seed, and when the run ends.

use crate::device::DeviceList;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The seed, and when the run ends. It ends at the first condition that is met; at least one of
/// `rounds`, `versions`, `updates` and `virtual_hours` is needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// Root of all random numbers. Needed here or as `--seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What computes, instead of the processor, such as `"wgpu"` or `"wgpu:0,wgpu:1,flex*2"`: one worker for each
    /// entry. `--device` wins over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceList>,
    /// End after this many aggregations; the same as `versions`, by its synchronous name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub rounds: Option<u64>,
    /// End after this many aggregations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub versions: Option<u64>,
    /// End after this many arrived updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub updates: Option<u64>,
    /// End after this much virtual time, in hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1e6))]
    pub virtual_hours: Option<f64>,
    /// End when an evaluation reaches this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// End after this many evaluations without a better accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub patience: Option<u32>,
}

/// A value of a metric that ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Which metric.
    pub metric: Metric,
    /// Reached when the metric is at least this, of the loss at most.
    pub value: f64,
}

/// A metric of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of test samples classified correctly, 0 to 1.
    Accuracy,
    /// Mean loss over the test samples.
    Loss,
    /// Rank-1, mean over the domains that are learnt from, 0 to 1.
    #[serde(rename = "rank-1")]
    Rank1,
    /// Mean average precision (trapezoid form), mean over the domains that are learnt from, 0 to 1.
    Map,
}

impl RunSection {
    /// Aggregations after which the run ends, by either name.
    pub fn last_version(&self) -> Option<u64> {
        self.versions.or(self.rounds)
    }
}
