//! Clients of different size, each an iid sample of the whole.

use super::apportion::largest_remainders;
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sizes in proportion to a law. Every client first gets `min_samples`; the law divides the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// The weight of client `i` of `n`.
    pub law: QuantityLaw,
    /// Samples that every client has at least.
    #[serde(default = "one")]
    pub min_samples: u32,
    /// Whether clients without samples are fine; needs `min_samples = 0` to make a difference.
    #[serde(default)]
    pub allow_empty: bool,
}

fn one() -> u32 {
    1
}

/// How size depends on the client.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum QuantityLaw {
    /// `i + 1`.
    Linear,
    /// `(i + 1)^2`.
    Square,
    /// `ratio^(i / (n - 1))`: the last client weighs `ratio` times the first.
    Exponential {
        /// Largest over smallest weight, 1 or more.
        ratio: f64,
    },
    /// `exp(sigma z)` with a standard normal `z` for each client.
    Lognormal {
        /// Spread of the logarithm, 0 or more.
        sigma: f64,
    },
}

impl Quantity {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let promised = u64::from(self.min_samples) * u64::from(clients);
        let Some(rest) = (data.len() as u64).checked_sub(promised) else {
            return Err(LearnError::Invalid(format!(
                "partition.quantity: {clients} clients with `min_samples = {}` need {promised} samples, but there are {}: use fewer clients or lower `min_samples`",
                self.min_samples,
                data.len()
            )));
        };
        let weights = self.law.weights(clients, stream)?;
        let sizes = largest_remainders(rest, &weights).into_iter();
        let mut rows: Vec<u32> = (0..data.len() as u32).collect();
        rows.shuffle(stream);
        let least = u64::from(self.min_samples);
        Ok(Partition::from_sizes(rows, sizes.map(|size| size + least)))
    }
}

impl QuantityLaw {
    fn weights(&self, clients: u32, stream: &mut Stream) -> Result<Vec<f64>, LearnError> {
        let complain =
            |reason: &str| Err(LearnError::Invalid(format!("partition.quantity: {reason}")));
        match *self {
            Self::Exponential { ratio } if !ratio.is_finite() || ratio < 1.0 => {
                return complain("`ratio` must be 1 or more");
            }
            Self::Lognormal { sigma } if !(0.0..=20.0).contains(&sigma) => {
                return complain("`sigma` must lie between 0 and 20");
            }
            _ => {}
        }
        let last = f64::from(clients.max(2) - 1);
        let mut weight = |client: u32| {
            let i = f64::from(client);
            match *self {
                Self::Linear => i + 1.0,
                Self::Square => (i + 1.0) * (i + 1.0),
                Self::Exponential { ratio } => ratio.powf(i / last),
                Self::Lognormal { sigma } => {
                    (sigma * stream.sample::<f64, _>(StandardNormal)).exp()
                }
            }
        };
        Ok((0..clients).map(&mut weight).collect())
    }
}
