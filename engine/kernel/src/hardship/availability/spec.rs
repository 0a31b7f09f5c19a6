//! The models of availability and their parameters.

use super::super::distribution::{above_zero, share, within};
use super::nightly::Nightly;
use super::presence::Presence;
use super::trace::DeviceTrace;
use super::{DAY, MINUTE};
use crate::id::ClientId;
use crate::seed::SeedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// When the clients of one population group are present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Availability {
    /// All the time.
    #[default]
    Always,
    /// Drawn anew for every slot of time, whatever went before.
    Bernoulli {
        /// Probability of being present in a slot: 0, 1, or between 10^-6 and 1 − 10^-6.
        probability: f64,
        /// Length of a slot in minutes.
        slot_minutes: f64,
    },
    /// Two states with exponential sojourns (a Markov process), in equilibrium from the start.
    ///
    /// Built exactly: arrivals and departures are marks of two independent Poisson processes, and the
    /// state is that of the last mark. Time to the next mark of the other kind is exponential.
    Markov {
        /// Mean minutes present.
        mean_on_minutes: f64,
        /// Mean minutes absent.
        mean_off_minutes: f64,
    },
    /// Two states with lognormal sojourns, in equilibrium from the start.
    Sessions {
        /// Mean minutes present.
        mean_on_minutes: f64,
        /// Mean minutes absent.
        mean_off_minutes: f64,
        /// Standard deviation of the logarithm of both sojourns.
        sigma: f64,
    },
    /// Sessions whose frequency and length follow the local time of day.
    Diurnal(Diurnal),
    /// Measured: client `c` follows device `c mod length`.
    Trace {
        /// The devices of the trace.
        devices: Vec<DeviceTrace>,
    },
}

/// Two states whose share present at local time t is on_share · (1 + amplitude · cos(2π(t − peak)/24 h)),
/// exactly: an amplitude of 0.6 makes the best hour four times as good as the worst.
///
/// At Poisson times of rate r the state is drawn anew, present with probability q(t). Then the share p
/// obeys p' = r(q − p), so that q = p + p'/r gives the wanted share. Built, as
/// [`Availability::Markov`], from two Poisson processes, thinned to rates r·q(t) and r·(1 − q(t)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Diurnal {
    /// Share of clients present, as the mean over the day.
    pub on_share: f64,
    /// Mean minutes of a session that begins at an average hour.
    pub mean_on_minutes: f64,
    /// Swing around the mean, 0 (none) to below 1.
    pub amplitude: f64,
    /// Local hour at which most clients are present, 0..24.
    pub peak_hour: f64,
    /// Time zones are uniform over so many hours, centred on that of the server, whose day begins at
    /// time zero.
    pub timezone_spread_hours: f64,
    /// Share of clients that, besides, are present each night while they charge.
    pub night_charging: f64,
    /// When those clients charge.
    pub night: Nightly,
}

impl Default for Diurnal {
    /// A quarter of the phones, in sessions of half an hour, mostly at 2 h in the night (when they
    /// charge and are idle, as Bonawitz et al. 2019 report), with a swing of 4.
    fn default() -> Self {
        Self {
            on_share: 0.25,
            mean_on_minutes: 30.0,
            amplitude: 0.6,
            peak_hour: 2.0,
            timezone_spread_hours: 0.0,
            night_charging: 0.0,
            night: Nightly::default(),
        }
    }
}

impl Availability {
    /// One client's presence.
    pub fn of<'a>(&'a self, tree: &SeedTree, client: ClientId) -> Presence<'a> {
        Presence::new(self, tree, client)
    }

    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("availability", self.check())
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Always => Ok(()),
            Self::Bernoulli { probability, slot_minutes } => {
                share("bernoulli", "probability", *probability)?;
                let rare = probability.min(1.0 - probability);
                if rare > 0.0 && rare < 1e-6 {
                    return Err(format!(
                        "bernoulli: probability is {probability}, but must be 0, 1, or at least one \
                         in a million away from both"
                    ));
                }
                minutes("bernoulli", "slot_minutes", *slot_minutes)
            }
            Self::Markov { mean_on_minutes, mean_off_minutes } => {
                minutes("markov", "mean_on_minutes", *mean_on_minutes)?;
                minutes("markov", "mean_off_minutes", *mean_off_minutes)
            }
            Self::Sessions { mean_on_minutes, mean_off_minutes, sigma } => {
                minutes("sessions", "mean_on_minutes", *mean_on_minutes)?;
                minutes("sessions", "mean_off_minutes", *mean_off_minutes)?;
                match (0.0..=3.0).contains(sigma) {
                    true => Ok(()),
                    false => {
                        Err(format!("sessions: sigma is {sigma}, but must lie between 0 and 3"))
                    }
                }
            }
            Self::Diurnal(diurnal) => within("diurnal", diurnal.check()),
            Self::Trace { devices } if devices.is_empty() => {
                Err("trace: devices is empty: give at least one".into())
            }
            Self::Trace { devices } => devices.iter().enumerate().try_for_each(|(k, device)| {
                within(&format!("trace: device {k}"), device.validate())
            }),
        }
    }

    /// The share of clients present, as the mean over time and clients.
    pub fn on_share(&self) -> f64 {
        match self {
            Self::Always => 1.0,
            Self::Bernoulli { probability, .. } => *probability,
            Self::Markov { mean_on_minutes: on, mean_off_minutes: off }
            | Self::Sessions { mean_on_minutes: on, mean_off_minutes: off, .. } => on / (on + off),
            Self::Diurnal(diurnal) => diurnal.mean_share(),
            Self::Trace { devices } => {
                let sum: f64 = devices.iter().map(DeviceTrace::on_share).sum();
                sum / devices.len().max(1) as f64
            }
        }
    }
}

