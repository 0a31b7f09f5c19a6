//! The actors of a federation and the typed messages between them.
//!
//! Server, strategist, network, evaluator, recorder and clients are actix actors on one arbiter. The
//! driver in [`federation`] delivers the calendar's events to them, one at a time, in the order of
//! virtual time; an actor answers with its effects. Actors own no algorithm: those live in the
//! strategies crate and are hosted by the [`strategist`].

pub mod adversary;
mod beside;
mod caught;
pub mod client;
pub mod coded;
pub mod conditions;
pub mod director;
pub mod edge;
pub mod effect;
pub mod error;
pub mod evaluator;
pub mod federation;
pub mod hooks;
pub mod ideal;
pub mod message;
pub mod network;
mod power;
pub mod promise;
pub mod record;
pub mod recorder;
pub mod retrieval;
pub mod rules;
pub mod run;
pub mod server;
pub mod snapshot;
pub mod strategist;
pub mod tally;
pub mod tap;
pub mod teachers;
pub mod timeline;
pub mod topology;
pub mod wire;
pub mod work;

pub use caught::{Caught, Panicked};
pub use conditions::{Conditions, Direction, Outcome};
pub use director::{DirectorSetup, SharedInterventions};
pub use error::RunError;
pub use federation::Federation;
pub use ideal::Ideal;
pub use record::{Memory, Progress, Record, Sink};
pub use rules::{EvaluationRules, StopRules, Target};
pub use run::RunResult;
pub use snapshot::{Branch, Continuation, Keeper, Occasion, Snapshot};
pub use topology::{EdgeRules, Topology, Tree, Wait};
