//! The teachers as one: every class is decided by those who know it.

/// Class-wise weights `n_kc / sum_j n_jc` of teachers; for every class they sum to 1. A class of which nobody holds a
/// sample is decided by all teachers alike, so that the weights are defined whoever takes part.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights {
    /// `[teacher][class]`.
    weights: Vec<Vec<f64>>,
    classes: usize,
}

impl ClassWeights {
    /// From how many samples of each class every teacher learnt from; negative counts count as none.
    pub fn by_class(counts: &[Vec<f64>], classes: usize) -> Self {
        let held = |own: &[f64], class: usize| own.get(class).copied().unwrap_or(0.0).max(0.0);
        let mut weights = vec![vec![0.0; classes]; counts.len()];
        for class in 0..classes {
            let all: f64 = counts.iter().map(|own| held(own, class)).sum();
            for (own, weights) in counts.iter().zip(&mut weights) {
                weights[class] = match all > 0.0 {
                    true => held(own, class) / all,
                    false => 1.0 / counts.len() as f64,
                };
            }
        }
        Self { weights, classes }
    }

    /// Every class alike: the teachers' shares of all samples.
    pub fn by_volume(counts: &[Vec<f64>], classes: usize) -> Self {
        let weights = shares(counts).into_iter().map(|share| vec![share; classes]).collect();
        Self { weights, classes }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The ensemble's logits `[batch, classes]`: the weighted sum of the teachers', class by class, in their order.
    pub fn combine(&self, teachers: &[&[f32]]) -> Vec<f32> {
        let len = teachers.first().map_or(0, |logits| logits.len());
        let mut sum = vec![0.0f64; len];
        for (logits, weights) in teachers.iter().zip(&self.weights) {
            let logits = logits.chunks_exact(self.classes);
            for (sum, logits) in sum.chunks_exact_mut(self.classes).zip(logits) {
                for ((sum, logit), weight) in sum.iter_mut().zip(logits).zip(weights) {
                    *sum += weight * f64::from(*logit);
                }
            }
        }
        sum.into_iter().map(|sum| sum as f32).collect()
    }

    /// The slope by every teacher's logits for that by the ensemble's.
    pub fn spread(&self, slope: &[f64]) -> Vec<Vec<f64>> {
        let own = |weights: &Vec<f64>| {
            let rows = slope.chunks_exact(self.classes);
            rows.flat_map(|row| row.iter().zip(weights).map(|(s, w)| s * w)).collect()
        };
        self.weights.iter().map(own).collect()
    }
}

/// The teachers' shares `n_k / n` of all samples; all alike where there is no sample.
pub fn shares(counts: &[Vec<f64>]) -> Vec<f64> {
    let own: Vec<f64> =
        counts.iter().map(|counts| counts.iter().map(|n| n.max(0.0)).sum()).collect();
    let all: f64 = own.iter().sum();
    match all > 0.0 {
        true => own.into_iter().map(|own| own / all).collect(),
        false => vec![1.0 / counts.len().max(1) as f64; counts.len()],
    }
}
