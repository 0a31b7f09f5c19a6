//! The actor that hosts the strategy: signals in, orders for the server out.

use crate::caught::{caught, saved};
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Command, Message};
use crate::promise::Book;
use crate::snapshot::Save;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{SeedTree, Span, Time};
use offbeat_strategies::Roster;
use offbeat_strategies::composed::{self, Composed};
use offbeat_strategies::paillier::Sealing;
use offbeat_strategies::registry::Registry;
use offbeat_strategies::signal::{Order, Signal};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::rc::Rc;

/// Hosts one strategy.
pub struct Strategist {
    strategy: Composed,
    seeds: SeedTree,
    roster: Rc<dyn Roster>,
    book: Book,
    registry: Registry,
    /// The server has crashed.
    down: bool,
    /// What adding up encrypted vectors costs, where they are.
    sealing: Option<Sealing>,
    /// Orders that are given when the server has done its sums, in the order of these times.
    waiting: VecDeque<(Time, Vec<Order>)>,
    /// When the server has done its sums.
    free_at: Time,
}

/// The number of the timer that rings when sums are done; no strategy has so many.
const DONE: u64 = u64::MAX - 2;

/// What the strategist knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The strategy.
    pub strategy: composed::State,
    /// The server has crashed.
    pub down: bool,
    /// Orders that are given when the server has done its sums.
    pub waiting: VecDeque<(Time, Vec<Order>)>,
    /// When the server has done its sums.
    pub free_at: Time,
}

impl std::fmt::Debug for Strategist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strategist").field("strategy", &self.strategy).finish_non_exhaustive()
    }
}

impl Strategist {
    /// An actor around `strategy`.
    pub fn new(strategy: Composed, seeds: SeedTree, roster: Rc<dyn Roster>, book: Book) -> Self {
        let registry = Registry::default();
        let (down, sealing, waiting, free_at) = (false, None, VecDeque::new(), Time::ZERO);
        Self { strategy, seeds, roster, book, registry, down, sealing, waiting, free_at }
    }

    /// An actor that can switch to the parts of `registry`, and whose server adds up encrypted vectors at this cost.
    pub fn with_parts(mut self, registry: Registry, sealing: Option<Sealing>) -> Self {
        (self.registry, self.sealing) = (registry, sealing);
        self
    }

    /// An actor as a snapshot has it: whether the server has crashed, what waits for its sums, and until when.
    pub fn at_work(
        mut self,
        (down, waiting, free_at): (bool, VecDeque<(Time, Vec<Order>)>, Time),
    ) -> Self {
        (self.down, self.waiting, self.free_at) = (down, waiting, free_at);
        self
    }

    fn commanded(&mut self, command: &Command, now: Time) -> Vec<Effect> {
        let mut cx = composed::Context {
            now,
            seeds: self.seeds,
            roster: &*self.roster,
            promises: &mut self.book,
        };
        let returns = matches!(command, Command::Restart) && self.down;
        let orders = match command {
            Command::Crash => {
                self.down = true;
                let crashed = self.strategy.crash(&mut cx);
                // Versions that the crash leaves are told when the server is back.
                let left = self.strategy.version();
                for (_, orders) in &mut self.waiting {
                    orders.retain(
                        |order| matches!(order, Order::Publish(told) if told.version <= left),
                    );
                }
                self.waiting.retain(|(_, orders)| !orders.is_empty());
                self.free_at = Time::ZERO;
                crashed.map(|()| Vec::new()).map_err(|error| error.to_string())
            }
            Command::Restart if !self.down => Ok(Vec::new()),
            Command::Restart => {
                self.down = false;
                Ok(self.strategy.restart(&mut cx))
            }
            Command::Switch(switch) => self.strategy.switch(switch, &self.registry, &mut cx),
            Command::Evaluate => Ok(Vec::new()),
        };
        // A server that was up goes on with its sums.
        let mut effects = if returns { self.summed(Time::NEVER, now) } else { Vec::new() };
        match orders {
            Ok(orders) => effects.extend(self.carried_out(orders, now)),
            Err(reason) => return vec![Effect::Fail(format!("the strategy at {now}: {reason}"))],
        }
        effects
    }

    fn signalled(&mut self, signal: Signal, now: Time) -> Vec<Effect> {
        let mut cx = composed::Context {
            now,
            seeds: self.seeds,
            roster: &*self.roster,
            promises: &mut self.book,
        };
        let orders = self.strategy.on(signal, &mut cx);
        match self.strategy.fault() {
            Some(reason) => vec![Effect::Fail(format!("{reason}, at virtual time {now}"))],
            None => self.carried_out(orders, now),
        }
    }

    /// Timers for the strategist itself; all other orders are for the server, when it has done its sums.
    fn carried_out(&mut self, orders: Vec<Order>, now: Time) -> Vec<Effect> {
        let (timers, orders): (Vec<Order>, Vec<Order>) =
            orders.into_iter().partition(|order| matches!(order, Order::Timer { .. }));
        let timers = timers.into_iter().filter_map(|order| match order {
            Order::Timer { at, token } => Some(ring(at, token)),
            _ => None,
        });
        let mut effects: Vec<Effect> = timers.collect();
        if orders.is_empty() {
            return effects;
        }
        let toil = self.sealing.map_or(0.0, |costs| sums(&orders) as f64 * costs.add_seconds);
        if toil == 0.0 && self.waiting.is_empty() {
            effects.push(Effect::now(now, Address::Server, Message::Orders(orders)));
            return effects;
        }
        self.free_at = self.free_at.max(now) + Span::from_seconds(toil);
        self.waiting.push_back((self.free_at, orders));
        effects.push(ring(self.free_at, DONE));
        effects
    }

    /// Gives the orders whose sums are done at `until`.
    fn summed(&mut self, until: Time, now: Time) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some((_, orders)) = self.waiting.pop_front_if(|(at, _)| *at <= until) {
            effects.push(Effect::now(now, Address::Server, Message::Orders(orders)));
        }
        effects
    }
}

fn ring(at: Time, token: u64) -> Effect {
    Effect::Schedule { at, to: Address::Strategist, message: Message::Signal(Signal::Timer(token)) }
}

/// How many encrypted vectors are multiplied and added for these orders: those of a release, or those of the models
/// that judges are sent.
fn sums(orders: &[Order]) -> usize {
    let release = orders.iter().map(|order| match order {
        Order::Publish(publication) => publication.used.len(),
        _ => 0,
    });
    let judged = orders.iter().map(|order| match order {
        Order::Invite(invitation) if invitation.assignment.is_judging() => invitation.extras.len(),
        _ => 0,
    });
    release.sum::<usize>() + judged.max().unwrap_or(0)
}

impl Actor for Strategist {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Strategist {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            strategy,
            seeds: _,
            roster: _,
            book: _,
            registry: _,
            down,
            sealing: _,
            waiting,
            free_at,
        } = self;
        let (down, waiting, free_at) = (*down, waiting.clone(), *free_at);
        let strategy = saved("the strategist", || strategy.save());
        MessageResult(strategy.map(|strategy| State { strategy, down, waiting, free_at }))
    }
}

impl Handler<Deliver> for Strategist {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the strategist", || match deliver.message {
            // What comes to a server that is down is lost; timers are void.
            Message::Signal(_) if self.down => Vec::new(),
            Message::Signal(Signal::Timer(DONE)) => self.summed(deliver.now, deliver.now),
            Message::Command(command) => self.commanded(&command, deliver.now),
            Message::Signal(signal) => self.signalled(signal, deliver.now),
            _ => Vec::new(),
        }))
    }
}
