//! The server: keeps the protocol. It sends invitations, accepts each answer once, keeps count, has
//! versions evaluated, and ends the run. What to do is the strategist's decision.

use crate::caught::caught;
use crate::coded::Coded;
use crate::effect::{Deliver, Effect};
use crate::hooks::{SharedBoard, Told, Wants};
use crate::message::{Address, Command, Invite, Message};
use crate::promise::Book;
use crate::record::{Record, TaskEnd};
use crate::rules::{EvaluationRules, StopRules};
use crate::tally::Tally;
use crate::topology::Topology;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::guard::{Incident, Measure};
use offbeat_strategies::signal::{Clusters, Invitation, LossReason, Order, Publication, Signal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

mod answers;
mod judging;
mod state;

use self::answers::row;
pub use self::state::State;

/// The server's protocol state.
#[derive(Debug)]
pub struct Server {
    open: BTreeMap<TaskId, Sent>,
    version: Version,
    model: Flat,
    clusters: Option<Box<Clusters>>,
    evaluation: EvaluationRules,
    stop: StopRules,
    topology: Topology,
    coded: Arc<Coded>,
    /// Bytes that secure aggregation adds to an invitation.
    extra_bytes: u64,
    book: Book,
    tally: Tally,
    best: Option<f64>,
    without_gain: u32,
    evaluated: Option<Version>,
    lost_in_a_row: u64,
    /// Updates that failed or were refused since the last version.
    fruitless_in_a_row: u64,
    /// Tasks up to this one were given.
    last_task: Option<TaskId>,
    /// The last version is published: nobody is invited any more.
    closed: bool,
    /// It has crashed and was not restarted.
    down: bool,
    /// What the director wants to be told of.
    wants: Wants,
    board: Option<SharedBoard>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    client: ClientId,
    version: Version,
    invited: Time,
    bytes_down: u64,
    used_at_once: bool,
}

/// Starts the periodic evaluation timer: a signal token that the strategist never sees.
const EVALUATE: u64 = u64::MAX - 1;

/// So many tasks lost in a row mean that nothing will ever be learnt.
const HOPELESS: u64 = 100_000;

/// So many updates in a row that failed or were refused end a run.
const FRUITLESS: u64 = 1_000;

impl Server {
    /// A server with version 0 of the shared parameters.
    pub fn new(
        model: Flat,
        evaluation: EvaluationRules,
        stop: StopRules,
        book: Book,
        tally: Tally,
    ) -> Self {
        Self {
            open: BTreeMap::new(),
            version: Version(0),
            model,
            clusters: None,
            evaluation,
            stop,
            topology: Topology::Star,
            coded: Arc::default(),
            extra_bytes: 0,
            book,
            tally,
            best: None,
            without_gain: 0,
            evaluated: None,
            lost_in_a_row: 0,
            fruitless_in_a_row: 0,
            last_task: None,
            closed: false,
            down: false,
            wants: Wants::default(),
            board: None,
        }
    }

    /// The server of a federation that is connected in such a way.
    pub fn above(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// The server of a federation whose models and updates are written so.
    pub fn coding(mut self, coded: Arc<Coded>) -> Self {
        self.coded = coded;
        self
    }

    /// A server whose invitations come with so many more bytes.
    pub fn sending_beside(mut self, extra_bytes: u64) -> Self {
        self.extra_bytes = extra_bytes;
        self
    }

    /// A server that tells the director what it wants to know, and counts on the script's board.
    pub fn observed(mut self, wants: Wants, board: Option<SharedBoard>) -> Self {
        (self.wants, self.board) = (wants, board);
        self
    }

    fn commanded(&mut self, command: &Command, now: Time) -> Vec<Effect> {
        match command {
            Command::Crash => self.crash(now),
            Command::Restart => {
                self.down = false;
                Vec::new()
            }
            Command::Evaluate if !self.down => self.evaluate(now).into_iter().collect(),
            Command::Evaluate | Command::Switch(_) => Vec::new(),
        }
    }

    /// Forgets all open tasks. Their clients work on, and are refused when they answer.
    fn crash(&mut self, now: Time) -> Vec<Effect> {
        self.down = true;
        let reason = LossReason::ServerCrashed;
        let open = std::mem::take(&mut self.open);
        let lost = open.into_iter().map(|(task, sent)| {
            self.book.discard_reply(task);
            self.tally.lost(reason);
            if let Some(board) = &self.board {
                board.count(sent.client, |counts| counts.lost += 1);
            }
            Effect::Record(Record::Task(row(task, sent, now, TaskEnd::Lost(reason), 0)))
        });
        lost.collect()
    }

    /// Goes on from what was stored.
    fn resume(&mut self, stored: Publication) -> Vec<Effect> {
        (self.version, self.model) = (stored.version, stored.model);
        self.clusters = stored.clusters;
        // Versions that come after this one will be others of the same number.
        self.evaluated = self.evaluated.filter(|version| *version <= self.version);
        self.tally.resumed(self.version);
        if let Some(board) = &self.board {
            board.lock().version = self.version;
        }
        Vec::new()
    }

    fn start(&mut self, now: Time) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.evaluate(now).into_iter().collect();
        effects.extend(self.next_timed_evaluation(now));
        effects.push(Effect::now(now, Address::Strategist, Message::Signal(Signal::Start)));
        effects
    }

    fn obey(&mut self, order: Order, now: Time) -> Vec<Effect> {
        match order {
            Order::Invite(_) if self.closed => Vec::new(),
            Order::Invite(invitation) => vec![self.invite(*invitation, now)],
            Order::Cancel { task, client } => self.cancel(task, client, now),
            Order::Urge { task, client } => vec![self.to_client(client, Message::Urge(task))],
            Order::Resume(stored) => self.resume(*stored),
            Order::Publish(publication) => self.publish(*publication, now),
            Order::Failed { task, client, reason } => {
                self.tally.failed(&format!(
                    "{task} of {client} at {now}, version {}: {reason}",
                    self.version.0
                ));
                self.give_up_when_nothing_is_learnt()
            }
            Order::Guarded { incident, reason } => {
                let mut effects = vec![self.note(incident, &reason, now)];
                if incident.measure == Measure::Refused {
                    effects.extend(self.give_up_when_nothing_is_learnt());
                }
                effects
            }
            Order::Note(what) => {
                self.tally.note(&what);
                vec![Effect::Record(Record::Happening { at: now, what })]
            }
            Order::Finish(reason) => vec![Effect::Stop(reason)],
            Order::Timer { .. } => Vec::new(),
        }
    }

    /// Counts and records what was found of an answer.
    fn note(&self, incident: Incident, reason: &str, now: Time) -> Effect {
        self.tally.guarded(&incident, reason, now);
        Effect::Record(Record::Guarded { at: now, version: self.version, incident })
    }

    fn give_up_when_nothing_is_learnt(&mut self) -> Vec<Effect> {
        self.fruitless_in_a_row += 1;
        if self.fruitless_in_a_row < FRUITLESS {
            return Vec::new();
        }
        let counts = self.tally.counts();
        let reason = match (counts.merged, counts.refused) {
            (0, 0) => format!("the first {FRUITLESS} trainings all failed"),
            (0, _) => format!("the first {FRUITLESS} updates all failed or were refused"),
            _ => format!("{FRUITLESS} updates in a row failed or were refused"),
        };
        vec![Effect::Stop(reason)]
    }

    fn invite(&mut self, invitation: Invitation, now: Time) -> Effect {
        let Invitation { task, client, version, model, extras, assignment } = invitation;
        let used_at_once = assignment.duty().is_used_at_once();
        let invite = Invite { task, version, invited: now, model, extras, assignment };
        let message = Message::Invite(Box::new(invite));
        // Edge servers read models as they are, and pass them on with the codec.
        let bytes_down = match self.topology {
            Topology::Star => self.coded.message_len(&message) + self.extra_bytes,
            Topology::Tree(_) => message.bytes() + self.extra_bytes,
        };
        if let Some(board) = &self.board {
            board.count(client, |counts| counts.invited += 1);
        }
        self.last_task = self.last_task.max(Some(task));
        self.open.insert(task, Sent { client, version, invited: now, bytes_down, used_at_once });
        let (client, to) = self.topology.below(client);
        Effect::Send { client, to, message, bytes: bytes_down }
    }

    fn publish(&mut self, publication: Publication, now: Time) -> Vec<Effect> {
        let Publication { version, model, clusters, budget, used, spent } = publication;
        (self.version, self.model, self.clusters) = (version, model, clusters);
        self.fruitless_in_a_row = 0;
        self.tally.published(version, &used);
        let merged = used.len() as u64;
        if let Some(board) = &self.board {
            used.iter().for_each(|update| board.count(update.client, |counts| counts.merged += 1));
            board.lock().version = version;
        }
        let mut effects = vec![Effect::Record(Record::Aggregation { at: now, version, used })];
        effects.extend(
            budget.map(|budget| Effect::Record(Record::Budget { at: now, version, budget })),
        );
        if let Some(spent) = spent {
            self.tally.spent(spent);
            effects.push(Effect::Record(Record::Privacy { at: now, version, spent }));
        }
        if self.wants.versions {
            let told = Message::Told(Told::Version { version, merged });
            effects.push(Effect::now(now, Address::Director, told));
        }
        let every = self.evaluation.every_versions;
        if every > 0 && version.0.is_multiple_of(every) {
            effects.extend(self.evaluate(now));
        }
        if self.stop.versions.is_some_and(|most| version.0 >= most) {
            self.closed = true;
            effects.push(Effect::Stop(match version.0 {
                1 => "1 version is done".into(),
                many => format!("{many} versions are done"),
            }));
        }
        effects
    }

    fn to_client(&self, client: ClientId, message: Message) -> Effect {
        let bytes = message.bytes();
        let (client, to) = self.topology.below(client);
        Effect::Send { client, to, message, bytes }
    }
}

impl Actor for Server {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Server {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        let now = deliver.now;
        MessageResult(caught("the server", || match deliver.message {
            Message::Signal(Signal::Start) => self.start(now),
            Message::Signal(Signal::Timer(EVALUATE)) => {
                let evaluation = if self.down { None } else { self.evaluate(now) };
                evaluation.into_iter().chain(self.next_timed_evaluation(now)).collect()
            }
            Message::Command(command) => self.commanded(&command, now),
            Message::Orders(_) if self.down => Vec::new(),
            Message::Orders(orders) => {
                orders.into_iter().flat_map(|order| self.obey(order, now)).collect()
            }
            Message::Update(answer) => {
                let bytes = self.tally.bytes_of(answer.task);
                self.answered(*answer, bytes, now)
            }
            Message::Lost { task, client, reason } => {
                self.tally.bytes_of(task);
                self.lost(task, client, reason, now)
            }
            Message::Evaluated { version, at, test, found, .. } => {
                self.evaluated((version, at), test.as_deref(), found, now)
            }
            _ => Vec::new(),
        }))
    }
}
