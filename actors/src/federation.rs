//! Puts a federation together and runs it: the kernel's driver.
//!
//! One loop takes the earliest event from the calendar, delivers it to its actor, and puts the actor's effects
//! back. Everything runs in one actix system on the calling thread; the pool's workers compute meanwhile.

use crate::client::{Client, ClientSetup, DeliverToClient, Reaction, Samples};
use crate::conditions::Conditions;
use crate::director::{Begin, Director, DirectorSetup};
use crate::edge::Edge;
use crate::effect::{Deliver, Effect};
use crate::error::RunError;
use crate::evaluator::Evaluator;
use crate::message::{Address, Answer, Command, Event, Message};
use crate::network::{Network, ServerLink, Transmit};
use crate::promise::Book;
use crate::record::{Record, Sink};
use crate::recorder::Recorder;
use crate::rules::{EvaluationRules, StopRules};
use crate::run::RunResult;
use crate::server::Server;
use crate::snapshot::{Continuation, Driving, Keeper, Occasion};
use crate::strategist::Strategist;
use crate::tally::Tally;
use crate::tap::{Overhear, Tap};
use crate::topology::Topology;
use crate::work::{Devices, Traffic, Workbench};
use actix::{Actor, Addr};
use offbeat_kernel::pool::PoolConfig;
use offbeat_kernel::{ClientId, TaskId, Time};
use offbeat_learning::Flat;
use offbeat_learning::device::Transfers;
use offbeat_learning::intern::Known;
use offbeat_strategies::Roster;
use offbeat_strategies::composed::Seams;
use offbeat_strategies::guard::Guard;
use offbeat_strategies::registry::{Registry, Switch};
use offbeat_strategies::signal::Signal;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Everything a run needs.
#[derive(Debug)]
pub struct Federation {
    /// Network, data and plan: what jobs work with.
    pub workbench: Workbench,
    /// The compute pool's size.
    pub pool: PoolConfig,
    /// What computes.
    pub devices: Devices,
    /// The strategy's parts.
    pub seams: Seams,
    /// Where parts come from that are switched to.
    pub registry: Registry,
    /// The shared parameters of version 0.
    pub initial: Flat,
    /// The world around the actors.
    pub conditions: Rc<dyn Conditions>,
    /// Who is connected to whom.
    pub topology: Topology,
    /// What edge server `e` asks about its clients' answers, beside what is always asked; empty where none asks.
    pub edge_guards: Vec<Vec<Box<dyn Guard>>>,
    /// The clients as those see them who invite them. In a tree it knows the edge servers too, under
    /// their numbers as participants; the strategy sees those alone.
    pub roster: Rc<dyn Roster>,
    /// How many samples each client holds.
    pub samples: Rc<dyn Samples>,
    /// Clients that keep test samples, with their number.
    pub test_clients: Vec<(ClientId, usize)>,
    /// Limits of the server's link.
    pub server_link: ServerLink,
    /// When to evaluate.
    pub evaluation: EvaluationRules,
    /// When to stop.
    pub stop: StopRules,
    /// Set from outside to end the run after the present event.
    pub interrupt: Arc<AtomicBool>,
    /// What happens to it by a timeline or a script; nothing where there is neither.
    pub director: Option<DirectorSetup>,
    /// Keep the words of every delivered event, to find where two runs part.
    pub trace: bool,
}

impl Federation {
    /// Runs to the end.
    ///
    /// # Errors
    /// When an actor panics, the sink fails, or nothing was learnt. Records made until then were
    /// given to the sink.
    pub fn run(self, sink: Box<dyn Sink>) -> Result<RunResult, RunError> {
        self.go_on(sink, Continuation::default())
    }

    /// Runs to the end, from a snapshot if there is one, and has snapshots kept on the way. A federation
    /// of the same scenario and build that goes on from a snapshot ends with the same digest, records and
    /// model as one that was never stopped.
    ///
    /// # Errors
    /// As [`Federation::run`]; [`RunError::Snapshot`] when the snapshot is not one of such a federation.
    pub fn go_on(
        self,
        sink: Box<dyn Sink>,
        continuation: Continuation,
    ) -> Result<RunResult, RunError> {
        system::run(async { Driver::new(self, sink, continuation)?.run().await })
    }
}

