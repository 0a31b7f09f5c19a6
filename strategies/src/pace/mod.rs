//! When to aggregate: one file per rule.
//!
//! A pace holds as little of its own as it can: what is under way and what has arrived lies on the desk,
//! and every rule decides from that, so that a lost task or an empty population cannot leave it waiting
//! for something that will not come.

pub mod buffered;
pub mod deadline;
pub mod fedboost;
pub mod fedcompass;
pub mod fediod;
pub mod immediate;
pub mod over_selection;
pub mod pisces;
pub mod port;
pub mod safa;
pub mod synchronous;
#[cfg(test)]
pub(crate) mod testing;
pub mod tiers;

pub use buffered::Buffered;
pub use deadline::{Deadline, DeadlineSettings, Late, Short};
pub use fedboost::{FedBoost, FedBoostSettings};
pub use fedcompass::{FedCompass, FedCompassSettings};
pub use fediod::FedIod;
pub use immediate::Immediate;
pub use over_selection::OverSelection;
pub use pisces::{Pisces, PiscesSettings};
pub use port::Port;
pub use safa::{Safa, SafaSettings};
pub use synchronous::Synchronous;
pub use tiers::{Tiers, TiersSettings};
