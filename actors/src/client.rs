//! A client: it declines, trains, gives up or answers. It exists as an actor only while it works.

use crate::adversary::Adversaries;
use crate::beside;
use crate::coded::Coded;
use crate::conditions::{Conditions, Outcome};
use crate::director::SharedInterventions;
use crate::effect::Effect;
use crate::message::{Address, Answer, Invite, Message};
use crate::promise::Book;
use crate::topology::Topology;
use crate::work::{Private, TrainJob};
use actix::{Actor, Context};
use offbeat_kernel::pool::Urgency;
use offbeat_kernel::{ClientId, Span, TaskId, Time, Version};
use offbeat_learning::LocalPlan;
use offbeat_strategies::fediod::Duties;
use offbeat_strategies::paillier::Sealing;
use offbeat_strategies::signal::{Duty, LossReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

mod delivery;
mod ending;
mod home;
mod judge;
mod promised;
mod sealed;
mod urged;

pub use self::delivery::{DeliverToClient, Reaction};
pub use self::home::{Home, Homes, settle};
use self::sealed::Unsealed;

/// What all clients of a run have in common.
#[derive(Clone, Debug)]
pub struct ClientSetup {
    /// Whose clients they are.
    pub topology: Topology,
    /// The world around them.
    pub conditions: Rc<dyn Conditions>,
    /// Where their work is done.
    pub book: Book,
    /// What they keep.
    pub homes: Homes,
    /// How they train.
    pub plan: Arc<LocalPlan>,
    /// How many samples each holds.
    pub samples: Rc<dyn Samples>,
    /// How many samples those hold back who hold some back.
    pub held_back: Rc<BTreeMap<ClientId, usize>>,
    /// Who is hostile.
    pub adversaries: Arc<Adversaries>,
    /// How models and updates are written for the links.
    pub coded: Arc<Coded>,
    /// Whether they keep a private part or a control variate.
    pub keeps: bool,
    /// Whether they send the change of a control variate.
    pub controls: bool,
    /// Numbers in the clusters of class centres that they release when asked.
    pub cluster_numbers: usize,
    /// What they do with questions, where they are asked some.
    pub duties: Option<Duties>,
    /// Whether they say how far training moved their answers.
    pub cosine_distance: bool,
    /// Bytes that secure aggregation adds to an answer.
    pub extra_bytes: u64,
    /// Bytes that it adds to an invitation.
    pub extra_down: u64,
    /// What encryption costs, where models and updates travel encrypted.
    pub sealing: Option<Sealing>,
    /// What is done to them, where something may be.
    pub interventions: Option<SharedInterventions>,
    /// Whether messages may come twice or out of order, so that they remember their last task.
    pub remember: bool,
}

/// Tells how many samples a client holds.
pub trait Samples: std::fmt::Debug {
    /// Number of training samples.
    fn count(&self, client: ClientId) -> usize;
}

/// A client at work.
#[derive(Debug)]
pub struct Client {
    id: ClientId,
    setup: Rc<ClientSetup>,
    // Apart, so that starting an actor moves little.
    task: Option<Box<Task>>,
}

/// A task under way: all that a client at work knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    answer: Answer,
    planned_steps: usize,
    steps: usize,
    /// When training begins.
    started: Time,
    finish: Time,
    /// The part before the end that is spent on encrypting the answer.
    sealing: Span,
    /// Share of the work that is done when it ends: below 1 only if it is given up.
    done: f64,
    params: usize,
    /// Names and lengths of the vectors that it returns beside the parameters.
    beside: Vec<(String, usize)>,
    /// Samples that pass through the network in judging, in those of training; `None` in training.
    judged: Option<usize>,
    job: Option<TrainJob>,
    urgency: Urgency,
}

impl Client {
    /// A client that has just been addressed.
    pub fn new(id: ClientId, setup: Rc<ClientSetup>) -> Self {
        Self { id, setup, task: None }
    }

    /// A client in the middle of `task`.
    pub fn at_work(id: ClientId, setup: Rc<ClientSetup>, task: Task) -> Self {
        Self { id, setup, task: Some(Box::new(task)) }
    }

    /// Whether it has nothing to do, so that its actor can end.
    pub fn is_idle(&self) -> bool {
        self.task.is_none()
    }

    /// Obeys the newest invitation. One that comes twice, or after a newer one, says nothing; a newer
    /// one ends the work on an older task, which a server that crashed has forgotten.
    fn newest(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        let known = self.setup.homes.borrow().get(&self.id).and_then(|home| home.last);
        let present = self.task.as_ref().map(|task| task.answer.task);
        if known.max(present).is_some_and(|last| invite.task <= last) {
            return Vec::new();
        }
        if let Some(old) = present {
            self.cancelled(old, now);
        }
        if self.setup.remember {
            self.setup.homes.borrow_mut().entry(self.id).or_default().last = Some(invite.task);
        }
        self.invited(invite, now)
    }

