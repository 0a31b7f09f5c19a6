//! A stretch of hours that comes back every day: nights on the charger.

use super::super::distribution::{finite, normal, not_negative, open_unit};
use super::{DAY, HOUR, counter};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree, Stream};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Words of the stream for one day.
const WORDS: u128 = 64;
/// Days before time zero that have numbers of their own.
const BEFORE: i128 = 16;

/// A stretch of hours that comes back every day. Each day's begins at `start_hour` plus a normal
/// shift with standard deviation `spread_hours`, at most three times that either way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nightly {
    /// Hour of the local day at which the stretch begins in the mean, 0..24.
    pub start_hour: f64,
    /// Its length in hours.
    pub hours: f64,
    /// Standard deviation of its beginning in hours.
    pub spread_hours: f64,
}

impl Default for Nightly {
    /// From 23 h for 7 hours, give or take an hour.
    fn default() -> Self {
        Self { start_hour: 23.0, hours: 7.0, spread_hours: 1.0 }
    }
}

impl Nightly {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        finite("nightly", "start_hour", self.start_hour)?;
        not_negative("nightly", "hours", self.hours)?;
        not_negative("nightly", "spread_hours", self.spread_hours)?;
        if !(0.0..24.0).contains(&self.start_hour) {
            let hour = self.start_hour;
            return Err(format!(
                "nightly: start_hour is {hour}, but must be 0 or more and below 24"
            ));
        }
        // So that the stretch of one day ends before that of the next begins.
        if self.hours + 6.0 * self.spread_hours >= 24.0 {
            return Err(format!(
                "nightly: hours is {} and spread_hours is {}, but hours + 6 · spread_hours must stay \
                 below 24",
                self.hours, self.spread_hours
            ));
        }
        Ok(())
    }

    /// The stretches of `client`, whose local time is `zone` hours ahead.
    pub(crate) fn of(self, tree: &SeedTree, client: ClientId, zone: f64) -> Nights {
        let id = u64::from(client.0);
        self.nights(tree.stream(Purpose::Availability, id, counter::NIGHTS), zone)
    }

    fn nights(self, stream: Stream, zone_hours: f64) -> Nights {
        Nights { nightly: self, stream, zone: (zone_hours * HOUR).round() as i128 }
    }
}

/// By how many hours the local time of `client` is ahead, when time zones are uniform over `spread`.
pub(crate) fn zone_hours(tree: &SeedTree, client: ClientId, spread: f64) -> f64 {
    let mut stream = tree.stream(Purpose::Availability, u64::from(client.0), counter::ZONE);
    (open_unit(&mut stream) - 0.5) * spread
}

/// One client's nights. Times are microseconds since the start of the run.
#[derive(Clone, Debug)]
pub(crate) struct Nights {
    nightly: Nightly,
    stream: Stream,
    zone: i128,
}

impl Nights {
    /// The stretch that holds `time`, or else the next one: its beginning and its end.
    pub(crate) fn at_or_after(&mut self, time: Time) -> (i128, i128) {
        let now = i128::from(time.micros());
        let mut day = (now + self.zone).div_euclid(i128::from(DAY)) - 2;
        loop {
            let stretch = self.of_day(day);
            if stretch.1 > now {
                return stretch;
            }
            day += 1;
        }
    }

    /// Whether `time` lies within a stretch.
    pub(crate) fn holds(&mut self, time: Time) -> bool {
        let (from, to) = self.at_or_after(time);
        from <= i128::from(time.micros()) && from < to
    }

    /// The next beginning or end after `time`.
    pub(crate) fn next_change(&mut self, time: Time) -> Time {
        let (from, to) = self.at_or_after(time);
        let next = if from > i128::from(time.micros()) { from } else { to };
        Time::from_micros(u64::try_from(next).unwrap_or(u64::MAX))
    }

    fn of_day(&mut self, day: i128) -> (i128, i128) {
        self.stream.set_word_pos((day + BEFORE).max(0) as u128 * WORDS);
        let shift = normal(&mut self.stream).clamp(-3.0, 3.0) * self.nightly.spread_hours;
        let begin = (self.nightly.start_hour + shift) * HOUR;
        let from = day * i128::from(DAY) - self.zone + begin.round() as i128;
        (from, from + (self.nightly.hours * HOUR).round() as i128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn hour(hours: f64) -> Time {
        Time::ZERO + Span::from_seconds(hours * 3600.0)
    }

    #[test]
    fn without_spread_the_hours_are_those_of_the_clock() {
        let stream = SeedTree::new(1).stream(Purpose::Device, 0, 9);
        let nightly = Nightly { start_hour: 23.0, hours: 7.0, spread_hours: 0.0 };
        let mut nights = nightly.nights(stream.clone(), 0.0);
        assert!(nights.holds(hour(0.0)) && nights.holds(hour(5.99)) && !nights.holds(hour(6.0)));
        assert_eq!(nights.next_change(hour(6.0)), hour(23.0));
        assert_eq!(nights.next_change(hour(23.0)), hour(30.0));
        // Two hours ahead, the night comes two hours earlier.
        let mut ahead = nightly.nights(stream, 2.0);
        assert_eq!(ahead.next_change(hour(6.0)), hour(21.0));
        assert!(!ahead.holds(hour(4.0)) && ahead.holds(hour(240.0 + 3.9)));
    }

    #[test]
    fn nights_that_could_overlap_are_refused() {
        let long = Nightly { start_hour: 1.0, hours: 20.0, spread_hours: 1.0 };
        assert!(long.validate().expect_err("26 hours").contains("must stay below 24"));
        Nightly::default().validate().expect("the default is possible");
    }
}
