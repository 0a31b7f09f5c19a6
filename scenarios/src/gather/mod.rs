//! What a run's report needs, gathered from its records while it runs.
//!
//! A run can have millions of tasks. What is kept of them is bounded: sums, a histogram, and a thinned
//! list of spans for the timeline. Of evaluations every figure is kept, accuracy by class of the last.

mod leaks;
mod noted;
mod persons;
mod spans;
mod traffic;
mod work;

use crate::report::leaks::LeakPoint;
use crate::report::retrieval::RetrievalPoint;
use crate::report::stats::{histogram_mean, histogram_quantile};
use crate::report::{
    Counts, EdgeData, EvalPoint, Happening, Outcome, PrivacyData, RunData, Teachers,
};
use crate::rundir::table::reason_name;
use noted::Noted;
use offbeat_actors::federation::FAILED;
use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_actors::{Record, RunResult};
use offbeat_kernel::{Time, Version};
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::LossReason;
use offbeat_strategies::companion::Budget;
use offbeat_strategies::guard::{Fault, Measure};
use offbeat_strategies::privacy::Spent;
use serde::{Deserialize, Serialize};
use spans::Spans;
use std::collections::BTreeMap;
use traffic::Traffic;
use work::Work;

/// Happenings kept at most.
const HAPPENINGS: usize = 1_000;

/// Takes records one by one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Gather {
    traffic: Traffic,
    evaluations: Vec<(Time, Version, Evaluation)>,
    attack: BTreeMap<Version, f64>,
    /// What versions revealed of the clients: the larger epsilon.
    epsilon: Noted<f64>,
    clients: Vec<f64>,
    staleness: Vec<u64>,
    spans: Spans,
    /// Of the clients of edge servers.
    below: Spans,
    edges: bool,
    work: Work,
    work_below: Work,
    retrieval: Vec<RetrievalPoint>,
    /// What clients had released of their identities until a version.
    budgets: Noted<Budget>,
    happenings: Vec<Happening>,
    leaks: Vec<LeakPoint>,
    /// The last trial of teachers that stay with their clients.
    teachers: Option<Teachers>,
}

/// Which run it was, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The scenario's name.
    pub scenario: String,
    /// What is compared: runs with the same label differ in their seed only.
    pub label: String,
    /// The strategy in words.
    pub strategy: String,
    /// The seed.
    pub seed: u64,
}

impl Gather {
    /// Takes one record, in the order in which they come.
    pub fn take(&mut self, record: &Record) {
        match record {
            Record::Evaluation { at, version, test } => {
                self.traffic.evaluated(*at, *version);
                self.epsilon.shown(*version);
                if let Some((_, _, before)) = self.evaluations.last_mut() {
                    before.correct_per_class = Vec::new();
                }
                self.evaluations.push((*at, *version, test.clone()));
            }
            Record::Attack { version, success, .. } => {
                self.attack.insert(*version, success.accuracy);
            }
            Record::Teachers { figures, .. } => {
                self.teachers = figures.mean_and_best().map(|(mean, best)| Teachers {
                    each: figures.each.iter().map(|(_, share)| *share).collect(),
                    mean,
                    best,
                    by_class: figures.by_class,
                    by_samples: figures.by_samples,
                });
            }
            Record::Clients { clients, .. } => {
                let tested = clients.iter().filter(|(_, found)| found.samples > 0);
                self.clients = tested.map(|(_, found)| found.accuracy).collect();
            }
            Record::Aggregation { at, version, used } => {
                self.traffic.published(*at, *version);
                for update in used {
                    self.work.used(update.task);
                    let stale = usize::try_from(update.staleness).unwrap_or(usize::MAX - 1);
                    if self.staleness.len() <= stale {
                        self.staleness.resize(stale + 1, 0);
                    }
                    self.staleness[stale] += 1;
                }
            }
            Record::Budget { version, budget, .. } => {
                self.budgets.note(*version, *budget);
            }
            Record::Retrieval { at, version, tried } => {
                let budget = self.budgets.shown(*version);
                self.retrieval.push(persons::point((*at, *version), budget, tried));
            }
            Record::Leak { version, client, leak, .. } => {
                self.leaks.push(leaks::point(*version, *client, leak));
            }
            Record::Task(task) => self.task(task),
            Record::Happening { .. } if self.happenings.len() >= HAPPENINGS => {}
            Record::Happening { at, what } => {
                self.happenings.push(Happening { at: at.seconds(), what: what.clone() });
            }
            Record::Privacy { version, spent, .. } => {
                if let Some(most) = spent.most() {
                    self.epsilon.note(*version, most);
                }
            }
            // Counted already.
            Record::Guarded { .. } | Record::EdgeGuarded { .. } | Record::Retried { .. } => {}
            Record::EdgeTask { row, .. } => {
                self.edges = true;
                self.work_below.ended(row);
                self.below.add(row, outcome(row.end));
            }
            Record::EdgeAggregation { used, .. } => {
                self.edges = true;
                used.iter().for_each(|share| self.work_below.used(share.task));
            }
        }
    }

    fn task(&mut self, task: &TaskRow) {
        self.traffic.task(task);
        self.work.ended(task);
        self.spans.add(task, outcome(task.end));
    }

    /// Trials on the persons of each domain.
    pub fn retrieval(&self) -> &[RetrievalPoint] {
        &self.retrieval
    }

