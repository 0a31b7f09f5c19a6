//! The pluggable algorithms of federated learning: one file per algorithm, each a plain state machine.
//!
//! A strategy is put together from parts, one for each of the seams in [`seams`]. [`Composed`] runs
//! them: signals come in (an update arrived, a client was lost, a timer rang), orders go out (invite,
//! cancel, publish a new model). Nothing here knows actors, files or wall clocks.

pub mod combine;
pub mod companion;
pub mod composed;
pub mod fediod;
pub mod group;
pub mod guard;
pub mod ledger;
pub mod pace;
pub mod paillier;
pub mod privacy;
pub mod refine;
pub mod registry;
pub mod resources;
pub mod roster;
pub mod seams;
pub mod secure;
pub mod select;
pub mod signal;
pub mod update;
pub mod weigh;

pub use composed::Composed;
pub use ledger::Ledger;
pub use registry::{Parts, Registry};
pub use roster::Roster;
pub use signal::{LossReason, Order, Signal};
pub use update::{Arrival, Feedback, Update};
