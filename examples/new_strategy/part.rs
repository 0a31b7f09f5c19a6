//! A part of a strategy: updates of clients whose loss stands out count less.
//!
//! `Weigh` is one of eight seams; `offbeat_strategies::seams` and `::guard` have the others. A part sees updates,
//! the model and a view of the federation; it never sees clients' data, files or clocks.

use offbeat_learning::Flat;
use offbeat_strategies::seams::{View, Weigh};
use offbeat_strategies::{Registry, Update};

/// What scenarios call the part: `weigh = [{ custom = { name = "near-the-median" } }]`.
pub(crate) const NAME: &str = "near-the-median";

/// Weight `samples / (1 + strength * |loss - median loss|)`.
#[derive(Debug)]
pub(crate) struct Part {
    /// How strongly a loss that stands out counts against its update; 0 not at all.
    pub(crate) strength: f64,
}

impl Weigh for Part {
    fn weigh(&mut self, updates: &[Update], _model: &Flat, _view: &View<'_>) -> Vec<f64> {
        let samples: Vec<u64> = updates.iter().map(|update| update.arrival.samples).collect();
        let losses: Vec<f64> = updates.iter().map(|update| update.loss).collect();
        weights(&samples, &losses, self.strength)
    }
}

/// One weight for each update. They need not sum to 1: they are divided by their sum afterwards.
pub(crate) fn weights(samples: &[u64], losses: &[f64], strength: f64) -> Vec<f64> {
    let mut sorted = losses.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(median) = sorted.get(sorted.len() / 2).copied() else { return Vec::new() };
    let weight =
        |(samples, loss): (&u64, &f64)| *samples as f64 / (1.0 + strength * (loss - median).abs());
    samples.iter().zip(losses).map(weight).collect()
}

/// The parts that come with Offbeat, and this one.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.weigh.add(NAME, |numbers| {
        let strength = numbers.get("strength").copied().unwrap_or(1.0);
        if strength.is_nan() || strength < 0.0 {
            return Err(format!("`strength` cannot be {strength}: it is at least 0"));
        }
        Ok(Box::new(Part { strength }))
    });
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_out_counts_less() {
        let weights = weights(&[10, 10, 10], &[1.0, 1.0, 3.0], 2.0);
        assert_eq!(weights, [10.0, 10.0, 2.0]);
    }

    #[test]
    fn without_strength_samples_alone_count() {
        assert_eq!(weights(&[5, 20], &[0.1, 9.0], 0.0), [5.0, 20.0]);
    }
}
