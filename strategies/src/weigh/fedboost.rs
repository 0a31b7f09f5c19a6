//! FedBoost: models that learn well and that others judge well count more.
//!
//! Source: Ren et al., "FedBoosting: Federated Learning with Gradient Protected Boosting for Text Recognition",
//! Neurocomputing 2023 (arXiv 2007.07296), in the form of the authors' code: every client judges every client's
//! model on its own held-back samples.

use crate::seams::{View, Weigh};
use crate::signal::CANDIDATE;
use crate::update::Update;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weights from training losses and the losses that judges found, as [`shares`] has it, in whole slices as
/// [`whole_shares`] rounds them: what a server that adds encrypted updates can multiply with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedBoost {
    /// Slices that the weights add up to, at least 1; the published code has 100 and rounds each weight by itself.
    pub slices: u64,
}

impl Default for FedBoost {
    fn default() -> Self {
        Self { slices: 1 << 16 }
    }
}

impl Weigh for FedBoost {
    fn weigh(&mut self, updates: &[Update], _: &Flat, _: &View<'_>) -> Vec<f64> {
        let figure =
            |(name, figure): (&String, &f64)| name.starts_with(CANDIDATE).then_some(*figure);
        let candidate = |update: &Update| Candidate {
            training: update.loss,
            validation: update.scalars.iter().filter_map(figure).collect(),
        };
        let candidates: Vec<Candidate> = updates.iter().map(candidate).collect();
        let shares = shares(Metric::Loss, &candidates);
        whole_shares(&shares, self.slices).into_iter().map(|whole| whole as f64).collect()
    }
}

/// Smallest loss or accuracy that is told apart from 0.
const LEAST: f64 = 1e-8;

/// What training and judges report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Losses: less is better.
    #[default]
    Loss,
    /// Accuracies from 0 to 1: more is better.
    Accuracy,
}

/// One client's model and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The figure of its own training, the mean over its epochs.
    pub training: f64,
    /// The figure that each judge found for it, in the order of the judges.
    pub validation: Vec<f64>,
}

/// The share of each model, adding up to 1.
///
/// With `A_i` the training figure of model `i` and `V_i` the mean of its judges' figures, the shares are
/// proportional, by [`Metric::Loss`], to `(1 / V_i) * (1/A_i) / sum_k (1/A_k)`; by [`Metric::Accuracy`], to
/// `V_i * A_i / sum_k A_k`. Figures below 1e-8 count as 1e-8. A model of which a figure is missing or not finite
/// gets nothing; when that are all, all get the same.
pub fn shares(metric: Metric, candidates: &[Candidate]) -> Vec<f64> {
    let good = |figure: f64| match metric {
        Metric::Loss => 1.0 / figure.max(LEAST),
        Metric::Accuracy => figure.max(LEAST),
    };
    let sound: Vec<Option<(f64, f64)>> = candidates.iter().map(figures).collect();
    let learned: f64 = sound.iter().flatten().map(|(training, _)| good(*training)).sum();
    let value = |figures: &Option<(f64, f64)>| match figures {
        Some((training, judged)) => good(*judged) * good(*training) / learned,
        None => 0.0,
    };
    let values: Vec<f64> = sound.iter().map(value).collect();
    if values.iter().all(|value| *value == 0.0) {
        return vec![1.0 / candidates.len() as f64; candidates.len()];
    }
    super::normalised(&values)
}

/// Training figure and mean of the judges, if all are numbers.
fn figures(candidate: &Candidate) -> Option<(f64, f64)> {
    let judges = candidate.validation.len();
    let judged = candidate.validation.iter().sum::<f64>() / judges as f64;
    (candidate.training.is_finite() && judged.is_finite()).then_some((candidate.training, judged))
}

