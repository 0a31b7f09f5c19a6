//! The actor that hosts the strategy: signals in, orders for the server out.

use crate::effect::{Deliver, Effect};
use crate::message::{Address, Message};
use crate::promise::Book;
use crate::snapshot::Save;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{SeedTree, Time};
use offbeat_strategies::Roster;
use offbeat_strategies::composed::{self, Composed};
use offbeat_strategies::signal::{Order, Signal};
use std::rc::Rc;

/// Hosts one strategy.
pub struct Strategist {
    strategy: Composed,
    seeds: SeedTree,
    roster: Rc<dyn Roster>,
    book: Book,
}

impl std::fmt::Debug for Strategist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strategist").field("strategy", &self.strategy).finish_non_exhaustive()
    }
}

impl Strategist {
    /// An actor around `strategy`.
    pub fn new(strategy: Composed, seeds: SeedTree, roster: Rc<dyn Roster>, book: Book) -> Self {
        Self { strategy, seeds, roster, book }
    }

    fn signalled(&mut self, signal: Signal, now: Time) -> Vec<Effect> {
        let mut cx = composed::Context {
            now,
            seeds: self.seeds,
            roster: &*self.roster,
            promises: &mut self.book,
        };
        let (timers, orders): (Vec<Order>, Vec<Order>) = self
            .strategy
            .on(signal, &mut cx)
            .into_iter()
            .partition(|order| matches!(order, Order::Timer { .. }));
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
}

impl Actor for Strategist {
    type Context = Context<Self>;
}

impl Handler<Save<composed::State>> for Strategist {
    type Result = MessageResult<Save<composed::State>>;

    fn handle(&mut self, _: Save<composed::State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.strategy.save())
    }
}

impl Handler<Deliver> for Strategist {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(match deliver.message {
            Message::Signal(signal) => self.signalled(signal, deliver.now),
            _ => Vec::new(),
        })
    }
}
