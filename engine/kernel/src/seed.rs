//! The seed tree: every random draw of a run comes from `stream(purpose, id, counter)`.
//!
//! Streams are independent of each other, so that adding a client, or drawing once more in one
//! place, moves nothing anywhere else.

mod stream;

pub use self::stream::Stream;
use serde::{Deserialize, Serialize};

/// What a stream is drawn for. The numbers are part of the meaning of a seed: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u16)]
pub enum Purpose {
    /// Initial weights of the shared model.
    ModelInit = 1,
    /// Initial weights of a client's private part.
    PrivateInit = 2,
    /// How data are split over clients.
    Partition = 3,
    /// Order of samples, augmentation, dropout: everything inside one local training.
    Training = 4,
    /// Whom the server invites.
    Selection = 5,
    /// A client's device: speed, memory, battery.
    Device = 6,
    /// A client's link: bandwidth, latency.
    Link = 7,
    /// When a client is present.
    Availability = 8,
    /// Jitter, drop-out and partial work of one task.
    Task = 9,
    /// Jitter and loss of one message.
    Message = 10,
    /// Changes of a client's data: feature shift, label noise, drift.
    DataShift = 11,
    /// Synthetic data sets.
    Synthesis = 12,
    /// Noise added for privacy.
    Privacy = 13,
    /// What a hostile client does.
    Adversary = 14,
    /// Server-side learning: distillation, clustering.
    Refinement = 15,
    /// A user's own scripts and strategies.
    Custom = 16,
    /// Which members of the population belong to which group.
    Population = 17,
    /// Evaluation that samples.
    Evaluation = 18,
    /// Rounding where vectors are written with fewer bits.
    Codec = 19,
    /// What an eavesdropper draws for its attacks on updates.
    Tap = 20,
}

/// The root of all randomness of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedTree {
    seed: u64,
}

impl SeedTree {
    /// The tree that grows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed of the tree.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The stream for a purpose, an id (client, message, ...) and a counter (task, version, ...). Costs nothing
    /// until it is drawn from.
    pub fn stream(&self, purpose: Purpose, id: u64, counter: u64) -> Stream {
        Stream::of(self.seed, purpose as u16, id, counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::Rng;

    proptest! {
        #[test]
        fn streams_differ_in_every_coordinate(seed: u64, id: u64, counter: u64) {
            let first = |tree: SeedTree, p, i, c| tree.stream(p, i, c).next_u64();
            let tree = SeedTree::new(seed);
            let base = first(tree, Purpose::Training, id, counter);
            prop_assert_eq!(base, first(tree, Purpose::Training, id, counter));
            prop_assert_ne!(base, first(tree, Purpose::Selection, id, counter));
            prop_assert_ne!(base, first(tree, Purpose::Training, id ^ 1, counter));
            prop_assert_ne!(base, first(tree, Purpose::Training, id, counter ^ 1));
            prop_assert_ne!(base, first(SeedTree::new(seed ^ 1), Purpose::Training, id, counter));
        }
    }

    #[test]
    fn a_stored_stream_goes_on_where_it_stopped() {
        let mut stream = SeedTree::new(7).stream(Purpose::Task, 3, 1);
        stream.next_u32();
        let bytes = crate::codec::encode(&stream).expect("a stream is plain data");
        let mut restored: Stream = crate::codec::decode(&bytes).expect("what was encoded");
        assert_eq!(stream.next_u64(), restored.next_u64());
    }
}
