//! Counts that the actors of one run keep together, for the summary and for gauges.

use crate::conditions::Direction;
use offbeat_kernel::{TaskId, Time, Version};
use offbeat_strategies::guard::{Fault, Incident, Measure};
use offbeat_strategies::privacy::Spent;
use offbeat_strategies::signal::{LossReason, Used};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many failures and findings are kept in words.
const FIRST: usize = 10;

/// The counts, shared by the actors of one thread.
#[derive(Clone, Debug, Default)]
pub struct Tally(Rc<RefCell<Counts>>);

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Updates that arrived at the server.
    pub updates: u64,
    /// Updates that were merged.
    pub merged: u64,
    /// Of those that arrived: answers that were used at once, such as what judges found, what teachers saw or how inputs should change.
    pub used_at_once: u64,
    /// Versions published.
    pub versions: u64,
    /// Bytes sent by the server.
    pub bytes_down: u64,
    /// Bytes sent by clients.
    pub bytes_up: u64,
    /// Messages sent over the network.
    pub messages: u64,
    /// Sum of the staleness of all merged updates.
    pub staleness_sum: u64,
    /// Largest staleness of a merged update.
    pub staleness_max: u64,
    /// Tasks that were lost, by reason.
    pub lost: BTreeMap<LossReason, u64>,
    /// Answers that were refused: not asked for, late, doubled, or by a guard.
    pub refused: u64,
    /// What guards found, by kind and by what became of the answer.
    pub guarded: BTreeMap<(Fault, Measure), u64>,
    /// The first few of them in words.
    pub findings: Vec<String>,
    /// What was revealed of the clients, where something protects them.
    pub privacy: Option<Spent>,
    /// Trainings that failed, with the first few reasons.
    pub failures: Vec<String>,
    /// How many trainings failed.
    pub failed: u64,
    /// What whoever runs the federation should know, the first few in words.
    pub notes: Vec<String>,
    /// Jobs that were computed on another device because theirs failed.
    pub retried: u64,
    /// The first few of them in words.
    pub retries: Vec<String>,
    /// Between edge servers and their clients; the counts above are those of the server alone, but for
    /// failures.
    pub below: Below,
    in_flight: BTreeMap<TaskId, u64>,
}

/// What was counted between edge servers and their clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Below {
    /// Updates that arrived at edge servers.
    pub updates: u64,
    /// Merges of such updates.
    pub merges: u64,
    /// Bytes sent by edge servers to their clients.
    pub bytes_down: u64,
    /// Bytes sent by clients to their edge servers.
    pub bytes_up: u64,
    /// Messages between them.
    pub messages: u64,
    /// Tasks that were lost, by reason.
    pub lost: BTreeMap<LossReason, u64>,
    /// Answers that were refused: not asked for, late, doubled, or by a guard.
    pub refused: u64,
    /// What edge servers found in answers of their clients, by kind and by what became of the answer.
    pub guarded: BTreeMap<(Fault, Measure), u64>,
}

