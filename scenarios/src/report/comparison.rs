//! The comparison as numbers: one row per label, each figure an estimate over the seeds.

use super::curves::Along;
use super::data::RunData;
use super::retrieval::Domains;
use super::stats::{Estimate, estimate, worst_decile};
use super::target::Target;
use super::teachers;
use super::told_apart::FaceComparison;
use serde::{Deserialize, Serialize};

/// Strategies side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What they race for; without it, nothing is said about reaching it.
    pub target: Option<Target>,
    /// What the rows are.
    #[serde(default)]
    pub what: What,
    /// One row per label, in the order in which the labels first came.
    pub rows: Vec<Row>,
    /// Rank-1 by domain, where persons were searched for.
    #[serde(default, skip_serializing_if = "no_domains")]
    pub domains: Domains,
    /// Figures and gains where faces were told apart.
    #[serde(default, skip_serializing_if = "FaceComparison::is_empty")]
    pub faces: FaceComparison,
}

/// What is put side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Strategies, labelled by what they are.
    #[default]
    Strategies,
    /// Variants with labels of their own, of a sweep or of forks.
    Variants,
    /// Runs of several scenarios.
    Runs,
}

impl What {
    fn of(runs: &[RunData]) -> Self {
        let own = |run: &RunData| !run.label.starts_with(&run.strategy);
        match (several_scenarios(runs), runs.iter().any(own)) {
            (true, _) => Self::Runs,
            (false, true) => Self::Variants,
            (false, false) => Self::Strategies,
        }
    }

    /// One of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Strategies => "strategy",
            Self::Variants => "variant",
            Self::Runs => "run",
        }
    }

    /// Several of them.
    pub(crate) fn several(self) -> &'static str {
        match self {
            Self::Strategies => "strategies",
            Self::Variants => "variants",
            Self::Runs => "runs",
        }
    }
}

/// Whether `runs` are of more than one scenario.
pub(crate) fn several_scenarios(runs: &[RunData]) -> bool {
    let mut names = runs.iter().map(|run| &run.scenario).filter(|name| !name.is_empty());
    names.next().is_some_and(|first| names.any(|name| name != first))
}

/// One label: runs that differ in their seed only. A figure is `None` when no run has it; its `n` says how
/// many have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The label.
    pub label: String,
    /// The strategy in words.
    pub strategy: String,
    /// Number of runs.
    pub runs: usize,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// How many of the runs reached the target.
    pub reached: usize,
    /// Virtual seconds to the target, over the runs that reached it.
    pub seconds_to_target: Option<Estimate>,
    /// Updates that had arrived then, over the runs that reached it.
    pub updates_to_target: Option<Estimate>,
    /// Bytes sent in both directions until then, over the runs that reached it.
    pub bytes_to_target: Option<Estimate>,
    /// Accuracy at the last evaluation, 0 to 1.
    pub final_accuracy: Option<Estimate>,
    /// Loss at the last evaluation.
    pub final_loss: Option<Estimate>,
    /// Success rate of the attack at the last evaluation, 0 to 1.
    #[serde(default)]
    pub attack_success: Option<Estimate>,
    /// What the runs revealed of the client of which most is known, where something protects the clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<Estimate>,
    /// Bytes sent in both directions until the last evaluation; with edge servers those between them and the
    /// server.
    #[serde(default)]
    pub bytes_sent: Option<Estimate>,
    /// Bytes sent in both directions between edge servers and their clients in the whole run, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_below: Option<Estimate>,
    /// Mean staleness of the merged updates, in versions.
    pub mean_staleness: Option<Estimate>,
    /// 95th percentile of the staleness, in versions.
    pub p95_staleness: Option<Estimate>,
    /// Share of the clients' working time whose result was not used, 0 to 1.
    pub wasted_share: Option<Estimate>,
    /// Mean accuracy over the worst tenth of the clients, 0 to 1.
    pub worst_decile: Option<Estimate>,
    /// What a tap found in updates, as [`super::leaks::FIGURES`] has it; empty where nobody listened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<Option<Estimate>>,
    /// Accuracy of teachers that stay with their clients: all together by class and by samples, the best, their mean;
    /// empty where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teachers: Vec<Option<Estimate>>,
    /// Accuracy by class at the last evaluation that measured it; empty when none did.
    pub per_class: Vec<Option<Estimate>>,
}

