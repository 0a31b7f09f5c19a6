//! Which message makes a client do what.

use super::{Client, Task};
use crate::caught::{caught, saved};
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Message};
use crate::snapshot::Save;
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_strategies::signal::LossReason;

/// What a client says after a message.
#[derive(Debug)]
pub struct Reaction {
    /// What is to happen.
    pub effects: Vec<Effect>,
    /// Whether its actor can end.
    pub idle: bool,
}

/// [`Deliver`] for a client.
#[derive(Debug, actix::Message)]
#[rtype(result = "Reaction")]
pub struct DeliverToClient(pub Deliver);

impl<A, M> actix::dev::MessageResponse<A, M> for Reaction
where
    A: Actor,
    M: actix::Message<Result = Reaction>,
{
    fn handle(self, _: &mut A::Context, tx: Option<actix::dev::OneshotSender<Reaction>>) {
        if let Some(tx) = tx {
            let _ = tx.send(self);
        }
    }
}

impl Handler<DeliverToClient> for Client {
    type Result = Reaction;

    fn handle(&mut self, deliver: DeliverToClient, _: &mut Context<Self>) -> Reaction {
        let Deliver { now, message } = deliver.0;
        let effects = caught("a client", || match message {
            Message::Invite(invite)
                if self.setup.remember
                    || self.setup.interventions.is_some()
                    || matches!(self.setup.topology.above(self.id), Address::Edge(_)) =>
            {
                self.newest(*invite, now)
            }
            Message::Invite(invite) if self.is_idle() => self.invited(*invite, now),
            // A client does one thing at a time.
            Message::Invite(invite) => vec![self.lost(invite.task, LossReason::Declined)],
            Message::Cancel(task) => self.cancelled(task, now),
            Message::Urge(task) => self.urged(task, now),
            Message::Finished(task) => self.finished(task, now),
            Message::Interrupt(reason) => self.interrupted(reason, now),
            Message::GaveUp(task, reason) => self.gave_up(task, reason, now),
            _ => Vec::new(),
        });
        Reaction { effects, idle: self.is_idle() }
    }
}

impl Handler<Save<Option<Task>>> for Client {
    type Result = MessageResult<Save<Option<Task>>>;

    fn handle(&mut self, _: Save<Option<Task>>, _: &mut Context<Self>) -> Self::Result {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { id: _, setup: _, task } = self;
        MessageResult(saved("a client", || Ok(task.as_deref().cloned())))
    }
}
