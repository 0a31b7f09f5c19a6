//! How good a model is on a client's data, and over clients.

use crate::data::Shard;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::train::Trainer;
use serde::{Deserialize, Serialize};

/// Rows that pass through the network at a time.
const BATCH: usize = 256;

/// What an evaluation finds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Samples evaluated.
    pub samples: usize,
    /// Share of samples whose largest logit is the label's; 0 without samples. Of equal logits the
    /// first counts. Of a model that was trained without labels, what a linear classifier reads from its features.
    pub accuracy: f64,
    /// Mean cross-entropy, in nats; 0 without samples. Of a model that was trained without labels, its own objective.
    pub loss: f64,
    /// For each class: samples of it that were classified correctly, and all samples of it that were classified.
    pub correct_per_class: Vec<(u64, u64)>,
}

impl Evaluation {
    /// Joins evaluations of disjoint samples into one of all of them. Sums run in the order given.
    pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Evaluation>) -> Evaluation {
        let mut merged = Evaluation::default();
        let mut loss = 0.0;
        for part in parts {
            merged.samples += part.samples;
            loss += part.loss * part.samples as f64;
            if merged.correct_per_class.len() < part.correct_per_class.len() {
                merged.correct_per_class.resize(part.correct_per_class.len(), (0, 0));
            }
            for (sum, count) in merged.correct_per_class.iter_mut().zip(&part.correct_per_class) {
                *sum = (sum.0 + count.0, sum.1 + count.1);
            }
        }
        merged.finish(loss)
    }

    fn finish(mut self, loss_sum: f64) -> Self {
        self.loss = loss_sum / self.samples.max(1) as f64;
        self.with_accuracy()
    }

    /// The same with the accuracy over all classes.
    pub(crate) fn with_accuracy(mut self) -> Self {
        let sum = |of: fn(&(u64, u64)) -> u64| self.correct_per_class.iter().map(of).sum::<u64>();
        self.accuracy = sum(|(correct, _)| *correct) as f64 / sum(|(_, all)| *all).max(1) as f64;
        self
    }
}

/// Evaluates `params` on all samples of `shard`. An empty shard gives an evaluation of 0 samples.
///
/// # Errors
/// [`LearnError::Invalid`] when parameters, data and network do not fit, [`LearnError::NotFinite`]
/// when a loss is not a number (`step` is then the sample's place in the shard).
pub fn evaluate(
    trainer: &dyn Trainer,
    params: &Flat,
    shard: &Shard,
) -> Result<Evaluation, LearnError> {
    evaluate_rows(trainer, params, shard, 0..shard.len())
}

/// Evaluates `params` on the samples of `shard` at the places `rows`: a part of [`evaluate`] that can
/// be done beside others.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_rows(
    trainer: &dyn Trainer,
    params: &Flat,
    shard: &Shard,
    rows: std::ops::Range<usize>,
) -> Result<Evaluation, LearnError> {
    let classes = trainer.network().classes();
    let end = rows.end.min(shard.len());
    let mut found =
        Evaluation { correct_per_class: vec![(0, 0); classes], ..Evaluation::default() };
    let mut loss_sum = 0.0;
    for start in (rows.start..end).step_by(BATCH) {
        let rows = start..(start + BATCH).min(end);
        let logits = trainer.logits(params, shard, rows.clone())?;
        for (index, logits) in rows.zip(logits.chunks_exact(classes)) {
            let label = shard.label(index) as usize;
            let loss = sample_loss(logits, label)?;
            if !loss.is_finite() {
                return Err(LearnError::NotFinite { what: "evaluation loss", step: index });
            }
            loss_sum += loss;
            let counts = &mut found.correct_per_class[label];
            *counts = (counts.0 + u64::from(largest(logits) == label), counts.1 + 1);
            found.samples += 1;
        }
    }
    Ok(found.finish(loss_sum))
}

/// Cross-entropy of one sample, stable for large logits.
fn sample_loss(logits: &[f32], label: usize) -> Result<f64, LearnError> {
    let Some(own) = logits.get(label) else {
        return Err(LearnError::Invalid(format!(
            "the data have a label {label}, but the network has {} classes",
            logits.len()
        )));
    };
    let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - top).exp()).sum();
    Ok(sum.ln() + top - f64::from(*own))
}

fn largest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (index, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = index;
        }
    }
    best
}

