//! What a run comes to.

use crate::tally::Counts;
use offbeat_kernel::pool::PoolStats;
use offbeat_kernel::{Digest, Time};
use offbeat_learning::Flat;
use offbeat_learning::device::Transfers;
use offbeat_learning::evaluate::Evaluation;

/// What a run comes to.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// Stands for every delivered event and the final model.
    pub digest: Digest,
    /// Virtual time at the end.
    pub now: Time,
    /// Events delivered.
    pub events: u64,
    /// Everything that was counted.
    pub counts: Counts,
    /// What the compute pool did.
    pub pool: PoolStats,
    /// Number of worker threads.
    pub workers: usize,
    /// What was copied between host memory and devices; only the process that ended the run counts.
    pub transfers: Transfers,
    /// Wall time of the run in seconds.
    pub wall_seconds: f64,
    /// Why it ended, in words.
    pub ended: String,
    /// The shared parameters at the end.
    pub model: Flat,
    /// The last evaluation on the common test set.
    pub test: Option<Evaluation>,
    /// Success rate of the attack at the last evaluation, 0 to 1, where one has an aim.
    pub attack_success: Option<f64>,
    /// The last evaluation by clients.
    pub clients: Vec<(offbeat_kernel::ClientId, Evaluation)>,
    /// The last trial on the persons of each domain.
    pub tried: Vec<crate::retrieval::Tried>,
    /// Digest after each of the first events, when [`crate::Federation::trace`] was asked for.
    pub trace: Vec<[u64; 5]>,
}

impl RunResult {
    /// Mean staleness of the merged updates.
    pub fn mean_staleness(&self) -> f64 {
        self.counts.staleness_sum as f64 / (self.counts.merged as f64).max(1.0)
    }
}