/// Whole numbers that are proportional to `shares` as well as whole numbers can be, and add up to `total`: each
/// gets the whole part of `total * share`, and what is left goes one by one to the largest remainders, of equal ones
/// to the first. A server that adds encrypted updates can multiply by whole numbers only; rounding each by itself,
/// as the published code does, makes their sum miss `total` (three thirds of 100 give 99) and mis-scales the step.
/// All zeros when no share is above 0. Shares that are not finite or below 0 count as 0.
pub fn whole_shares(shares: &[f64], total: u64) -> Vec<u64> {
    let clean = |share: &f64| if share.is_finite() { share.max(0.0) } else { 0.0 };
    let shares = super::normalised(&shares.iter().map(clean).collect::<Vec<_>>());
    let wanted: Vec<f64> = shares.iter().map(|share| share * total as f64).collect();
    let mut whole: Vec<u64> = wanted.iter().map(|wanted| wanted.floor() as u64).collect();
    if shares.iter().all(|share| *share == 0.0) {
        return whole;
    }
    let mut order: Vec<usize> = (0..shares.len()).filter(|i| shares[*i] > 0.0).collect();
    let remainder = |i: &usize| wanted[*i] - wanted[*i].floor();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(b)));
    let left = total.saturating_sub(whole.iter().sum());
    for place in 0..left as usize {
        whole[order[place % order.len()]] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidates(figures: &[(f64, &[f64])]) -> Vec<Candidate> {
        let candidate = |(training, judges): &(f64, &[f64])| Candidate {
            training: *training,
            validation: judges.to_vec(),
        };
        figures.iter().map(candidate).collect()
    }

    #[test]
    fn shares_by_hand() {
        let by_loss = candidates(&[(0.5, &[1.0, 3.0]), (0.25, &[0.5, 0.5])]);
        // 1/A: 2, 4, over 6; judges 1/2, 2: values 1/6 and 8/6.
        let shares_of = shares(Metric::Loss, &by_loss);
        assert!(
            (shares_of[0] - 1.0 / 9.0).abs() < 1e-12 && (shares_of[1] - 8.0 / 9.0).abs() < 1e-12
        );
        let by_accuracy = candidates(&[(0.9, &[0.6, 0.4]), (0.6, &[0.8, 0.7])]);
        // 0.6 * 0.5 = 0.3 and 0.4 * 0.75 = 0.3.
        for share in shares(Metric::Accuracy, &by_accuracy) {
            assert!((share - 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn updates_are_weighed_by_what_their_judges_say() {
        use crate::select::testing::{World, update};
        let world = World::new(2);
        let judged = |client: u32, loss: f64, judges: [f64; 2]| {
            let mut update = update(client, &[0.0], &[1.0]);
            update.loss = loss;
            for (judge, figure) in judges.into_iter().enumerate() {
                update.scalars.insert(format!("{CANDIDATE}judged-by/{judge}"), figure);
            }
            update
        };
        let updates = [judged(0, 0.5, [1.0, 3.0]), judged(1, 0.25, [0.5, 0.5])];
        let mut rule = FedBoost { slices: 90 };
        assert_eq!(rule.weigh(&updates, &Flat::zeros(1), &world.view()), [10.0, 80.0]);
    }

    #[test]
    fn equal_models_count_alike_and_a_bad_one_less() {
        for metric in [Metric::Loss, Metric::Accuracy] {
            let same = vec![Candidate { training: 0.7, validation: vec![0.5; 4] }; 4];
            assert!(shares(metric, &same).iter().all(|share| (share - 0.25).abs() < 1e-12));
        }
        // A client with random labels learns them by heart, but nobody else agrees.
        let bad = candidates(&[(0.3, &[0.4, 0.5]), (0.3, &[0.5, 0.4]), (0.1, &[4.0, 5.0])]);
        let shares_of = shares(Metric::Loss, &bad);
        assert!(shares_of[2] < 0.5 * shares_of[0], "{shares_of:?}");
    }

    /// Equal models: whatever the slices, the mean with these weights is the model.
    #[test]
    fn the_mean_of_equal_models_is_the_model() {
        use crate::combine::testing::{close, combine};
        use crate::select::testing::{World, update};
        let world = World::new(3);
        let updates: Vec<Update> = (0..3)
            .map(|client| {
                let mut update = update(client, &[1.0, -2.0], &[0.5, 4.0]);
                update.loss = 0.7;
                (0..3).for_each(|judge| {
                    update.scalars.insert(format!("{CANDIDATE}judged-by/{judge}"), 0.5);
                });
                update
            })
            .collect();
        for slices in [7, 100, 1 << 16] {
            let weights = FedBoost { slices }.weigh(&updates, &Flat::zeros(2), &world.view());
            assert_eq!(weights.iter().sum::<f64>(), slices as f64);
            let mean = &mut crate::combine::Mean::default();
            close(&combine(mean, &[1.0, -2.0], &updates, &weights, &world), &[0.5, 4.0]);
        }
    }

    #[test]
    fn figures_that_are_no_numbers_count_nothing() {
        let some =
            candidates(&[(0.3, &[f64::NAN]), (f64::INFINITY, &[1.0]), (0.0, &[0.0]), (0.1, &[])]);
        assert_eq!(shares(Metric::Loss, &some), [0.0, 0.0, 1.0, 0.0]);
        let none = candidates(&[(f64::NAN, &[1.0]), (1.0, &[])]);
        assert_eq!(shares(Metric::Loss, &none), [0.5, 0.5]);
        assert!(shares(Metric::Loss, &[]).is_empty());
    }

    #[test]
    fn whole_shares_by_hand() {
        assert_eq!(whole_shares(&[1.0 / 3.0; 3], 100), [34, 33, 33]);
        assert_eq!(whole_shares(&[0.5, 0.29, 0.21], 10), [5, 3, 2]);
        assert_eq!(whole_shares(&[0.0, 2.0, 2.0], 5), [0, 3, 2]);
        assert_eq!(whole_shares(&[0.0, f64::NAN], 9), [0, 0]);
        // The published rounding would give 64 times 2, 128 instead of 100.
        assert_eq!(whole_shares(&[1.0 / 64.0; 64], 100).iter().sum::<u64>(), 100);
    }

    proptest! {
        #[test]
        fn whole_shares_add_up_and_miss_by_less_than_one(
            shares in proptest::collection::vec(0.0f64..1.0, 1..80),
            total in 1u64..1_000_000,
        ) {
            prop_assume!(shares.iter().sum::<f64>() > 0.0);
            let whole = whole_shares(&shares, total);
            prop_assert_eq!(whole.iter().sum::<u64>(), total);
            let mut missed = 0.0;
            for (whole, share) in whole.iter().zip(crate::weigh::normalised(&shares)) {
                let by = (*whole as f64 - share * total as f64).abs();
                prop_assert!(by < 1.0 + 1e-6);
                missed += by;
            }
            // All together by half a slice for each share: what bounds the error of the encrypted mean.
            prop_assert!(missed <= shares.len() as f64 / 2.0 + 1e-6, "{}", missed);
        }

        #[test]
        fn shares_add_up_to_one(figures in proptest::collection::vec((0.0f64..9.0, 0.0f64..9.0), 1..20)) {
            let all: Vec<Candidate> = figures
                .iter()
                .map(|(a, v)| Candidate { training: *a, validation: vec![*v] })
                .collect();
            for metric in [Metric::Loss, Metric::Accuracy] {
                prop_assert!((shares(metric, &all).iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
