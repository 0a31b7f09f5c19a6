//! Rounds with a deadline (Bonawitz et al. 2019; FedCS, Nishio and Yonetani 2019).

use crate::seams::{Desk, Pace, PaceSignal, Wish, state_in_bytes};
use crate::signal::Assignment;
use offbeat_kernel::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to updates that come after the deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Late {
    /// The invitation is taken back; the work is never computed.
    #[default]
    Drop,
    /// They are merged in the round in which they arrive.
    Keep,
}

/// What happens when fewer than the minimum arrived by the deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Short {
    /// The round goes on until the minimum has arrived or nobody is at work any more.
    #[default]
    Wait,
    /// The round fails: all is thrown away, no version is made, the next round starts; at the deadline, or
    /// before it when nobody is at work any more.
    Fail,
}

/// Settings of [`Deadline`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeadlineSettings {
    /// Clients invited to a round, at least 1.
    pub clients: usize,
    /// Length of a round in virtual seconds.
    pub seconds: f64,
    /// Updates after the deadline.
    pub late: Late,
    /// Updates without which a round does not close at its deadline, at least 1.
    pub minimum: usize,
    /// Fewer than the minimum.
    pub short: Short,
}

impl Default for DeadlineSettings {
    fn default() -> Self {
        Self { clients: 10, seconds: 60.0, late: Late::Drop, minimum: 1, short: Short::Wait }
    }
}

/// Aggregates what arrived by the deadline, earlier when everybody of the round has answered.
///
/// An update that arrives exactly at the deadline is in time: the bell rings one tick later, so that
/// all that happens at the deadline has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deadline {
    settings: DeadlineSettings,
    /// Number of the open round; timers of earlier rounds are stale.
    round: u64,
    /// When the open round closes; `None` while nobody could be invited.
    due: Option<Time>,
    /// The deadline has passed with fewer than the minimum.
    waiting: bool,
}

impl Deadline {
    /// A pace with these settings.
    pub fn new(settings: DeadlineSettings) -> Self {
        Self { settings, round: 0, due: None, waiting: false }
    }

    /// Opens a round. Its bell is set even when nobody is free: it is asked again then at the latest.
    fn open(&mut self, desk: &mut Desk<'_>) {
        self.round += 1;
        self.waiting = false;
        let length = Span::of_work(self.settings.seconds);
        self.due = Some(desk.view.now + length);
        let speculative = self.settings.late == Late::Drop;
        let assignment = Assignment { speculative, ..Assignment::default() };
        desk.invite_with(self.settings.clients, assignment);
        desk.timer(length + Span::TICK, self.round);
    }

    fn close(&mut self, desk: &mut Desk<'_>) {
        self.due = None;
        if self.settings.late == Late::Drop {
            desk.cancel_all();
        }
        desk.aggregate(desk.arrived_tasks());
    }

    fn fail(&mut self, desk: &mut Desk<'_>) {
        let arrived = desk.arrived_tasks().into_iter().map(Wish::Discard);
        desk.wishes.extend(arrived);
        desk.cancel_all();
        self.open(desk);
    }

    /// Whether somebody who was invited to the open round is at work.
    fn expected(&self, desk: &Desk<'_>) -> bool {
        desk.flights.values().any(|flight| flight.version == desk.view.version)
    }

    fn rung(&mut self, desk: &mut Desk<'_>) {
        let enough = desk.arrived.len() >= self.settings.minimum.max(1);
        match (enough, self.settings.short) {
            (true, _) => self.close(desk),
            (false, Short::Fail) => self.fail(desk),
            (false, Short::Wait) => {
                self.waiting = true;
                self.look(desk);
            }
        }
    }

    fn look(&mut self, desk: &mut Desk<'_>) {
        let came = desk.arrived.len();
        let enough = came >= self.settings.minimum.max(1);
        let over = !self.expected(desk);
        match (came, enough) {
            (0, _) if over => self.open(desk),
            (_, false) if over && self.settings.short == Short::Fail => self.fail(desk),
            (_, enough) if over || (self.waiting && enough) => self.close(desk),
            _ => {}
        }
    }
}

