//! What a page needs to know about a run.

use super::edges::EdgeData;
use super::leaks::LeakPoint;
use super::nan;
use super::retrieval::RetrievalPoint;
use crate::summary::DevicesUsed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run: its name, its figures and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunData {
    /// Name of the run, for example that of its directory.
    pub name: String,
    /// What is compared: runs with the same label differ in their seed only.
    pub label: String,
    /// Name of the scenario.
    pub scenario: String,
    /// The strategy in words, for example `buffered(10), polynomial staleness`.
    pub strategy: String,
    /// The seed.
    pub seed: u64,
    /// The run's digest in hexadecimal digits.
    pub digest: String,
    /// Virtual time at the end, in seconds.
    pub virtual_seconds: f64,
    /// Real time that the run took, in seconds.
    pub wall_seconds: f64,
    /// Whether the model was trained without labels: then its accuracy is that of a linear probe on its features.
    #[serde(default)]
    pub label_free: bool,
    /// What clients reach that train alone, where that was asked for.
    #[serde(default)]
    pub alone: Option<Alone>,
    /// What was counted over the whole run.
    pub counts: Counts,
    /// Evaluations of the global model, in the order of virtual time.
    pub evaluations: Vec<EvalPoint>,
    /// Accuracy of each client at the last evaluation over clients, 0 to 1; empty without one. A figure
    /// that is not finite is stored as `null`.
    #[serde(with = "nan::list")]
    pub client_accuracy: Vec<f64>,
    /// `staleness[s]` is the number of merged updates that were `s` versions old.
    pub staleness: Vec<u64>,
    /// Mean staleness of the merged updates in versions; `None` when none was merged.
    pub mean_staleness: Option<f64>,
    /// 95th percentile of the staleness in versions; `None` when none was merged.
    pub p95_staleness: Option<f64>,
    /// What the clients did, in any order.
    pub tasks: Vec<TaskSpan>,
    /// What was left out of `tasks`, in words; empty when nothing was.
    #[serde(default)]
    pub tasks_note: String,
    /// What the timeline or the script let happen, in the order of time.
    #[serde(default)]
    pub happenings: Vec<Happening>,
    /// What happened between edge servers and their clients, where there are edge servers; then the clients
    /// of all other figures are the edge servers.
    #[serde(default)]
    pub edges: Option<Box<EdgeData>>,
    /// Share of the clients' working time whose result was not used, 0 to 1; `None` when unknown.
    pub wasted_share: Option<f64>,
    /// Trials on the persons of each domain; empty where nobody was searched for.
    #[serde(default)]
    pub retrieval: Vec<RetrievalPoint>,
    /// What the run revealed of the client of which most is known, where something protects the clients.
    #[serde(default)]
    pub privacy: Option<PrivacyData>,
    /// Teachers that stay with their clients, where there are any.
    #[serde(default)]
    pub teachers: Option<Teachers>,
    /// Updates that an eavesdropper attacked; empty without one.
    #[serde(default)]
    pub leaks: Vec<LeakPoint>,
    /// Share of the compute workers' time that was spent on jobs, 0 to 1; `None` when unknown.
    pub utilisation: Option<f64>,
    /// Why it ended, where that was no end that the scenario names; empty otherwise.
    #[serde(default)]
    pub broke_off: String,
    /// The first few tasks whose work failed: task, client, time, version and reason in words.
    #[serde(default)]
    pub failures: Vec<String>,
    /// The first few answers that guards refused or cut, in words.
    #[serde(default)]
    pub findings: Vec<String>,
    /// The devices, where there were others than the processor in pure Rust.
    #[serde(default)]
    pub devices: Option<Box<DevicesUsed>>,
}

impl RunData {
    /// The same with what its devices did.
    pub fn with_devices(mut self, devices: Option<DevicesUsed>) -> Self {
        self.devices = devices.map(Box::new);
        self
    }
}

/// What clients reach that train alone with as much training, as means over clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// Accuracy on the common test samples, 0 to 1.
    pub common: f64,
    /// Accuracy on test samples of their own, 0 to 1.
    pub own: Option<f64>,
}

