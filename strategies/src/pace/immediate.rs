//! Fully asynchronous aggregation (FedAsync, Xie et al. 2019): every update at once.

use crate::pace::buffered::{refuse_stale, top_up};
use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps `concurrency` clients at work and merges every update when it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Immediate {
    /// Clients at work at the same time, at least 1.
    pub concurrency: usize,
    /// Updates that arrive with a larger staleness are thrown away; no limit when absent.
    pub max_staleness: Option<u64>,
}

impl Default for Immediate {
    fn default() -> Self {
        Self { concurrency: 10, max_staleness: None }
    }
}

impl Pace for Immediate {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Arrived(task) if !refuse_stale(task, self.max_staleness, desk) => {
                desk.aggregate(vec![task]);
            }
            _ => top_up(self.concurrency, desk),
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::buffered::Buffered;
    use crate::pace::testing::Bench;

    #[test]
    fn is_a_buffer_of_one() {
        let mut own = Bench::new(Immediate { concurrency: 3, max_staleness: Some(2) }, 7);
        let buffered = Buffered { buffer: 1, concurrency: 3, max_staleness: Some(2) };
        let mut other = Bench::new(buffered, 7);
        own.start();
        other.start();
        for client in [2, 0, 2, 0, 2, 1, 0] {
            own.arrive(client);
            other.arrive(client);
            while !other.timers.is_empty() {
                other.ring();
            }
            assert_eq!((own.working(), &own.merged), (other.working(), &other.merged));
            assert_eq!(own.discarded, other.discarded);
        }
        assert_eq!(own.discarded, [1], "client 1 worked on version 0 while 5 were made");
    }
}
