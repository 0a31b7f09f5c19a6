//! Virtual time: integer microseconds since the start of the run. Never a wall clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A point in virtual time, in microseconds since the start of the run.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Time(u64);

/// A length of virtual time, in microseconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Span(u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Time = Time(0);
    /// A time that no event reaches: "never".
    pub const NEVER: Time = Time(u64::MAX);

    /// The time `micros` microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Time(micros)
    }

    /// Microseconds since the start.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The time that has passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The shortest span that is not zero. Work never takes less than this.
    pub const TICK: Span = Span(1);
    /// Longer than any run.
    pub const FOREVER: Span = Span(u64::MAX);

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Span(micros)
    }

    /// A span of `seconds`, rounded to the nearest microsecond. Negative numbers and NaN give zero,
    /// numbers beyond the range give [`Span::FOREVER`].
    pub fn from_seconds(seconds: f64) -> Self {
        Span((seconds * 1e6).round() as u64)
    }

    /// A span of `seconds` of real work: as [`Span::from_seconds`], but never shorter than one tick.
    pub fn of_work(seconds: f64) -> Self {
        Self::from_seconds(seconds).max(Self::TICK)
    }

    /// Microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add<Span> for Time {
    type Output = Time;
    /// Saturates at [`Time::NEVER`].
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Time> for Time {
    type Output = Span;
    /// Saturates at zero.
    fn sub(self, earlier: Time) -> Span {
        self.since(earlier)
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl fmt::Display for Span {
    /// The two largest units that say something: `2d 03h`, `1h 05m`, `3m 20s`, `4.25s`, `205ms`, `8.10ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0 / 1_000_000;
        match s {
            _ if self.0 == u64::MAX => f.write_str("never"),
            0 if self.0 < 999_500 => {
                // About three figures; the bounds are those at which rounding gives one more.
                let places = match self.0 {
                    0..1_000 => 3,
                    1_000..9_995 => 2,
                    9_995..99_950 => 1,
                    _ => 0,
                };
                write!(f, "{:.places$}ms", self.0 as f64 / 1e3)
            }
            0..60 => write!(f, "{:.2}s", self.0 as f64 / 1e6),
            60..3_600 => write!(f, "{}m {:02}s", s / 60, s % 60),
            3_600..86_400 => write!(f, "{}h {:02}m", s / 3_600, s / 60 % 60),
            _ => write!(f, "{}d {:02}h", s / 86_400, s / 3_600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_microsecond_and_saturate() {
        assert_eq!(Span::from_seconds(1.5).micros(), 1_500_000);
        assert_eq!(Span::from_seconds(0.000_000_6).micros(), 1);
        assert_eq!(Span::from_seconds(-3.0), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::INFINITY), Span::FOREVER);
        assert_eq!(Span::of_work(0.0), Span::TICK);
        assert_eq!(Time::NEVER + Span::TICK, Time::NEVER);
    }

    #[test]
    fn spans_read_well() {
        for (micros, shown) in [
            (4, "0.004ms"),
            (205, "0.205ms"),
            (8_100, "8.10ms"),
            (9_996, "10.0ms"),
            (99_960, "100ms"),
            (205_000, "205ms"),
            (999_600, "1.00s"),
            (4_250_000, "4.25s"),
            (200_000_000, "3m 20s"),
            (3_900_000_000, "1h 05m"),
            (183_600_000_000, "2d 03h"),
        ] {
            assert_eq!(Span::from_micros(micros).to_string(), shown);
        }
    }
}
