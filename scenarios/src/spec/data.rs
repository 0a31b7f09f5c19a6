//! `[data]`: what is learned from, and who holds what.

use offbeat_learning::data::{DatasetSpec, PartitionSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is learned from, and who holds what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// The data set.
    pub dataset: DatasetSpec,
    /// How its training samples are split over the clients.
    pub partition: PartitionSpec,
    /// Into how many parts the data are split, when not one for each client: client `i` then holds part
    /// `i` modulo this number. For populations that are larger than the data could feed: a million
    /// clients with 1,000 parts take no more memory than 1,000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parts: Option<u32>,
    /// Where files of data sets are looked for; `--data-dir` and the environment variable
    /// `OFFBEAT_DATA` go before it. A relative path counts from where the command is called.
    #[serde(default = "data_dir")]
    pub dir: PathBuf,
    /// Share of each client's samples, 0 to below 1, that it keeps for its own tests and never trains
    /// on; a client with at least two samples keeps at least one of each kind.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub client_test_share: f64,
}

fn data_dir() -> PathBuf {
    "data".into()
}