    /// The last trial of teachers that stay with their clients, where there are any.
    pub fn teachers(&self) -> Option<&Teachers> {
        self.teachers.as_ref()
    }

    /// What a tap found.
    pub fn leaks(&self) -> &[LeakPoint] {
        &self.leaks
    }

    /// Mean staleness of the merged updates in versions; `None` when none was merged.
    pub fn mean_staleness(&self) -> Option<f64> {
        histogram_mean(&self.staleness)
    }

    /// 95th percentile of the staleness in versions; `None` when none was merged.
    pub fn p95_staleness(&self) -> Option<f64> {
        histogram_quantile(&self.staleness, 0.95)
    }

    /// Share of the clients' time between invitation and end whose result was never merged, 0 to 1; an
    /// update that still waits at the end of the run counts as not merged, a task under way not at all. In a
    /// tree it is the time of the clients below the edge servers, and what these merged.
    pub fn wasted_share(&self) -> Option<f64> {
        if self.edges { self.work_below.wasted() } else { self.work.wasted() }
    }

    /// Everything, for the report of the run that came to `result`.
    pub fn into_data(self, name: Name, result: &RunResult) -> RunData {
        let counts = &result.counts;
        let lost = counts.lost.iter().map(|(why, n)| (reason_name(*why).to_string(), *n));
        let (mean_staleness, p95_staleness) = (self.mean_staleness(), self.p95_staleness());
        let wasted_share = self.wasted_share();
        let totals = self.traffic.totals();
        let evaluations =
            self.evaluations.iter().enumerate().map(|(place, (at, version, test))| {
                let sent = totals.get(place).copied().unwrap_or_default();
                EvalPoint {
                    virtual_seconds: at.seconds(),
                    version: version.0,
                    updates: sent.updates,
                    bytes_up: sent.up,
                    bytes_down: sent.down,
                    accuracy: test.accuracy,
                    loss: test.loss,
                    attack_success: self.attack.get(version).copied(),
                    epsilon: self.epsilon.get(*version),
                    per_class: per_class(test),
                }
            });
        RunData {
            name: format!("{}, seed {}", name.scenario, name.seed),
            label: name.label,
            scenario: name.scenario,
            label_free: false,
            strategy: name.strategy,
            seed: name.seed,
            digest: result.digest.to_string(),
            virtual_seconds: result.now.seconds(),
            wall_seconds: result.wall_seconds,
            counts: Counts {
                updates: counts.updates,
                versions: counts.versions,
                bytes_up: counts.bytes_up,
                bytes_down: counts.bytes_down,
                lost: lost.collect(),
                refused: counts.refused,
                guarded: guarded(&counts.guarded),
                failed: counts.failed,
                unmerged: self.work.unmerged(),
            },
            evaluations: evaluations.collect(),
            client_accuracy: self.clients,
            mean_staleness,
            p95_staleness,
            staleness: self.staleness,
            retrieval: self.retrieval,
            leaks: self.leaks,
            teachers: self.teachers,
            edges: self
                .edges
                .then(|| Box::new(below(self.below, self.work_below.unmerged(), counts))),
            tasks_note: self.spans.note(),
            tasks: self.spans.into_list(),
            happenings: self.happenings,
            wasted_share,
            privacy: counts.privacy.and_then(|spent| {
                let Spent { delta, central, local } = spent;
                Some(PrivacyData { delta, most: spent.most()?, central, local })
            }),
            alone: None,
            utilisation: Some(result.pool.utilisation),
            broke_off: result.ended.strip_prefix(FAILED).unwrap_or_default().to_string(),
            failures: counts.failures.clone(),
            findings: counts.findings.clone(),
            devices: None,
        }
    }
}

/// What guards found, by what became of the answer and why.
pub(crate) fn guarded(found: &BTreeMap<(Fault, Measure), u64>) -> BTreeMap<String, u64> {
    let words = |((fault, measure), n): (&(Fault, Measure), &u64)| {
        (format!("{measure}: {}", fault.name()), *n)
    };
    found.iter().map(words).collect()
}

fn below(spans: Spans, unmerged: u64, counts: &offbeat_actors::tally::Counts) -> EdgeData {
    let below = &counts.below;
    let lost = below.lost.iter().map(|(why, number)| (reason_name(*why).to_string(), *number));
    EdgeData {
        updates: below.updates,
        merges: below.merges,
        bytes_up: below.bytes_up,
        bytes_down: below.bytes_down,
        lost: lost.collect(),
        guarded: guarded(&below.guarded),
        unmerged,
        tasks_note: spans.note(),
        tasks: spans.into_list(),
    }
}

fn per_class(test: &Evaluation) -> Vec<f64> {
    let share = |(right, all): &(u64, u64)| match all {
        0 => f64::NAN,
        all => *right as f64 / *all as f64,
    };
    test.correct_per_class.iter().map(share).collect()
}

fn outcome(end: TaskEnd) -> Outcome {
    match end {
        TaskEnd::Arrived => Outcome::Arrived,
        TaskEnd::Lost(LossReason::Cancelled) => Outcome::Cancelled,
        TaskEnd::Lost(LossReason::Refused) => Outcome::Refused,
        TaskEnd::Lost(LossReason::Failed) => Outcome::Failed,
        TaskEnd::Lost(reason) => Outcome::Lost(reason_name(reason).to_string()),
    }
}

#[cfg(test)]
mod tests;
