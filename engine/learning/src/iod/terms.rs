//! The losses on logits with their gradients, in `f64`. Batches are row-major `[batch, classes]`.

use super::ensemble::ClassWeights;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Probabilities are kept between these where the consensus of teachers takes logarithms.
const FLOOR: f64 = 0.01;
const CEILING: f64 = 0.99;

/// A value and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded {
    /// The loss.
    pub value: f64,
    /// Its derivative by every logit.
    pub gradient: Vec<f64>,
}

/// How much each of the generator's five terms counts, at least 0; the defaults are those of the authors' code.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Aim {
    /// Pictures that discriminators take for real.
    pub gan: f64,
    /// Pictures on which student and ensemble disagree.
    pub adversarial: f64,
    /// Pictures of which each teacher is sure.
    pub confidence: f64,
    /// Batches in which every teacher sees all classes.
    pub balance: f64,
    /// Pictures on which teachers agree.
    pub consensus: f64,
}

impl Default for Aim {
    fn default() -> Self {
        Self { gan: 1.0, adversarial: 1.0, confidence: 1.0, balance: 10.0, consensus: 1.0 }
    }
}

/// What the generator's terms on logits say of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Aimed {
    /// The weighted sum of the terms on logits: all but the one of the discriminators.
    pub value: f64,
    /// Its derivative by the student's logits.
    pub student: Vec<f64>,
    /// Its derivative by each teacher's logits.
    pub teachers: Vec<Vec<f64>>,
}

impl Aim {
    /// The terms on logits and their gradients, for the student's and every teacher's answers to the same pictures.
    /// `shares` are the teachers' parts `n_k / n`; `weights` make their ensemble.
    pub fn on_logits(
        &self,
        student: &[f32],
        teachers: &[&[f32]],
        weights: &ClassWeights,
        shares: &[f64],
    ) -> Aimed {
        let classes = weights.classes();
        let distance = distil(student, &weights.combine(teachers), classes);
        let scaled = |values: &[f64], by: f64| values.iter().map(|v| v * by).collect::<Vec<_>>();
        let by_student = scaled(&distance.gradient, -self.adversarial);
        // The distance depends on the difference alone.
        let by_ensemble = scaled(&distance.gradient, self.adversarial);
        let mut by_teachers = weights.spread(&by_ensemble);
        let mut value = -self.adversarial * distance.value;
        for ((logits, share), own) in teachers.iter().zip(shares).zip(&mut by_teachers) {
            for (weight, term) in [
                (self.confidence, entropy(logits, classes)),
                (self.balance, balance(logits, classes)),
            ] {
                value += weight * share * term.value;
                add(own, &term.gradient, weight * share);
            }
        }
        let (apart, gradients) = consensus(teachers, classes);
        value += self.consensus * apart;
        for (own, gradient) in by_teachers.iter_mut().zip(&gradients) {
            add(own, gradient, self.consensus);
        }
        Aimed { value, student: by_student, teachers: by_teachers }
    }
}

/// How far a student is from its teachers: `(1 / 2C) sum_c (d_c - mean d)^2` with `d = student - teacher`, mean over the
/// batch, and its derivative by the student's logits; that by the teacher's is its opposite. It is the limit of the usual
/// `T^2 KL(softmax(teacher / T) || softmax(student / T))` for `T` to infinity, and exact where a large `T` would leave
/// nothing but rounding errors.
pub fn distil(student: &[f32], teacher: &[f32], classes: usize) -> Graded {
    let per_batch = 1.0 / rows(student, classes) as f64;
    let mut value = 0.0;
    let mut gradient = Vec::with_capacity(student.len());
    for (student, teacher) in student.chunks_exact(classes).zip(teacher.chunks_exact(classes)) {
        let apart: Vec<f64> =
            student.iter().zip(teacher).map(|(s, t)| f64::from(*s) - f64::from(*t)).collect();
        let mean = apart.iter().sum::<f64>() / classes as f64;
        value += apart.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (2.0 * classes as f64);
        gradient.extend(apart.iter().map(|d| (d - mean) / classes as f64 * per_batch));
    }
    Graded { value: value * per_batch, gradient }
}

