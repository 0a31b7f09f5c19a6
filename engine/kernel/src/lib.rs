//! The kernel of Offbeat: virtual time, a calendar whose events may carry promises, the compute
//! pool that keeps the promises, the seed tree, the journal, and the models of hardship.
//!
//! The kernel knows nothing of learning, tensors, actors or files. Nothing in it reads a clock, a
//! thread id, a hash order or a global random generator: what happens depends on the seed alone.

pub mod calendar;
pub mod codec;
pub mod hardship;
pub mod id;
pub mod journal;
pub mod panic;
pub mod pool;
pub mod seed;
pub mod time;

pub use calendar::{Calendar, EventId};
pub use id::{ClientId, JobId, TaskId, Version};
pub use journal::{Digest, Journal};
pub use pool::{Groups, JobError, Pool, PoolConfig, PoolStats, Runner, Urgency};
pub use seed::{Purpose, SeedTree, Stream};
pub use time::{Span, Time};
