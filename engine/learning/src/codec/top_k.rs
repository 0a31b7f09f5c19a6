//! Sparsification: only the largest numbers travel.
//!
//! Source: Aji and Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017; with what is
//! left out kept for the next time: Stich et al., "Sparsified SGD with Memory", NeurIPS 2018, algorithm 1.

use super::bits::{pack, packed_len, unpack, width_of};
use super::reader::Reader;
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `k = max(1, ceil(share * n))` numbers of largest magnitude of the whole vector, as they are; all others
/// become 0. Of equal ones the first are kept.
///
/// It takes `4 k` bytes for the values and, for their places, the shorter of `ceil(k * ceil(log2 n) / 8)` bytes
/// (a list) and `ceil(n / 8)` (a map).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TopK {
    /// Share of the numbers that travel, above 0 and at most 1.
    pub share: f64,
    /// Whether the sender keeps what it left out and adds it to its next vector.
    pub error_feedback: bool,
}

impl Default for TopK {
    fn default() -> Self {
        Self { share: 0.01, error_feedback: true }
    }
}

impl TopK {
    pub(super) fn check(&self) -> Result<(), LearnError> {
        if self.share > 0.0 && self.share <= 1.0 {
            return Ok(());
        }
        Err(LearnError::Invalid(format!(
            "a top-k codec with share {}: choose a share above 0 and at most 1, such as 0.01",
            self.share
        )))
    }

    /// How many of `count` numbers travel.
    pub fn kept(&self, count: usize) -> usize {
        ((self.share * count as f64).ceil() as usize).clamp(1, count.max(1)).min(count)
    }

    pub(super) fn len(&self, count: usize) -> usize {
        let kept = self.kept(count);
        let map = count.div_ceil(8);
        4 * kept + if is_list(kept, count) { list_len(kept, count) } else { map }
    }

    pub(super) fn encode(&self, values: &[f32], bytes: &mut Vec<u8>) {
        let (count, kept) = (values.len(), self.kept(values.len()));
        let mut places: Vec<u32> = (0..count as u32).collect();
        let magnitude = |place: &u32| values[*place as usize].abs();
        let larger =
            |a: &u32, b: &u32| magnitude(b).total_cmp(&magnitude(a)).then_with(|| a.cmp(b));
        if kept < count {
            places.select_nth_unstable_by(kept, larger);
            places.truncate(kept);
            places.sort_unstable();
        }
        if is_list(kept, count) {
            pack(places.iter().copied(), width_of(count), bytes);
        } else {
            let mut map = vec![0u8; count.div_ceil(8)];
            places.iter().for_each(|place| map[*place as usize / 8] |= 1 << (place % 8));
            bytes.extend(map);
        }
        bytes.extend(places.iter().flat_map(|place| values[*place as usize].to_le_bytes()));
    }

    pub(super) fn decode(
        &self,
        reader: &mut Reader<'_>,
        count: usize,
        values: &mut Vec<f32>,
    ) -> Result<(), LearnError> {
        let kept = self.kept(count);
        let places: Vec<usize> = if is_list(kept, count) {
            let width = width_of(count);
            let codes = reader.take(packed_len(kept, width))?;
            unpack(codes, width, kept).map(|place| place as usize).collect()
        } else {
            let map = reader.take(count.div_ceil(8))?;
            let named = |place: &usize| map[place / 8] >> (place % 8) & 1 == 1;
            (0..count).filter(named).collect()
        };
        let in_order = places.windows(2).all(|pair| pair[0] < pair[1]);
        if places.len() != kept || !in_order || places.last().is_some_and(|last| *last >= count) {
            return Err(LearnError::Invalid(format!(
                "an encoded vector names {} places, not {kept} rising ones below {count}",
                places.len()
            )));
        }
        let start = values.len();
        values.resize(start + count, 0.0);
        for (place, value) in places.into_iter().zip(reader.floats(kept)?) {
            values[start + place] = value;
        }
        Ok(())
    }
}

fn list_len(kept: usize, count: usize) -> usize {
    packed_len(kept, width_of(count))
}

fn is_list(kept: usize, count: usize) -> bool {
    // A width of 0 bits (one number in all) is a list of no bytes, which cannot be told from nothing.
    count > 1 && list_len(kept, count) <= count.div_ceil(8)
}