/// How accuracy is spread over clients. Clients without samples are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientSummary {
    /// Clients that had samples.
    pub clients: usize,
    /// Mean of the clients' accuracies, each client counting the same.
    pub mean: f64,
    /// Lowest accuracy.
    pub worst: f64,
    /// Highest accuracy.
    pub best: f64,
    /// Mean accuracy of the worst tenth of the clients, at least one of them.
    pub worst_decile: f64,
}

impl ClientSummary {
    /// Summarises one evaluation for each client; all zeros when no client had samples.
    pub fn of<'a>(clients: impl IntoIterator<Item = &'a Evaluation>) -> Self {
        let with_samples = clients.into_iter().filter(|client| client.samples > 0);
        let mut accuracies: Vec<f64> = with_samples.map(|client| client.accuracy).collect();
        accuracies.sort_by(f64::total_cmp);
        let (Some(&worst), Some(&best)) = (accuracies.first(), accuracies.last()) else {
            return Self::default();
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let decile = &accuracies[..accuracies.len().div_ceil(10)];
        Self {
            clients: accuracies.len(),
            mean: mean(&accuracies),
            worst,
            best,
            worst_decile: mean(decile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::network::{Network, NetworkSpec};
    use crate::train::{TrainerKind, trainer};
    use burn::tensor::Device;
    use std::sync::Arc;

    /// Logits of the network are the two inputs themselves.
    fn identity() -> (Arc<dyn Trainer>, Flat) {
        let network = Network::new(&NetworkSpec::Softmax, &[2], 2).expect("valid");
        let trainer = trainer(TrainerKind::Direct, Arc::new(network), &Device::flex());
        (trainer, Flat::new(vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]))
    }

    fn shard(features: &[f32], labels: &[u32]) -> Shard {
        let (features, labels) = (features.to_vec(), labels.to_vec());
        Shard::whole(Arc::new(Dataset {
            features,
            shape: vec![2],
            labels,
            classes: 2,
            groups: None,
        }))
    }

    #[test]
    fn by_hand() {
        let (trainer, params) = identity();
        let data = shard(&[2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0], &[0, 1, 1, 0]);
        let found = evaluate(trainer.as_ref(), &params, &data).expect("they fit");
        assert_eq!((found.samples, found.accuracy), (4, 0.75));
        assert_eq!(found.correct_per_class, [(2, 2), (1, 2)]);
        let right = (1.0 + (-2.0f64).exp()).ln();
        let expected = (2.0 * right + (right + 2.0) + 2f64.ln()) / 4.0;
        assert!((found.loss - expected).abs() < 1e-12);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let (trainer, params) = identity();
        let features: Vec<f32> = (0..1200).map(|i| (i * 37 % 101) as f32 / 50.0).collect();
        let labels: Vec<u32> = (0..600).map(|i| i * 7 % 5 % 2).collect();
        let data = shard(&features, &labels);
        let whole = evaluate(trainer.as_ref(), &params, &data).expect("they fit");
        let part = |rows: std::ops::Range<usize>| {
            let rows = data.rows[rows].into();
            let shard = Shard { data: data.data.clone(), rows };
            evaluate(trainer.as_ref(), &params, &shard).expect("they fit")
        };
        let merged = Evaluation::merge([&part(0..0), &part(0..17), &part(17..600)]);
        assert_eq!(merged.correct_per_class, whole.correct_per_class);
        assert_eq!((merged.samples, merged.accuracy), (600, whole.accuracy));
        assert!((merged.loss - whole.loss).abs() < 1e-12);
        assert_eq!(Evaluation::merge([]), Evaluation::default());
    }

    #[test]
    fn nonsense_is_refused() {
        let (trainer, params) = identity();
        let nan = evaluate(trainer.as_ref(), &params, &shard(&[1.0, f32::NAN], &[0]));
        assert!(matches!(nan, Err(LearnError::NotFinite { step: 0, .. })), "{nan:?}");
        assert!(evaluate(trainer.as_ref(), &params, &shard(&[1.0, 1.0], &[2])).is_err());
    }

    #[test]
    fn clients_are_summarised_by_hand() {
        let client = |samples, accuracy| Evaluation { samples, accuracy, ..Evaluation::default() };
        let clients: Vec<_> = (0..11).map(|i| client(1 + i, 0.1 * i as f64)).collect();
        let summary = ClientSummary::of(clients.iter().chain([&client(0, 0.0)]));
        assert_eq!((summary.clients, summary.worst, summary.best), (11, 0.0, 1.0));
        assert!((summary.mean - 0.5).abs() < 1e-12 && (summary.worst_decile - 0.05).abs() < 1e-12);
        assert_eq!(ClientSummary::of([]), ClientSummary::default());
    }
}
