//! An edge server: a client of the server, and a server to clients of its own.
//!
//! It answers an invitation by inviting its own clients, waiting for them by its rule, and merging their
//! updates by their samples, once or several times. Its update is a promise as theirs are: the last merge is
//! done when somebody takes the values. Earlier merges are done at once, since the clients go on from them; work
//! of the other edge servers' clients overlaps all the same.

mod roster;
mod round;

pub use self::roster::EdgeRoster;
pub use self::round::Task;

use crate::caught::{caught, saved};
use crate::client::Samples;
use crate::coded::Coded;
use crate::conditions::Conditions;
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Answer, Invite, Message};
use crate::promise::{Book, Merge};
use crate::record::Record;
use crate::snapshot::Save;
use crate::tally::Tally;
use crate::topology::Tree;
use crate::wire;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{ClientId, SeedTree, TaskId, Time};
use offbeat_learning::LocalPlan;
use offbeat_learning::reid::COSINE_DISTANCE;
use offbeat_strategies::Roster;
use offbeat_strategies::guard::{Fault, Incident, Measure};
use offbeat_strategies::signal::{LossReason, Signal};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::sync::Arc;

/// What all edge servers of a run have in common.
#[derive(Clone, Debug)]
pub struct EdgeSetup {
    /// Who belongs to whom, and what edge servers do.
    pub tree: Rc<Tree>,
    /// The world around them.
    pub conditions: Rc<dyn Conditions>,
    /// Presence of their clients.
    pub roster: Rc<dyn Roster>,
    /// How many samples their clients hold.
    pub samples: Rc<dyn Samples>,
    /// How their clients train.
    pub plan: Arc<LocalPlan>,
    /// How models and updates are written for the links.
    pub coded: Arc<Coded>,
    /// Whether their clients measure how far training moved their answers.
    pub cosine_distance: bool,
    /// Where promises are kept.
    pub book: Book,
    /// Where is counted.
    pub tally: Tally,
    /// Root of all randomness.
    pub seeds: SeedTree,
}

/// An edge server.
#[derive(Debug)]
pub struct Edge {
    id: u32,
    setup: EdgeSetup,
    task: Option<Task>,
    /// The last task it was given.
    last: Option<TaskId>,
}

/// What an edge server knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    task: Option<Task>,
    last: Option<TaskId>,
}

impl Edge {
    /// Edge server `id` without a task.
    pub fn new(id: u32, setup: EdgeSetup) -> Self {
        Self { id, setup, task: None, last: None }
    }

    /// What it knows now.
    pub fn state(&self) -> State {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { id: _, setup: _, task, last } = self;
        State { task: task.clone(), last: *last }
    }

    /// Puts back what [`Edge::state`] gave.
    pub fn restore(&mut self, state: State) {
        let State { task, last } = state;
        (self.task, self.last) = (task, last);
    }

    /// A newer task ends an older one; one that comes twice says nothing.
    fn invited(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        if self.last.is_some_and(|last| invite.task <= last) {
            return Vec::new();
        }
        let mut effects = self.abandoned(now);
        self.last = Some(invite.task);
        let id = invite.task;
        if let Err(reason) = self.setup.conditions.accepts(self.participant(), id, now) {
            effects.push(self.lost(id, reason));
            return effects;
        }
        let mut task = Task::new(ClientId(self.id), invite);
        let begun = task.begin(self.id, &self.setup, now);
        if begun.is_empty() {
            effects.push(self.lost(id, LossReason::Declined));
            return effects;
        }
        self.task = Some(task);
        effects.extend(begun);
        effects
    }

    /// Lets go of the present task. Its clients are told to stop, and what they sent is forgotten.
    fn abandoned(&mut self, now: Time) -> Vec<Effect> {
        let Some(mut task) = self.task.take() else { return Vec::new() };
        let effects = task.dismiss(self.id, &self.setup, now);
        task.parts().for_each(|part| self.setup.book.discard_reply(part));
        effects
    }

    /// Aggregates when there is nothing more to wait for.
    fn settle(&mut self, now: Time) -> Vec<Effect> {
        let (id, setup) = (self.id, &self.setup);
        let Some(task) = self.task.as_mut().filter(|task| task.is_complete(setup)) else {
            return Vec::new();
        };
        let mut effects = task.dismiss(id, setup, now);
        match task.close(id, setup, now) {
            Some(at) => {
                let message = Message::Finished(task.id());
                effects.push(Effect::Schedule { at, to: Address::Edge(id), message });
            }
            None => {
                let (task, reason) = (task.id(), task.why_nobody());
                self.task = None;
                effects.push(self.lost(task, reason));
            }
        }
        effects
    }

    /// A round is merged: the next one begins, or the server is answered.
    fn merged(&mut self, id: TaskId, now: Time) -> Vec<Effect> {
        let Some(mut task) = self.task.take_if(|task| task.id() == id) else { return Vec::new() };
        let mut effects: Vec<Effect> =
            task.record(self.id, now).map(Effect::Record).into_iter().collect();
        if !effects.is_empty() {
            self.setup.tally.merged_below();
        }
        if task.goes_on(&self.setup) {
            if let Err(reason) = task.take_values(self.id, &self.setup, now) {
                self.setup
                    .tally
                    .failed(&format!("{id} of edge server {} at {now}: {reason}", self.id));
                effects.push(self.lost(id, LossReason::Failed));
                return effects;
            }
            let begun = task.begin(self.id, &self.setup, now);
            if !begun.is_empty() {
                effects.extend(begun);
                self.task = Some(task);
                return effects;
            }
        }
        effects.push(self.answer(task, now));
        effects
    }

