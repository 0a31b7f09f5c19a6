//! What happens to messages on the way when their clients cannot be reached.

use super::{Flow, Network, Passing, Progress};
use crate::conditions::Direction;
use crate::effect::Effect;
use crate::message::{Address, Message};
use offbeat_kernel::hardship::{Barrier, Transit};
use offbeat_kernel::{ClientId, Time};
use offbeat_strategies::signal::LossReason;

impl Network {
    pub(super) fn barrier(&self, client: ClientId) -> Option<Barrier> {
        self.interventions.as_ref()?.borrow().barrier(client)
    }

    pub(super) fn hold(&mut self, flow: Flow, progress: Progress) {
        let Flow { client, task, to, message, .. } = flow;
        let held = Passing { client, task, to, message, progress, lost: None };
        let id = self.next_flow;
        self.next_flow += 1;
        self.passing.insert(id, held);
    }

    /// A message is at its end of the way, unless something came between.
    pub(super) fn passed(&mut self, id: u64, now: Time) -> Option<Effect> {
        if self.passing.get(&id)?.progress != Progress::Until(now) {
            return None;
        }
        let Passing { client, to, message, lost, .. } = self.passing.remove(&id)?;
        Some(self.arrival(now, client, to, message, lost))
    }

    /// Something was done to clients: their messages are lost, wait, or go on.
    pub(super) fn disturbed(&mut self, now: Time) -> Vec<Effect> {
        let mut effects = self.take_off(now);
        let ids: Vec<u64> = self.passing.keys().copied().collect();
        for id in ids {
            let Some(mut passing) = self.passing.remove(&id) else { continue };
            let barrier = self.barrier(passing.client);
            if let Some(reason) = barrier.and_then(lost_at) {
                effects.push(self.undelivered(now, passing.client, passing.message, reason));
                continue;
            }
            match (passing.progress, barrier) {
                (Progress::Until(at), Some(_)) => passing.progress = Progress::Held(at.since(now)),
                (Progress::Held(span), None) => {
                    passing.progress = Progress::Until(now + span);
                    let message = Message::Passed(id);
                    effects.push(Effect::Schedule {
                        at: now + span,
                        to: Address::Network,
                        message,
                    });
                }
                (Progress::Unsent(way, span), None) => {
                    let Passing { client, task, to, message, .. } = passing;
                    let flow = Flow { client, task, way, bytes: 0, sent: now, to, message };
                    effects.extend(self.carry(flow, now, span));
                    continue;
                }
                (Progress::Stalled(way, bytes), None) => {
                    effects.push(self.get_on_again(passing, way, bytes, now));
                    continue;
                }
                _ => {}
            }
            self.passing.insert(id, passing);
        }
        effects
    }

    /// Takes the transfers of clients that cannot be reached off the shared links.
    fn take_off(&mut self, now: Time) -> Vec<Effect> {
        let struck: Vec<u64> = (self.flows.iter())
            .filter(|(_, flow)| self.barrier(flow.client).is_some())
            .map(|(id, _)| *id)
            .collect();
        for id in &struck {
            let Some(flow) = self.flows.remove(id) else { continue };
            let (way, bytes) = (flow.way, flow.bytes);
            let left = self.shared(way).and_then(|shared| shared.link.finish(now, *id));
            self.hold(flow, Progress::Stalled(way, left.unwrap_or(bytes)));
        }
        let ways = if struck.is_empty() { vec![] } else { vec![Direction::Down, Direction::Up] };
        let foresee = |way| self.shared(way).and_then(|shared| shared.foresee(way));
        ways.into_iter().filter_map(foresee).collect()
    }

    fn get_on_again(&mut self, passing: Passing, way: Direction, bytes: u64, now: Time) -> Effect {
        let Passing { client, task, to, message, .. } = passing;
        let id = self.next_flow;
        self.next_flow += 1;
        let at = now + self.conditions.delay(client, task, way);
        self.flows.insert(id, Flow { client, task, way, bytes, sent: now, to, message });
        Effect::Schedule { at, to: Address::Network, message: Message::FlowStart(id) }
    }
}

/// Why a message that meets the barrier is lost; `None` when it waits.
pub(super) fn lost_at(barrier: Barrier) -> Option<LossReason> {
    match barrier {
        Barrier::Left => Some(LossReason::Left),
        Barrier::Crashed => Some(LossReason::Crashed),
        Barrier::Cut(Transit::Lost) => Some(LossReason::CutOff),
        Barrier::Cut(Transit::Wait) => None,
    }
}