impl Pace for Deadline {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Start | PaceSignal::Aggregated => self.open(desk),
            PaceSignal::Timer(round) if round == self.round && self.due.is_some() => {
                self.rung(desk)
            }
            PaceSignal::Timer(_) => {}
            PaceSignal::Arrived(_) | PaceSignal::Lost(_) if self.due.is_some() => self.look(desk),
            PaceSignal::Vacancy if !self.expected(desk) => self.look(desk),
            _ => {}
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    fn bench(late: Late, minimum: usize, short: Short) -> Bench<Deadline> {
        let settings = DeadlineSettings { clients: 3, seconds: 10.0, late, minimum, short };
        let mut bench = Bench::new(Deadline::new(settings), 9);
        bench.start();
        bench
    }

    #[test]
    fn an_arrival_exactly_at_the_deadline_is_in_time_and_the_rest_is_dropped() {
        let mut bench = bench(Late::Drop, 1, Short::Wait);
        assert!(bench.assignment(0).speculative);
        bench.at(3.0).arrive(1).at(10.0).arrive(0).ring();
        assert_eq!(bench.world.now.micros(), 10_000_001);
        assert_eq!((&bench.merged[..], &bench.cancelled[..]), (&[(vec![1, 0], 0)][..], &[2][..]));
    }

    #[test]
    fn closes_early_when_all_have_answered_and_old_bells_say_nothing() {
        let mut bench = bench(Late::Drop, 1, Short::Wait);
        bench.at(1.0).arrive(0).arrive(1).lose(2);
        assert_eq!(bench.merged, [(vec![0, 1], 0)]);
        bench.arrive(0).ring();
        assert_eq!(bench.merged.len(), 1, "the bell of the first round closed the second");
        bench.ring();
        assert_eq!(bench.merged.len(), 2);
    }

    #[test]
    fn late_updates_are_kept_for_the_next_aggregation() {
        let mut bench = bench(Late::Keep, 1, Short::Wait);
        assert!(!bench.assignment(0).speculative);
        bench.at(3.0).arrive(0).arrive(1).ring();
        assert_eq!((bench.merged.len(), bench.cancelled.len()), (1, 0));
        assert_eq!(bench.working(), [0, 1, 2, 3]);
        bench.at(12.0).arrive(2).arrive(0).arrive(1).arrive(3);
        assert_eq!(bench.merged[1], (vec![2, 0, 1, 3], 0));
    }

    #[test]
    fn fewer_than_the_minimum_wait_or_fail() {
        let mut waits = bench(Late::Drop, 2, Short::Wait);
        waits.at(3.0).arrive(0).ring();
        assert!(waits.merged.is_empty());
        waits.at(15.0).arrive(1);
        assert_eq!((&waits.merged[..], &waits.cancelled[..]), (&[(vec![0, 1], 0)][..], &[2][..]));

        let mut fails = bench(Late::Drop, 2, Short::Fail);
        fails.at(3.0).arrive(0).ring();
        assert_eq!(
            (fails.merged.len(), &fails.discarded[..], &fails.cancelled[..]),
            (0, &[0][..], &[1, 2][..])
        );
        assert_eq!(fails.working(), [0, 1, 2]);
        fails.at(14.0).arrive(0).arrive(1).arrive(2);
        assert_eq!(fails.merged.len(), 1);
    }

    #[test]
    fn losses_before_the_deadline_do_not_save_a_round_that_is_short() {
        let mut fails = bench(Late::Drop, 2, Short::Fail);
        fails.at(3.0).arrive(0).lose(1).lose(2);
        assert_eq!((fails.merged.len(), &fails.discarded[..]), (0, &[0][..]));
        assert_eq!(fails.working(), [0, 1, 2], "the next round has begun");
        // Where the round may wait, there is nobody left to wait for.
        let mut waits = bench(Late::Drop, 2, Short::Wait);
        waits.at(3.0).arrive(0).lose(1).lose(2);
        assert_eq!(waits.merged, [(vec![0], 0)]);
    }

    #[test]
    fn nobody_at_all_is_asked_again() {
        let mut bench = Bench::new(Deadline::new(DeadlineSettings::default()), 2);
        bench.world.away = [0, 1].into();
        bench.start().ring();
        assert!(bench.merged.is_empty());
        bench.world.away.clear();
        bench.signal(PaceSignal::Vacancy);
        assert_eq!(bench.working(), [0, 1]);
    }
}
