//! Why a run failed.

use crate::caught::Panicked;
use crate::message::Address;
use crate::run::RunResult;
use offbeat_kernel::Time;

/// Why a run failed. What was recorded until then is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A part of a strategy or an actor panicked: a defect in it.
    #[error("{panicked}")]
    Panicked {
        /// Which, and where in the run.
        panicked: Box<Panicked>,
        /// What the run came to until then.
        result: Box<RunResult>,
    },
    /// An actor stopped for a reason of its own.
    #[error(
        "{address:?} stopped while it handled an event at virtual time {at}: see the panic above"
    )]
    ActorStopped {
        /// Which.
        address: Address,
        /// When.
        at: Time,
    },
    /// The workers could not be started.
    #[error("cannot start {workers} worker threads: {source}; use fewer with `--workers`")]
    Workers {
        /// How many were asked for.
        workers: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// The records could not be kept.
    #[error("cannot keep the records: {0}")]
    Sink(String),
    /// A snapshot could not be made, or is not one of such a federation.
    #[error("the state of the run: {0}")]
    Snapshot(#[source] offbeat_kernel::codec::CodecError),
    /// An evaluation failed, or no update will ever arrive.
    #[error("{0}")]
    Hopeless(String),
    /// Every training failed, so that there is no result.
    #[error("no training succeeded; the first failure was: {first}")]
    NothingLearnt {
        /// The first failure, with task, client and virtual time.
        first: String,
        /// What the run came to.
        result: Box<RunResult>,
    },
}
