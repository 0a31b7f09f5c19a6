//! The tap: an honest but curious listener on the clients' links. It changes nothing; it takes updates as they
//! travel and looks for the samples behind them.
//!
//! An attack is a job like any other: it does the client's training again, for the update as the server reads it
//! and for the samples to compare with, and then forgets both but for what the attack sees. Results are read at the
//! end of the run.

mod attack;

pub use self::attack::Leak;

use crate::caught::{caught, saved};
use crate::effect::Effect;
use crate::message::Answer;
use crate::promise::Book;
use crate::record::Record;
use crate::snapshot::Save;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{ClientId, JobId, TaskId, Time, Version};
use offbeat_learning::leakage::Attack;
use serde::{Deserialize, Serialize};

/// What a tap listens to, and what it does with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapRules {
    /// The attack.
    pub attack: Attack,
    /// Whose updates; everybody's when empty.
    pub clients: Vec<ClientId>,
    /// Only updates that started from this version or a later one.
    pub from_version: Version,
    /// How many updates, the first that come.
    pub updates: usize,
}

/// The listener.
#[derive(Debug)]
pub struct Tap {
    rules: TapRules,
    book: Book,
    heard: Vec<Heard>,
}

/// What the tap knows between two events; the book holds the specifications of its jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    heard: Vec<Heard>,
}

/// An update under attack.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Heard {
    at: Time,
    version: Version,
    client: ClientId,
    task: TaskId,
    job: JobId,
}

/// An update begins its way.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub(crate) struct Overhear {
    pub(crate) now: Time,
    pub(crate) answer: Answer,
}

/// The run is over: waits for all attacks and says what they found.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub(crate) struct Tell;

impl Tap {
    /// A tap that has heard nothing yet.
    pub(crate) fn new(rules: TapRules, book: Book) -> Self {
        Self { rules, book, heard: Vec::new() }
    }

    /// Puts back what [`Save`] gave.
    pub(crate) fn restore(&mut self, state: State) {
        let State { heard } = state;
        self.heard = heard;
    }

    fn overhear(&mut self, now: Time, answer: &Answer) {
        let TapRules { attack: _, clients, from_version, updates } = &self.rules;
        let Answer { task, client, base_version: version, .. } = *answer;
        let wanted = clients.is_empty() || clients.contains(&client);
        let known = self.heard.iter().any(|heard| heard.task == task);
        if self.heard.len() >= *updates || !wanted || known || version < *from_version {
            return;
        }
        if let Some(job) = self.book.attack(task) {
            self.heard.push(Heard { at: now, version, client, task, job });
        }
    }

    /// What came of one attack.
    fn tell(&self, heard: &Heard) -> Record {
        let Heard { at, version, client, task, job } = *heard;
        match self.book.take_attack(job) {
            Ok(leak) => Record::Leak { at, version, client, leak: Box::new(leak) },
            Err(reason) => {
                let what = format!("the tap could not attack {task} of {client}: {reason}");
                Record::Happening { at, what }
            }
        }
    }
}

impl Actor for Tap {
    type Context = Context<Self>;
}

impl Handler<Overhear> for Tap {
    type Result = MessageResult<Overhear>;

    fn handle(&mut self, heard: Overhear, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the tap", || {
            self.overhear(heard.now, &heard.answer);
            Vec::new()
        }))
    }
}

impl Handler<Tell> for Tap {
    type Result = MessageResult<Tell>;

    fn handle(&mut self, _: Tell, _: &mut Context<Self>) -> Self::Result {
        let heard = std::mem::take(&mut self.heard);
        let tell = |one: &Heard| caught("the tap", || vec![Effect::Record(self.tell(one))]);
        MessageResult(heard.iter().flat_map(tell).collect())
    }
}

impl Handler<Save<State>> for Tap {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { rules: _, book: _, heard } = self;
        MessageResult(saved("the tap", || Ok(State { heard: heard.clone() })))
    }
}
