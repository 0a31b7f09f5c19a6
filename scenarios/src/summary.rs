//! What a run came to, for people and for programs.

mod devices;
mod edges;

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
use crate::units::{bytes, count};
use crate::words::wrap;
use offbeat_actors::RunResult;
use offbeat_kernel::Span;
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

    /// The summary on at most 80 columns.
    pub fn text(&self) -> String {
        let mut rows: Vec<(&str, String)> = Vec::new();
        if let Some(accuracy) = self.last.get("accuracy") {
            let loss = self.last.get("loss").map(|loss| format!(" (loss {loss:.4})"));
            rows.push(("accuracy", format!("{accuracy:.4}{}", loss.unwrap_or_default())));
        }
        if let (Some(mean), Some(worst), Some(best)) = (
            self.last.get("accuracy_mean"),
            self.last.get("accuracy_worst"),
            self.last.get("accuracy_best"),
        ) {
            let spread = format!("mean {mean:.4}, worst {worst:.4}, best {best:.4}");
            rows.push(("over clients", format!("{spread}, on samples of their own")));
        }
        rows.extend(teachers::rows(&self.last));
        if let Some(success) = self.last.get("attack_success") {
            rows.push(("attack", format!("{success:.4} of its aims are hit")));
        }
        rows.extend(self.privacy.iter().flat_map(privacy_rows));
        if let Some(local) = self.last.get("local_accuracy") {
            rows.push(("trained alone", format!("mean {local:.4} on the common test samples")));
        }
        if let Some(own) = self.last.get("local_accuracy_own") {
            rows.push(("", format!("mean {own:.4} on samples of their own")));
        }
        for (index, line) in wrap(&self.ended, 62).into_iter().enumerate() {
            rows.push((if index == 0 { "ended" } else { "" }, line));
        }
        let (shown, wall) = (Span::from_seconds(self.virtual_seconds), self.wall_seconds);
        rows.push(("virtual time", format!("{shown} ({} events)", count(self.events))));
        rows.push(("wall time", format!("{wall:.2}s")));
        let (updates, merged) = (count(self.updates), count(self.merged));
        rows.push(("updates", format!("{updates} arrived, {merged} merged")));
        let staleness = self.mean_staleness;
        rows.push((
            "versions",
            format!("{} (mean staleness {staleness:.2})", count(self.versions)),
        ));
        rows.push((
            "sent",
            format!("{} up, {} down", bytes(self.bytes_up), bytes(self.bytes_down)),
        ));
        if !self.lost.is_empty() {
            rows.push(("lost tasks", in_words(&self.lost)));
        }
        let answers = self.guarded.iter();
        let answers = answers.map(|(name, number)| format!("{} {name}", count(*number)));
        for (index, line) in lines(answers, 60).into_iter().enumerate() {
            rows.push((if index == 0 { "guarded" } else { "" }, line));
        }
        if let Some(first) = &self.first_failure {
            let failed = format!("{} updates; the first: {first}", count(self.failed));
            for (index, line) in wrap(&failed, 62).into_iter().enumerate() {
                rows.push((if index == 0 { "failed" } else { "" }, line));
            }
            rows.push(("to see it", command(Path::new(&self.run_dir), self.seed)));
        }
        rows.extend(self.edges.iter().flat_map(Edges::rows));
        if let Some(wasted) = self.wasted_share {
            let share = format!("{:.1} % of the clients' time", wasted * 100.0);
            rows.push(("wasted", share));
        }
        let plural = if self.workers == 1 { "worker" } else { "workers" };
        rows.push((
            "busy",
            format!("{:.0} % of {} {plural}", self.utilisation * 100.0, self.workers),
        ));
        let Jobs { computed, spared, wasted, peak_bytes } = self.jobs;
        let jobs = format!(
            "{} computed, {} spared, {} wasted",
            count(computed),
            count(spared),
            count(wasted)
        );
        rows.push(("jobs", jobs));
        rows.push((
            "held",
            format!("at most {} of results ahead of their time", bytes(peak_bytes)),
        ));
        rows.extend(self.devices.iter().flat_map(DevicesUsed::rows));
        if self.snapshots.kept > 0 {
            let Cost { kept, last_bytes, seconds, .. } = self.snapshots;
            let size = bytes(last_bytes);
            rows.push(("snapshots", format!("{} in {seconds:.2}s, the last {size}", count(kept))));
        }
        rows.push(("digest", self.digest.clone()));
        rows.push(("run directory", self.run_dir.clone()));
        let title = format!("{} (seed {})\n", self.scenario, self.seed);
        let title = title + self.persons.as_str() + self.overheard.as_str();
        rows.iter().fold(title, |text, (name, value)| format!("{text}  {name:<14} {value}\n"))
    }
}

/// What was revealed of the clients.
fn privacy_rows(spent: &Spent) -> Vec<(&'static str, String)> {
    let Spent { delta, central, local } = *spent;
    let line = |epsilon: f64, whose: &str| {
        ("privacy", format!("epsilon {epsilon:.3} at delta {delta:e}, {whose}"))
    };
    let central = central.map(|epsilon| line(epsilon, "of a client by the models"));
    let local = local.map(|epsilon| line(epsilon, "of a client by its updates"));
    central.into_iter().chain(local).collect()
}

/// Joins `words` by commas in lines of at most `width` characters.
fn lines(words: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= width => *line += &format!(", {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

fn in_words(lost: &BTreeMap<&'static str, u64>) -> String {
    let lost: Vec<_> =
        lost.iter().map(|(name, number)| format!("{} {name}", count(*number))).collect();
    lost.join(", ")
}
