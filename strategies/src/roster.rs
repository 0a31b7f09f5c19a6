//! What a server may know of its clients.

use offbeat_kernel::{ClientId, Time};

/// The clients, as the server sees them. A pure function of time, so that it costs nothing to ask
/// about a million clients.
pub trait Roster: std::fmt::Debug {
    /// How many clients are registered; their ids count from 0.
    fn count(&self) -> u32;

    /// Whether the client is reachable at `now`.
    fn present(&self, client: ClientId, now: Time) -> bool;

    /// The next time after `now` at which the client's presence may change;
    /// [`Time::NEVER`] when it never does.
    fn next_change(&self, client: ClientId, now: Time) -> Time;

    /// Whether something is still to come at a time that [`Roster::next_change`] does not tell and
    /// that may bring clients back. [`crate::Signal::Vacancy`] follows when it has.
    fn may_bring_back(&self) -> bool {
        false
    }

    /// How many samples the client registered with.
    fn samples(&self, client: ClientId) -> u64;

    /// Seconds from invitation to answer under undisturbed conditions: what a profiling phase finds.
    fn expected_seconds(&self, client: ClientId) -> f64;
}
