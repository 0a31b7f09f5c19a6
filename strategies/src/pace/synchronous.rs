//! Synchronous rounds (FedAvg, McMahan et al. 2017): wait for everybody.

use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Invites `clients`, waits until each has answered or is lost, aggregates what came.
///
/// The cohort is what could be invited: with fewer free clients the round is smaller. When all are
/// lost, nothing is aggregated and the round starts again; when nobody is free, it starts as soon as
/// somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Synchronous {
    /// Clients in a round, at least 1.
    pub clients: usize,
}

impl Default for Synchronous {
    fn default() -> Self {
        Self { clients: 10 }
    }
}

impl Pace for Synchronous {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Timer(_) => {}
            _ if !desk.flights.is_empty() => {}
            _ if desk.arrived.is_empty() => desk.invite(self.clients),
            _ => desk.aggregate(desk.arrived_tasks()),
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    #[test]
    fn waits_for_all_and_goes_on() {
        let mut bench = Bench::new(Synchronous { clients: 3 }, 9);
        bench.start().arrive(1).arrive(0);
        assert!(bench.merged.is_empty());
        bench.arrive(2);
        assert_eq!(bench.merged, [(vec![1, 0, 2], 0)]);
        assert_eq!(bench.working(), [0, 1, 2]);
    }

    #[test]
    fn lost_clients_shrink_the_round_and_an_empty_round_starts_again() {
        let mut bench = Bench::new(Synchronous { clients: 3 }, 9);
        bench.start().lose(0).arrive(1).lose(2);
        assert_eq!(bench.merged, [(vec![1], 0)]);
        bench.lose(0).lose(1).lose(2);
        assert_eq!(bench.merged.len(), 1);
        assert_eq!(bench.working(), [0, 1, 2]);
    }

    #[test]
    fn a_small_or_empty_population_is_no_trap() {
        let mut bench = Bench::new(Synchronous { clients: 5 }, 2);
        bench.world.away = [0, 1].into();
        bench.start();
        assert!(bench.working().is_empty());
        bench.world.away = [0].into();
        bench.signal(PaceSignal::Vacancy);
        assert_eq!(bench.working(), [1]);
        bench.world.away.clear();
        bench.signal(PaceSignal::Vacancy);
        assert_eq!(bench.working(), [1], "a round that is open takes nobody in");
        bench.arrive(1);
        assert_eq!((bench.merged.len(), bench.working()), (1, vec![0, 1]));
    }
}