    fn invited(&mut self, invite: Invite, now: Time) -> Vec<Effect> {
        let task = invite.task;
        let battery = self.setup.spend(self.id, now, 0, || {
            self.setup.coded.invite_len(&invite) + self.setup.extra_down
        });
        if battery.is_some_and(|battery| !self.setup.conditions.powered(self.id, &battery)) {
            return vec![self.lost(task, LossReason::Declined)];
        }
        if let Err(reason) = self.setup.conditions.accepts(self.id, task, now) {
            return vec![self.lost(task, reason)];
        }
        let samples = self.setup.samples.count(self.id);
        if samples == 0 {
            return vec![self.lost(task, LossReason::Declined)];
        }
        match invite.assignment.duty() {
            Duty::Judge => return self.judges(invite, now),
            Duty::Answer | Duty::PullBack => return self.answers(invite, now),
            Duty::Teach if self.has_teacher(&invite) => return self.attends(invite, now, 0),
            Duty::Teach | Duty::Train => {}
        }
        let planned = match invite.assignment.steps {
            Some(steps) => steps as usize,
            None => self.setup.plan.steps(samples),
        };
        let share = self.setup.conditions.completeness(self.id, task);
        let steps = steps_of(share, planned);
        let seen = self.setup.plan.samples_seen(samples, steps);
        let train = |start| self.fate(task, start, samples, seen, steps);
        let Unsealed { began, sealing, outcome } = self.between_seals(task, now, 1, true, train);
        let (finish, steps) = match outcome {
            Outcome::Lost { at, reason } => {
                // The work will not count, so it is not even promised.
                let whole = self.setup.conditions.effort(self.id, task, seen).seconds();
                let done = (at.since(began).seconds() / whole).min(1.0);
                let opened = self.open(invite, planned, steps, began, at, samples);
                self.task = Some(Box::new(Task { done, job: None, ..opened }));
                return vec![self.to_self(at, Message::GaveUp(task, reason))];
            }
            Outcome::Complete { at } => (at, steps),
            Outcome::Partial { at, share } => (at, whole_steps(share, steps)),
        };
        let opened = Task { sealing, ..self.open(invite, planned, steps, began, finish, samples) };
        self.promise(&opened);
        self.task = Some(Box::new(opened));
        vec![self.to_self(finish, Message::Finished(task))]
    }

    /// How the work of `steps` steps ends, the battery included.
    fn fate(&self, task: TaskId, now: Time, samples: usize, seen: usize, steps: usize) -> Outcome {
        let setup = &self.setup;
        let outcome = setup.conditions.compute(self.id, task, now, seen);
        let (at, seen) = match outcome {
            Outcome::Lost { .. } => return outcome,
            Outcome::Complete { at } => (at, seen),
            Outcome::Partial { at, share } => match whole_steps(share, steps) {
                0 => return Outcome::Lost { at, reason: LossReason::WentOffline },
                done => (at, setup.plan.samples_seen(samples, done)),
            },
        };
        match setup.exhausted(self.id, now, at, seen) {
            Some(at) => Outcome::Lost { at, reason: LossReason::DroppedOut },
            None => outcome,
        }
    }

    fn open(
        &self,
        invite: Invite,
        planned: usize,
        steps: usize,
        started: Time,
        finish: Time,
        samples: usize,
    ) -> Task {
        let urgency = if invite.assignment.speculative { Urgency::Lazy } else { Urgency::Eager };
        let answer = Answer {
            task: invite.task,
            client: self.id,
            base_version: invite.version,
            invited: invite.invited,
            samples: self.claimed(samples as u64, invite.version),
            completeness: steps as f64 / planned.max(1) as f64,
            tag: invite.assignment.tag,
        };
        let params = invite.model.len();
        let setup = &self.setup;
        let beside = match beside::told(setup.duties.as_ref(), &invite) {
            Some(told) => vec![told],
            None => beside::returned(setup.controls, setup.cluster_numbers, &invite),
        };
        let job = TrainJob {
            task: invite.task,
            draw: self.setup.topology.draw(invite.task),
            client: self.id,
            base: invite.version,
            at: started,
            label_turn: self.label_turn(),
            shared: invite.model,
            extras: invite.extras,
            private: self.private(),
            duty: invite.assignment.duty(),
            steps: invite.assignment.steps,
            step_limit: (steps < planned).then_some(steps),
        };
        Task {
            answer,
            planned_steps: planned,
            steps,
            started,
            finish,
            sealing: Span::ZERO,
            done: 1.0,
            params,
            judged: None,
            beside,
            job: Some(job),
            urgency,
        }
    }

    fn label_turn(&self) -> u32 {
        let interventions = self.setup.interventions.as_ref();
        interventions.map_or(0, |state| state.borrow().label_turn(Some(self.id)))
    }

    /// What the client keeps, fetched if its last training is not settled yet.
    fn private(&self) -> Private {
        if !self.setup.keeps {
            return Private::default();
        }
        settle(&self.setup.homes, &self.setup.book, self.id)
    }

    /// How many samples the client says it holds.
    fn claimed(&self, held: u64, base: Version) -> u64 {
        let band = self.setup.adversaries.band(self.id, base);
        band.map_or(held, |band| band.claimed_samples(held))
    }

    fn to_self(&self, at: Time, message: Message) -> Effect {
        Effect::Schedule { at, to: Address::Client(self.id), message }
    }

    fn lost(&self, task: TaskId, reason: LossReason) -> Effect {
        let message = Message::Lost { task, client: self.id, reason };
        let bytes = message.bytes();
        Effect::Send { client: self.id, to: self.setup.topology.above(self.id), message, bytes }
    }
}

/// The steps that are finished when `share` of the work is done.
fn whole_steps(share: f64, steps: usize) -> usize {
    ((share * steps as f64).floor() as usize).min(steps)
}

/// Steps that make up `share` of `planned`: at least one.
fn steps_of(share: f64, planned: usize) -> usize {
    ((share * planned as f64).round() as usize).clamp(1, planned.max(1))
}

impl Actor for Client {
    type Context = Context<Self>;
}