/// The mean entropy of the answers, in nats: low where a teacher is sure.
pub fn entropy(logits: &[f32], classes: usize) -> Graded {
    let per_batch = 1.0 / rows(logits, classes) as f64;
    let mut value = 0.0;
    let mut gradient = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes) {
        let odds = softmax(row);
        let own: f64 = odds.iter().map(|p| -p * p.max(f64::MIN_POSITIVE).ln()).sum();
        value += own;
        gradient
            .extend(odds.iter().map(|p| -p * (p.max(f64::MIN_POSITIVE).ln() + own) * per_batch));
    }
    Graded { value: value * per_batch, gradient }
}

/// `sum_c q_c log2 q_c` of the mean answer `q` over the batch: lowest, `-log2 C`, where all classes are equally frequent.
pub fn balance(logits: &[f32], classes: usize) -> Graded {
    let per_batch = 1.0 / rows(logits, classes) as f64;
    let odds: Vec<Vec<f64>> = logits.chunks_exact(classes).map(softmax).collect();
    let mean = mean_of(&odds, classes);
    let value = mean.iter().map(|q| q * q.max(f64::MIN_POSITIVE).log2()).sum();
    let slope: Vec<f64> = mean
        .iter()
        .map(|q| (q.max(f64::MIN_POSITIVE).log2() + std::f64::consts::LOG2_E) * per_batch)
        .collect();
    let gradient = odds.iter().flat_map(|odds| through_softmax(odds, &slope)).collect();
    Graded { value, gradient }
}

/// `(1/K) sum_k KL(mean answer || answer of k)`, mean over the batch, and the derivative by each teacher's logits.
/// Probabilities are cut to `[0.01, 0.99]` first; what is cut has no slope. 0 where all teachers say the same.
pub fn consensus(teachers: &[&[f32]], classes: usize) -> (f64, Vec<Vec<f64>>) {
    let Some(first) = teachers.first() else { return (0.0, Vec::new()) };
    let batch = rows(first, classes);
    let (count, mut value) = (teachers.len() as f64, 0.0);
    let mut gradients = vec![Vec::with_capacity(first.len()); teachers.len()];
    let factor = 1.0 / (count * batch as f64);
    for row in 0..batch {
        let place = row * classes..(row + 1) * classes;
        let odds: Vec<Vec<f64>> = teachers.iter().map(|t| softmax(&t[place.clone()])).collect();
        let raw = mean_of(&odds, classes);
        let mean: Vec<f64> = raw.iter().map(|m| cut(*m)).collect();
        let mut by_mean = vec![0.0; classes];
        for own in &odds {
            for class in 0..classes {
                let (m, q) = (mean[class], cut(own[class]));
                value += factor * m * (m / q).ln();
                by_mean[class] += factor * ((m / q).ln() + 1.0);
            }
        }
        for (own, gradient) in odds.iter().zip(&mut gradients) {
            let slope: Vec<f64> = (0..classes)
                .map(|class| {
                    let direct = -factor * mean[class] / cut(own[class]) * free(own[class]);
                    direct + by_mean[class] / count * free(raw[class])
                })
                .collect();
            gradient.extend(through_softmax(own, &slope));
        }
    }
    (value, gradients)
}

fn rows(logits: &[f32], classes: usize) -> usize {
    (logits.len() / classes).max(1)
}

fn cut(p: f64) -> f64 {
    p.clamp(FLOOR, CEILING)
}

/// 1 where a probability is not cut, 0 where it is.
fn free(p: f64) -> f64 {
    f64::from(u8::from((FLOOR..=CEILING).contains(&p)))
}

fn add(sum: &mut [f64], term: &[f64], by: f64) {
    sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += by * term);
}

fn mean_of(odds: &[Vec<f64>], classes: usize) -> Vec<f64> {
    let mut mean = vec![0.0; classes];
    odds.iter().for_each(|odds| add(&mut mean, odds, 1.0));
    let count = odds.len().max(1) as f64;
    mean.iter_mut().for_each(|mean| *mean /= count);
    mean
}

fn softmax(row: &[f32]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let odds: Vec<f64> = row.iter().map(|v| (f64::from(*v) - f64::from(largest)).exp()).collect();
    let sum: f64 = odds.iter().sum();
    odds.into_iter().map(|odd| odd / sum).collect()
}

/// The slope by logits for that by their softmax: `p_i (s_i - sum_j p_j s_j)`.
fn through_softmax(odds: &[f64], slope: &[f64]) -> Vec<f64> {
    let mean: f64 = odds.iter().zip(slope).map(|(p, s)| p * s).sum();
    odds.iter().zip(slope).map(|(p, s)| p * (s - mean)).collect()
}
