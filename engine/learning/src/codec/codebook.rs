//! As few bits for each layer as it needs, with levels where its numbers are.
//!
//! Source: the adaptive quantiser of GHOST (Zhang et al., 2023): the smallest number of bits from 2 to 8 whose
//! k-means codebook is good enough. Its threshold on the squared error is absolute; ours is relative to the
//! layer's variance, so that small and large layers are treated alike.

use super::bits::{pack, packed_len, unpack};
use super::kmeans::{Means, means, nearest};
use super::reader::Reader;
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For each layer the fewest bits, 2 to 8, whose `2^bits` means of the numbers (k-means) have a mean squared error
/// of at most `tolerance` times the layer's variance; 8 bits when none has.
///
/// A layer of `n` numbers takes `2 + 4 * 2^bits + ceil(n * bits / 8)` bytes, with fewer means where there are fewer
/// distinct numbers; or `1 + 4 n` where that is not more (then its numbers travel as they are).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Codebook {
    /// Largest mean squared error as a share of the variance, above 0 and below 1. Normal numbers need 3 bits for
    /// 0.04, 4 for 0.01, 5 for 0.003.
    pub tolerance: f64,
}

impl Default for Codebook {
    fn default() -> Self {
        Self { tolerance: 0.01 }
    }
}

/// In the place of the bits: the layer's numbers follow as they are.
const PLAIN: u8 = 32;

/// Largest count of means.
const MOST: usize = 256;

impl Codebook {
    pub(super) fn check(&self) -> Result<(), LearnError> {
        if self.tolerance > 0.0 && self.tolerance < 1.0 {
            return Ok(());
        }
        Err(LearnError::Invalid(format!(
            "a codebook codec with tolerance {}: choose one above 0 and below 1, such as 0.01",
            self.tolerance
        )))
    }

    /// The most bytes that a layer can take.
    pub(super) fn most(layer: usize) -> usize {
        (1 + 4 * layer).min(2 + 4 * MOST + packed_len(layer, 8))
    }

    pub(super) fn encode(&self, layer: &[f32], bytes: &mut Vec<u8>) {
        let (bits, found) = self.choose(layer);
        let coded = 2 + 4 * found.centres.len() + packed_len(layer.len(), bits);
        if coded > 4 * layer.len() {
            bytes.push(PLAIN);
            bytes.extend(layer.iter().flat_map(|value| value.to_le_bytes()));
            return;
        }
        bytes.push(bits as u8);
        // At most 256 means, at least 1.
        bytes.push((found.centres.len() - 1) as u8);
        bytes.extend(found.centres.iter().flat_map(|centre| centre.to_le_bytes()));
        let code = |value: &f32| nearest(&found.centres, *value) as u32;
        pack(layer.iter().map(code), bits, bytes);
    }

    /// Bits and means of a layer.
    fn choose(&self, layer: &[f32]) -> (u32, Means) {
        let mut sorted = layer.to_vec();
        sorted.sort_by(f32::total_cmp);
        let most = self.tolerance * variance(layer);
        for bits in 2..8 {
            let found = means(&sorted, 1 << bits);
            if found.error <= most {
                return (bits, found);
            }
        }
        (8, means(&sorted, MOST))
    }

    pub(super) fn decode(
        reader: &mut Reader<'_>,
        layer: usize,
        values: &mut Vec<f32>,
    ) -> Result<(), LearnError> {
        let bits = reader.take(1)?[0];
        if bits == PLAIN {
            values.extend(reader.floats(layer)?);
            return Ok(());
        }
        if !(2..=8).contains(&bits) {
            return Err(LearnError::Invalid(format!(
                "an encoded layer has {bits} bits, not 2 to 8 or {PLAIN}: it belongs to another layout"
            )));
        }
        let bits = u32::from(bits);
        let count = usize::from(reader.take(1)?[0]) + 1;
        let centres: Vec<f32> = reader.floats(count)?.collect();
        let codes = reader.take(packed_len(layer, bits))?;
        for code in unpack(codes, bits, layer) {
            let centre = centres.get(code as usize).ok_or_else(|| {
                LearnError::Invalid(format!("an encoded layer names mean {code} of {count}"))
            })?;
            values.push(*centre);
        }
        Ok(())
    }
}

fn variance(values: &[f32]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count
}
