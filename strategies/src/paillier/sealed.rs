//! Encrypted vectors: what clients send, and what a server adds without reading it.

use super::key::Ciphertext;
use super::{Packing, PaillierError, PublicKey, SecretKey};
use num_bigint::BigUint;
use offbeat_kernel::Stream;

/// An encrypted vector, or a sum of such with whole weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    blocks: Vec<Ciphertext>,
    len: usize,
    slots: usize,
    packing: Packing,
    /// Sum of the weights so far.
    weight: u64,
}

impl Sealed {
    /// Encrypts `values` with weight 1.
    ///
    /// # Errors
    /// [`PaillierError::OutOfRange`] and [`PaillierError::Slots`].
    pub fn new(
        values: &[f32],
        packing: Packing,
        key: &PublicKey,
        stream: &mut Stream,
    ) -> Result<Self, PaillierError> {
        let slots = packing.slots(key)?;
        let packed = packing.pack(values, slots)?;
        let blocks: Result<_, _> = packed.iter().map(|large| key.encrypt(large, stream)).collect();
        Ok(Self { blocks: blocks?, len: values.len(), slots, packing, weight: 1 })
    }

    /// Bytes of an encrypted vector of `len` numbers: whole ciphertexts of a fixed length, without a header.
    ///
    /// # Errors
    /// [`PaillierError::Slots`].
    pub fn encoded_len(
        len: usize,
        packing: Packing,
        key: &PublicKey,
    ) -> Result<u64, PaillierError> {
        let ciphertexts = len.div_ceil(packing.slots(key)?) as u64;
        Ok(ciphertexts.saturating_mul(key.ciphertext_len() as u64))
    }

    /// The sum of the weights of what was added; 1 for a vector as it was encrypted.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// The vector with every number times `factor`.
    ///
    /// # Errors
    /// [`PaillierError::Overflow`] when a slot might run over.
    pub fn scaled(&self, factor: u64, key: &PublicKey) -> Result<Self, PaillierError> {
        let weight = self.room(self.weight.saturating_mul(factor))?;
        let blocks = self.blocks.iter().map(|block| key.scale(block, factor)).collect();
        Ok(Self { blocks, weight, ..self.clone() })
    }

    /// Adds another vector.
    ///
    /// # Errors
    /// [`PaillierError::Mismatch`] and [`PaillierError::Overflow`]; nothing is added then.
    pub fn add(&mut self, other: &Sealed, key: &PublicKey) -> Result<(), PaillierError> {
        if (self.len, self.slots, self.packing) != (other.len, other.slots, other.packing) {
            return Err(PaillierError::Mismatch);
        }
        self.weight = self.room(self.weight.saturating_add(other.weight))?;
        for (own, other) in self.blocks.iter_mut().zip(&other.blocks) {
            *own = key.add(own, other);
        }
        Ok(())
    }

    fn room(&self, sum: u64) -> Result<u64, PaillierError> {
        let most = self.packing.most_weight;
        if sum > most { Err(PaillierError::Overflow { sum, most }) } else { Ok(sum) }
    }

    /// The numbers: weighted sums of what was encrypted, each off by at most `weight * 2^-(fraction_bits + 1)`.
    pub fn open(&self, key: &SecretKey) -> Vec<f64> {
        let unit = (-f64::from(self.packing.fraction_bits)).exp2();
        self.open_whole(key).into_iter().map(|whole| whole as f64 * unit).collect()
    }

    /// The same as whole multiples of `2^-fraction_bits`, without any rounding.
    pub fn open_whole(&self, key: &SecretKey) -> Vec<i128> {
        let packed: Vec<_> = self.blocks.iter().map(|block| key.decrypt(block)).collect();
        self.packing.unpack(&packed, self.slots, self.len)
    }

    /// The ciphertexts one after the other, each of [`PublicKey::ciphertext_len`] bytes, highest byte first.
    pub fn to_bytes(&self, key: &PublicKey) -> Vec<u8> {
        let width = key.ciphertext_len();
        let mut bytes = Vec::with_capacity(self.blocks.len() * width);
        for block in &self.blocks {
            let own = block.0.to_bytes_be();
            bytes.resize(bytes.len() + width - own.len(), 0);
            bytes.extend(own);
        }
        bytes
    }

    /// What [`Sealed::to_bytes`] wrote of a vector of `len` numbers with these weights.
    ///
    /// # Errors
    /// [`PaillierError::Bytes`], [`PaillierError::Slots`], and [`PaillierError::Overflow`] when it says that it is a sum
    /// of more than its slots can hold.
    pub fn from_bytes(
        bytes: &[u8],
        len: usize,
        weight: u64,
        packing: Packing,
        key: &PublicKey,
    ) -> Result<Self, PaillierError> {
        let wrong = || PaillierError::Bytes(bytes.len());
        if bytes.len() as u64 != Self::encoded_len(len, packing, key)? {
            return Err(wrong());
        }
        if weight > packing.most_weight {
            return Err(PaillierError::Overflow { sum: weight, most: packing.most_weight });
        }
        let number = |block: &[u8]| {
            let number = BigUint::from_bytes_be(block);
            if key.accepts(&number) { Ok(Ciphertext(number)) } else { Err(wrong()) }
        };
        let blocks: Result<_, _> = bytes.chunks(key.ciphertext_len()).map(number).collect();
        Ok(Self { blocks: blocks?, len, slots: packing.slots(key)?, packing, weight })
    }
}
