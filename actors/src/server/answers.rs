//! How tasks end: answered, refused, lost or taken back.

use super::{HOPELESS, Sent, Server};
use crate::effect::Effect;
use crate::hooks::Told;
use crate::message::{Address, Answer, Message};
use crate::record::{Record, TaskEnd, TaskRow};
use offbeat_kernel::{ClientId, TaskId, Time};
use offbeat_strategies::Arrival;
use offbeat_strategies::guard::{Fault, Incident, Measure};
use offbeat_strategies::signal::{LossReason, Signal};

impl Server {
    pub(super) fn cancel(&mut self, task: TaskId, client: ClientId, now: Time) -> Vec<Effect> {
        let Some(sent) = self.open.remove(&task) else { return Vec::new() };
        self.book.discard_reply(task);
        let row = row(task, sent, now, TaskEnd::Lost(LossReason::Cancelled), 0);
        self.tally.lost(LossReason::Cancelled);
        if let Some(board) = &self.board {
            board.count(client, |counts| counts.lost += 1);
        }
        vec![Effect::Record(Record::Task(row)), self.to_client(client, Message::Cancel(task))]
    }

    /// Each task is answered at most once, by the client it was given to; anything else is refused.
    pub(super) fn answered(&mut self, answer: Answer, bytes_up: u64, now: Time) -> Vec<Effect> {
        let task = answer.task;
        if self.open.get(&task).is_none_or(|sent| sent.client != answer.client) {
            return vec![self.refuse(&answer, now)];
        }
        let Some(sent) = self.open.remove(&task) else { return Vec::new() };
        self.tally.arrived(sent.used_at_once);
        self.lost_in_a_row = 0;
        if let Some(board) = &self.board {
            board.count(answer.client, |counts| counts.arrived += 1);
            board.lock().updates = self.tally.updates();
        }
        let arrival = Arrival {
            task,
            client: answer.client,
            base_version: sent.version,
            samples: answer.samples,
            completeness: answer.completeness,
            invited: sent.invited,
            arrived: now,
            tag: answer.tag,
        };
        let mut effects = vec![
            Effect::Record(Record::Task(row(task, sent, now, TaskEnd::Arrived, bytes_up))),
            Effect::now(now, Address::Strategist, Message::Signal(Signal::Arrived(arrival))),
        ];
        if self.wants.updates {
            let told = Told::Update {
                task,
                client: answer.client,
                base: answer.base_version,
                samples: answer.samples,
                completeness: answer.completeness,
                invited: answer.invited,
            };
            effects.push(Effect::now(now, Address::Director, Message::Told(told)));
        }
        if self.stop.updates.is_some_and(|most| self.tally.updates() >= most) {
            effects.push(Effect::Stop(format!("{} updates arrived", self.tally.updates())));
        }
        effects
    }

    /// An answer that nobody waits for: a second one, or one to a task that its sender never had.
    fn refuse(&self, answer: &Answer, now: Time) -> Effect {
        let (task, client) = (answer.task, answer.client);
        let given = self.last_task.is_some_and(|last| task <= last);
        let (fault, reason) = if given && !self.open.contains_key(&task) {
            (Fault::Repeated, "the task is over: answered, lost or taken back")
        } else {
            (Fault::Unasked, "the client was not given this task")
        };
        self.note(Incident { task, client, fault, measure: Measure::Refused }, reason, now)
    }

    pub(super) fn lost(
        &mut self,
        task: TaskId,
        client: ClientId,
        reason: LossReason,
        now: Time,
    ) -> Vec<Effect> {
        if self.open.get(&task).is_none_or(|sent| sent.client != client) {
            return Vec::new();
        }
        let Some(sent) = self.open.remove(&task) else { return Vec::new() };
        self.book.discard_reply(task);
        self.tally.lost(reason);
        if let Some(board) = &self.board {
            board.count(client, |counts| counts.lost += 1);
        }
        self.lost_in_a_row += 1;
        if self.lost_in_a_row >= HOPELESS {
            let reason = format!(
                "the last {HOPELESS} tasks were all lost (the last one: {reason:?}): \
                 no update will ever arrive, so check memory, battery and drop-out of the clients"
            );
            return vec![Effect::Fail(reason)];
        }
        let signal = Signal::Lost { task, client, reason };
        vec![
            Effect::Record(Record::Task(row(task, sent, now, TaskEnd::Lost(reason), 0))),
            Effect::now(now, Address::Strategist, Message::Signal(signal)),
        ]
    }
}

pub(super) fn row(task: TaskId, sent: Sent, now: Time, end: TaskEnd, bytes_up: u64) -> TaskRow {
    TaskRow {
        task,
        client: sent.client,
        version: sent.version,
        invited: sent.invited,
        ended: now,
        end,
        bytes_down: sent.bytes_down,
        bytes_up,
        used_at_once: sent.used_at_once,
    }
}
