//! Half precision.

use super::reader::Reader;
use crate::LearnError;
use burn::tensor::f16;

/// Appends two bytes for each value, low byte first. What is too large is cut to the largest half.
pub(super) fn encode(values: &[f32], bytes: &mut Vec<u8>) {
    let largest = f16::MAX.to_f32();
    for value in values {
        bytes.extend(f16::from_f32(value.clamp(-largest, largest)).to_le_bytes());
    }
}

/// Appends `count` values.
pub(super) fn decode(
    reader: &mut Reader<'_>,
    count: usize,
    values: &mut Vec<f32>,
) -> Result<(), LearnError> {
    let halves = reader.take(2 * count)?.chunks_exact(2);
    values.extend(halves.map(|two| f16::from_le_bytes([two[0], two[1]]).to_f32()));
    Ok(())
}
