//! What a run came to, for people and for programs.

mod devices;
mod edges;
mod text;

pub use self::devices::DevicesUsed;
pub use self::edges::Edges;

use crate::failure::command;
use crate::gather::{Gather, Name, guarded};
use crate::report::faces;
use crate::report::leaks;
use crate::report::retrieval::{self, Whose, by_domain, mean};
use crate::report::teachers;
use crate::rundir::Spread;
use crate::rundir::table::reason_name;
use crate::snapshot::Cost;
use offbeat_actors::RunResult;
use offbeat_strategies::privacy::Spent;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// What it is called where runs are compared.
    pub label: String,
    /// The strategy in words.
    pub strategy: String,
    /// The seed.
    pub seed: u64,
    /// The run's digest, 64 hexadecimal digits.
    pub digest: String,
    /// Why it ended.
    pub ended: String,
    /// Virtual time at the end.
    pub virtual_seconds: f64,
    /// Real time of the run.
    pub wall_seconds: f64,
    /// Events delivered.
    pub events: u64,
    /// Updates that arrived at the server.
    pub updates: u64,
    /// Updates that were merged.
    pub merged: u64,
    /// Of those that arrived: answers that were used at once, such as what judges found.
    pub used_at_once: u64,
    /// Versions published.
    pub versions: u64,
    /// Bytes sent by clients.
    pub bytes_up: u64,
    /// Bytes sent by the server.
    pub bytes_down: u64,
    /// What edge servers and their clients did; not there in a star. The counts above are then those
    /// between the server and its edge servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<Edges>,
    /// Mean staleness of the merged updates, in versions.
    pub mean_staleness: f64,
    /// 95th percentile of their staleness; `None` when none was merged.
    pub p95_staleness: Option<f64>,
    /// Share of the clients' time whose result was never merged, 0 to 1; `None` without any work.
    pub wasted_share: Option<f64>,
    /// Lost tasks by reason.
    pub lost: BTreeMap<&'static str, u64>,
    /// What was revealed of the client of which most is known; not there where nothing protects the clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Spent>,
    /// What whoever runs it should know.
    pub notes: Vec<String>,
    /// Updates whose work or merging failed.
    pub failed: u64,
    /// Why the first of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<String>,
    /// The command that makes a failure happen again, to be given in the run directory; not there without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
    /// Answers that guards refused or cut, by what became of them and why (`clipped: norm`).
    pub guarded: BTreeMap<String, u64>,
    /// Worker threads.
    pub workers: usize,
    /// Share of the workers' time that was spent on jobs.
    pub utilisation: f64,
    /// Jobs computed, and jobs that were cancelled before they were computed.
    pub jobs: Jobs,
    /// The devices, where there are others than the processor in pure Rust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<DevicesUsed>,
    /// Figures of the last evaluation by name.
    #[serde(rename = "final")]
    pub last: BTreeMap<&'static str, f64>,
    /// What snapshots cost; only the process that ended the run counts.
    pub snapshots: Cost,
    /// Whether the model was trained without labels, so that its accuracy is that of a linear probe.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub label_free: bool,
    /// What was found by domain, as a table; empty where nobody was searched for.
    #[serde(skip)]
    pub persons: String,
    /// What a tap found, as a table; empty where nobody listened.
    #[serde(skip)]
    pub overheard: String,
    /// The run directory.
    pub run_dir: String,
}

/// What became of the jobs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Jobs {
    /// Computed to the end.
    pub computed: u64,
    /// Cancelled before they were begun: work that was never done.
    pub spared: u64,
    /// Cancelled after they were begun: work that was thrown away.
    pub wasted: u64,
    /// Most bytes ever held in running jobs and in results that nobody had taken yet.
    pub peak_bytes: u64,
}

/// The keys of `--json`, fixed for programs that read it.
#[derive(Serialize)]
struct Contract<'a> {
    scenario: &'a str,
    seed: u64,
    digest: &'a str,
    ended: &'a str,
    virtual_seconds: f64,
    wall_seconds: f64,
    events: u64,
    updates: u64,
    versions: u64,
    bytes_up: u64,
    bytes_down: u64,
    #[serde(rename = "final")]
    last: &'a BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<&'a DevicesUsed>,
    run_dir: &'a str,
}

