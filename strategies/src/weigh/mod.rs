//! How much each update counts: one file per rule. Weights are at least 0 and not normalised.

pub mod completeness;
pub mod cosine;
pub mod fedboost;
pub mod fedbuff;
pub mod flsim;
pub mod pisces;
pub mod port;
pub mod product;
pub mod refl;
pub mod relative;
pub mod samples;
pub mod staleness;
pub mod uniform;

pub use completeness::Completeness;
pub use cosine::CosineDistance;
pub use fedboost::FedBoost;
pub use fedbuff::FedBuff;
pub use flsim::Flsim;
pub use pisces::Pisces;
pub use port::Port;
pub use product::Product;
pub use refl::Refl;
pub use relative::RelativeSamples;
pub use samples::Samples;
pub use staleness::Staleness;
pub use uniform::Uniform;

/// The weights divided by their sum, so that they add up to 1; all zeros stay zeros.
pub fn normalised(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let share = |weight: &f64| if total > 0.0 { weight / total } else { 0.0 };
    weights.iter().map(share).collect()
}

/// The two methods of a rule whose weight `self.of(arrival, view)` is known at arrival.
macro_rules! known_at_arrival {
    () => {
        fn weigh(
            &mut self,
            updates: &[$crate::update::Update],
            _: &offbeat_learning::Flat,
            view: &$crate::seams::View<'_>,
        ) -> Vec<f64> {
            updates.iter().map(|update| self.of(&update.arrival, view)).collect()
        }

        fn weigh_arrivals(
            &mut self,
            arrivals: &[$crate::update::Arrival],
            view: &$crate::seams::View<'_>,
        ) -> Option<Vec<f64>> {
            Some(arrivals.iter().map(|arrival| self.of(arrival, view)).collect())
        }
    };
}
pub(crate) use known_at_arrival;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normalised_weights_add_up_to_one(
            weights in proptest::collection::vec(0.0f64..1e6, 1..50),
        ) {
            let total: f64 = normalised(&weights).iter().sum();
            let nothing = weights.iter().sum::<f64>() == 0.0;
            prop_assert!(nothing && total == 0.0 || (total - 1.0).abs() < 1e-12);
        }
    }
}
