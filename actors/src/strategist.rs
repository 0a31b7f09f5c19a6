//! The actor that hosts the strategy: signals in, orders for the server out.

use crate::effect::{Deliver, Effect};
use crate::message::{Address, Command, Message};
use crate::promise::Book;
use crate::snapshot::Save;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{SeedTree, Time};
use offbeat_strategies::Roster;
use offbeat_strategies::composed::{self, Composed};
use offbeat_strategies::registry::Registry;
use offbeat_strategies::signal::{Order, Signal};
use serde::{Deserialize, Serialize};
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
}

/// What the strategist knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The strategy.
    pub strategy: composed::State,
    /// The server has crashed.
    pub down: bool,
}

impl std::fmt::Debug for Strategist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strategist").field("strategy", &self.strategy).finish_non_exhaustive()
    }
}

impl Strategist {
    /// An actor around `strategy`.
    pub fn new(strategy: Composed, seeds: SeedTree, roster: Rc<dyn Roster>, book: Book) -> Self {
        Self { strategy, seeds, roster, book, registry: Registry::default(), down: false }
    }

    /// An actor that can switch to the parts of `registry`; `down` when the server has crashed.
    pub fn with_parts(mut self, registry: Registry, down: bool) -> Self {
        (self.registry, self.down) = (registry, down);
        self
    }

    fn commanded(&mut self, command: &Command, now: Time) -> Vec<Effect> {
        let mut cx = composed::Context {
            now,
            seeds: self.seeds,
            roster: &*self.roster,
            promises: &mut self.book,
        };
        let orders = match command {
            Command::Crash => {
                self.down = true;
                self.strategy.crash(&mut cx).map(|()| Vec::new()).map_err(|error| error.to_string())
            }
            Command::Restart if !self.down => Ok(Vec::new()),
            Command::Restart => {
                self.down = false;
                Ok(self.strategy.restart(&mut cx))
            }
            Command::Switch(switch) => self.strategy.switch(switch, &self.registry, &mut cx),
            Command::Evaluate => Ok(Vec::new()),
        };
        match orders {
            Ok(orders) => carried_out(orders, now),
            Err(reason) => vec![Effect::Fail(format!("the strategy at {now}: {reason}"))],
        }
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
            None => carried_out(orders, now),
        }
    }
}

/// Timers for the strategist itself; all other orders are for the server.
fn carried_out(orders: Vec<Order>, now: Time) -> Vec<Effect> {
    let (timers, orders): (Vec<Order>, Vec<Order>) =
        orders.into_iter().partition(|order| matches!(order, Order::Timer { .. }));
    let timers = timers.into_iter().filter_map(|order| match order {
        Order::Timer { at, token } => {
            let message = Message::Signal(Signal::Timer(token));
            Some(Effect::Schedule { at, to: Address::Strategist, message })
        }
        _ => None,
    });
    let mut effects: Vec<Effect> = timers.collect();
    if !orders.is_empty() {
        effects.push(Effect::now(now, Address::Server, Message::Orders(orders)));
    }
    effects
}

impl Actor for Strategist {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Strategist {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { strategy, seeds: _, roster: _, book: _, registry: _, down } = self;
        MessageResult(strategy.save().map(|strategy| State { strategy, down: *down }))
    }
}

impl Handler<Deliver> for Strategist {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(match deliver.message {
            // What comes to a server that is down is lost; timers are void.
            Message::Signal(_) if self.down => Vec::new(),
            Message::Command(command) => self.commanded(&command, deliver.now),
            Message::Signal(signal) => self.signalled(signal, deliver.now),
            _ => Vec::new(),
        })
    }
}
