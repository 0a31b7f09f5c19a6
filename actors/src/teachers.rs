//! Teachers that stay with their clients, as an onlooker sees them: how good each is, and all together.

use crate::work::Workbench;
use offbeat_kernel::{ClientId, Time};
use offbeat_learning::Flat;
use offbeat_learning::data::turn_labels;
use offbeat_learning::iod::ClassWeights;
use serde::{Deserialize, Serialize};

/// Asks how good teachers are on the common test set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TeachersJob {
    /// The teachers, in the order of their clients.
    pub teachers: Vec<(ClientId, Flat)>,
    /// By how much the labels had turned then, beyond what the data say of themselves.
    pub label_turn: u32,
    /// When: data that drift are those of this time.
    pub at: Time,
}

/// Shares of test samples that are classified rightly, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TeacherFigures {
    /// Each teacher alone.
    pub each: Vec<(ClientId, f64)>,
    /// All together, every class weighted by its samples at each client.
    pub by_class: f64,
    /// All together, weighted by their samples.
    pub by_samples: f64,
}

impl TeacherFigures {
    /// Mean and best of the single teachers; `None` without any.
    pub fn mean_and_best(&self) -> Option<(f64, f64)> {
        let best = self.each.iter().map(|(_, share)| *share).reduce(f64::max)?;
        let sum: f64 = self.each.iter().map(|(_, share)| share).sum();
        Some((sum / self.each.len() as f64, best))
    }
}

impl Workbench {
    /// How many samples of each class a client trains on at a time.
    pub(crate) fn class_counts(&self, client: ClientId, at: Time, label_turn: u32) -> Vec<f64> {
        let shard = self.shards.at(Some(client), self.shards.train(client), at);
        let shard = turn_labels(&shard, label_turn);
        let mut counts = vec![0.0; self.trainer.network().classes()];
        for index in 0..shard.len() {
            if let Some(count) = counts.get_mut(shard.label(index) as usize) {
                *count += 1.0;
            }
        }
        counts
    }

    /// Tries all teachers on the common test set.
    pub(crate) fn compare_teachers(&self, job: &TeachersJob) -> Result<TeacherFigures, String> {
        let test = self.shards.at(None, self.test.clone(), job.at);
        let test = turn_labels(&test, job.label_turn);
        let classes = self.trainer.network().classes();
        let answer = |(_, params): &(ClientId, Flat)| {
            self.trainer.logits(params, &test, 0..test.len()).map_err(|error| error.to_string())
        };
        let answers: Vec<Vec<f32>> = job.teachers.iter().map(answer).collect::<Result<_, _>>()?;
        let share = |logits: &[f32]| {
            let rows = logits.chunks_exact(classes).enumerate();
            let right = rows.filter(|(row, own)| largest(own) == test.label(*row) as usize).count();
            right as f64 / test.len().max(1) as f64
        };
        let counts: Vec<Vec<f64>> = job
            .teachers
            .iter()
            .map(|(client, _)| self.class_counts(*client, job.at, job.label_turn))
            .collect();
        let all: Vec<&[f32]> = answers.iter().map(Vec::as_slice).collect();
        let together = |weights: ClassWeights| share(&weights.combine(&all));
        let clients = job.teachers.iter().map(|(client, _)| *client);
        Ok(TeacherFigures {
            each: clients.zip(answers.iter().map(|own| share(own))).collect(),
            by_class: together(ClassWeights::by_class(&counts, classes)),
            by_samples: together(ClassWeights::by_volume(&counts, classes)),
        })
    }
}

/// The place of the largest; of equal ones the first.
fn largest(logits: &[f32]) -> usize {
    let better =
        |best: usize, place: usize| if logits[place] > logits[best] { place } else { best };
    (0..logits.len()).fold(0, better)
}
