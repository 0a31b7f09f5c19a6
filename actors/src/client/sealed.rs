//! Clients that are sent encrypted models, and encrypt what they answer. That takes time of their devices, and no
//! energy beyond that of the bytes.

use super::{Client, Task};
use crate::conditions::Outcome;
use offbeat_kernel::{Span, TaskId, Time};

/// A stretch of work between decrypting and encrypting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsealed {
    /// When it begins.
    pub(super) began: Time,
    /// How long the answer is encrypted; no time at all where the work is lost.
    pub(super) sealing: Span,
    /// How all of it ends.
    pub(super) outcome: Outcome,
}

impl Client {
    /// Decrypts `vectors` vectors from `now` on, does `work`, and encrypts the answer if it has one. Who is away
    /// meanwhile goes on later, or loses the task, as with messages.
    pub(super) fn between_seals(
        &self,
        task: TaskId,
        now: Time,
        vectors: usize,
        answers: bool,
        work: impl FnOnce(Time) -> Outcome,
    ) -> Unsealed {
        let Some(costs) = self.setup.sealing else {
            return Unsealed { began: now, sealing: Span::ZERO, outcome: work(now) };
        };
        let chore = |start: Time, seconds: f64| {
            let span = self.setup.conditions.toil(self.id, seconds);
            self.setup.conditions.carry(self.id, task, start, span)
        };
        let began = match chore(now, costs.decrypt_seconds * vectors as f64) {
            Outcome::Complete { at } | Outcome::Partial { at, .. } => at,
            // Lost before it began.
            Outcome::Lost { at, reason } => {
                let outcome = Outcome::Lost { at, reason };
                return Unsealed { began: at, sealing: Span::ZERO, outcome };
            }
        };
        let outcome = work(began);
        let done = match outcome {
            Outcome::Complete { at } | Outcome::Partial { at, .. } if answers => at,
            _ => return Unsealed { began, sealing: Span::ZERO, outcome },
        };
        let (sealing, outcome) = match (chore(done, costs.encrypt_seconds), outcome) {
            (Outcome::Complete { at } | Outcome::Partial { at, .. }, trained) => {
                (at.since(done), ended(trained, at))
            }
            (lost, _) => (Span::ZERO, lost),
        };
        Unsealed { began, sealing, outcome }
    }
}

impl Task {
    /// The time from the beginning of the training to its end.
    pub(super) fn training(&self) -> Span {
        let all = self.finish.since(self.started);
        Span::from_micros(all.micros().saturating_sub(self.sealing.micros()))
    }
}

/// The same outcome at another time.
fn ended(outcome: Outcome, at: Time) -> Outcome {
    match outcome {
        Outcome::Complete { .. } => Outcome::Complete { at },
        Outcome::Partial { share, .. } => Outcome::Partial { at, share },
        lost => lost,
    }
}
