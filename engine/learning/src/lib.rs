//! What federations learn: parameters and their layout, networks, objectives, local training behind
//! one [`Trainer`] seam, evaluation, data sets and partitioners.
//!
//! Knows nothing of clients, servers, messages or virtual time. Every random draw comes from a stream
//! of the seed tree that the caller hands in; Burn's own generator is never used.

pub mod caps;
pub mod codec;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod faces;
pub mod flat;
#[cfg(test)]
#[path = "../../kernel/tests/common/fuzz.rs"]
mod fuzzed;
pub mod intern;
pub mod iod;
pub mod layout;
pub mod leakage;
pub mod masked;
pub mod network;
pub mod objective;
pub mod plan;
pub mod reid;
pub mod train;
mod wide;

pub use error::LearnError;
pub use flat::Flat;
pub use layout::{Entry, Layout, Part};
pub use objective::Objective;
pub use plan::{Augment, LastBatch, LocalPlan, Sgd, Work};
pub use train::{TrainRequest, Trained, Trainer};
