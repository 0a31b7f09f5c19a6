//! Buffered asynchronous aggregation (FedBuff, Nguyen et al. 2022, Algorithm 1).

use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use offbeat_kernel::{Span, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps `concurrency` clients at work and aggregates whenever `buffer` updates have arrived. The
/// place of a client that answered or was lost is filled at the same instant, but after everything
/// else that arrives in it: updates that arrive together and fill the buffer are merged before anybody
/// starts anew, and the new ones get the new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Buffered {
    /// Updates in an aggregation (K), at least 1.
    pub buffer: usize,
    /// Clients at work at the same time (M_c), at least 1.
    pub concurrency: usize,
    /// Updates that arrive with a larger staleness are thrown away; no limit when absent.
    pub max_staleness: Option<u64>,
}

impl Default for Buffered {
    fn default() -> Self {
        Self { buffer: 10, concurrency: 100, max_staleness: None }
    }
}

impl Pace for Buffered {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Arrived(task) => {
                let refused = refuse_stale(task, self.max_staleness, desk);
                if desk.arrived.len() - usize::from(refused) >= self.buffer {
                    return desk.aggregate(desk.arrived_tasks());
                }
                desk.timer(Span::ZERO, 0);
            }
            PaceSignal::Lost(_) => desk.timer(Span::ZERO, 0),
            _ => top_up(self.concurrency, desk),
        }
    }

    state_in_bytes!();
}

/// Invites as many as are missing to have `concurrency` clients at work.
pub(crate) fn top_up(concurrency: usize, desk: &mut Desk<'_>) {
    desk.invite(concurrency.saturating_sub(desk.flights.len()));
}

/// Throws the arrived update away when it is staler than `limit`; whether it did.
pub(crate) fn refuse_stale(task: TaskId, limit: Option<u64>, desk: &mut Desk<'_>) -> bool {
    let arrival = desk.arrived.iter().find(|arrival| arrival.task == task);
    let staleness = arrival.map(|arrival| desk.view.version.since(arrival.base_version));
    let refused = matches!((staleness, limit), (Some(tau), Some(limit)) if tau > limit);
    if refused {
        desk.wishes.push(crate::seams::Wish::Discard(task));
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;
    use proptest::prelude::*;

    fn pace(buffer: usize, concurrency: usize) -> Buffered {
        Buffered { buffer, concurrency, max_staleness: None }
    }

    #[test]
    fn replaces_at_once_and_aggregates_when_the_buffer_is_full() {
        let mut bench = Bench::new(pace(2, 3), 9);
        bench.start();
        assert_eq!(bench.working(), [0, 1, 2]);
        bench.arrive(1).ring();
        assert_eq!((bench.merged.len(), bench.working().len()), (0, 3));
        bench.arrive(2);
        assert_eq!(bench.merged, [(vec![1, 2], 0)]);
        let newest = bench.flights.values().next_back().expect("three are at work");
        assert_eq!(newest.version.0, 1, "the replacement gets the new version");
    }

    #[test]
    fn updates_that_arrive_together_are_merged_before_anybody_starts_anew() {
        let mut bench = Bench::new(pace(3, 3), 9);
        bench.start().arrive(0).arrive(1).arrive(2);
        assert_eq!(bench.merged.len(), 1);
        bench.ring().ring();
        assert_eq!(bench.working(), [0, 1, 2]);
        assert!(bench.flights.values().all(|flight| flight.version.0 == 1));
    }

    #[test]
    fn stale_updates_are_discarded_at_arrival() {
        let mut bench =
            Bench::new(Buffered { buffer: 1, concurrency: 2, max_staleness: Some(1) }, 2);
        bench.start().arrive(1).arrive(1).arrive(0).ring();
        assert_eq!(bench.merged.len(), 2);
        assert_eq!(bench.discarded, [0], "its staleness is 2");
        assert_eq!(bench.working(), [0, 1]);
    }

    #[test]
    fn vacancies_are_filled_without_inviting_twice() {
        let mut bench = Bench::new(pace(2, 3), 3);
        bench.world.away = [1, 2].into();
        bench.start();
        assert_eq!(bench.working(), [0]);
        bench.world.away = [2].into();
        bench.signal(PaceSignal::Vacancy);
        assert_eq!(bench.working(), [0, 1]);
        bench.lose(0).ring();
        assert_eq!(bench.working(), [0, 1]);
    }

    proptest! {
        #[test]
        fn concurrency_is_kept_and_every_buffer_is_full(
            buffer in 1usize..6, concurrency in 1usize..8,
            steps in proptest::collection::vec((any::<bool>(), any::<u8>()), 1..80),
        ) {
            let mut bench = Bench::new(pace(buffer, concurrency), 20);
            bench.start();
            for (arrives, pick) in steps {
                let working = bench.working();
                prop_assert_eq!(working.len(), concurrency);
                let client = working[pick as usize % working.len()];
                if arrives { bench.arrive(client) } else { bench.lose(client) };
                while !bench.timers.is_empty() {
                    bench.ring();
                }
            }
            prop_assert!(bench.merged.iter().all(|(clients, _)| clients.len() == buffer));
        }
    }
}