/// Real time between two updates of the progress display and the gauges.
const BEAT: std::time::Duration = std::time::Duration::from_millis(100);

/// Why a run ended that was stopped from outside.
pub const INTERRUPTED: &str = "interrupted";

/// How the words begin why a run ended in which a part panicked.
pub const FAILED: &str = "failed: ";

/// Why a run ended whose calendar is empty.
const NOTHING_LEFT: &str = "nothing is left to happen";

/// So many rings of the timeline without anything else in between mean that nothing else will happen.
const QUIET: u32 = 100_000;

mod assembly;
mod ending;
mod joining;
mod noting;
mod retrying;
mod saving;
mod system;

use self::ending::Stopped;

struct Driver {
    driving: Driving,
    server: Addr<Server>,
    strategist: Addr<Strategist>,
    network: Addr<Network>,
    evaluator: Addr<Evaluator>,
    recorder: Addr<Recorder>,
    director: Option<Addr<Director>>,
    tap: Option<Addr<Tap>>,
    /// The task and the client of the event that is delivered.
    subject: (Option<TaskId>, Option<ClientId>),
    seed: u64,
    /// Nothing has begun yet.
    fresh: bool,
    /// What is replaced before anything else happens.
    switches: Vec<Switch>,
    edges: Vec<Addr<Edge>>,
    clients: BTreeMap<ClientId, Addr<Client>>,
    setup: Rc<ClientSetup>,
    stop: StopRules,
    interrupt: Arc<AtomicBool>,
    book: Book,
    tally: Tally,
    records: Vec<Record>,
    started: Instant,
    flushed: Instant,
    timing_only: bool,
    /// What the workers copied, and what this thread had copied before the run.
    traffic: (Traffic, Transfers),
    snapshot_wanted: bool,
    known: Known,
    keeper: Option<Box<dyn Keeper>>,
}

impl Driver {
    async fn run(mut self) -> Result<RunResult, RunError> {
        match self.play().await {
            Ok(ended) => self.finish(ended).await,
            Err(stopped) => Err(self.fail(stopped).await),
        }
    }

    /// Delivers events until the run is over; says why it is.
    async fn play(&mut self) -> Result<String, Stopped> {
        if self.fresh {
            self.begin().await?;
        }
        self.branch_off().await?;
        let limit = self.stop.time.unwrap_or(Time::NEVER);
        let ended = loop {
            if let Some(reason) = self.driving.ended.take() {
                break reason;
            }
            match self.driving.calendar.next_time() {
                None => break NOTHING_LEFT.to_string(),
                Some(_) if self.driving.quiet > QUIET => break NOTHING_LEFT.to_string(),
                Some(at) if at > limit => break format!("virtual time {limit} is reached"),
                Some(at) => {
                    self.snapshot_if_due(at).await?;
                    self.step().await?;
                }
            }
            if self.interrupt.load(Ordering::Relaxed) {
                break INTERRUPTED.to_string();
            }
        };
        if ended == INTERRUPTED {
            self.snapshot(Occasion::Interrupted).await?;
        }
        Ok(ended)
    }

    /// Lets the director begin, and starts the server.
    async fn begin(&mut self) -> Result<(), Stopped> {
        let at = Time::ZERO;
        if let Some(director) = &self.director {
            let stopped = |_| RunError::ActorStopped { address: Address::Director, at };
            for effect in director.send(Begin).await.map_err(stopped)? {
                self.apply(at, effect).await?;
            }
        }
        self.schedule(at, Address::Server, Message::Signal(Signal::Start));
        Ok(())
    }

    /// Lets happen what makes the rest of the run another one than that of which its snapshot was taken.
    async fn branch_off(&mut self) -> Result<(), Stopped> {
        let now = self.driving.calendar.now();
        for switch in std::mem::take(&mut self.switches) {
            let message = Message::Command(Command::Switch(Box::new(switch)));
            let event = Event { to: Address::Strategist, message };
            self.note(now, &event);
            for effect in self.deliver(now, event).await? {
                self.apply(now, effect).await?;
            }
            self.keep_retried(now);
            self.keep_found();
        }
        Ok(())
    }

