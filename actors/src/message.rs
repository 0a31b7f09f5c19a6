//! Every message that actors exchange, and what it weighs on a link.

use crate::hooks::Told;
use crate::wire;
use offbeat_kernel::hardship::Direction;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::registry::Switch;
use offbeat_strategies::signal::{Assignment, Clusters, LossReason, Order, Signal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who receives an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Address {
    /// The server.
    Server,
    /// The actor that hosts the strategy.
    Strategist,
    /// A client.
    Client(ClientId),
    /// An edge server.
    Edge(u32),
    /// The network.
    Network,
    /// The evaluator.
    Evaluator,
    /// The director.
    Director,
}

/// One entry of the calendar: a message and who gets it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Who gets it.
    pub to: Address,
    /// What.
    pub message: Message,
}

/// What actors say to each other. Variants up to [`Message::Lost`] travel over the network; the others
/// stay inside one actor's machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Server to client: train this.
    Invite(Box<Invite>),
    /// Server to client: your work is not needed any more.
    Cancel(TaskId),
    /// Server to client: answer at the end of your present epoch.
    Urge(TaskId),
    /// Client to server: here is my update. The vectors are a promise under the task's id; the bytes
    /// that the network charges are those of the whole message.
    Update(Box<Answer>),
    /// Client to server (or the broken connection itself): this task will not be answered.
    Lost {
        /// The task.
        task: TaskId,
        /// Whose.
        client: ClientId,
        /// Why.
        reason: LossReason,
    },
    /// Client to itself: the local work is done.
    Finished(TaskId),
    /// Client to itself: the local work is given up.
    GaveUp(TaskId, LossReason),
    /// Network to itself: a transfer gets on the shared link.
    FlowStart(u64),
    /// Network to itself: the next transfer on the shared link is complete, if nothing has changed
    /// since this was foreseen.
    FlowDone(Direction, u64),
    /// Network to itself: a message is at its end of the way, if nothing has come between.
    Passed(u64),
    /// To the network: look again at what can be reached.
    Disturbed,
    /// To a client at work: this came between.
    Interrupt(LossReason),
    /// Director to itself: it is time for this.
    Ring(u64),
    /// To the director: this happened.
    Told(Told),
    /// Director to the server and the strategist: do this.
    Command(Command),
    /// To the strategist: react to this.
    Signal(Signal),
    /// To the server: do this.
    Orders(Vec<Order>),
    /// To the evaluator: evaluate this version.
    Evaluate {
        /// Which version.
        version: Version,
        /// Its shared parameters.
        model: Flat,
        /// The groups' models, where there are several.
        clusters: Option<Box<Clusters>>,
    },
    /// To the server: a version was evaluated.
    Evaluated {
        /// Which version.
        version: Version,
        /// When it was published.
        at: Time,
        /// On the common test set.
        test: Option<Box<Evaluation>>,
        /// Rank-1 and mean average precision, means over the domains.
        found: Option<(f64, f64)>,
    },
}

/// What the director has the server or the strategist do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Stop, and forget all that is not stored.
    Crash,
    /// Go on from what is stored.
    Restart,
    /// Have the present version evaluated.
    Evaluate,
    /// Put another part in the place of one.
    Switch(Box<Switch>),
}

/// Server to client: train this.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invite {
    /// The task.
    pub task: TaskId,
    /// Version of the model.
    pub version: Version,
    /// When the server sent it.
    pub invited: Time,
    /// The shared parameters.
    pub model: Flat,
    /// Further vectors, such as the server's control variate.
    pub extras: BTreeMap<String, Flat>,
    /// What is asked for.
    pub assignment: Assignment,
}

/// Client to server: what is known of an update when it arrives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The task it answers.
    pub task: TaskId,
    /// Who answers.
    pub client: ClientId,
    /// Version it started from.
    pub base_version: Version,
    /// When the server had invited it.
    pub invited: Time,
    /// Samples it holds.
    pub samples: u64,
    /// Share of the planned steps that it did.
    pub completeness: f64,
    /// The tag on the invitation.
    pub tag: u64,
}

/// An update as it would lie on the wire: what [`Message::Update`] is charged for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireUpdate {
    /// What is known at arrival.
    pub answer: Answer,
    /// The shared parameters.
    pub params: Flat,
    /// Mean training loss.
    pub loss: f64,
    /// Mean squared per-sample loss.
    pub loss_squared: f64,
    /// Optimizer steps.
    pub steps: u64,
    /// Further scalars.
    pub scalars: BTreeMap<String, f64>,
    /// Further vectors.
    pub extras: BTreeMap<String, Flat>,
}

