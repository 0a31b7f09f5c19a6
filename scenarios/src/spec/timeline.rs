//! `[[timeline]]`: what happens when.

use offbeat_kernel::hardship::{Availability, Completeness, DeviceSpec, LinkSpec, Transit};
use offbeat_strategies::registry::{CombinePart, GroupPart, PacePart, SelectPart, WeighPart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry: a time or a condition, and what happens then. Several things in one entry happen in the
/// order of this list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimelineEntry {
    /// Virtual minutes after the start.
    pub at_minutes: Option<f64>,
    /// Again and again after so many virtual minutes; the first time at `at_minutes`, or after the
    /// first span.
    pub every_minutes: Option<f64>,
    /// On a condition instead of at a time.
    pub when: Option<Condition>,
    /// With `when`: not only the first time. Versions and updates count on from there.
    pub repeat: bool,
    /// Clients lose their connection.
    pub partition: Option<Partition>,
    /// The partitions of this name are over.
    pub heal: Option<String>,
    /// Clients stop and lose what they do.
    pub crash: Option<Whom>,
    /// Clients that crashed run again.
    pub restart: Option<Whom>,
    /// Clients leave the federation.
    pub leave: Option<Whom>,
    /// Clients that left take part again.
    pub join: Option<Whom>,
    /// Clients get slower. What is under way ends as foreseen.
    pub slow_down: Option<SlowDown>,
    /// A group gets other distributions, for all that begins from now on.
    pub change: Option<Change>,
    /// Labels change their meaning.
    pub drift: Option<Turn>,
    /// The server stops: open tasks are void, and what it had not stored is lost (see
    /// `server.durable_every_versions`).
    pub crash_server: Option<CrashServer>,
    /// The server goes on from its last stored version and invites anew.
    pub restart_server: bool,
    /// Another part takes the place of one in the strategy. Its predecessor's state is dropped; open
    /// tasks stay.
    pub switch: Option<SwitchPart>,
    /// A snapshot of the run is kept.
    pub snapshot: bool,
    /// The present version is evaluated.
    pub evaluate: bool,
    /// A timer of the script is set.
    pub timer: Option<TimerSpec>,
    /// The run ends, for this reason.
    pub stop: Option<String>,
}

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Condition {
    /// This version is published.
    Version(u64),
    /// So many updates have arrived.
    Updates(u64),
    /// An evaluation finds at least this accuracy, 0..=1. Figures are known one evaluation later.
    Accuracy(f64),
    /// An evaluation finds at most this loss. Figures are known one evaluation later.
    Loss(f64),
}

/// Some of the clients: all of them when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Whom {
    /// Those of the `[[population.group]]` of this name.
    pub group: Option<String>,
    /// So many, drawn among those to whom it can happen.
    pub count: Option<u32>,
    /// This share of those to whom it can happen, drawn, above 0 and at most 1.
    pub share: Option<f64>,
    /// Those with these numbers.
    pub ids: Option<Vec<u32>>,
    /// Not clients: the edge servers with these numbers, which count from 0. Their clients stay as they are.
    pub edges: Option<Vec<u32>>,
    /// After so many virtual minutes it is undone.
    pub for_minutes: Option<f64>,
}

/// Clients lose their connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Partition {
    /// What `heal` calls it.
    pub name: String,
    /// What becomes of messages, those under way included: `lost`, and the tasks with them, or `wait`.
    pub messages: Transit,
    /// Those of the `[[population.group]]` of this name.
    pub group: Option<String>,
    /// So many, drawn among those who take part.
    pub count: Option<u32>,
    /// This share of those who take part, drawn, above 0 and at most 1.
    pub share: Option<f64>,
    /// Those with these numbers.
    pub ids: Option<Vec<u32>>,
    /// Not clients: the edge servers with these numbers, which count from 0. Their clients stay as they are.
    pub edges: Option<Vec<u32>>,
    /// After so many virtual minutes it is healed.
    pub for_minutes: Option<f64>,
}

/// Clients get slower.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlowDown {
    /// Their work takes so many times as long; 1 is normal.
    pub work: Option<f64>,
    /// Their messages take so many times as long; 1 is normal.
    pub link: Option<f64>,
    /// Those of the `[[population.group]]` of this name.
    pub group: Option<String>,
    /// So many, drawn among those who take part.
    pub count: Option<u32>,
    /// This share of those who take part, drawn, above 0 and at most 1.
    pub share: Option<f64>,
    /// Those with these numbers.
    pub ids: Option<Vec<u32>>,
    /// Not clients: the edge servers with these numbers, which count from 0. Their clients stay as they are.
    pub edges: Option<Vec<u32>>,
    /// After so many virtual minutes they are as fast as usual again.
    pub for_minutes: Option<f64>,
}

/// A group gets other distributions. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// The `[[population.group]]` of this name; all clients when left out.
    pub group: Option<String>,
    /// How fast they compute.
    pub device: Option<DeviceSpec>,
    /// Their links.
    pub link: Option<LinkSpec>,
    /// When they are present.
    pub availability: Option<Availability>,
    /// Whether they carry a task through.
    pub completeness: Option<Completeness>,
}

/// Labels change their meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Those of this group; when left out, those of all clients and of the common test samples.
    #[serde(default)]
    pub group: Option<String>,
    /// Class `c` becomes `(c + label_rotation) mod classes`.
    pub label_rotation: u32,
}

/// The server stops.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrashServer {
    /// After so many virtual minutes it is restarted; by `restart_server` alone when left out.
    pub for_minutes: Option<f64>,
}

/// A timer of the script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimerSpec {
    /// What `on_timer` is given.
    pub name: String,
    /// Virtual minutes until it rings, above 0.
    pub after_minutes: f64,
}

/// Another part of the strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwitchPart {
    /// Whom to invite.
    Select(SelectPart),
    /// When to aggregate.
    Pace(PacePart),
    /// Which updates belong together.
    Group(GroupPart),
    /// How much each counts.
    Weigh(Vec<WeighPart>),
    /// How they are merged.
    Combine(CombinePart),
}
