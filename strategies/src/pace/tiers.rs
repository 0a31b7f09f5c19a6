//! Tiers (FedAT, Chai et al. 2021): synchronous inside a latency tier, asynchronous across tiers.

use crate::seams::{Desk, Pace, PaceSignal, Wish, state_in_bytes};
use crate::select::draw;
use crate::select::latency::LatencyTiers;
use crate::signal::Assignment;
use offbeat_kernel::{Purpose, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Tiers`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TiersSettings {
    /// Number of latency tiers (M), at least 1; 5 in the paper.
    pub tiers: usize,
    /// Clients in a tier's round, at least 1.
    pub clients: usize,
}

impl Default for TiersSettings {
    fn default() -> Self {
        Self { tiers: 5, clients: 10 }
    }
}

/// Every tier runs rounds of its own (the paper's Algorithm 2): `clients` of the tier are invited, drawn
/// uniformly; when all have answered or are lost, what came is aggregated with the tier, counted from 0
/// for the fastest, as tag. A tier in which nobody is free is opened when somebody may be back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    settings: TiersSettings,
    latency: LatencyTiers,
    draws: u64,
}

impl Tiers {
    /// A pace with these settings.
    pub fn new(settings: TiersSettings) -> Self {
        Self { settings, latency: LatencyTiers::default(), draws: 0 }
    }

    fn arrived(tier: u64, desk: &Desk<'_>) -> Vec<TaskId> {
        let own = desk.arrived.iter().filter(|arrival| arrival.tag == tier);
        own.map(|arrival| arrival.task).collect()
    }

    fn open(&mut self, tier: u64, desk: &mut Desk<'_>) {
        // The selector draws from the same purpose with id 0 and small counters.
        let mut stream = desk.view.seeds.stream(Purpose::Selection, 1 + tier, self.draws);
        self.draws += 1;
        let members = self.latency.members(tier as usize);
        let clients = draw::free_among(members, self.settings.clients, &desk.view, &mut stream);
        let assignment = Assignment { tag: tier, ..Assignment::default() };
        desk.wishes.push(Wish::InviteThese { clients, assignment });
    }
}

impl Pace for Tiers {
    fn on(&mut self, _: PaceSignal, desk: &mut Desk<'_>) {
        self.latency.refresh(&desk.view, self.settings.tiers);
        let tiers = self.settings.tiers as u64;
        let idle: Vec<u64> = (0..tiers)
            .filter(|tier| !desk.flights.values().any(|flight| flight.assignment.tag == *tier))
            .collect();
        let (full, empty): (Vec<u64>, Vec<u64>) =
            idle.into_iter().partition(|tier| !Self::arrived(*tier, desk).is_empty());
        for tier in &full {
            let tasks = Self::arrived(*tier, desk);
            desk.wishes.push(Wish::Aggregate { tasks, tag: *tier });
        }
        // After an aggregation the tier is opened with the new version, on `Aggregated`.
        if full.is_empty() {
            empty.into_iter().for_each(|tier| self.open(tier, desk));
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    fn bench() -> Bench<Tiers> {
        let mut bench = Bench::new(Tiers::new(TiersSettings { tiers: 2, clients: 2 }), 4);
        bench.world.seconds = vec![9.0, 1.0, 8.0, 2.0];
        bench
    }

    #[test]
    fn tiers_do_not_wait_for_each_other() {
        let mut bench = bench();
        bench.start();
        assert_eq!((bench.assignment(1).tag, bench.assignment(0).tag), (0, 1));
        bench.arrive(3).arrive(1).arrive(1).arrive(3).arrive(0);
        assert_eq!(bench.merged, [(vec![3, 1], 0), (vec![1, 3], 0)]);
        bench.lose(2);
        assert_eq!(bench.merged[2], (vec![0], 1));
        assert_eq!(bench.working(), [0, 1, 2, 3]);
    }

    #[test]
    fn an_absent_tier_is_asked_again_and_holds_nobody_up() {
        let mut bench = bench();
        bench.world.away = [1, 3].into();
        bench.start();
        assert_eq!(bench.working(), [0, 2]);
        bench.arrive(0).arrive(2);
        assert_eq!((bench.merged.len(), bench.working()), (1, vec![0, 2]));
        bench.world.away.clear();
        bench.signal(PaceSignal::Vacancy);
        assert_eq!(bench.working(), [0, 1, 2, 3]);
    }
}
