//! Pisces' adaptive pace (Jiang et al. 2022): aggregate often enough that nobody gets too stale.

use crate::pace::buffered::top_up;
use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use offbeat_kernel::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Pisces`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PiscesSettings {
    /// Clients at work at the same time, at least 1.
    pub concurrency: usize,
    /// Staleness that the slowest client at work should not exceed (b), at least 1.
    pub bound: u64,
}

impl Default for PiscesSettings {
    fn default() -> Self {
        Self { concurrency: 10, bound: 5 }
    }
}

/// Aggregates what has arrived when `L / bound` has passed since the last aggregation, where `L` is the
/// longest latency among the clients at work (the paper's section 5 and Algorithm 2): while the slowest
/// works, at most `bound` versions are made. A client's latency is its last one, or what profiling
/// expects. Without any update the next arrival is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pisces {
    settings: PiscesSettings,
    last: Time,
    bell: Option<Time>,
}

impl Pisces {
    /// A pace with these settings.
    pub fn new(settings: PiscesSettings) -> Self {
        Self { settings, last: Time::ZERO, bell: None }
    }

    fn interval(&self, desk: &Desk<'_>) -> Span {
        let latency = |client| {
            let known = desk.view.ledger.get(client).map(|record| record.last_duration.seconds());
            let expected = desk.view.roster.expected_seconds(client);
            known.filter(|seconds| *seconds > 0.0).unwrap_or(expected)
        };
        let longest =
            desk.flights.values().map(|flight| latency(flight.client)).fold(0.0, f64::max);
        Span::from_seconds(longest / self.settings.bound.max(1) as f64)
    }

    /// Aggregates when it is time, otherwise sets the bell; whether it aggregated.
    fn look(&mut self, desk: &mut Desk<'_>) -> bool {
        let due = self.last + self.interval(desk);
        if desk.arrived.is_empty() {
            return false;
        }
        if desk.view.now >= due {
            desk.aggregate(desk.arrived_tasks());
            return true;
        }
        if self.bell.is_none_or(|bell| bell > due) {
            self.bell = Some(due);
            desk.timer(due.since(desk.view.now), due.micros());
        }
        false
    }
}

impl Pace for Pisces {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Aggregated => self.last = desk.view.now,
            PaceSignal::Timer(token) if self.bell == Some(Time::from_micros(token)) => {
                self.bell = None;
            }
            _ => {}
        }
        // After an aggregation the places are filled with the new version, on `Aggregated`.
        if !self.look(desk) {
            top_up(self.settings.concurrency, desk);
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    #[test]
    fn the_interval_is_the_longest_latency_over_the_bound() {
        let mut bench = Bench::new(Pisces::new(PiscesSettings { concurrency: 3, bound: 4 }), 3);
        bench.world.seconds = vec![1.0, 2.0, 20.0];
        bench.start().at(1.0).arrive(0);
        // 20 s / 4: not before 5 s.
        assert!(bench.merged.is_empty());
        bench.at(2.0).arrive(1).at(4.0).arrive(0);
        bench.ring();
        assert_eq!(bench.world.now, Time::from_micros(5_000_000));
        assert_eq!(bench.merged, [(vec![0, 1, 0], 0)]);
        // Two intervals later an arrival is merged at once.
        bench.at(15.5).arrive(1);
        assert_eq!(bench.merged[1], (vec![1], 0));
    }

    #[test]
    fn the_slowest_sees_at_most_the_bound() {
        let mut bench = Bench::new(Pisces::new(PiscesSettings { concurrency: 2, bound: 3 }), 2);
        bench.world.seconds = vec![1.0, 12.0];
        bench.start();
        for second in 1..12 {
            let now = f64::from(second);
            while bench.timers.iter().any(|(at, _)| at.seconds() <= now) {
                bench.ring();
            }
            bench.at(now).arrive(0);
        }
        assert!(bench.world.version.0 <= 3, "{} versions", bench.world.version.0);
        bench.at(12.0).arrive(1);
        assert!(bench.world.version.0 >= 2);
    }
}
