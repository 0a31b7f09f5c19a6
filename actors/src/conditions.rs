//! What actors ask of the simulated world: presence, speed, links, fate.

pub use offbeat_kernel::hardship::{Battery, Direction, Mishap};
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use offbeat_strategies::signal::LossReason;
use std::fmt::Debug;

/// How a client's stretch of work or transfer ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It is complete.
    Complete {
        /// When.
        at: Time,
    },
    /// It is lost.
    Lost {
        /// When.
        at: Time,
        /// Why.
        reason: LossReason,
    },
    /// It ends early with what was done so far.
    Partial {
        /// When.
        at: Time,
        /// Share of the work that was done, in (0, 1).
        share: f64,
    },
}

/// The world around the actors. Every answer is a function of the seed and the arguments: asking twice
/// changes nothing, and no client has stored state here.
pub trait Conditions: Debug {
    /// Whether the client takes a task now; why not otherwise.
    ///
    /// # Errors
    /// The reason for which it declines.
    fn accepts(&self, client: ClientId, task: TaskId, now: Time) -> Result<(), LossReason>;

    /// Share of the planned steps that the client will do of its own accord, in (0, 1].
    fn completeness(&self, client: ClientId, task: TaskId) -> f64;

    /// How the client's computation over `samples` samples ends when it starts at `start`.
    fn compute(&self, client: ClientId, task: TaskId, start: Time, samples: usize) -> Outcome;

    /// Time on the client's own link for a message of `bytes`, without interruption.
    fn transfer(&self, client: ClientId, task: TaskId, way: Direction, bytes: u64) -> Span;

    /// How a transfer of length `span` ends when it starts at `start`.
    fn carry(&self, client: ClientId, task: TaskId, start: Time, span: Span) -> Outcome;

    /// The part of [`Conditions::transfer`] that does not depend on the size: latency and lost tries.
    fn delay(&self, client: ClientId, task: TaskId, way: Direction) -> Span;

    /// Rate of the client's own link for one message, in bits a second, at least 1.
    fn rate(&self, client: ClientId, task: TaskId, way: Direction) -> u64;

    /// What happens to the message of this `kind` ([`crate::message::Message::kind`]) on its way. By
    /// default nothing.
    fn mishap(&self, _client: ClientId, _task: TaskId, _way: Direction, _kind: u64) -> Mishap {
        Mishap::default()
    }

    /// Whether messages can arrive twice or out of order, so that clients must remember what they did.
    fn disorderly(&self) -> bool {
        false
    }

    /// How long edge server `edge`, by its number as a participant of the network, works on merging `updates`
    /// updates of `params` parameters. By default no time at all.
    fn merging(&self, _edge: ClientId, _task: TaskId, _updates: usize, _params: usize) -> Span {
        Span::ZERO
    }

    /// How long the client works on what takes a device of speed 1 so many seconds, without interruption.
    fn toil(&self, _client: ClientId, seconds: f64) -> Span {
        Span::from_seconds(seconds)
    }

    /// The client's battery at `now`. `last` is what was known of it before, nothing when the client
    /// has not been addressed yet; `None` where energy is no matter, as by default.
    fn battery(&self, _client: ClientId, _last: Option<Battery>, _now: Time) -> Option<Battery> {
        None
    }

    /// Whether the client takes tasks with such a battery.
    fn powered(&self, _client: ClientId, _battery: &Battery) -> bool {
        true
    }

    /// How long the client works on `samples` samples when nothing interrupts it; asked only where
    /// energy matters.
    fn effort(&self, _client: ClientId, _task: TaskId, _samples: usize) -> Span {
        Span::TICK
    }

    /// What working on `samples` samples, and sending or receiving `bytes` bytes, costs in joules.
    fn joules(&self, _client: ClientId, _samples: usize, _bytes: u64) -> f64 {
        0.0
    }
}
