//! Runs the parts of a strategy: signals in, orders out.
//!
//! The pace decides when; the selector whom; at an aggregation the updates are taken in the order of
//! client ids, grouped, weighed, combined and refined. Where no part needs all values at once, each
//! update is computed, merged and forgotten before the next is taken, so that a round over a thousand
//! clients holds a constant number of models.

mod bells;
mod dialogue;
mod durable;
mod gate;
mod invite;
mod judge;
mod merge;
pub(crate) mod place;
mod protected;
mod state;

pub use self::place::Place;
pub use self::state::State;

use self::bells::Bells;
use self::durable::Durable;
use self::invite::RETRY;
use crate::guard::Guard;
use crate::ledger::Ledger;
use crate::privacy::Protection;
use crate::registry::{Seam, Switch};
use crate::roster::Roster;
use crate::seams::{
    Combine, Companion, Desk, Dialogue, Flight, Group, Pace, PaceSignal, Refine, Select, View,
    Weigh, Wish,
};
use crate::signal::{LossReason, Order, Signal};
use crate::update::{Arrival, Update};
use offbeat_kernel::{ClientId, SeedTree, TaskId, Time, Version};
use offbeat_learning::Flat;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;

/// The values that a client returned: what the promise of its task is kept with.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The shared parameters after training.
    pub params: Flat,
    /// Optimizer steps done.
    pub steps: u64,
    /// Mean training loss.
    pub loss: f64,
    /// Mean of the squared per-sample losses.
    pub loss_squared: f64,
    /// Further scalars by name.
    pub scalars: BTreeMap<String, f64>,
    /// Further vectors by name.
    pub extras: BTreeMap<String, Flat>,
    /// Bytes that the parameters took on the way, where the sender counted them.
    pub payload: Option<u64>,
}

/// Where a strategy takes the values of arrived updates from.
pub trait Promises {
    /// Says which values will be taken next, in this order.
    fn demand(&mut self, tasks: &[TaskId]);

    /// The values of an arrived update; waits for them if need be.
    ///
    /// # Errors
    /// Why there are none: the client's work failed, or its answer was refused.
    fn take(&mut self, task: TaskId) -> Result<Reply, String>;

    /// The values will never be taken.
    fn discard(&mut self, task: TaskId);
}

/// What a strategy is given with every signal.
pub struct Context<'a> {
    /// Virtual time.
    pub now: Time,
    /// Root of all randomness.
    pub seeds: SeedTree,
    /// The clients as the server sees them.
    pub roster: &'a dyn Roster,
    /// Where values come from.
    pub promises: &'a mut dyn Promises,
}

impl Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}

/// The parts, built.
#[derive(Debug)]
pub struct Seams {
    /// Whom to invite.
    pub select: Box<dyn Select>,
    /// When to aggregate.
    pub pace: Box<dyn Pace>,
    /// Which updates are let in; asked in this order.
    pub guard: Vec<Box<dyn Guard>>,
    /// Which updates belong together.
    pub group: Box<dyn Group>,
    /// How much each counts.
    pub weigh: Box<dyn Weigh>,
    /// How they are merged.
    pub combine: Box<dyn Combine>,
    /// What the server learns afterwards.
    pub refine: Option<Box<dyn Refine>>,
    /// The server's side of the objective.
    pub companion: Option<Box<dyn Companion>>,
    /// What the server asks its clients, where it learns from answers.
    pub dialogue: Option<Box<dyn Dialogue>>,
    /// What protects the clients' data.
    pub protection: Option<Protection>,
}

/// A strategy put together from parts.
#[derive(Debug)]
pub struct Composed {
    seams: Seams,
    models: BTreeMap<u32, Flat>,
    group_of: BTreeMap<ClientId, u32>,
    version: Version,
    next_task: u64,
    selections: u64,
    flights: BTreeMap<TaskId, Flight>,
    bases: BTreeMap<TaskId, Flat>,
    arrived: Vec<Arrival>,
    /// Updates that are being judged.
    candidates: Vec<Update>,
    busy: BTreeSet<ClientId>,
    ledger: Ledger,
    /// Clients that were lost, or taken back, since the last aggregation, after they had begun.
    absent: usize,
    retry_at: Option<Time>,
    /// An invitation found too few.
    short: bool,
    /// Timers of the pace that have not rung yet.
    bells: Bells,
    /// What a crash of the server leaves; nothing where it cannot crash.
    durable: Option<Durable>,
    /// The latest switch of each seam.
    switched: Vec<Switch>,
    /// Whether the first signal has come.
    started: bool,
    orders: Vec<Order>,
}

impl Composed {
    /// A strategy that starts from `model`, the shared parameters of version 0.
    pub fn new(seams: Seams, model: Flat) -> Self {
        Self {
            seams,
            models: BTreeMap::from([(0, model)]),
            group_of: BTreeMap::new(),
            version: Version(0),
            next_task: 0,
            selections: 0,
            flights: BTreeMap::new(),
            bases: BTreeMap::new(),
            arrived: Vec::new(),
            candidates: Vec::new(),
            busy: BTreeSet::new(),
            ledger: Ledger::default(),
            absent: 0,
            retry_at: None,
            short: false,
            bells: Bells::default(),
            durable: None,
            switched: Vec::new(),
            started: false,
            orders: Vec::new(),
        }
    }