impl Summary {
    /// Sums up `result` and what was gathered; `extra` are figures that were found after the run.
    pub fn new(
        name: &Name,
        result: &RunResult,
        gather: &Gather,
        extra: BTreeMap<&'static str, f64>,
    ) -> Self {
        let mut last = extra;
        if let Some(test) = &result.test {
            last.insert("accuracy", test.accuracy);
            last.insert("loss", test.loss);
        }
        if let Some(success) = result.attack_success {
            last.insert("attack_success", success);
        }
        if let Some(teachers) = gather.teachers() {
            last.extend(teachers::figures(teachers));
        }
        if let Some(most) = result.counts.privacy.and_then(|spent| spent.most()) {
            last.insert("epsilon", most);
        }
        if let Some(spread) = Spread::of(&result.clients) {
            last.insert("accuracy_mean", spread.mean);
            last.insert("accuracy_worst", spread.worst);
            last.insert("accuracy_best", spread.best);
        }
        for (whose, rank, best, map) in [
            (Whose::Global, "rank_1", "rank_1_best_three", "map"),
            (Whose::Local, "rank_1_local", "rank_1_local_best_three", "map_local"),
        ] {
            let found = by_domain(gather.retrieval(), whose);
            let figures = [
                (rank, mean(&found, |b| b.cmc[0])),
                (best, mean(&found, |b| b.rank_1_best)),
                (map, mean(&found, |b| b.map)),
            ];
            last.extend(figures.into_iter().filter_map(|(name, value)| Some((name, value?))));
        }
        let budget = gather.retrieval().last().and_then(|point| point.budget);
        last.extend(budget.and_then(|budget| Some(("cluster_epsilon", budget.epsilon?))));
        if let Some(found) = faces::last(gather.retrieval(), Whose::Global) {
            last.extend(faces::named(found));
        }
        if let Some(found) = leaks::means(gather.leaks()) {
            let found = leaks::FIGURES.into_iter().zip(found);
            last.extend(found.filter(|(_, value)| !value.is_nan()));
        }
        let lost = result.counts.lost.iter().map(|(reason, count)| (reason_name(*reason), *count));
        Self {
            scenario: name.scenario.clone(),
            label: name.label.clone(),
            strategy: name.strategy.clone(),
            seed: name.seed,
            digest: result.digest.to_string(),
            ended: result.ended.clone(),
            virtual_seconds: result.now.seconds(),
            wall_seconds: result.wall_seconds,
            events: result.events,
            updates: result.counts.updates,
            merged: result.counts.merged,
            used_at_once: result.counts.used_at_once,
            notes: result.counts.notes.clone(),
            versions: result.counts.versions,
            bytes_up: result.counts.bytes_up,
            bytes_down: result.counts.bytes_down,
            edges: Edges::of(&result.counts.below),
            mean_staleness: result.mean_staleness(),
            p95_staleness: gather.p95_staleness(),
            wasted_share: gather.wasted_share(),
            lost: lost.collect(),
            privacy: result.counts.privacy,
            failed: result.counts.failed,
            first_failure: result.counts.failures.first().cloned(),
            reproduce: (result.counts.failed > 0).then(|| command(Path::new(""), name.seed)),
            guarded: guarded(&result.counts.guarded),
            workers: result.workers,
            utilisation: result.pool.utilisation,
            jobs: Jobs {
                computed: result.pool.computed,
                spared: result.pool.cancelled_unstarted,
                wasted: result.pool.cancelled_started,
                peak_bytes: result.pool.peak_bytes,
            },
            devices: None,
            last,
            label_free: false,
            snapshots: Cost::default(),
            persons: retrieval::text(gather.retrieval()) + faces::text(gather.retrieval()).as_str(),
            overheard: leaks::text(gather.leaks()),
            run_dir: String::new(),
        }
    }

    /// The same with what snapshots cost.
    pub fn with_snapshots(mut self, snapshots: Cost) -> Self {
        self.snapshots = snapshots;
        self
    }

    /// The same with what its devices did.
    pub fn with_devices(mut self, devices: Option<DevicesUsed>) -> Self {
        self.devices = devices;
        self
    }

    /// The same for a model that was trained without labels, or with.
    pub fn label_free(mut self, is: bool) -> Self {
        self.label_free = is;
        self
    }

    /// The same with the place of the run directory.
    pub fn kept_in(mut self, run_dir: &Path) -> Self {
        self.run_dir = run_dir.display().to_string();
        self
    }

    /// One line of JSON with the keys that programs can rely on.
    pub fn json_line(&self) -> String {
        let contract = Contract {
            scenario: &self.scenario,
            seed: self.seed,
            digest: &self.digest,
            ended: &self.ended,
            virtual_seconds: self.virtual_seconds,
            wall_seconds: self.wall_seconds,
            events: self.events,
            updates: self.updates,
            versions: self.versions,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            last: &self.last,
            devices: self.devices.as_ref(),
            run_dir: &self.run_dir,
        };
        serde_json::to_string(&contract).unwrap_or_default()
    }

    /// Everything, as JSON text for `summary.json`.
    pub fn full_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
