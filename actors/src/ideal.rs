//! A world without chance: every delay is what the caller says. For tests, benches and small studies
//! whose times can be checked by hand.

use crate::client::Samples;
use crate::conditions::{Conditions, Direction, Outcome};
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use offbeat_strategies::Roster;
use offbeat_strategies::signal::LossReason;

/// Clients that are always present and never fail.
#[derive(Clone, Debug)]
pub struct Ideal {
    /// Number of samples of each client.
    pub samples: Vec<usize>,
    /// Seconds of work for one sample, per client, repeated when there are more clients.
    pub seconds_per_sample: Vec<f64>,
    /// Time on the way for every message, whatever its size.
    pub latency: Span,
    /// Bytes a second in both directions.
    pub bytes_per_second: f64,
}

impl Ideal {
    /// `clients` clients that are all equally fast and far away by nothing.
    pub fn equal(samples: Vec<usize>, seconds_per_sample: f64) -> Self {
        let seconds_per_sample = vec![seconds_per_sample];
        Self { samples, seconds_per_sample, latency: Span::ZERO, bytes_per_second: f64::INFINITY }
    }

    fn pace(&self, client: ClientId) -> f64 {
        self.seconds_per_sample[client.index() % self.seconds_per_sample.len()]
    }
}

impl Conditions for Ideal {
    fn accepts(&self, _: ClientId, _: TaskId, _: Time) -> Result<(), LossReason> {
        Ok(())
    }

    fn completeness(&self, _: ClientId, _: TaskId) -> f64 {
        1.0
    }

    fn compute(&self, client: ClientId, _: TaskId, start: Time, samples: usize) -> Outcome {
        Outcome::Complete { at: start + Span::of_work(samples as f64 * self.pace(client)) }
    }

    fn transfer(&self, _: ClientId, _: TaskId, _: Direction, bytes: u64) -> Span {
        self.latency + Span::from_seconds(bytes as f64 / self.bytes_per_second)
    }

    fn carry(&self, _: ClientId, _: TaskId, start: Time, span: Span) -> Outcome {
        Outcome::Complete { at: start + span }
    }

    fn delay(&self, _: ClientId, _: TaskId, _: Direction) -> Span {
        self.latency
    }

    fn rate(&self, _: ClientId, _: TaskId, _: Direction) -> u64 {
        (8.0 * self.bytes_per_second) as u64
    }
}

impl Roster for Ideal {
    fn count(&self) -> u32 {
        self.samples.len() as u32
    }

    fn present(&self, _: ClientId, _: Time) -> bool {
        true
    }

    fn next_change(&self, _: ClientId, _: Time) -> Time {
        Time::NEVER
    }

    fn samples(&self, client: ClientId) -> u64 {
        Samples::count(self, client) as u64
    }

    fn expected_seconds(&self, client: ClientId) -> f64 {
        Samples::count(self, client) as f64 * self.pace(client) + 2.0 * self.latency.seconds()
    }
}

impl Samples for Ideal {
    fn count(&self, client: ClientId) -> usize {
        self.samples.get(client.index()).copied().unwrap_or(0)
    }
}
