//! Several signed fixed-point numbers in one large one.

use super::{PaillierError, PublicKey};
use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};
use serde::{Deserialize, Serialize};

/// How numbers are packed. A number `v` becomes the integer `round(v * 2^fraction_bits)`; integers lie beside each
/// other in slots that are wide enough for a sum with weights of up to `most_weight` in all, and a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Packing {
    /// Bits behind the point: a number is off by at most `2^-(fraction_bits + 1)`.
    pub fraction_bits: u32,
    /// Bits before the point: numbers stay below `2^integer_bits` in magnitude.
    pub integer_bits: u32,
    /// The largest sum of integer weights.
    pub most_weight: u64,
}

impl Default for Packing {
    fn default() -> Self {
        Self { fraction_bits: 24, integer_bits: 6, most_weight: 1 << 16 }
    }
}

impl Packing {
    /// Bits of a slot: of a number, of the weights, and a sign.
    pub fn slot_bits(&self) -> u64 {
        let weight_bits = 64 - self.most_weight.saturating_sub(1).leading_zeros();
        u64::from(self.fraction_bits) + u64::from(self.integer_bits) + u64::from(weight_bits) + 1
    }

    /// Slots in one ciphertext.
    ///
    /// # Errors
    /// [`PaillierError::Slots`] when not one fits, or when numbers have no bits or more than an `f64` holds (52).
    pub fn slots(&self, key: &PublicKey) -> Result<usize, PaillierError> {
        self.slots_of(key.bits())
    }

    /// The same for a key of so many bits.
    pub(super) fn slots_of(&self, key_bits: u64) -> Result<usize, PaillierError> {
        let slot_bits = self.slot_bits();
        let number_bits = u64::from(self.fraction_bits) + u64::from(self.integer_bits);
        // One bit less than the key has, so that the sum of all slots stays below half of the modulus.
        match ((key_bits - 1) / slot_bits) as usize {
            slots if slots > 0 && (1..=52).contains(&number_bits) && self.most_weight > 0 => {
                Ok(slots)
            }
            _ => Err(PaillierError::Slots { slot_bits, key_bits }),
        }
    }

    /// The integers of the numbers.
    pub(super) fn whole(&self, values: &[f32]) -> Result<Vec<i64>, PaillierError> {
        let limit = f64::from(self.integer_bits).exp2();
        let one = |(place, value): (usize, &f32)| {
            self.fixed(*value).ok_or(PaillierError::OutOfRange { place, value: *value, limit })
        };
        values.iter().enumerate().map(one).collect()
    }

    /// The numbers, `slots` of them in each large one.
    pub(super) fn pack(&self, values: &[f32], slots: usize) -> Result<Vec<BigInt>, PaillierError> {
        let integers = self.whole(values)?;
        let bits = self.slot_bits();
        let one = |slots: &[i64]| {
            slots.iter().rev().fold(BigInt::zero(), |sum, slot| (sum << bits) + *slot)
        };
        Ok(integers.chunks(slots).map(one).collect())
    }

    /// The integer of a number, if it is in range.
    fn fixed(&self, value: f32) -> Option<i64> {
        let scaled = (f64::from(value) * f64::from(self.fraction_bits).exp2()).round();
        let end = f64::from(self.fraction_bits + self.integer_bits).exp2();
        (scaled.abs() < end).then_some(scaled as i64)
    }

    /// The integers back, `len` in all: sums of as many as the weights say.
    pub(super) fn unpack(&self, packed: &[BigInt], slots: usize, len: usize) -> Vec<i128> {
        let bits = self.slot_bits();
        let base = BigInt::one() << bits;
        let half: BigInt = &base >> 1u32;
        let mask: BigInt = &base - 1;
        let mut values = Vec::with_capacity(len);
        for large in packed {
            let mut rest = large.clone();
            for _ in 0..slots.min(len - values.len()) {
                // The remainder that is nearest to 0, so that what is left is the sum of the other slots.
                let mut slot: BigInt = &rest & &mask;
                if slot >= half {
                    slot -= &base;
                }
                rest = (rest - &slot) >> bits;
                // At most 117 bits: 52 of a number, 64 of the weights, and a sign.
                values.push(slot.to_i128().unwrap_or(i128::MAX));
            }
        }
        values
    }
}
