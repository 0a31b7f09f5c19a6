//! A client that judges models instead of training one.

use super::{Client, Task};
use crate::conditions::Outcome;
use crate::effect::Effect;
use crate::message::{Invite, Message};
use crate::wire;
use offbeat_kernel::Time;
use offbeat_learning::codec::EncodedLen;
use offbeat_strategies::signal::LossReason;

/// A forward pass costs a third of a training step's work on the same samples.
const FORWARD: usize = 3;

impl Client {
    /// Tries every model that was sent on the samples held back.
    pub(super) fn judges(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        let task = invite.task;
        let held_back = self.setup.held_back.get(&self.id).copied().unwrap_or(0);
        if held_back == 0 {
            return vec![self.lost(task, LossReason::Declined)];
        }
        let seen = (held_back * invite.extras.len()).div_ceil(FORWARD);
        let samples = self.setup.samples.count(self.id);
        let judge = |start| self.setup.conditions.compute(self.id, task, start, seen);
        let unsealed = self.between_seals(task, now, invite.extras.len(), false, judge);
        let began = unsealed.began;
        let at = match unsealed.outcome {
            // What is given up was not promised, and counts as done in full for the battery.
            Outcome::Lost { at, reason } => {
                let opened = self.open(invite, 0, 0, began, at, samples);
                self.task = Some(Box::new(Task { judged: Some(seen), ..opened }));
                return vec![self.to_self(at, Message::GaveUp(task, reason))];
            }
            Outcome::Complete { at } | Outcome::Partial { at, .. } => at,
        };
        let mut opened = self.open(invite, 0, 0, began, at, samples);
        opened.judged = Some(seen);
        opened.beside = Vec::new();
        opened.answer.completeness = 1.0;
        self.promise(&opened);
        self.task = Some(Box::new(opened));
        vec![self.to_self(at, Message::Finished(task))]
    }

    /// Bytes of the parameters in the answer: judges send none.
    pub(super) fn payload(&self, task: &Task) -> EncodedLen {
        match task.judged {
            Some(_) => EncodedLen::Exactly(wire::flat_len(0)),
            None => self.setup.coded.up_len(task.params),
        }
    }
}

impl Task {
    /// Names of what a judge says.
    pub(super) fn verdicts(&self) -> Vec<&str> {
        let job = self.job.as_ref().filter(|_| self.judged.is_some());
        job.map(|job| job.extras.keys().map(String::as_str).collect()).unwrap_or_default()
    }
}