fn no_domains(domains: &Domains) -> bool {
    domains.rows.is_empty()
}

impl Comparison {
    /// Compares `runs` by label.
    pub fn new(runs: &[RunData], target: Option<Target>) -> Self {
        let groups = groups(runs);
        Self {
            target,
            what: What::of(runs),
            rows: groups.iter().map(|group| Row::new(group, target.as_ref())).collect(),
            domains: Domains::new(&groups),
            faces: FaceComparison::new(&groups),
        }
    }
}

/// The runs of each label, labels in the order in which they first came.
pub(crate) fn groups(runs: &[RunData]) -> Vec<Vec<&RunData>> {
    let mut groups: Vec<Vec<&RunData>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| group[0].shown_label() == run.shown_label()) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

impl Row {
    fn new(group: &[&RunData], target: Option<&Target>) -> Self {
        let over = |figure: &dyn Fn(&RunData) -> Option<f64>| {
            estimate(group.iter().filter_map(|run| figure(run)))
        };
        let to_target =
            |along: Along| over(&|run| target?.reached(run, |evaluation| along.of(evaluation)));
        let seconds_to_target = to_target(Along::Time);
        Self {
            label: group[0].shown_label().to_string(),
            strategy: group[0].strategy.clone(),
            runs: group.len(),
            seeds: group.iter().map(|run| run.seed).collect(),
            reached: seconds_to_target.map_or(0, |estimate| estimate.n),
            seconds_to_target,
            updates_to_target: to_target(Along::Updates),
            bytes_to_target: to_target(Along::Bytes),
            final_accuracy: over(&|run| Some(run.evaluations.last()?.accuracy)),
            final_loss: over(&|run| Some(run.evaluations.last()?.loss)),
            attack_success: over(&|run| run.evaluations.last()?.attack_success),
            epsilon: over(&|run| run.privacy.map(|spent| spent.most)),
            bytes_sent: over(&|run| Some(Along::Bytes.of(run.evaluations.last()?))),
            bytes_below: over(&|run| Some(run.edges.as_ref()?.bytes() as f64)),
            mean_staleness: over(&|run| run.mean_staleness),
            p95_staleness: over(&|run| run.p95_staleness),
            wasted_share: over(&|run| run.wasted_share),
            worst_decile: over(&|run| worst_decile(&run.client_accuracy)),
            leaks: leaks(group),
            teachers: teachers::estimates(group),
            per_class: per_class(group),
        }
    }

    /// `not reached (k of n)` where `k` runs of `n` missed the target, `None` where all reached it.
    pub(crate) fn missed(&self) -> Option<String> {
        (self.reached < self.runs)
            .then(|| format!("not reached ({} of {})", self.runs - self.reached, self.runs))
    }
}

fn leaks(group: &[&RunData]) -> Vec<Option<Estimate>> {
    let found: Vec<[f64; 6]> =
        group.iter().filter_map(|run| super::leaks::means(&run.leaks)).collect();
    let figures = if found.is_empty() { 0..0 } else { 0..6 };
    figures.map(|at| estimate(found.iter().map(|figures| figures[at]))).collect()
}

fn per_class(group: &[&RunData]) -> Vec<Option<Estimate>> {
    let last = |run: &&RunData| {
        run.evaluations.iter().rev().map(|e| e.per_class.clone()).find(|c| !c.is_empty())
    };
    let lists: Vec<Vec<f64>> = group.iter().filter_map(last).collect();
    let classes = lists.iter().map(Vec::len).max().unwrap_or(0);
    (0..classes)
        .map(|class| estimate(lists.iter().filter_map(|list| list.get(class).copied())))
        .collect()
}
