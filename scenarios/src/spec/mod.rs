//! The scenario language: one type for each section of the file, one file for each type.
//!
//! These types say what can be written; [`crate::validate`] says what makes sense. All keys carry
//! their unit in their name, all choices are externally tagged (`pace = "immediate"`,
//! `[strategy.pace.buffered]`), and unknown keys are refused.

mod adversary;
mod codec;
mod data;
mod evaluation;
mod ever;
mod file;
mod network;
mod output;
mod population;
mod run;
mod script;
mod server;
mod strategy;
mod tap;
mod timeline;
mod topology;
mod training;

pub use adversary::AdversarySection;
pub use codec::CodecSection;
pub use data::DataSection;
pub use evaluation::{EvaluateOn, EvaluationSection};
pub use file::{FileKeys, SweepKeys, VariantKeys};
pub use network::NetworkSection;
pub use output::{OutputSection, SnapshotSection};
pub use population::{GroupSection, PopulationSection};
pub use run::{Metric, RunSection, Target};
pub use script::ScriptSection;
pub use server::ServerSection;
pub use strategy::{Buffers, StrategySection, Travel, strategy_parts};
pub use tap::TapSection;
pub use timeline::{
    Change, Condition, CrashServer, Partition, SlowDown, SwitchPart, TimelineEntry, TimerSpec,
    Turn, Whom,
};
pub use topology::{Assign, TopologySection, TreeSection, WaitRule};
pub use training::{ObjectiveSection, RateGroup, SgdSection, TrainingSection};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the scenario language that this build reads.
pub const LANGUAGE: u32 = 1;

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Version of the language: 1.
    pub version: u32,
    /// Name of the scenario, used for its run directories; the file's name when left out.
    #[serde(default)]
    pub name: String,
    /// What it shows, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Seed and end of the run.
    #[serde(default)]
    pub run: RunSection,
    /// What is learned from, and who holds what.
    pub data: DataSection,
    /// The clients and their hardship.
    pub population: PopulationSection,
    /// Clients that are hostile, as `[[adversary]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adversary: Vec<AdversarySection>,
    /// Somebody who listens to the clients' links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<TapSection>,
    /// Who is connected to whom: a star, or a tree with edge servers.
    #[serde(default)]
    pub topology: TopologySection,
    /// The server's own link.
    #[serde(default)]
    pub server: ServerSection,
    /// How models and updates are written for the links.
    #[serde(default, skip_serializing_if = "CodecSection::is_plain")]
    pub codec: CodecSection,
    /// What is trained.
    #[serde(default)]
    pub network: NetworkSection,
    /// How a client trains.
    #[serde(default)]
    pub training: TrainingSection,
    /// How the federation learns.
    #[serde(default)]
    pub strategy: StrategySection,
    /// When the model is evaluated, and on what.
    #[serde(default)]
    pub evaluation: EvaluationSection,
    /// What the run leaves behind.
    #[serde(default)]
    pub output: OutputSection,
    /// What a table cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptSection>,
    /// What happens when, as `[[timeline]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
}
