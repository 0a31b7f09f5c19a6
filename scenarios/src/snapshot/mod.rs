//! Snapshots in the run directory: written so that a kill at any moment leaves the ones before usable.
//!
//! `snapshots/state-<n>.bin` holds the state of one moment, `snapshots/vectors-<n>.bin` the vectors
//! (models, heads, control variates) that no earlier file holds: what has not changed is not written
//! again. Both are written beside their place, synced and renamed, the vectors first; a state file ends
//! with a checksum over all of it, and every vector is checked against its digest.

mod fingerprint;
mod keeper;
mod state_file;
mod vault;

pub use fingerprint::Fingerprint;
pub use keeper::{Cost, FileKeeper};
pub use state_file::{Header, Settings};
pub use vault::{Found, Vault};

/// The folder of snapshots in a run directory.
pub const FOLDER: &str = "snapshots";
