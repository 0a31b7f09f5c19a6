//! What a scenario may write under `[strategy.privacy.secure]`.

use super::FixedPoint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Secure aggregation by pairwise masks (Bonawitz et al. 2017): the server sees the sum of the updates alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secure {
    /// The share of the clients of a round that must answer, above one half and at most 1: with fewer the
    /// sum stays hidden and the round is lost.
    pub threshold: f64,
    /// No parameter may change by more than this: an update that does is not sent.
    pub range: f64,
    /// Bits behind the point: changes are rounded to multiples of 2^-fraction_bits.
    pub fraction_bits: u32,
}

impl Default for Secure {
    fn default() -> Self {
        Self { threshold: 0.67, range: 16.0, fraction_bits: 24 }
    }
}

impl Secure {
    /// How changes are encoded.
    pub fn point(&self) -> FixedPoint {
        FixedPoint { fraction_bits: self.fraction_bits, range: self.range }
    }

    /// How many of `members` must answer: at least two, if there are as many.
    pub fn needed(&self, members: usize) -> usize {
        // A product that misses a whole number by rounding alone is that number.
        let share = (self.threshold * members as f64 - 1e-9).ceil() as usize;
        share.max(2).min(members.max(1))
    }
}
