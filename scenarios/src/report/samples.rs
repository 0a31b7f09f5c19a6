//! Synthetic runs for the tests: no randomness, only a hash of the place.

use super::data::{Counts, EvalPoint, Outcome, RunData, TaskSpan};
use super::stats::{histogram_mean, histogram_quantile};
use std::collections::BTreeMap;

/// How a synthetic run goes.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) label: &'static str,
    pub(crate) seed: u64,
    pub(crate) clients: u64,
    pub(crate) evaluations: usize,
    pub(crate) hours: f64,
    /// Accuracy that the run tends to.
    pub(crate) limit: f64,
    /// Larger is faster.
    pub(crate) pace: f64,
    pub(crate) stale: usize,
    pub(crate) classes: usize,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            label: "buffered",
            seed: 1,
            clients: 100,
            evaluations: 60,
            hours: 10.0,
            limit: 0.92,
            pace: 4.0,
            stale: 9,
            classes: 10,
        }
    }
}

/// A number between 0 and 1 that looks random.
pub(crate) fn noise(place: f64) -> f64 {
    ((place * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0)
}

impl Sample {
    pub(crate) fn run(&self) -> RunData {
        let tasks = self.tasks();
        let lost = |wanted: &str| {
            tasks.iter().filter(|task| task.outcome == Outcome::Lost(wanted.into())).count() as u64
        };
        let of =
            |wanted: Outcome| tasks.iter().filter(|task| task.outcome == wanted).count() as u64;
        let staleness: Vec<u64> =
            (0..self.stale).map(|s| (1000.0 / (1.0 + (s as f64 - 2.0).powi(2))) as u64).collect();
        let updates = of(Outcome::Arrived);
        let lost = ["went-offline", "dropped-out", "message-lost"]
            .map(|reason| (reason.to_string(), lost(reason)));
        RunData {
            happenings: Vec::new(),
            label_free: false,
            name: format!("stragglers-{}-{}", self.label, self.seed),
            label: self.label.into(),
            scenario: "stragglers".into(),
            strategy: format!("{} (10), polynomial staleness 0.5", self.label),
            seed: self.seed,
            digest: format!("{:064x}", 0x5eed_0000_u64 + self.seed * 77_777),
            virtual_seconds: self.hours * 3600.0,
            wall_seconds: 12.4,
            alone: None,
            counts: Counts {
                unmerged: 0,
                updates,
                versions: updates / 10,
                bytes_up: updates * 1_234_567,
                bytes_down: updates * 1_534_567,
                lost: lost.into_iter().filter(|(_, number)| *number > 0).collect(),
                refused: of(Outcome::Refused),
                guarded: BTreeMap::new(),
                failed: of(Outcome::Failed),
            },
            evaluations: (0..self.evaluations)
                .map(|place| self.evaluation(place, updates))
                .collect(),
            client_accuracy: (0..self.clients)
                .map(|client| {
                    self.limit - 0.5 * noise(client as f64 + 0.3).powi(4)
                        + 0.05 * noise(client as f64)
                })
                .collect(),
            mean_staleness: histogram_mean(&staleness),
            p95_staleness: histogram_quantile(&staleness, 0.95),
            staleness,
            tasks,
            retrieval: Vec::new(),
            teachers: None,
            leaks: Vec::new(),
            tasks_note: String::new(),
            broke_off: String::new(),
            failures: Vec::new(),
            findings: Vec::new(),
            edges: None,
            privacy: None,
            wasted_share: Some(0.05 + 0.2 * noise(self.seed as f64 + self.pace)),
            utilisation: Some(0.93),
            devices: None,
        }
    }

    fn evaluation(&self, place: usize, updates: u64) -> EvalPoint {
        let part = place as f64 / (self.evaluations.max(2) - 1) as f64;
        let wobble =
            (noise(place as f64 + 31.0 * self.seed as f64) - 0.5) * 0.06 * (1.0 - 0.7 * part);
        let accuracy =
            (0.1 + (self.limit - 0.1) * (1.0 - (-self.pace * part).exp()) + wobble).clamp(0.0, 1.0);
        let arrived = (part * updates as f64) as u64;
        EvalPoint {
            epsilon: None,
            attack_success: None,
            virtual_seconds: part * self.hours * 3600.0,
            version: arrived / 10,
            updates: arrived,
            bytes_up: arrived * 1_234_567,
            bytes_down: arrived * 1_534_567,
            accuracy,
            loss: 2.3 * (-1.2 * self.pace * part).exp() + 0.2 + wobble.abs(),
            per_class: (0..self.classes)
                .map(|class| (accuracy - 0.3 * noise(class as f64).powi(3)).max(0.0))
                .collect(),
        }
    }

    fn tasks(&self) -> Vec<TaskSpan> {
        let mut tasks = Vec::new();
        let end = self.hours * 3600.0;
        for client in 0..self.clients {
            let length = 300.0 * (2.2 * noise(client as f64 + 7.0 * self.seed as f64)).exp();
            let (mut at, mut place) = (length * noise(client as f64), 0.0);
            while at < end {
                let luck = noise(client as f64 * 3.3 + place);
                let stop = at + length * (0.7 + 0.6 * luck);
                let outcome = if stop > end { Outcome::Running } else { outcome(luck) };
                tasks.push(TaskSpan {
                    client,
                    start: at,
                    end: stop.min(end),
                    outcome,
                    version: (at / 60.0) as u64,
                });
                at = stop + length * 0.3 * noise(place + 0.5);
                place += 1.0;
            }
        }
        tasks
    }
}

fn outcome(luck: f64) -> Outcome {
    match luck {
        l if l < 0.06 => Outcome::Lost("went-offline".into()),
        l if l < 0.09 => Outcome::Lost("dropped-out".into()),
        l if l < 0.10 => Outcome::Lost("message-lost".into()),
        l if l < 0.18 => Outcome::Cancelled,
        l if l < 0.19 => Outcome::Refused,
        l if l < 0.20 => Outcome::Failed,
        _ => Outcome::Arrived,
    }
}

/// Six strategies with three seeds each.
pub(crate) fn six_by_three() -> Vec<RunData> {
    let kinds = [
        ("synchronous", 0.93, 2.0, 1),
        ("over-selection 30 %", 0.90, 3.0, 1),
        ("deadline 20 min", 0.84, 3.4, 2),
        ("FedBuff K = 10", 0.92, 6.0, 9),
        ("FedAsync, polynomial staleness with exponent 0.5 and mixing 0.6", 0.88, 7.0, 130),
        ("FedAT", 0.91, 4.4, 14),
    ];
    let mut runs = Vec::new();
    for (label, limit, pace, stale) in kinds {
        for seed in 1..=3 {
            let pace = pace * (0.8 + 0.4 * noise(seed as f64 * pace));
            let limit = limit - 0.02 * noise(seed as f64 + limit);
            runs.push(Sample { label, seed, limit, pace, stale, ..Sample::default() }.run());
        }
    }
    runs
}
