//! What a pool did.

use serde::{Deserialize, Serialize};

/// What the pool did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolStats {
    /// Jobs submitted.
    pub submitted: u64,
    /// Jobs that a worker finished, needed or not.
    pub computed: u64,
    /// Jobs cancelled before a worker started them.
    pub cancelled_unstarted: u64,
    /// Jobs computed, or being computed, when they were cancelled: wasted work.
    pub cancelled_started: u64,
    /// Share of the wall time since the start in which workers were computing, 0 to 1.
    pub utilisation: f64,
    /// Wall time in which the kernel waited for promises, in seconds.
    pub waited_seconds: f64,
    /// Most bytes ever held in running jobs and untaken results.
    pub peak_bytes: u64,
}

impl PoolStats {
    /// What both did together, one after the other; the share of busy workers is that of `later`.
    pub fn followed_by(&self, later: &PoolStats) -> PoolStats {
        PoolStats {
            submitted: self.submitted + later.submitted,
            computed: self.computed + later.computed,
            cancelled_unstarted: self.cancelled_unstarted + later.cancelled_unstarted,
            cancelled_started: self.cancelled_started + later.cancelled_started,
            utilisation: later.utilisation,
            waited_seconds: self.waited_seconds + later.waited_seconds,
            peak_bytes: self.peak_bytes.max(later.peak_bytes),
        }
    }
}