    /// Delivers the earliest event and puts its effects where they belong.
    async fn step(&mut self) -> Result<(), Stopped> {
        let Some((now, _, event)) = self.driving.calendar.pop() else { return Ok(()) };
        self.note(now, &event);
        let effects = self.deliver(now, event).await?;
        for effect in effects {
            self.apply(now, effect).await?;
        }
        self.keep_retried(now);
        self.keep_found();
        if self.records.len() >= 64 || self.flushed.elapsed() >= BEAT {
            self.flush().await?;
        }
        Ok(())
    }

    async fn deliver(&mut self, now: Time, event: Event) -> Result<Vec<Effect>, Stopped> {
        let Event { to, message } = event;
        let deliver = Deliver { now, message };
        let effects = match to {
            Address::Server => self.server.send(deliver).await,
            Address::Strategist => self.strategist.send(deliver).await,
            Address::Network => self.network.send(deliver).await,
            Address::Evaluator => self.evaluator.send(deliver).await,
            Address::Director => match &self.director {
                Some(director) => director.send(deliver).await,
                None => Ok(Vec::new()),
            },
            Address::Edge(edge) => match self.edges.get(edge as usize) {
                Some(actor) => actor.send(deliver).await,
                None => Ok(Vec::new()),
            },
            Address::Client(id) => {
                let setup = &self.setup;
                let client = self
                    .clients
                    .entry(id)
                    .or_insert_with(|| Client::new(id, setup.clone()).start());
                match client.send(DeliverToClient(deliver)).await {
                    Ok(Reaction { effects, idle }) => {
                        if idle {
                            self.clients.remove(&id);
                        }
                        Ok(effects)
                    }
                    Err(error) => Err(error),
                }
            }
        };
        effects.map_err(|_| RunError::ActorStopped { address: to, at: now }.into())
    }

    async fn apply(&mut self, now: Time, effect: Effect) -> Result<(), Stopped> {
        match effect {
            Effect::Schedule { at, to, message } => self.schedule(at, to, message),
            Effect::Send { client, to, message, bytes } => {
                if let (Some(tap), Message::Update(answer)) = (&self.tap, &message) {
                    let stopped = |_| RunError::ActorStopped { address: Address::Network, at: now };
                    let heard = Overhear { now, answer: Answer::clone(answer) };
                    for effect in tap.send(heard).await.map_err(stopped)? {
                        if let Effect::Panicked(caught) = effect {
                            return Err(Stopped::Panicked(caught));
                        }
                    }
                }
                let transmit = Transmit { now, client, to, message, bytes };
                let carried = self.network.send(transmit).await;
                let stopped = |_| RunError::ActorStopped { address: Address::Network, at: now };
                for effect in carried.map_err(stopped)? {
                    match effect {
                        Effect::Schedule { at, to, message } => self.schedule(at, to, message),
                        Effect::Panicked(caught) => return Err(Stopped::Panicked(caught)),
                        _ => {}
                    }
                }
            }
            Effect::Interrupt { members, reason } => {
                let struck: Vec<ClientId> =
                    self.clients.keys().copied().filter(|client| members.holds(*client)).collect();
                for client in struck {
                    self.schedule(now, Address::Client(client), Message::Interrupt(reason));
                }
                for edge in self.setup.topology.edges_among(|id| members.holds(id)) {
                    self.schedule(now, Address::Edge(edge), Message::Interrupt(reason));
                }
            }
            Effect::Record(record) => self.keep(record),
            Effect::Snapshot => self.snapshot_wanted = true,
            Effect::Stop(reason) => {
                self.driving.ended.get_or_insert(reason);
            }
            Effect::Panicked(caught) => return Err(Stopped::Panicked(caught)),
            Effect::Fail(reason) => {
                self.flush().await?;
                return Err(RunError::Hopeless(reason).into());
            }
        }
        Ok(())
    }

    /// Puts an event in the calendar, unless it will never happen.
    fn schedule(&mut self, at: Time, to: Address, message: Message) {
        if at < Time::NEVER {
            self.driving.calendar.schedule(at, Event { to, message });
        }
    }
}
