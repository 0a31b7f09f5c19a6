//! A client that does not train: it judges models, or answers questions.

use super::{Client, Task};
use crate::conditions::Outcome;
use crate::effect::Effect;
use crate::message::{Invite, Message};
use crate::wire;
use offbeat_kernel::Time;
use offbeat_learning::Flat;
use offbeat_learning::codec::EncodedLen;
use offbeat_strategies::fediod::{INPUTS, SLOPES};
use offbeat_strategies::signal::{Duty, LossReason};

/// A forward pass costs a third of a training step's work on the same samples.
const FORWARD: usize = 3;

impl Client {
    /// Tries every model that was sent on the samples held back.
    pub(super) fn judges(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        let held_back = self.setup.held_back.get(&self.id).copied().unwrap_or(0);
        if held_back == 0 {
            return vec![self.lost(invite.task, LossReason::Declined)];
        }
        let seen = (held_back * invite.extras.len()).div_ceil(FORWARD);
        self.attends(invite, now, seen)
    }

    /// Answers a question about inputs.
    pub(super) fn answers(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        let task = invite.task;
        let Some(duties) = self.setup.duties else {
            return vec![self.lost(task, LossReason::Declined)];
        };
        let len = |name: &str| invite.extras.get(name).map_or(0, Flat::len);
        let duty = invite.assignment.duty();
        let count = match duty {
            Duty::Answer => len(INPUTS) / duties.pixels(),
            _ => len(SLOPES) / duties.classes(),
        };
        self.attends(invite, now, duties.effort(duty, count))
    }

    /// Whether the client is asked for a teacher that it has already.
    pub(super) fn has_teacher(&self, invite: &Invite) -> bool {
        invite.assignment.is_teaching() && self.private().kept.is_some()
    }

    /// Begins a task that is no training, with the work of `seen` samples in training.
    pub(super) fn attends(&mut self, invite: Invite, now: Time, seen: usize) -> Vec<Effect> {
        let task = invite.task;
        let samples = self.setup.samples.count(self.id);
        let judges = invite.assignment.is_judging();
        let judge = |start| self.setup.conditions.compute(self.id, task, start, seen);
        let unsealed = self.between_seals(task, now, invite.extras.len(), false, judge);
        let began = unsealed.began;
        let at = match unsealed.outcome {
            // What is given up was not promised, and counts as done in full for the battery once it began.
            Outcome::Lost { at, reason } => {
                let opened = self.open(invite, 0, 0, began, at, samples);
                let done = if began < at { 1.0 } else { 0.0 };
                let lost = Task { judged: Some(seen), done, job: None, ..opened };
                self.task = Some(Box::new(lost));
                return vec![self.to_self(at, Message::GaveUp(task, reason))];
            }
            Outcome::Complete { at } | Outcome::Partial { at, .. } => at,
        };
        let mut opened = self.open(invite, 0, 0, began, at, samples);
        opened.judged = Some(seen);
        if judges {
            opened.beside = Vec::new();
        }
        opened.answer.completeness = 1.0;
        self.promise(&opened);
        self.task = Some(Box::new(opened));
        vec![self.to_self(at, Message::Finished(task))]
    }

    /// Bytes of the parameters in the answer: only trainings send any.
    pub(super) fn payload(&self, task: &Task) -> EncodedLen {
        match task.judged {
            Some(_) => EncodedLen::Exactly(wire::flat_len(0)),
            None if task.params == 0 => EncodedLen::Exactly(wire::flat_len(0)),
            None => self.setup.coded.up_len(task.params),
        }
    }
}

impl Task {
    /// Names of what a judge says.
    pub(super) fn verdicts(&self) -> Vec<&str> {
        let job = self.job.as_ref().filter(|job| job.duty == Duty::Judge);
        job.map(|job| job.extras.keys().map(String::as_str).collect()).unwrap_or_default()
    }
}