/// How good teachers are that stay with their clients: shares of the common test samples, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Teachers {
    /// Each alone, in the order of clients.
    pub each: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The best of them.
    pub best: f64,
    /// All together, every class weighted by its samples at each client.
    pub by_class: f64,
    /// All together, weighted by their samples.
    pub by_samples: f64,
}

/// What a run revealed of the client of which most is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrivacyData {
    /// The delta at which the figures hold.
    pub delta: f64,
    /// The larger epsilon of the two below; infinite, and stored as `null`, where the noise is nothing.
    #[serde(default, with = "nan::one")]
    pub most: f64,
    /// Epsilon of the published models, where the server adds noise.
    pub central: Option<f64>,
    /// Epsilon of the updates that the server sees, where the clients add noise.
    pub local: Option<f64>,
}

/// Something that the timeline or the script let happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// When, in seconds of virtual time.
    pub at: f64,
    /// What, in words.
    pub what: String,
}

/// What was counted over a whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Updates that arrived at the server and were not refused.
    pub updates: u64,
    /// Versions of the global model that were published.
    pub versions: u64,
    /// Bytes that clients sent.
    pub bytes_up: u64,
    /// Bytes that were sent to clients.
    pub bytes_down: u64,
    /// Tasks that were lost, by reason; refused and failed ones are counted apart.
    pub lost: BTreeMap<String, u64>,
    /// Updates that the server refused.
    pub refused: u64,
    /// Answers that guards refused or cut, by what became of them and why (`clipped: norm`).
    #[serde(default)]
    pub guarded: BTreeMap<String, u64>,
    /// Tasks whose work failed.
    pub failed: u64,
    /// Updates that arrived and were never merged.
    #[serde(default)]
    pub unmerged: u64,
}

/// One evaluation of the global model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvalPoint {
    /// Virtual time at which the version was published, in seconds.
    pub virtual_seconds: f64,
    /// The version.
    pub version: u64,
    /// Updates that had arrived by then.
    pub updates: u64,
    /// Bytes that clients had sent by then.
    pub bytes_up: u64,
    /// Bytes that had been sent to clients by then.
    pub bytes_down: u64,
    /// Share of the test samples that were classified rightly, 0 to 1; stored as `null` when not finite.
    #[serde(with = "nan::one")]
    pub accuracy: f64,
    /// Mean loss over the test samples; stored as `null` when not finite.
    #[serde(with = "nan::one")]
    pub loss: f64,
    /// Success rate of the attack, 0 to 1, where one has an aim.
    #[serde(default)]
    pub attack_success: Option<f64>,
    /// What the versions until then reveal of a client, where something protects them.
    #[serde(default)]
    pub epsilon: Option<f64>,
    /// Accuracy by class, 0 to 1; empty when not measured, not finite (stored as `null`) for a class
    /// without test samples.
    #[serde(with = "nan::list")]
    pub per_class: Vec<f64>,
}

impl RunData {
    /// The label, or the name where there is none.
    pub(crate) fn shown_label(&self) -> &str {
        let given =
            [self.label.as_str(), self.name.as_str()].into_iter().find(|text| !text.is_empty());
        given.unwrap_or("without a label")
    }
}

impl EvalPoint {
    /// Bytes sent in both directions.
    pub fn bytes(&self) -> u64 {
        self.bytes_up.saturating_add(self.bytes_down)
    }
}

/// One task of one client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSpan {
    /// Whose.
    pub client: u64,
    /// When the client was invited, in seconds of virtual time.
    pub start: f64,
    /// When the task ended for the server, in seconds of virtual time.
    pub end: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The version that it started from.
    pub version: u64,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its update arrived.
    Arrived,
    /// It was lost, for the reason that stands here.
    Lost(String),
    /// The server took the invitation back.
    Cancelled,
    /// The server refused the update.
    Refused,
    /// The work failed.
    Failed,
    /// It was under way when the run ended.
    Running,
}
