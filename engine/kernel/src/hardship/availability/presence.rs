//! One client's presence, and what its absences do to work.

use super::super::distribution::open_unit;
use super::marks::Marks;
use super::nightly::{Nights, zone_hours};
use super::renewal::Renewal;
use super::spec::{Availability, Diurnal};
use super::trace::DeviceTrace;
use super::{HOUR, MINUTE, counter};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree, Stream};
use crate::time::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One client's presence over all time, made by [`Availability::of`]. It remembers nothing: every
/// answer depends on the seed, the client and the time alone.
#[derive(Clone, Debug)]
pub struct Presence<'a> {
    course: Course<'a>,
}

#[derive(Clone, Debug)]
enum Course<'a> {
    Fixed(bool),
    Slots {
        stream: Box<Stream>,
        probability: f64,
        slot: u64,
    },
    Marks {
        arrivals: Box<Marks>,
        departures: Box<Marks>,
        day: Option<Day>,
    },
    Sessions(Box<Renewal>),
    Trace(&'a DeviceTrace),
    /// Present when either is.
    Either(Box<(Presence<'a>, Nights)>),
}

/// What thins the marks over the day.
#[derive(Clone, Copy, Debug)]
struct Day {
    diurnal: Diurnal,
    /// Microseconds by which local time is ahead.
    zone: f64,
}

impl Day {
    fn arrives(&self, (time, unit): (i128, f64)) -> bool {
        unit * self.diurnal.bounds().0 < self.diurnal.chance(time as f64 + self.zone)
    }

    fn departs(&self, (time, unit): (i128, f64)) -> bool {
        let chance = self.diurnal.chance(time as f64 + self.zone);
        unit * (1.0 - self.diurnal.bounds().1) < 1.0 - chance
    }
}

impl<'a> Presence<'a> {
    pub(super) fn new(model: &'a Availability, tree: &SeedTree, client: ClientId) -> Self {
        let stream = |counter| tree.stream(Purpose::Availability, u64::from(client.0), counter);
        let marks = |counter, gap| Box::new(Marks::new(stream(counter), gap));
        let course = match model {
            Availability::Always => Course::Fixed(true),
            Availability::Bernoulli { probability, .. } if *probability >= 1.0 => {
                Course::Fixed(true)
            }
            Availability::Bernoulli { probability, .. } if *probability <= 0.0 => {
                Course::Fixed(false)
            }
            Availability::Bernoulli { probability, slot_minutes } => Course::Slots {
                stream: Box::new(stream(counter::SLOTS)),
                probability: *probability,
                slot: ((slot_minutes * MINUTE).round() as u64).max(1),
            },
            Availability::Markov { mean_on_minutes, mean_off_minutes } => Course::Marks {
                arrivals: marks(counter::ARRIVALS, mean_off_minutes * MINUTE),
                departures: marks(counter::DEPARTURES, mean_on_minutes * MINUTE),
                day: None,
            },
            Availability::Sessions { mean_on_minutes, mean_off_minutes, sigma } => {
                let (on, off) = (mean_on_minutes * MINUTE, mean_off_minutes * MINUTE);
                let renewal = Renewal::new(stream(counter::EPOCHS), on, off, *sigma);
                Course::Sessions(Box::new(renewal))
            }
            Availability::Diurnal(diurnal) => return Self::diurnal(*diurnal, tree, client),
            Availability::Trace { devices } if devices.is_empty() => Course::Fixed(false),
            Availability::Trace { devices } => {
                Course::Trace(&devices[client.index() % devices.len()])
            }
        };
        Self { course }
    }

    fn diurnal(diurnal: Diurnal, tree: &SeedTree, client: ClientId) -> Self {
        let stream = |counter| tree.stream(Purpose::Availability, u64::from(client.0), counter);
        let zone = zone_hours(tree, client, diurnal.timezone_spread_hours);
        let (most, least) = diurnal.bounds();
        let gap = |share| 1.0 / (diurnal.rate() * share);
        let sessions = Self {
            course: Course::Marks {
                arrivals: Box::new(Marks::new(stream(counter::ARRIVALS), gap(most))),
                departures: Box::new(Marks::new(stream(counter::DEPARTURES), gap(1.0 - least))),
                day: Some(Day { diurnal, zone: zone * HOUR }),
            },
        };
        if open_unit(&mut stream(counter::CHARGES)) >= diurnal.night_charging {
            return sessions;
        }
        let nights = diurnal.night.of(tree, client, zone);
        Self { course: Course::Either(Box::new((sessions, nights))) }
    }

    /// Whether the client is present at `time`.
    pub fn present(&mut self, time: Time) -> bool {
        match &mut self.course {
            Course::Fixed(present) => *present,
            Course::Slots { stream, probability, slot } => {
                in_slot(stream, *probability, time.micros() / *slot)
            }
            Course::Marks { arrivals, departures, day } => {
                last_arrived(arrivals, departures, *day, i128::from(time.micros()))
            }
            Course::Sessions(renewal) => renewal.present(time),
            Course::Trace(trace) => trace.present(time),
            Course::Either(both) => both.0.present(time) || both.1.holds(time),
        }
    }

    /// The first time after `time` at which presence is no longer what it is at `time`;
    /// [`Time::NEVER`] when it stays so.
    pub fn next_change(&mut self, time: Time) -> Time {
        if time == Time::NEVER {
            return Time::NEVER;
        }
        match &mut self.course {
            Course::Fixed(_) => Time::NEVER,
            Course::Slots { stream, probability, slot } => {
                next_other_slot(stream, *probability, *slot, time)
            }
            Course::Marks { arrivals, departures, day } => {
                next_mark(arrivals, departures, *day, i128::from(time.micros()))
            }
            Course::Sessions(renewal) => renewal.next_change(time),
            Course::Trace(trace) => trace.next_change(time),
            Course::Either(_) => self.next_change_of_either(time),
        }
    }

    fn next_change_of_either(&mut self, time: Time) -> Time {
        let present = self.present(time);
        let mut at = time;
        while let Course::Either(both) = &mut self.course {
            at = both.0.next_change(at).min(both.1.next_change(at));
            if at == Time::NEVER || self.present(at) != present {
                break;
            }
        }
        at
    }

    /// How much of the time from `from` to `to` the client is present.
    pub fn on_time_between(&mut self, from: Time, to: Time) -> Span {
        let (mut at, mut sum) = (from, Span::ZERO);
        let mut present = self.present(from);
        while at < to {
            let next = self.next_change(at).min(to);
            if present {
                sum += next - at;
            }
            (at, present) = (next, !present);
        }
        sum
    }

    /// The time from `time` on at which the client is present: `time` itself, or its next arrival.
    pub fn next_present(&mut self, time: Time) -> Time {
        match self.present(time) {
            true => time,
            false => self.next_change(time),
        }
    }

    /// When `work` that starts at `start` is finished, if absences pause it. [`Time::NEVER`] if the
    /// client is not present for long enough in all time.
    pub fn finish_after(&mut self, start: Time, work: Span) -> Time {
        let (mut at, mut left) = (self.next_present(start), work);
        while at < Time::NEVER {
            let leaves = self.next_change(at);
            if leaves - at >= left {
                return at + left;
            }
            left = left - (leaves - at);
            at = self.next_change(leaves);
        }
        Time::NEVER
    }
}

/// The state of a slot, from its own number of the stream.
fn in_slot(stream: &mut Stream, probability: f64, number: u64) -> bool {
    stream.set_word_pos(2 * u128::from(number));
    open_unit(stream) < probability
}

/// One pass over the numbers of the following slots: 1/min(p, 1 − p) of them in the mean.
fn next_other_slot(stream: &mut Stream, probability: f64, slot: u64, time: Time) -> Time {
    let mut number = time.micros() / slot;
    let present = in_slot(stream, probability, number);
    loop {
        number += 1;
        let Some(begin) = number.checked_mul(slot) else { return Time::NEVER };
        if (open_unit(stream) < probability) != present {
            return Time::from_micros(begin);
        }
    }
}

/// Whether the last mark is an arrival. When both kinds fall into one microsecond, the departure is
/// the later one.
fn last_arrived(arrivals: &mut Marks, departures: &mut Marks, day: Option<Day>, now: i128) -> bool {
    let arrived = arrivals.before(now, |mark| day.is_none_or(|day| day.arrives(mark)));
    let departed = departures.before(now, |mark| day.is_none_or(|day| day.departs(mark)));
    arrived > departed
}

fn next_mark(arrivals: &mut Marks, departures: &mut Marks, day: Option<Day>, now: i128) -> Time {
    let departs = |mark| day.is_none_or(|day| day.departs(mark));
    let found = if last_arrived(arrivals, departures, day, now) {
        departures.after(now, departs)
    } else {
        let mut from = now;
        loop {
            let next = arrivals.after(from, |mark| day.is_none_or(|day| day.arrives(mark)));
            match next {
                Some(at) if departures.at(at, departs) => from = at,
                other => break other,
            }
        }
    };
    found.map_or(Time::NEVER, |at| Time::from_micros(u64::try_from(at).unwrap_or(u64::MAX)))
}

/// What an absence does to the work that it interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// The work is lost.
    #[default]
    Lost,
    /// The work stops, and goes on when the client is back.
    Paused,
    /// What is done so far is delivered in its place.
    Partial,
}

/// What becomes of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// All of it is done at that time.
    Finished(Time),
    /// Nothing of it counts; the client left at that time ([`Time::NEVER`]: it never came back).
    Lost(Time),
    /// The client left at that time, with part of the work done.
    Partial {
        /// When it left.
        at: Time,
        /// The part that is done, above 0 and below 1.
        fraction: f64,
    },
}

impl Interruption {
    /// What becomes of `work` that a client takes up at `start`. Work that ends in the very
    /// microsecond in which the client leaves is finished.
    pub fn apply(self, presence: &mut Presence<'_>, start: Time, work: Span) -> Outcome {
        if self == Self::Paused {
            return match presence.finish_after(start, work) {
                Time::NEVER => Outcome::Lost(Time::NEVER),
                end => Outcome::Finished(end),
            };
        }
        if !presence.present(start) {
            return Outcome::Lost(start);
        }
        let leaves = presence.next_change(start);
        let done = leaves - start;
        if done >= work {
            return Outcome::Finished(start + work);
        }
        match self {
            Self::Partial => {
                let fraction = done.micros() as f64 / work.micros() as f64;
                Outcome::Partial { at: leaves, fraction }
            }
            _ => Outcome::Lost(leaves),
        }
    }
}

impl Outcome {
    /// When the client is done with it, one way or another.
    pub fn at(self) -> Time {
        match self {
            Self::Finished(at) | Self::Lost(at) | Self::Partial { at, .. } => at,
        }
    }
}
