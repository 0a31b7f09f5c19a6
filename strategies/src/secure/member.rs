//! One client's side of a round.

use super::curve::{Key, multiply, public};
use super::field::Element;
use super::shamir::{Share, split};
use offbeat_kernel::Stream;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A client of one round: its secrets never leave it whole.
#[derive(Clone)]
pub struct Member {
    /// Its number in the round, from 1.
    pub number: u32,
    secret: Key,
    seed: Key,
    /// The public key of its secret, which the server hands to all others.
    pub public: Key,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What one member keeps for another, to be given to the server when it asks: one of the two, never both.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// A share of the secret, asked for when the other dropped out.
    pub secret: Share,
    /// A share of the seed of its own mask, asked for when it answered.
    pub seed: Share,
}

impl Member {
    /// A member with fresh secrets.
    pub fn new(number: u32, stream: &mut Stream) -> Self {
        let (mut secret, mut seed) = ([0; 32], [0; 32]);
        stream.fill_bytes(&mut secret);
        stream.fill_bytes(&mut seed);
        Self { number, secret, seed, public: public(&secret) }
    }

    /// Shares of both secrets for every member of the round, itself included.
    pub fn share(&self, threshold: usize, members: usize, stream: &mut Stream) -> Vec<Kept> {
        let secrets = split(&self.secret, threshold, members, stream);
        let seeds = split(&self.seed, threshold, members, stream);
        secrets.into_iter().zip(seeds).map(|(secret, seed)| Kept { secret, seed }).collect()
    }

    /// What it and the owner of a public key agree on.
    pub fn agree(&self, other: &Key) -> Key {
        multiply(&self.secret, other)
    }

    /// Masks `values` for the server: its own mask, and for every other member one that the two agreed on,
    /// added by the one with the lower number and taken off by the other, so that they vanish in the sum.
    pub fn mask(&self, values: &mut [Element], agreed: impl Iterator<Item = (u32, Key)>) {
        add_mask(values, &self.seed, Role::Own, true);
        for (other, key) in agreed {
            add_mask(values, &key, Role::Pair, self.number < other);
        }
    }
}

/// What a mask is for; the same key never gives the same numbers for two purposes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    Own,
    Pair,
}

/// Adds the mask that `key` stands for, or takes it off.
pub(super) fn add_mask(values: &mut [Element], key: &Key, role: Role, add: bool) {
    let purpose: &[u8] = match role {
        Role::Own => b"offbeat own mask",
        Role::Pair => b"offbeat pair mask",
    };
    let seed = blake3::Hasher::new().update(purpose).update(key).finalize();
    let mut stream = ChaCha20Rng::from_seed(*seed.as_bytes());
    for value in values {
        let mask = Element::uniform(&mut stream);
        *value = if add { *value + mask } else { *value - mask };
    }
}
