//! Port (Su and Li 2022): a buffer with a bound on staleness; those who would exceed it are urged.

use crate::pace::buffered::top_up;
use crate::seams::{Desk, Pace, PaceSignal, Wish, state_in_bytes};
use offbeat_kernel::TaskId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps `concurrency` clients at work and aggregates when `buffer` updates have arrived and no client at
/// work would exceed the `bound` by it. A client whose staleness has reached the bound is urged once to
/// return what it has at the end of its present epoch, and is waited for; so no merged update is
/// ever staler than the bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Port {
    /// Updates in an aggregation, at least 1.
    pub buffer: usize,
    /// Clients at work at the same time, at least 1.
    pub concurrency: usize,
    /// Largest staleness of a merged update, in versions; 10 in the paper.
    pub bound: u64,
}

impl Default for Port {
    fn default() -> Self {
        Self { buffer: 10, concurrency: 100, bound: 10 }
    }
}

impl Port {
    /// Tasks whose clients have fallen behind as far as they may, and how far.
    fn behind(&self, desk: &Desk<'_>) -> Vec<TaskId> {
        let stale = |version| desk.view.version.since(version) >= self.bound;
        let behind = desk.flights.iter().filter(|(_, flight)| stale(flight.version));
        behind.map(|(task, _)| *task).collect()
    }
}

impl Pace for Port {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        let behind = self.behind(desk);
        if signal == PaceSignal::Aggregated {
            // Staleness grows by one with every aggregation: these have reached the bound just now.
            let just = |task: &TaskId| {
                desk.flights
                    .get(task)
                    .is_some_and(|f| desk.view.version.since(f.version) == self.bound)
            };
            let urged: Vec<Wish> = behind.iter().copied().filter(just).map(Wish::Urge).collect();
            desk.wishes.extend(urged);
        }
        if desk.arrived.len() >= self.buffer && behind.is_empty() {
            desk.aggregate(desk.arrived_tasks());
        } else {
            top_up(self.concurrency, desk);
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;
    use proptest::prelude::*;

    #[test]
    fn those_at_the_bound_are_urged_and_waited_for() {
        let mut bench = Bench::new(Port { buffer: 1, concurrency: 2, bound: 2 }, 3);
        bench.start().arrive(1).arrive(1);
        assert_eq!((bench.merged.len(), &bench.urged[..]), (2, &[0][..]));
        bench.arrive(1);
        assert_eq!(bench.merged.len(), 2, "client 0 would be three versions behind");
        assert_eq!(bench.urged, [0], "once is enough");
        bench.arrive(0);
        assert_eq!(bench.merged[2], (vec![1, 0], 0));
    }

    #[test]
    fn a_straggler_that_is_lost_frees_the_way() {
        let mut bench = Bench::new(Port { buffer: 1, concurrency: 2, bound: 1 }, 2);
        bench.start().arrive(1).arrive(1);
        assert_eq!(bench.merged.len(), 1);
        bench.lose(0);
        assert_eq!(bench.merged.len(), 2);
    }

    proptest! {
        #[test]
        fn nothing_merged_is_staler_than_the_bound(
            buffer in 1usize..4, bound in 1u64..4,
            picks in proptest::collection::vec(any::<u8>(), 1..120),
        ) {
            let mut bench = Bench::new(Port { buffer, concurrency: 5, bound }, 12);
            bench.start();
            for pick in picks {
                let worst = bench.flights.values()
                    .map(|flight| bench.world.version.since(flight.version)).max();
                prop_assert!(worst.unwrap_or(0) <= bound);
                let arrived = bench.arrived.iter()
                    .map(|arrival| bench.world.version.since(arrival.base_version)).max();
                prop_assert!(arrived.unwrap_or(0) <= bound);
                let working = bench.working();
                bench.arrive(working[pick as usize % working.len()]);
            }
        }
    }
}
