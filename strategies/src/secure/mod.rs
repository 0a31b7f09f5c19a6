//! Secure aggregation (Bonawitz et al. 2017, "Practical Secure Aggregation for Privacy-Preserving Machine
//! Learning"): the server learns the sum of the clients' updates and nothing else of them.
//!
//! Every pair of clients agrees on a key (X25519) and masks its vectors with numbers from it that vanish in
//! the sum; every client adds a mask of its own besides. Keys and own masks are shared among all clients
//! (Shamir), so that the masks of those who drop out can be taken off, as long as a threshold of clients
//! answers. All numbers are elements of the field of 2^61 - 1; the sum is exact.
//!
//! The rounds are carried out when the server merges, for clients that are honest but curious: what is
//! simulated is the arithmetic, who can read what, the drop-outs and the bytes, not the signatures against a
//! server that lies. Keys come from the run's seed: protect nothing real with it. In asynchronous paces the
//! clients of a full buffer run the rounds together.

mod curve;
mod encode;
mod field;
mod guard;
mod member;
mod round;
mod server;
mod settings;
mod shamir;
#[cfg(test)]
mod tests;
mod traffic;

pub use curve::{KEY_BYTES, Key, multiply, public};
pub use encode::FixedPoint;
pub use field::{Element, MODULUS};
pub use guard::Encodable;
pub use member::{Kept, Member};
pub use round::Round;
pub use server::{Collector, Request};
pub use settings::Secure;
pub use shamir::{SHARE_BYTES, Share, join, split};
pub use traffic::Traffic;

/// Why a sum cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecureError {
    /// Too many dropped out.
    #[error(
        "secure aggregation: {arrived} of {members} clients answered, but {threshold} are needed to take off \
         the masks; invite more clients, or lower `threshold`"
    )]
    TooFew {
        /// How many answered.
        arrived: usize,
        /// How many are needed.
        threshold: usize,
        /// How many had exchanged keys.
        members: usize,
    },
    /// The shares of a secret do not give it back.
    #[error("secure aggregation: the shares of member {of} give no secret back")]
    Shares {
        /// Whose.
        of: u32,
    },
    /// A value outside of the fixed-point range.
    #[error(
        "secure aggregation: number {place} is {value}, outside of +-{range}; raise `range`, or clip updates"
    )]
    OutOfRange {
        /// Which value.
        place: usize,
        /// What it is.
        value: f32,
        /// The largest size.
        range: f64,
    },
    /// A sum that may not fit into the field.
    #[error(
        "secure aggregation: a sum of {count} numbers up to {range} with {fraction_bits} bits behind the point \
         can be larger than the field; lower `range` or `fraction_bits`"
    )]
    NoRoom {
        /// How many are added.
        count: usize,
        /// The largest size of one.
        range: f64,
        /// Bits behind the point.
        fraction_bits: u32,
    },
}