/// A length of time that is no shorter than a millisecond and no longer than a century.
fn minutes(place: &str, name: &str, value: f64) -> Result<(), String> {
    above_zero(place, name, value)?;
    match (1.0 / 60_000.0..=5.3e7).contains(&value) {
        true => Ok(()),
        false => Err(format!("{place}: {name} is {value}, but must be a millisecond to a century")),
    }
}

impl Diurnal {
    fn check(&self) -> Result<(), String> {
        share("sessions", "on_share", self.on_share)?;
        minutes("sessions", "mean_on_minutes", self.mean_on_minutes)?;
        share("nights", "night_charging", self.night_charging)?;
        self.night.validate()?;
        if !(0.0..1.0).contains(&self.amplitude) {
            let amplitude = self.amplitude;
            return Err(format!("amplitude is {amplitude}, but must be 0 or more and below 1"));
        }
        if !(0.0..24.0).contains(&self.peak_hour) {
            let hour = self.peak_hour;
            return Err(format!("peak_hour is {hour}, but must be 0 or more and below 24"));
        }
        if !(0.0..=24.0).contains(&self.timezone_spread_hours) {
            let hours = self.timezone_spread_hours;
            return Err(format!("timezone_spread_hours is {hours}, but must lie between 0 and 24"));
        }
        if self.on_share <= 0.0
            || self.on_share * (1.0 + self.swing()) >= 1.0
            || self.swing() >= 1.0
        {
            return Err(format!(
                "on_share {} with amplitude {} cannot be reached by sessions of {} minutes: lower \
                 one of them (on_share must be above zero)",
                self.on_share, self.amplitude, self.mean_on_minutes
            ));
        }
        Ok(())
    }

    /// Draws of a new state per microsecond, r: a session of an average hour ends at rate
    /// r·(1 − on_share).
    pub(super) fn rate(&self) -> f64 {
        1.0 / (self.mean_on_minutes * MINUTE * (1.0 - self.on_share))
    }

    /// 2π/24 h over r: how far q runs ahead of p.
    fn lead(&self) -> f64 {
        TAU / DAY as f64 / self.rate()
    }

    /// The amplitude of q, somewhat above that of p.
    fn swing(&self) -> f64 {
        self.amplitude * (1.0 + self.lead().powi(2)).sqrt()
    }

    /// The largest and the smallest q.
    pub(super) fn bounds(&self) -> (f64, f64) {
        let swing = self.swing();
        (self.on_share * (1.0 + swing), self.on_share * (1.0 - swing))
    }

    /// q at `local` microseconds of local time: the probability that a state drawn then is "present".
    pub(super) fn chance(&self, local: f64) -> f64 {
        let angle = TAU * (local / DAY as f64 - self.peak_hour / 24.0);
        let wave = angle.cos() - self.lead() * angle.sin();
        self.on_share * (1.0 + self.amplitude * wave)
    }

    /// The share of clients present at `hour` of their local time.
    pub fn share_at(&self, hour: f64) -> f64 {
        let sessions = self.sessions_at(hour);
        sessions + (1.0 - sessions) * self.night_charging * self.charging_at(hour)
    }

    fn sessions_at(&self, hour: f64) -> f64 {
        let angle = TAU * (hour - self.peak_hour) / 24.0;
        self.on_share * (1.0 + self.amplitude * angle.cos())
    }

    /// Probability that a client that charges at night does so at `hour`.
    fn charging_at(&self, hour: f64) -> f64 {
        let Nightly { start_hour, hours, spread_hours } = self.night;
        let below = |x: f64| match spread_hours > 0.0 {
            true if x < -3.0 * spread_hours => 0.0,
            true if x >= 3.0 * spread_hours => 1.0,
            true => super::super::math::normal_cdf(x / spread_hours),
            false if x < 0.0 => 0.0,
            false => 1.0,
        };
        let on = |at: f64| below(at - start_hour) - below(at - hours - start_hour);
        on(hour - 24.0) + on(hour) + on(hour + 24.0)
    }

    /// The mean of [`Diurnal::share_at`] over the day, by the midpoint rule over minutes.
    fn mean_share(&self) -> f64 {
        (0..1440).map(|minute| self.share_at((f64::from(minute) + 0.5) / 60.0)).sum::<f64>()
            / 1440.0
    }
}
