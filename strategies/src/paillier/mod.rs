//! Paillier's cryptosystem: sums of updates that the server cannot read.
//!
//! Source: Paillier, "Public-Key Cryptosystems Based on Composite Degree Residuosity Classes", EUROCRYPT 1999,
//! with `g = n + 1` and decryption by the Chinese remainder theorem (section 7). The product of two ciphertexts
//! holds the sum of their numbers, a power holds a multiple: all that a weighted mean needs.
//!
//! As part of a strategy ([`Paillier`]) models and updates travel encrypted. All clients hold the secret key, the server
//! does not. It keeps the encrypted model, adds the clients' encrypted changes with whole weights that add up to
//! `slices`, and passes the result on; a model that a client is sent is `slices` times too large in its slots, which
//! fit that. Between releases the simulation keeps the model in single precision, as clients read it.
//!
//! For studies of cost and exactness. Running times depend on the secrets, and keys come from the run's seed:
//! protect nothing real with it.

mod guard;
mod key;
mod packing;
mod prime;
mod sealed;
mod settings;
mod sum;

pub use guard::Fitting;
pub use key::{Ciphertext, KeyPair, KeySize, PublicKey, SecretKey};
pub use packing::Packing;
pub use sealed::Sealed;
pub use settings::{Paillier, Sealing};
pub use sum::WeightedSum;

/// What cannot be encrypted or added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PaillierError {
    /// A size that is not offered.
    #[error(
        "a Paillier key of {0} bits: choose 2048, 3072 or 4096 bits; shorter ones protect nothing"
    )]
    KeySize(u32),
    /// A number outside of the key's range.
    #[error("a number of {bits} bits does not fit a key of {key_bits} bits: at most {} bits and a sign do", key_bits - 2)]
    TooLarge {
        /// Bits of the number.
        bits: u64,
        /// Bits of the key.
        key_bits: u64,
    },
    /// A value outside of the fixed-point range.
    #[error(
        "number {place} is {value}, outside of +-{limit}: give the packing more integer bits, or clip updates"
    )]
    OutOfRange {
        /// Which number of the vector.
        place: usize,
        /// The number.
        value: f32,
        /// Numbers must stay below this magnitude.
        limit: f64,
    },
    /// A slot that does not fit the key, or settings of nothing.
    #[error(
        "slots of {slot_bits} bits cannot be packed under a key of {key_bits} bits: use fewer bits or a longer key"
    )]
    Slots {
        /// Bits of a slot.
        slot_bits: u64,
        /// Bits of the key.
        key_bits: u64,
    },
    /// Sums whose slots might run over.
    #[error(
        "weights add up to {sum}, but slots have room for {most} only: let the packing expect {sum}"
    )]
    Overflow {
        /// Sum of the weights.
        sum: u64,
        /// What the packing was made for.
        most: u64,
    },
    /// Vectors of different length, packing or key.
    #[error("encrypted vectors of different length, packing or key cannot be added")]
    Mismatch,
    /// Bytes that are not an encrypted vector.
    #[error("{0} bytes are no encrypted vector of that length")]
    Bytes(usize),
}

#[cfg(test)]
mod tests;
