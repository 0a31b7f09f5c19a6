//! Presence as measured: intervals that come back period after period.

use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When one device was on, repeated for ever.
///
/// FedScale's availability files hold for each device `active` and `inactive`, lists of the seconds at
/// which it went on and off, and `finish_time`, after which the trace begins again: that is
/// [`DeviceTrace::from_fedscale`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceTrace {
    /// Seconds after which the trace begins again.
    pub period: f64,
    /// From when (inclusive) to when (exclusive) the device is on: seconds, in the order of time.
    pub on: Vec<(f64, f64)>,
}

impl DeviceTrace {
    /// The trace of a device of FedScale's files: on from `active[k]` to `inactive[k]`, again after
    /// `finish_time`, all in seconds. Surplus entries of the longer list are left out.
    pub fn from_fedscale(active: &[f64], inactive: &[f64], finish_time: f64) -> Self {
        let on = active.iter().copied().zip(inactive.iter().copied()).collect();
        Self { period: finish_time, on }
    }

    /// Whether the intervals are in order and lie within the period.
    ///
    /// # Errors
    /// A sentence that names the interval, its bounds and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        let period = self.period;
        if !(period.is_finite() && micros(period) > 0) {
            return Err(format!("period is {period} s, but must be at least a microsecond"));
        }
        let mut last = 0.0;
        for (k, (from, to)) in self.on.iter().enumerate() {
            if !(*from >= last && from <= to && *to <= period) {
                return Err(format!(
                    "on[{k}] is {from} s to {to} s, but must begin at {last} s or later, end no \
                     earlier than it begins, and end by the period, {period} s"
                ));
            }
            last = *to;
        }
        Ok(())
    }

    /// The share of the period during which the device is on.
    pub fn on_share(&self) -> f64 {
        self.on.iter().map(|(from, to)| to - from).sum::<f64>() / self.period
    }

    pub(super) fn present(&self, time: Time) -> bool {
        let now = time.micros() % self.length();
        let next = self.on.partition_point(|(_, to)| micros(*to) <= now);
        self.on.get(next).is_some_and(|(from, _)| micros(*from) <= now)
    }

    /// The next time at which presence changes, by looking at one edge after another: more than one
    /// only where an interval is empty or touches the next.
    pub(super) fn next_change(&self, time: Time) -> Time {
        let present = self.present(time);
        let mut at = time;
        // Every edge once, and the end of the period.
        for _ in 0..2 * self.on.len() + 2 {
            at = self.next_edge(at);
            if at == Time::NEVER || self.present(at) != present {
                return at;
            }
        }
        Time::NEVER
    }

    /// The next beginning or end of an interval, or the end of the period.
    fn next_edge(&self, time: Time) -> Time {
        let (length, now) = (self.length(), time.micros() % self.length());
        let edge = match self.on.get(self.on.partition_point(|(_, to)| micros(*to) <= now)) {
            Some((from, _)) if micros(*from) > now => micros(*from),
            Some((_, to)) => micros(*to),
            None => length,
        };
        Time::from_micros((time.micros() - now).saturating_add(edge.min(length)))
    }

    fn length(&self) -> u64 {
        micros(self.period).max(1)
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}
