//! The record of what was delivered, and its digest.

use serde::{Deserialize, Serialize};
use std::fmt;

const BLOCK: usize = 4096;

/// 32 bytes that stand for everything a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of all pieces, one after the other.
    pub fn of_pieces(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut hasher = blake3::Hasher::new();
        pieces.into_iter().for_each(|piece| {
            hasher.update(piece.as_ref());
        });
        Self(*hasher.finalize().as_bytes())
    }

    /// The first eight hexadecimal digits: enough to tell two runs apart at a glance.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_string()
    }
}

/// A rolling hash over everything that was written to it.
///
/// Bytes are gathered in blocks of 4 KiB and chained (`state = blake3(state || block)`), so that the
/// whole journal is plain data: it can be stored in the middle of a run and goes on after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Journal {
    state: [u8; 32],
    pending: Vec<u8>,
    entries: u64,
}

impl Journal {
    /// An empty journal.
    pub fn new() -> Self {
        Self { state: [0; 32], pending: Vec::with_capacity(2 * BLOCK), entries: 0 }
    }

    /// How many entries were written.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds one entry: numbers that say what happened.
    pub fn write(&mut self, words: &[u64]) {
        for word in words {
            self.pending.extend_from_slice(&word.to_le_bytes());
        }
        self.close_entry();
    }

    /// Adds one entry of raw bytes, such as the final model.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.close_entry();
    }

    /// The digest of all that was written so far.
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.state);
        hasher.update(&self.pending);
        hasher.update(&self.entries.to_le_bytes());
        Digest(*hasher.finalize().as_bytes())
    }

    fn close_entry(&mut self) {
        self.entries += 1;
        if self.pending.len() >= BLOCK {
            // In one piece, so that its chunks are hashed side by side.
            self.pending.splice(0..0, self.state);
            self.state = *blake3::hash(&self.pending).as_bytes();
            self.pending.clear();
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn one_changed_word_changes_the_digest() {
        let digest = |last: u64| {
            let mut journal = Journal::new();
            (0..5_000u64).for_each(|i| journal.write(&[i, i * i]));
            journal.write(&[last]);
            journal.digest()
        };
        assert_eq!(digest(1), digest(1));
        assert_ne!(digest(1), digest(2));
    }

    #[test]
    fn a_stored_journal_goes_on_to_the_same_digest() {
        let mut whole = Journal::new();
        let mut stored = Journal::new();
        for i in 0..3_000u64 {
            whole.write(&[i, 1]);
            stored.write(&[i, 1]);
            if i % 777 == 0 {
                stored = codec::decode(&codec::encode(&stored).expect("plain")).expect("same");
            }
        }
        assert_eq!(whole.digest(), stored.digest());
    }
}
