//! Uniform quantisation, layer by layer, between the smallest and the largest number.
//!
//! With stochastic rounding it is unbiased, as the quantisers of Alistarh et al., "QSGD", NeurIPS 2017, are;
//! their levels are spaced over the norm, ours over the range.

use super::bits::{pack, packed_len, unpack};
use super::reader::Reader;
use crate::LearnError;
use offbeat_kernel::Stream;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `2^bits` levels, equally spaced from the smallest to the largest number of each layer.
///
/// A layer of `n` numbers takes `8 + ceil(n * bits / 8)` bytes: smallest, largest, codes. Between two levels
/// lies `step = (largest - smallest) / (2^bits - 1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uniform {
    /// Bits of a number, 2 to 8.
    pub bits: u32,
    /// To which level a number goes.
    pub rounding: Rounding,
}

/// To which of its two neighbouring levels a number goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// To either, the more likely the nearer, so that the expectation is the number itself; error below one step.
    #[default]
    Stochastic,
    /// To the nearer; error at most half a step.
    Nearest,
}

impl Default for Uniform {
    fn default() -> Self {
        Self { bits: 8, rounding: Rounding::default() }
    }
}

/// The levels of one layer.
struct Levels {
    smallest: f32,
    largest: f32,
    step: f64,
}

impl Levels {
    fn new(smallest: f32, largest: f32, bits: u32) -> Self {
        let top = f64::from((1u32 << bits) - 1);
        Self { smallest, largest, step: (f64::from(largest) - f64::from(smallest)) / top }
    }

    fn value(&self, code: u32) -> f32 {
        // The last level is the largest number itself, not one rounding beside it.
        let value = (f64::from(self.smallest) + f64::from(code) * self.step) as f32;
        value.min(self.largest)
    }
}

impl Uniform {
    pub(super) fn check(&self) -> Result<(), LearnError> {
        if (2..=8).contains(&self.bits) {
            return Ok(());
        }
        Err(LearnError::Invalid(format!(
            "a uniform codec of {} bits: choose 2 to 8 bits, or `float16` for 16",
            self.bits
        )))
    }

    pub(super) fn len(&self, layer: usize) -> usize {
        8 + packed_len(layer, self.bits)
    }

    pub(super) fn encode(&self, layer: &[f32], stream: &mut Stream, bytes: &mut Vec<u8>) {
        let smallest = layer.iter().copied().reduce(f32::min).unwrap_or(0.0);
        let largest = layer.iter().copied().reduce(f32::max).unwrap_or(0.0);
        let levels = Levels::new(smallest, largest, self.bits);
        bytes.extend(smallest.to_le_bytes());
        bytes.extend(largest.to_le_bytes());
        let top = (1u32 << self.bits) - 1;
        let code = |value: &f32| {
            if levels.step <= 0.0 {
                return 0;
            }
            let place = (f64::from(*value) - f64::from(smallest)) / levels.step;
            let lifted = match self.rounding {
                Rounding::Nearest => place + 0.5,
                Rounding::Stochastic => place + stream.random::<f64>(),
            };
            (lifted as u32).min(top)
        };
        pack(layer.iter().map(code), self.bits, bytes);
    }

    pub(super) fn decode(
        &self,
        reader: &mut Reader<'_>,
        layer: usize,
        values: &mut Vec<f32>,
    ) -> Result<(), LearnError> {
        let ends: Vec<f32> = reader.floats(2)?.collect();
        if !(ends[0].is_finite() && ends[1].is_finite() && ends[0] <= ends[1]) {
            return Err(LearnError::Invalid(format!(
                "an encoded layer reaches from {} to {}: it belongs to another layout",
                ends[0], ends[1]
            )));
        }
        let levels = Levels::new(ends[0], ends[1], self.bits);
        let codes = reader.take(packed_len(layer, self.bits))?;
        values.extend(unpack(codes, self.bits, layer).map(|code| levels.value(code)));
        Ok(())
    }
}