impl Message {
    /// Number of the kind of message, for the journal.
    pub fn kind(&self) -> u64 {
        match self {
            Message::Invite(_) => 1,
            Message::Cancel(_) => 2,
            Message::Urge(_) => 3,
            Message::Update(_) => 4,
            Message::Lost { .. } => 5,
            Message::Finished(_) => 6,
            Message::GaveUp(..) => 7,
            Message::FlowDone(..) => 8,
            Message::Signal(_) => 9,
            Message::Orders(_) => 10,
            Message::Evaluate { .. } => 11,
            Message::Evaluated { .. } => 12,
            Message::FlowStart(_) => 13,
            Message::Passed(_) => 14,
            Message::Disturbed => 15,
            Message::Interrupt(_) => 16,
            Message::Ring(_) => 17,
            Message::Told(_) => 18,
            Message::Command(_) => 19,
        }
    }

    /// Two words that say what the message is about, for the journal.
    pub fn about(&self) -> [u64; 2] {
        match self {
            Message::Invite(invite) => [invite.task.0, invite.version.0],
            Message::Cancel(task) | Message::Urge(task) | Message::Finished(task) => [task.0, 0],
            Message::Update(answer) => [answer.task.0, answer.base_version.0],
            Message::Lost { task, reason, .. } | Message::GaveUp(task, reason) => {
                [task.0, *reason as u64]
            }
            Message::FlowStart(flow) | Message::Passed(flow) => [*flow, 0],
            Message::Disturbed => [0, 0],
            Message::Interrupt(reason) => [*reason as u64, 0],
            Message::Ring(ring) => [*ring, 0],
            Message::Told(Told::Update { task, client, .. }) => [task.0, client.0.into()],
            Message::Told(Told::Version { version, merged }) => [version.0, *merged],
            Message::Told(Told::Evaluation { version, accuracy, .. }) => {
                [version.0, accuracy.to_bits()]
            }
            Message::Command(command) => match command {
                Command::Crash => [0, 0],
                Command::Restart => [1, 0],
                Command::Evaluate => [2, 0],
                Command::Switch(_) => [3, 0],
            },
            Message::FlowDone(way, epoch) => [*epoch, *way as u64],
            Message::Signal(Signal::Start) => [0, 0],
            Message::Signal(Signal::Arrived(arrival)) => [1, arrival.task.0],
            Message::Signal(Signal::Lost { task, .. }) => [2, task.0],
            Message::Signal(Signal::Timer(token)) => [3, *token],
            Message::Signal(Signal::Vacancy) => [4, 0],
            Message::Orders(orders) => [orders.len() as u64, 0],
            Message::Evaluate { version, .. } => [version.0, 0],
            Message::Evaluated { version, test, found, .. } => {
                let figure = test.as_ref().map(|test| test.accuracy).or(found.map(|found| found.0));
                [version.0, figure.map_or(0, f64::to_bits)]
            }
        }
    }

    /// The task and the client that the message is about, as far as it is about one.
    pub fn subject(&self) -> (Option<TaskId>, Option<ClientId>) {
        match self {
            Message::Update(answer) => (Some(answer.task), Some(answer.client)),
            Message::Lost { task, client, .. }
            | Message::Told(Told::Update { task, client, .. }) => (Some(*task), Some(*client)),
            Message::Signal(Signal::Arrived(arrival)) => (Some(arrival.task), Some(arrival.client)),
            Message::Signal(Signal::Lost { task, client, .. }) => (Some(*task), Some(*client)),
            Message::Invite(invite) => (Some(invite.task), None),
            Message::Cancel(task)
            | Message::Urge(task)
            | Message::Finished(task)
            | Message::GaveUp(task, _) => (Some(*task), None),
            _ => (None, None),
        }
    }

    /// Bytes on the wire of a message other than an update, exactly as they would be encoded.
    pub fn bytes(&self) -> u64 {
        match self {
            Message::Invite(invite) => invite.bytes(),
            _ => wire::len(self),
        }
    }
}

impl Invite {
    /// Bytes of the invitation as a message. The model is not walked: its encoded length follows from
    /// its number of elements.
    pub fn bytes(&self) -> u64 {
        let bare = Invite { model: Flat::zeros(0), ..self.clone() };
        let envelope = wire::len(&Message::Invite(Box::new(bare)));
        envelope + wire::flat_len(self.model.len()) - wire::flat_len(0)
    }
}
