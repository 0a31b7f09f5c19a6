//! The network: decides when each message arrives, and whether it does.
//!
//! Each client has a link of its own: latency, lost tries, size over bandwidth. Where the server's link
//! is limited, all transfers under way in one direction share it fairly, and a transfer's end depends
//! on the others.

use crate::caught::{caught, saved};
use crate::conditions::{Conditions, Direction, Outcome};
use crate::director::SharedInterventions;
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Message};
use crate::snapshot::Save;
use crate::tally::Tally;
use crate::topology::Topology;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::hardship::FairLink;
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use offbeat_strategies::signal::LossReason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Limits of the server's link in bits a second; `None` where it is never the bottleneck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerLink {
    /// From the server to its clients.
    pub down: Option<u64>,
    /// From the clients to the server.
    pub up: Option<u64>,
}

mod disturbed;

use self::disturbed::lost_at;

/// Carries messages.
#[derive(Debug)]
pub struct Network {
    conditions: Rc<dyn Conditions>,
    tally: Tally,
    topology: Topology,
    down: Option<Shared>,
    up: Option<Shared>,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
    interventions: Option<SharedInterventions>,
    /// Messages on their way, where something may come between.
    passing: BTreeMap<u64, Passing>,
}

/// A message on its way, or waiting before a cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Passing {
    client: ClientId,
    task: TaskId,
    to: Address,
    message: Message,
    progress: Progress,
    /// It gets lost at its end of the way.
    lost: Option<LossReason>,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Progress {
    /// It arrives then.
    Until(Time),
    /// It waits, and takes so much longer when it goes on.
    Held(Span),
    /// It waits and has not set out; its way takes so long.
    Unsent(Direction, Span),
    /// It waits, and gets on the shared link again with so many bytes.
    Stalled(Direction, u64),
}

/// What the network knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    down: Option<Shared>,
    up: Option<Shared>,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
    passing: BTreeMap<u64, Passing>,
}

/// The server's link in one direction.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shared {
    link: FairLink,
    /// Counts changes, so that a completion foreseen before the last change is ignored.
    epoch: u64,
}

/// A message on the shared link, or waiting to get on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flow {
    client: ClientId,
    task: TaskId,
    way: Direction,
    bytes: u64,
    sent: Time,
    to: Address,
    message: Message,
}

/// A message to carry.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub struct Transmit {
    /// The present time.
    pub now: Time,
    /// The client at one end; the server is at the other.
    pub client: ClientId,
    /// Who gets it.
    pub to: Address,
    /// What.
    pub message: Message,
    /// Its size.
    pub bytes: u64,
}

impl Network {
    /// A network in the world of `conditions`.
    pub fn new(conditions: Rc<dyn Conditions>, server: ServerLink, tally: Tally) -> Self {
        let shared = |bits| Shared { link: FairLink::new(bits), epoch: 0 };
        Self {
            conditions,
            tally,
            topology: Topology::Star,
            down: server.down.map(shared),
            up: server.up.map(shared),
            flows: BTreeMap::new(),
            next_flow: 0,
            interventions: None,
            passing: BTreeMap::new(),
        }
    }

    /// The network of a federation that is connected in such a way. The server's link is shared by its own
    /// clients alone.
    pub fn connecting(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// What it knows now.
    pub fn state(&self) -> State {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            conditions: _,
            tally: _,
            topology: _,
            interventions: _,
            down,
            up,
            flows,
            next_flow,
            passing,
        } = self;
        let (down, up) = (down.clone(), up.clone());
        let (flows, passing) = (flows.clone(), passing.clone());
        State { down, up, flows, next_flow: *next_flow, passing }
    }

    /// Puts back what [`Network::state`] gave.
    pub fn restore(&mut self, state: State) {
        let State { down, up, flows, next_flow, passing } = state;
        self.passing = passing;
        (self.down, self.up, self.flows, self.next_flow) = (down, up, flows, next_flow);
    }

    /// A network whose links can be cut.
    pub fn watching(mut self, interventions: Option<SharedInterventions>) -> Self {
        self.interventions = interventions;
        self
    }

    fn transmit(&mut self, transmit: Transmit) -> Vec<Effect> {
        let Transmit { now, client, to, message, bytes } = transmit;
        let (task, way) = self.note(client, &message, bytes);
        let flow = Flow { client, task, way, bytes, sent: now, to, message };
        let barrier = self.barrier(client);
        if let Some(reason) = barrier.and_then(lost_at) {
            return vec![self.undelivered(now, client, flow.message, reason)];
        }
        if self.shared(way).is_none() || self.topology.is_below_an_edge(client) {
            let span = self.conditions.transfer(client, task, way, bytes);
            if barrier.is_some() {
                self.hold(flow, Progress::Unsent(way, span));
                return Vec::new();
            }
            return self.carry(flow, now, span);
        }
        if barrier.is_some() {
            self.hold(flow, Progress::Stalled(way, bytes));
            return Vec::new();
        }
        let id = self.next_flow;
        self.next_flow += 1;
        let at = now + self.conditions.delay(client, task, way);
        self.flows.insert(id, flow);
        vec![Effect::Schedule { at, to: Address::Network, message: Message::FlowStart(id) }]
    }

    fn shared(&mut self, way: Direction) -> Option<&mut Shared> {
        match way {
            Direction::Down => self.down.as_mut(),
            Direction::Up => self.up.as_mut(),
        }
    }