    /// The present version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The model of group 0, which is the global model where there is one group.
    pub fn model(&self) -> &Flat {
        &self.models[&0]
    }

    /// What the server has learnt of its clients.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Reacts to a signal.
    pub fn on(&mut self, signal: Signal, cx: &mut Context<'_>) -> Vec<Order> {
        let mut queue = VecDeque::new();
        match signal {
            Signal::Start => {
                self.started = true;
                queue.push_back(PaceSignal::Start);
            }
            Signal::Vacancy if self.started => queue.push_back(PaceSignal::Vacancy),
            Signal::Vacancy => {}
            Signal::Arrived(arrival) => queue.extend(self.arrive(arrival)),
            Signal::Lost { task, client, reason } => queue.extend(self.lose(task, client, reason)),
            // One that was set before a crash says nothing.
            Signal::Timer(RETRY) if self.retry_at != Some(cx.now) => {}
            Signal::Timer(RETRY) => {
                self.retry_at = None;
                queue.push_back(PaceSignal::Vacancy);
            }
            Signal::Timer(token) => {
                queue.extend(self.bells.rung(cx.now, token).then_some(PaceSignal::Timer(token)));
            }
        }
        self.go_through(queue, cx)
    }

    /// What went wrong in a part since this was last asked, in words; nothing but a user's script can.
    pub fn fault(&mut self) -> Option<String> {
        self.seams.select.fault().or_else(|| self.seams.weigh.fault())
    }

    /// Lets the pace answer signals until there are none, and gives the orders that came of it.
    fn go_through(&mut self, mut queue: VecDeque<PaceSignal>, cx: &mut Context<'_>) -> Vec<Order> {
        place::at(self.version);
        while let Some(signal) = queue.pop_front() {
            for wish in self.ask_pace(signal, cx) {
                self.carry_out(wish, cx, &mut queue);
            }
        }
        self.ask_again_later(cx);
        std::mem::take(&mut self.orders)
    }

    fn view<'a>(
        (version, ledger, busy): (Version, &'a Ledger, &'a BTreeSet<ClientId>),
        cx: &'a Context<'_>,
    ) -> View<'a> {
        View { now: cx.now, version, seeds: cx.seeds, roster: cx.roster, ledger, busy }
    }

    fn ask_pace(&mut self, signal: PaceSignal, cx: &Context<'_>) -> Vec<Wish> {
        let mut desk = Desk {
            view: Self::view((self.version, &self.ledger, &self.busy), cx),
            flights: &self.flights,
            arrived: &self.arrived,
            wishes: Vec::new(),
        };
        place::enter(Seam::Pace);
        self.seams.pace.on(signal, &mut desk);
        desk.wishes
    }

    fn arrive(&mut self, arrival: Arrival) -> Option<PaceSignal> {
        let flight = self.flights.remove(&arrival.task)?;
        self.busy.remove(&flight.client);
        let record = self.ledger.entry(arrival.client);
        record.last_duration = arrival.arrived.since(arrival.invited);
        let task = arrival.task;
        self.arrived.push(arrival);
        Some(PaceSignal::Arrived(task))
    }

    fn lose(&mut self, task: TaskId, client: ClientId, reason: LossReason) -> Option<PaceSignal> {
        let flight = self.flights.remove(&task)?;
        self.busy.remove(&flight.client);
        self.bases.remove(&task);
        self.absent += usize::from(reason != LossReason::Declined);
        self.ledger.entry(client).lost += 1;
        place::enter_with(Seam::Select, (task, client));
        self.seams.select.lost(client, reason);
        Some(PaceSignal::Lost(task))
    }

    fn carry_out(&mut self, wish: Wish, cx: &mut Context<'_>, queue: &mut VecDeque<PaceSignal>) {
        match wish {
            Wish::Invite { want, assignment } => self.invite_any(want, assignment, cx),
            Wish::InviteThese { clients, assignment } => {
                self.invite_these(clients, assignment, cx);
            }
            Wish::Aggregate { tasks, tag } => {
                self.aggregate(&tasks, tag, cx);
                queue.push_back(PaceSignal::Aggregated);
            }
            Wish::Judge(tasks) => {
                if self.have_judged(&tasks, cx) == 0 {
                    queue.push_back(PaceSignal::Vacancy);
                }
            }
            Wish::Ask(tasks) => self.converse(&tasks, cx),
            Wish::Discard(task) => {
                self.arrived.retain(|arrival| arrival.task != task);
                self.bases.remove(&task);
                cx.promises.discard(task);
            }
            Wish::Cancel(task) => {
                if let Some(flight) = self.flights.remove(&task) {
                    self.busy.remove(&flight.client);
                    self.bases.remove(&task);
                    self.absent += 1;
                    self.orders.push(Order::Cancel { task, client: flight.client });
                }
            }
            Wish::Urge(task) => {
                if let Some(flight) = self.flights.get(&task) {
                    self.orders.push(Order::Urge { task, client: flight.client });
                }
            }
            Wish::Timer { after, token } => self.set_bell(cx.now + after, token),
            Wish::Finish(reason) => self.orders.push(Order::Finish(reason)),
        }
    }

    /// A bell beyond the end of time never rings.
    fn set_bell(&mut self, at: Time, token: u64) {
        if at < Time::NEVER {
            self.bells.set(at, token);
            self.orders.push(Order::Timer { at, token });
        }
    }
}

#[cfg(test)]
mod tests;