    fn answer(&self, task: Task, now: Time) -> Effect {
        let (answer, joint) = task.finish(self.id, &self.setup, now);
        let steps = joint.steps_before.saturating_add(joint.steps());
        let measured = self.setup.cosine_distance && !joint.parts.is_empty();
        let scalars: &[&str] = if measured { &[COSINE_DISTANCE] } else { &[] };
        let payload = wire::flat_len(joint.base.len());
        let bytes = wire::update_len(&answer, steps, payload, scalars, &[]);
        self.setup.book.promise_jointly(answer.task, joint);
        let message = Message::Update(Box::new(answer));
        Effect::Send { client: self.participant(), to: Address::Server, message, bytes }
    }

    fn arrived(&mut self, answer: &Answer, now: Time) -> Vec<Effect> {
        let bytes = self.setup.tally.bytes_of(answer.task);
        let taken = self
            .task
            .as_mut()
            .and_then(|task| task.arrived(self.id, answer, bytes, &self.setup, now));
        let Some(record) = taken else {
            self.refuse(answer, now);
            return Vec::new();
        };
        self.setup.tally.arrived_below();
        std::iter::once(Effect::Record(record)).chain(self.settle(now)).collect()
    }

    /// An answer that nobody waits for: a second one, one to a task that is over, or that its sender never had.
    fn refuse(&self, answer: &Answer, now: Time) {
        let (task, client) = (answer.task, answer.client);
        let tree = &self.setup.tree;
        let given = self.last.is_some_and(|last| tree.was_given(task, client, self.id, last));
        let waited = self.task.as_ref().is_some_and(|own| own.waits_for(task));
        let (fault, reason) = match given && !waited {
            true => (Fault::Repeated, "the task is over: answered, lost or taken back"),
            false => (Fault::Unasked, "the client was not given this task"),
        };
        let incident = Incident { task, client, fault, measure: Measure::Refused };
        let merge = match &self.task {
            Some(own) => own.merge(self.id, now),
            None => {
                let of = self.last.unwrap_or(TaskId(0));
                Merge { edge: self.id, of, round: 0, version: answer.base_version, at: now }
            }
        };
        self.setup.book.note_below(merge, incident, reason);
    }

    fn client_lost(
        &mut self,
        task: TaskId,
        client: ClientId,
        reason: LossReason,
        now: Time,
    ) -> Vec<Effect> {
        self.setup.tally.bytes_of(task);
        let mine = self.task.as_mut();
        let Some(record) = mine.and_then(|own| own.lost(self.id, (task, client), reason, now))
        else {
            return Vec::new();
        };
        self.setup.book.discard_reply(task);
        self.setup.tally.lost_below(reason);
        std::iter::once(Effect::Record(record)).chain(self.settle(now)).collect()
    }

    fn cancelled(&mut self, id: TaskId, now: Time) -> Vec<Effect> {
        match self.task.as_ref().is_some_and(|task| task.id() == id) {
            true => self.abandoned(now),
            false => Vec::new(),
        }
    }

    /// Answers after the present round; its clients are asked to come to an end.
    fn urged(&mut self, id: TaskId) -> Vec<Effect> {
        match self.task.as_mut().filter(|task| task.id() == id) {
            Some(task) => task.urge(),
            None => Vec::new(),
        }
    }

    fn rang(&mut self, turn: u64, now: Time) -> Vec<Effect> {
        let tree = &self.setup.tree;
        let Some(task) = self.task.as_mut().filter(|task| task.turn(tree) == turn) else {
            return Vec::new();
        };
        task.too_late();
        self.settle(now)
    }

    /// The edge server fails at once; the server notices that the connection breaks.
    fn interrupted(&mut self, reason: LossReason, now: Time) -> Vec<Effect> {
        let Some(task) = self.task.as_ref().map(Task::id) else { return Vec::new() };
        let mut effects = self.abandoned(now);
        let message = Message::Lost { task, client: ClientId(self.id), reason };
        effects.push(Effect::now(now, Address::Server, message));
        effects
    }

    fn participant(&self) -> ClientId {
        self.setup.tree.participant(self.id)
    }

    fn lost(&self, task: TaskId, reason: LossReason) -> Effect {
        let message = Message::Lost { task, client: ClientId(self.id), reason };
        let bytes = message.bytes();
        Effect::Send { client: self.participant(), to: Address::Server, message, bytes }
    }
}

impl Actor for Edge {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Edge {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(saved("an edge server", || Ok(self.state())))
    }
}

impl Handler<Deliver> for Edge {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        let now = deliver.now;
        MessageResult(caught("an edge server", || match deliver.message {
            Message::Invite(invite) => self.invited(*invite, now),
            Message::Update(answer) => self.arrived(&answer, now),
            Message::Lost { task, client, reason } => self.client_lost(task, client, reason, now),
            Message::Finished(task) => self.merged(task, now),
            Message::Cancel(task) => self.cancelled(task, now),
            Message::Urge(task) => self.urged(task),
            Message::Interrupt(reason) => self.interrupted(reason, now),
            Message::Signal(Signal::Timer(turn)) => self.rang(turn, now),
            _ => Vec::new(),
        }))
    }
}

/// What an edge server did with a client's task.
pub(crate) fn of_edge(edge: u32, of: TaskId, round: u32, row: crate::record::TaskRow) -> Record {
    Record::EdgeTask { edge, of, round, row }
}
