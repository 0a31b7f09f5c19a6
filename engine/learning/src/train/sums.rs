//! Sums of losses over a training, and what they make of it.

use super::Trained;
use crate::flat::Flat;
use std::ops::AddAssign;

/// Sums over one batch, or over several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LossSums {
    /// Sum of the samples' losses.
    pub(super) loss: f64,
    /// Sum of their squares.
    pub(super) squared: f64,
}

impl LossSums {
    /// Sums over the losses of samples, in order.
    pub(super) fn of(losses: impl IntoIterator<Item = f64>) -> Self {
        losses.into_iter().fold(Self::default(), |sums, loss| Self {
            loss: sums.loss + loss,
            squared: sums.squared + loss * loss,
        })
    }

    /// A training that ended with `params` after so many steps over so many samples.
    pub(super) fn trained(self, params: Flat, steps: usize, samples_seen: usize) -> Trained {
        let per_sample = 1.0 / samples_seen.max(1) as f64;
        Trained {
            params,
            steps,
            samples_seen,
            loss: self.loss * per_sample,
            loss_squared: self.squared * per_sample,
        }
    }
}

impl AddAssign for LossSums {
    fn add_assign(&mut self, more: Self) {
        self.loss += more.loss;
        self.squared += more.squared;
    }
}
