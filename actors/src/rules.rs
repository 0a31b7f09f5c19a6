//! When to evaluate and when to stop.

use offbeat_kernel::{Span, Time};
use offbeat_learning::evaluate::Evaluation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// When the global model is evaluated, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRules {
    /// Every so many versions; 0 for never by version.
    pub every_versions: u64,
    /// Every so much virtual time, if at all.
    pub every: Option<Span>,
    /// On the common test set.
    pub test: bool,
    /// On each client's own test samples, with its private part.
    pub clients: bool,
    /// On the persons of each domain.
    pub retrieval: RetrievalRules,
    /// Teachers that stay with their clients, and all of them together, on the common test set.
    pub teachers: bool,
}

impl EvaluationRules {
    /// Whether there is anything to evaluate.
    pub fn any(&self) -> bool {
        let tried = self.retrieval.global || self.retrieval.local;
        self.test || self.clients || tried || self.teachers
    }
}

/// Which models are tried on the persons of each domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrievalRules {
    /// The global model, or the groups' models where there are several.
    pub global: bool,
    /// Each client's model after its last training, on the domains it holds.
    pub local: bool,
}

/// When a run ends. Whatever comes first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StopRules {
    /// After so many versions.
    pub versions: Option<u64>,
    /// After so many arrived updates.
    pub updates: Option<u64>,
    /// At this virtual time.
    pub time: Option<Time>,
    /// When a figure of an evaluation is reached.
    pub target: Option<Target>,
    /// After so many evaluations without a better accuracy.
    pub patience: Option<u32>,
}

/// A figure to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Test accuracy of at least this, in 0..1.
    Accuracy(f64),
    /// Test loss of at most this.
    Loss(f64),
    /// Rank-1 of at least this, mean over domains, in 0..1.
    Rank1(f64),
    /// Mean average precision (trapezoid form) of at least this, mean over domains, in 0..1.
    Map(f64),
}

impl StopRules {
    /// Whether an evaluation can end the run, so that its figures are needed soon.
    pub fn read_evaluations(&self) -> bool {
        self.target.is_some() || self.patience.is_some()
    }

    /// Share of the way to the nearest stop that can be foreseen, 0 to 1.
    pub fn done(&self, versions: u64, updates: u64, now: Time) -> f64 {
        let share = |have: f64, want: Option<f64>| want.map_or(0.0, |want| have / want.max(1e-9));
        share(versions as f64, self.versions.map(|n| n as f64))
            .max(share(updates as f64, self.updates.map(|n| n as f64)))
            .max(share(now.seconds(), self.time.map(Time::seconds)))
            .min(1.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Accuracy(least) => write!(f, "accuracy {least}"),
            Target::Loss(most) => write!(f, "loss {most}"),
            Target::Rank1(least) => write!(f, "rank-1 {least}"),
            Target::Map(least) => write!(f, "mean average precision {least}"),
        }
    }
}

impl Target {
    /// Whether these figures reach it: those of the test samples, and rank-1 and mean average precision.
    pub fn is_reached(&self, test: Option<&Evaluation>, found: Option<(f64, f64)>) -> bool {
        match self {
            Target::Accuracy(least) => test.is_some_and(|test| test.accuracy >= *least),
            Target::Loss(most) => test.is_some_and(|test| test.loss <= *most),
            Target::Rank1(least) => found.is_some_and(|(rank, _)| rank >= *least),
            Target::Map(least) => found.is_some_and(|(_, map)| map >= *least),
        }
    }
}
