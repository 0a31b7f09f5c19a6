//! The network: decides when each message arrives, and whether it does.
//!
//! Each client has a link of its own: latency, lost tries, size over bandwidth. Where the server's link
//! is limited, all transfers under way in one direction share it fairly, and a transfer's end depends
//! on the others.

use crate::conditions::{Conditions, Direction, Outcome};
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Message};
use crate::snapshot::Save;
use crate::tally::Tally;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::hardship::FairLink;
use offbeat_kernel::{ClientId, TaskId, Time};
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

/// Carries messages.
#[derive(Debug)]
pub struct Network {
    conditions: Rc<dyn Conditions>,
    tally: Tally,
    down: Option<Shared>,
    up: Option<Shared>,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
}

/// What the network knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    down: Option<Shared>,
    up: Option<Shared>,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
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
            down: server.down.map(shared),
            up: server.up.map(shared),
            flows: BTreeMap::new(),
            next_flow: 0,
        }
    }

    /// What it knows now.
    pub fn state(&self) -> State {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { conditions: _, tally: _, down, up, flows, next_flow } = self;
        let (down, up) = (down.clone(), up.clone());
        State { down, up, flows: flows.clone(), next_flow: *next_flow }
    }

    /// Puts back what [`Network::state`] gave.
    pub fn restore(&mut self, state: State) {
        let State { down, up, flows, next_flow } = state;
        (self.down, self.up, self.flows, self.next_flow) = (down, up, flows, next_flow);
    }

    fn transmit(&mut self, transmit: Transmit) -> Vec<Effect> {
        let Transmit { now, client, to, message, bytes } = transmit;
        let (task, way) = self.note(&message, bytes);
        let flow = Flow { client, task, way, bytes, sent: now, to, message };
        if self.shared(way).is_none() {
            let span = self.conditions.transfer(client, task, way, bytes);
            return vec![self.carry(flow, now, span)];
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

    /// The end of a transfer that takes `span` from `start`.
    fn carry(&self, flow: Flow, start: Time, span: offbeat_kernel::Span) -> Effect {
        let Flow { client, task, to, message, .. } = flow;
        match self.conditions.carry(client, task, start, span) {
            Outcome::Complete { at } | Outcome::Partial { at, .. } => {
                Effect::Schedule { at, to, message }
            }
            Outcome::Lost { at, reason } => undelivered(at, client, message, reason),
        }
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
        let arrival = flow.map(|flow| {
            let sent = flow.sent;
            self.carry(flow, sent, now.since(sent))
        });
        arrival.into_iter().chain(next).collect()
    }

    fn note(&self, message: &Message, bytes: u64) -> (TaskId, Direction) {
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

/// The connection breaks: the server notices at once that a task will not be answered. A request to
/// stop that gets lost is noticed by nobody, since the server has closed its task already.
fn undelivered(at: Time, client: ClientId, message: Message, reason: LossReason) -> Effect {
    let task = match &message {
        Message::Invite(invite) => invite.task,
        Message::Update(answer) => answer.task,
        other => TaskId(other.about()[0]),
    };
    let message = Message::Lost { task, client, reason };
    Effect::Schedule { at, to: Address::Server, message }
}

impl Actor for Network {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Network {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(Ok(self.state()))
    }
}

impl Handler<Transmit> for Network {
    type Result = MessageResult<Transmit>;

    fn handle(&mut self, transmit: Transmit, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.transmit(transmit))
    }
}

impl Handler<Deliver> for Network {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(match deliver.message {
            Message::FlowStart(id) => self.flow_starts(id, deliver.now),
            Message::FlowDone(way, epoch) => self.flow_done(way, epoch, deliver.now),
            _ => Vec::new(),
        })
    }
}
