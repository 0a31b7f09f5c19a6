//! SAFA (Wu et al. 2021): semi-asynchronous rounds with lag tolerance and a cache.

use crate::seams::{Desk, Pace, PaceSignal, Wish, state_in_bytes};
use crate::signal::Assignment;
use crate::update::Arrival;
use offbeat_kernel::{ClientId, Span, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of [`Safa`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SafaSettings {
    /// Share of all clients whose updates a round picks (C), in (0, 1].
    pub fraction: f64,
    /// Versions behind at which a client must take the new model (tau), at least 1.
    pub lag: u64,
    /// Longest duration of a round in virtual seconds.
    pub seconds: f64,
}

impl Default for SafaSettings {
    fn default() -> Self {
        Self { fraction: 0.5, lag: 5, seconds: 600.0 }
    }
}

/// Rounds in which every free client takes part; together with [`crate::combine::Safa`].
///
/// Distribution: free clients get the new model, and so do clients at work that are deprecated (their model
/// is older than that of round `t - lag`: `lag` or more versions behind the present one when round `t` opens;
/// their work is taken back); the others go on with what they have. Selection
/// after training ("compensatory first-come-first-merge"): first arrivals of clients that were not picked
/// in the last round, until `ceil(fraction * N)` are picked; then the round closes. When it closes for
/// want of time or of clients at work, earlier arrivals of the others fill the quota. Updates that were
/// not picked stay on the desk and enter the cache with the next aggregation (the bypass); the newer
/// update of a client supersedes the older.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Safa {
    settings: SafaSettings,
    round: u64,
    picked: BTreeSet<ClientId>,
    bypass: BTreeSet<TaskId>,
}

impl Safa {
    /// A pace with these settings.
    pub fn new(settings: SafaSettings) -> Self {
        Self { settings, round: 0, picked: BTreeSet::new(), bypass: BTreeSet::new() }
    }

    fn quota(&self, desk: &Desk<'_>) -> usize {
        let wanted = self.settings.fraction * f64::from(desk.view.roster.count());
        ((wanted - 1e-9).ceil() as usize).max(1)
    }

    fn open(&mut self, desk: &mut Desk<'_>) {
        self.round += 1;
        self.bypass = desk.arrived.iter().map(|arrival| arrival.task).collect();
        let lag = self.settings.lag;
        let deprecated = |version| desk.view.version.since(version) >= lag;
        let back: Vec<(TaskId, ClientId)> = desk
            .flights
            .iter()
            .filter(|(_, flight)| deprecated(flight.version))
            .map(|(task, flight)| (*task, flight.client))
            .collect();
        let mut clients = desk.view.all_free();
        clients.extend(back.iter().map(|(_, client)| *client));
        desk.wishes.extend(back.iter().map(|(task, _)| Wish::Cancel(*task)));
        desk.wishes.push(Wish::InviteThese { clients, assignment: Assignment::default() });
        desk.timer(Span::of_work(self.settings.seconds) + Span::TICK, self.round);
    }

    /// This round's arrivals, those first that were not picked in the last round.
    fn queue<'a>(&self, desk: &Desk<'a>) -> (Vec<&'a Arrival>, Vec<&'a Arrival>) {
        let fresh = desk.arrived.iter().filter(|arrival| !self.bypass.contains(&arrival.task));
        fresh.partition(|arrival| !self.picked.contains(&arrival.client))
    }

    fn look(&mut self, late: bool, desk: &mut Desk<'_>) {
        let (first, second) = self.queue(desk);
        let quota = self.quota(desk);
        if first.len() < quota && !late && !desk.flights.is_empty() {
            return;
        }
        let chosen: Vec<&Arrival> = first.into_iter().chain(second).take(quota).collect();
        if chosen.is_empty() && self.bypass.is_empty() {
            return self.open(desk);
        }
        let picked: BTreeSet<ClientId> = chosen.iter().map(|arrival| arrival.client).collect();
        let mut tasks: Vec<TaskId> = chosen.iter().map(|arrival| arrival.task).collect();
        for arrival in desk.arrived.iter().filter(|arrival| self.bypass.contains(&arrival.task)) {
            if picked.contains(&arrival.client) {
                desk.wishes.push(Wish::Discard(arrival.task));
            } else {
                tasks.push(arrival.task);
            }
        }
        self.picked = picked;
        desk.aggregate(tasks);
    }
}

impl Pace for Safa {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Start | PaceSignal::Aggregated => self.open(desk),
            PaceSignal::Timer(round) if round == self.round => self.look(true, desk),
            PaceSignal::Arrived(_) => self.look(false, desk),
            // With nobody at work and nothing to merge, the bell opens the next round.
            PaceSignal::Lost(_) if desk.arrived.is_empty() && desk.flights.is_empty() => {}
            PaceSignal::Lost(_) => self.look(false, desk),
            PaceSignal::Timer(_) | PaceSignal::Vacancy => {}
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    fn bench(lag: u64) -> Bench<Safa> {
        let mut bench =
            Bench::new(Safa::new(SafaSettings { fraction: 0.5, lag, seconds: 100.0 }), 4);
        bench.start();
        bench
    }

    #[test]
    fn first_comers_fill_the_quota_and_those_picked_last_stand_back() {
        let mut bench = bench(5);
        assert_eq!(bench.working(), [0, 1, 2, 3]);
        bench.arrive(0).arrive(1);
        assert_eq!(bench.merged, [(vec![0, 1], 0)]);
        // 0 and 1 were picked: they wait; 2 and 3 close the round, without 0 and 1.
        bench.arrive(0).arrive(1).arrive(2).arrive(3);
        assert_eq!(bench.merged[1], (vec![2, 3], 0));
        assert_eq!(bench.arrived.len(), 2);
        // The undrafted updates go into the cache with the next aggregation; 0's newer one supersedes.
        bench.arrive(0).arrive(1);
        assert_eq!((bench.discarded.len(), bench.merged[2].0.len()), (2, 2));
    }

    #[test]
    fn the_undrafted_enter_with_the_next_aggregation() {
        let mut bench = bench(5);
        bench.arrive(0).arrive(1).arrive(0).arrive(2).arrive(3);
        assert_eq!(bench.merged[1], (vec![2, 3], 0));
        bench.arrive(1).arrive(3).arrive(2);
        assert_eq!(bench.merged.len(), 2, "only client 1 was not picked last");
        bench.ring();
        while bench.merged.len() == 2 {
            bench.ring();
        }
        // The quota of two: 1 first, then 3 as the earliest of the others; 0 through the bypass.
        assert_eq!(bench.merged[2], (vec![1, 3, 0], 0));
        assert_eq!(bench.arrived.len(), 1, "2 was not picked and waits");
    }

    #[test]
    fn the_deprecated_are_sent_the_new_model() {
        let mut bench = bench(2);
        bench.arrive(0).arrive(1).arrive(2).arrive(0);
        assert_eq!(bench.cancelled, Vec::<u32>::new());
        bench.ring();
        while bench.merged.len() < 2 {
            bench.ring();
        }
        assert_eq!(bench.cancelled, [3], "client 3 is two versions behind");
        let flight = bench.flights.values().find(|flight| flight.client.0 == 3);
        assert_eq!(flight.expect("invited again").version.0, 2);
    }

    #[test]
    fn a_round_without_clients_starts_again_at_its_bell() {
        let mut bench = bench(5);
        (0..4).for_each(|client| {
            bench.lose(client);
        });
        assert!(bench.merged.is_empty() && bench.working().is_empty());
        bench.ring();
        assert_eq!(bench.working(), [0, 1, 2, 3]);
    }
}