    /// The end of a transfer that takes `span` from `start`, or its ends, if it arrives twice.
    fn carry(&mut self, flow: Flow, start: Time, span: Span) -> Vec<Effect> {
        let Flow { client, task, way, to, message, .. } = flow;
        let mishap = self.conditions.mishap(client, task, way, message.kind());
        let (at, lost) = match self.conditions.carry(client, task, start, span) {
            Outcome::Complete { at } | Outcome::Partial { at, .. } => {
                (at, mishap.lost.then_some(LossReason::MessageLost))
            }
            Outcome::Lost { at, reason } => (at, Some(reason)),
        };
        let at = at + mishap.late;
        let mut effects = Vec::new();
        if let Some(after) = mishap.copy.filter(|_| lost.is_none()) {
            let copy = (client, task, to, message.clone());
            effects.push(self.end(at + after, copy, None));
        }
        effects.push(self.end(at, (client, task, to, message), lost));
        effects
    }

    /// Lets a message arrive at `at`, or get lost then. Where something may come between, the network
    /// keeps it until that time.
    fn end(
        &mut self,
        at: Time,
        (client, task, to, message): (ClientId, TaskId, Address, Message),
        lost: Option<LossReason>,
    ) -> Effect {
        if self.interventions.is_none() {
            return self.arrival(at, client, to, message, lost);
        }
        let id = self.next_flow;
        self.next_flow += 1;
        let progress = Progress::Until(at);
        self.passing.insert(id, Passing { client, task, to, message, progress, lost });
        Effect::Schedule { at, to: Address::Network, message: Message::Passed(id) }
    }

    fn flow_starts(&mut self, id: u64, now: Time) -> Vec<Effect> {
        let Some(flow) = self.flows.get(&id) else { return Vec::new() };
        let (way, bytes) = (flow.way, flow.bytes);
        let rate = self.conditions.rate(flow.client, flow.task, way);
        let Some(shared) = self.shared(way) else { return Vec::new() };
        shared.link.start(now, id, bytes, rate);
        shared.foresee(way).into_iter().collect()
    }

    fn flow_done(&mut self, way: Direction, epoch: u64, now: Time) -> Vec<Effect> {
        let Some(shared) = self.shared(way).filter(|shared| shared.epoch == epoch) else {
            return Vec::new();
        };
        let Some((_, id)) = shared.link.next_completion() else { return Vec::new() };
        shared.link.finish(now, id);
        let next = shared.foresee(way);
        let flow = self.flows.remove(&id);
        // Absences count over the whole transfer, not only at its end.
        let mut effects = flow.map_or(Vec::new(), |flow| {
            let sent = flow.sent;
            self.carry(flow, sent, now.since(sent))
        });
        effects.extend(next);
        effects
    }

    /// The end of a message's way.
    fn arrival(
        &self,
        at: Time,
        client: ClientId,
        to: Address,
        message: Message,
        lost: Option<LossReason>,
    ) -> Effect {
        match lost {
            Some(reason) => self.undelivered(at, client, message, reason),
            None => Effect::Schedule { at, to, message },
        }
    }

    /// The connection breaks: whoever gave the task notices at once that it will not be answered. A request to
    /// stop that gets lost is noticed by nobody, since the task is closed already.
    fn undelivered(
        &self,
        at: Time,
        participant: ClientId,
        message: Message,
        reason: LossReason,
    ) -> Effect {
        let (to, client) = self.topology.hears_of(participant);
        let message = Message::Lost { task: about(&message).0, client, reason };
        Effect::Schedule { at, to, message }
    }

    fn note(&self, client: ClientId, message: &Message, bytes: u64) -> (TaskId, Direction) {
        if self.topology.is_below_an_edge(client) {
            let (task, way) = about(message);
            let update = matches!(message, Message::Update(_)).then_some(task);
            self.tally.sent_below(way, update, bytes);
            return (task, way);
        }
        match message {
            Message::Update(answer) => {
                self.tally.sent_up(Some(answer.task), bytes);
                (answer.task, Direction::Up)
            }
            Message::Lost { task, .. } => {
                self.tally.sent_up(None, bytes);
                (*task, Direction::Up)
            }
            message => {
                self.tally.sent_down(bytes);
                (TaskId(message.about()[0]), Direction::Down)
            }
        }
    }
}

impl Shared {
    /// Puts the next completion in the calendar; those foreseen before no longer count.
    fn foresee(&mut self, way: Direction) -> Option<Effect> {
        self.epoch += 1;
        let (at, _) = self.link.next_completion()?;
        let message = Message::FlowDone(way, self.epoch);
        Some(Effect::Schedule { at, to: Address::Network, message })
    }
}

/// The task that a message between a client and the one above it is about, and its way.
fn about(message: &Message) -> (TaskId, Direction) {
    match message {
        Message::Update(answer) => (answer.task, Direction::Up),
        Message::Lost { task, .. } => (*task, Direction::Up),
        message => (TaskId(message.about()[0]), Direction::Down),
    }
}

impl Actor for Network {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Network {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(saved("the network", || Ok(self.state())))
    }
}

impl Handler<Transmit> for Network {
    type Result = MessageResult<Transmit>;

    fn handle(&mut self, transmit: Transmit, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the network", || self.transmit(transmit)))
    }
}

impl Handler<Deliver> for Network {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the network", || match deliver.message {
            Message::Passed(id) => self.passed(id, deliver.now).into_iter().collect(),
            Message::Disturbed => self.disturbed(deliver.now),
            Message::FlowStart(id) => self.flow_starts(id, deliver.now),
            Message::FlowDone(way, epoch) => self.flow_done(way, epoch, deliver.now),
            _ => Vec::new(),
        }))
    }
}