impl Tally {
    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.0.borrow().clone()
    }

    /// Goes on from these counts.
    pub(crate) fn restore(&self, counts: Counts) {
        *self.0.borrow_mut() = counts;
    }

    /// Updates that arrived so far.
    pub fn updates(&self) -> u64 {
        self.0.borrow().updates
    }

    /// Versions published so far.
    pub fn versions(&self) -> u64 {
        self.0.borrow().versions
    }

    pub(crate) fn show_bytes(&self) {
        let counts = self.0.borrow();
        metrics::counter!("offbeat_bytes_down_total").absolute(counts.bytes_down);
        metrics::counter!("offbeat_bytes_up_total").absolute(counts.bytes_up);
    }

    /// A message between an edge server and a client of its own was sent.
    pub(crate) fn sent_below(&self, way: Direction, update: Option<TaskId>, bytes: u64) {
        let mut counts = self.0.borrow_mut();
        counts.below.messages += 1;
        match way {
            Direction::Down => counts.below.bytes_down += bytes,
            Direction::Up => counts.below.bytes_up += bytes,
        }
        if let Some(task) = update {
            counts.in_flight.insert(task, bytes);
        }
    }

    pub(crate) fn arrived_below(&self) {
        self.0.borrow_mut().below.updates += 1;
    }

    pub(crate) fn merged_below(&self) {
        self.0.borrow_mut().below.merges += 1;
    }

    pub(crate) fn lost_below(&self, reason: LossReason) {
        *self.0.borrow_mut().below.lost.entry(reason).or_default() += 1;
    }

    /// Edge server `edge` refused or cut an answer of a client of its own.
    pub(crate) fn guarded_below(&self, edge: u32, incident: &Incident, reason: &str, now: Time) {
        let mut counts = self.0.borrow_mut();
        let Incident { task, client, fault, measure } = *incident;
        if counts.findings.len() < FIRST {
            let who = format!("{task} of {client}, edge server {edge}");
            counts.findings.push(format!("{who} at {now}: {measure}, {reason}"));
        }
        *counts.below.guarded.entry((fault, measure)).or_default() += 1;
        counts.below.refused += u64::from(measure == Measure::Refused);
        metrics::counter!("offbeat_answers_guarded_total", "fault" => fault.name()).increment(1);
    }

    pub(crate) fn sent_down(&self, bytes: u64) {
        let mut counts = self.0.borrow_mut();
        counts.bytes_down += bytes;
        counts.messages += 1;
    }

    pub(crate) fn sent_up(&self, task: Option<TaskId>, bytes: u64) {
        let mut counts = self.0.borrow_mut();
        counts.bytes_up += bytes;
        counts.messages += 1;
        if let Some(task) = task {
            counts.in_flight.insert(task, bytes);
        }
    }

    /// Size of the update of `task`, which has arrived.
    pub(crate) fn bytes_of(&self, task: TaskId) -> u64 {
        self.0.borrow_mut().in_flight.remove(&task).unwrap_or(0)
    }

    /// An answer arrived; `used_at_once` where nothing has to be merged for it.
    pub(crate) fn arrived(&self, used_at_once: bool) {
        let mut counts = self.0.borrow_mut();
        counts.updates += 1;
        counts.used_at_once += u64::from(used_at_once);
        metrics::counter!("offbeat_updates_total").increment(1);
    }

    pub(crate) fn lost(&self, reason: LossReason) {
        *self.0.borrow_mut().lost.entry(reason).or_default() += 1;
        metrics::counter!("offbeat_tasks_lost_total").increment(1);
    }

    pub(crate) fn guarded(&self, incident: &Incident, reason: &str, now: Time) {
        let mut counts = self.0.borrow_mut();
        let Incident { task, client, fault, measure } = *incident;
        if counts.findings.len() < FIRST {
            counts.findings.push(format!("{task} of {client} at {now}: {measure}, {reason}"));
        }
        *counts.guarded.entry((fault, measure)).or_default() += 1;
        counts.refused += u64::from(measure == Measure::Refused);
        metrics::counter!("offbeat_answers_guarded_total", "fault" => fault.name()).increment(1);
    }

    pub(crate) fn failed(&self, reason: &str) {
        let mut counts = self.0.borrow_mut();
        counts.failed += 1;
        if counts.failures.len() < FIRST {
            counts.failures.push(reason.to_string());
        }
        metrics::counter!("offbeat_jobs_failed_total").increment(1);
    }

    /// A job's device failed, and another did it.
    pub(crate) fn retried(&self, words: &str) {
        let mut counts = self.0.borrow_mut();
        counts.retried += 1;
        if counts.retries.len() < FIRST {
            counts.retries.push(words.to_string());
        }
        metrics::counter!("offbeat_jobs_retried_total").increment(1);
    }

    /// Something that whoever runs the federation should know.
    pub(crate) fn note(&self, what: &str) {
        let mut counts = self.0.borrow_mut();
        if counts.notes.len() < FIRST {
            counts.notes.push(what.to_string());
        }
    }

    /// The server crashed and goes on from an earlier version.
    pub(crate) fn resumed(&self, version: Version) {
        self.0.borrow_mut().versions = version.0;
    }

    pub(crate) fn spent(&self, spent: Spent) {
        self.0.borrow_mut().privacy = Some(spent);
    }

    pub(crate) fn published(&self, version: Version, used: &[Used]) {
        let mut counts = self.0.borrow_mut();
        counts.versions = version.0;
        for update in used {
            counts.merged += 1;
            counts.staleness_sum += update.staleness;
            counts.staleness_max = counts.staleness_max.max(update.staleness);
            metrics::histogram!("offbeat_staleness").record(update.staleness as f64);
        }
        metrics::gauge!("offbeat_version").set(version.0 as f64);
    }
}
