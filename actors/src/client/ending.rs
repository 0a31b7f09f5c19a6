//! How a client's task ends: answered, given up, taken back, or cut off.

use super::{Client, Task};
use crate::adversary::Behaviour;
use crate::effect::Effect;
use crate::message::{Answer, Message};
use crate::wire;
use offbeat_kernel::{TaskId, Time};
use offbeat_learning::codec::EncodedLen;
use offbeat_learning::reid::COSINE_DISTANCE;
use offbeat_strategies::signal::LossReason;

impl Client {
    pub(super) fn finished(&mut self, id: TaskId, now: Time) -> Vec<Effect> {
        let Some(task) = self.task.take_if(|task| task.answer.task == id) else {
            return Vec::new();
        };
        if self.setup.keeps {
            let mut homes = self.setup.homes.borrow_mut();
            homes.entry(self.id).or_default().pending = Some(id);
        }
        let beside: Vec<(&str, usize)> =
            task.beside.iter().map(|(name, len)| (name.as_str(), *len)).collect();
        let verdicts = task.verdicts();
        let scalars: &[&str] = match (task.judged, self.setup.cosine_distance) {
            (Some(_), _) => &verdicts,
            (None, true) => &[COSINE_DISTANCE],
            (None, false) => &[],
        };
        let steps = task.steps as u64;
        let payload = match self.payload(&task) {
            EncodedLen::Exactly(bytes) => bytes,
            // How long the message is the values say, so they must be there now.
            EncodedLen::AtMost(most) => self.setup.book.payload(id).unwrap_or(most),
        };
        let bytes = wire::update_len(&task.answer, steps, payload, scalars, &beside)
            + self.setup.extra_bytes;
        self.pay(&task, 1.0, now, bytes);
        let to = self.setup.topology.above(self.id);
        let send = |answer: Answer| {
            let message = Message::Update(Box::new(answer));
            Effect::Send { client: self.id, to, message, bytes }
        };
        let mut effects = vec![send(task.answer.clone())];
        let band = self.setup.adversaries.band(self.id, task.answer.base_version);
        match band.map(|band| band.behaviour) {
            Some(Behaviour::Repeat) => effects.push(send(task.answer)),
            Some(Behaviour::Unasked) => {
                effects.push(send(Answer { task: TaskId(u64::MAX - id.0), ..task.answer }));
            }
            _ => {}
        }
        effects
    }

    pub(super) fn gave_up(&mut self, id: TaskId, reason: LossReason, now: Time) -> Vec<Effect> {
        let Some(task) = self.task.take_if(|task| task.answer.task == id) else {
            return Vec::new();
        };
        self.pay(&task, task.done, now, 0);
        vec![self.lost(id, reason)]
    }

    pub(super) fn cancelled(&mut self, id: TaskId, now: Time) -> Vec<Effect> {
        if let Some(task) = self.task.take_if(|task| task.answer.task == id) {
            let part = now.since(task.started).seconds() / task.training().seconds().max(1e-6);
            self.pay(&task, task.done * part.min(1.0), now, 0);
            self.setup.book.cancel(id);
        }
        Vec::new()
    }

    /// The client's work ends at once; the server notices that the connection breaks.
    pub(super) fn interrupted(&mut self, reason: LossReason, now: Time) -> Vec<Effect> {
        let Some(task) = self.task.as_ref().map(|task| task.answer.task) else {
            return Vec::new();
        };
        self.cancelled(task, now);
        let message = Message::Lost { task, client: self.id, reason };
        vec![Effect::now(now, self.setup.topology.above(self.id), message)]
    }

    /// Takes the energy of a task's work out of the battery, and that of what is sent.
    fn pay(&self, task: &Task, done: f64, now: Time, bytes: u64) {
        let samples = self.setup.samples.count(self.id);
        let planned = self.setup.plan.samples_seen(samples, task.steps);
        let seen = task.judged.unwrap_or(planned) as f64 * done;
        self.setup.spend(self.id, now, seen.round() as usize, || bytes);
    }
}
