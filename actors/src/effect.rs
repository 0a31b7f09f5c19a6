//! What an actor wants to happen after it handled a message.

use crate::caught::Caught;
use crate::message::{Address, Message};
use crate::record::Record;
use offbeat_kernel::hardship::Members;
use offbeat_kernel::{ClientId, Time};
use offbeat_strategies::signal::LossReason;

/// One consequence of a delivered message.
#[derive(Debug)]
pub enum Effect {
    /// Put a message in the calendar, without a network between.
    Schedule {
        /// When; the present time for "right after this".
        at: Time,
        /// Who gets it.
        to: Address,
        /// What.
        message: Message,
    },
    /// Send a message over the network.
    Send {
        /// The client at one end; the server is at the other.
        client: ClientId,
        /// Who gets it.
        to: Address,
        /// What.
        message: Message,
        /// Its size on the wire.
        bytes: u64,
    },
    /// Interrupt those of some clients that are at work.
    Interrupt {
        /// The clients.
        members: Members,
        /// What their tasks are lost for.
        reason: LossReason,
    },
    /// Write something down.
    Record(Record),
    /// Keep a snapshot after this event, from which the run can go on.
    Snapshot,
    /// End the run after this event.
    Stop(String),
    /// End the run after this event as failed.
    Fail(String),
    /// The actor panicked: end the run as failed.
    Panicked(Box<Caught>),
}

impl Effect {
    /// Puts a message in the calendar at the present time.
    pub fn now(now: Time, to: Address, message: Message) -> Self {
        Effect::Schedule { at: now, to, message }
    }
}

/// A message with the virtual time at which it is delivered.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub struct Deliver {
    /// The present time.
    pub now: Time,
    /// What is delivered.
    pub message: Message,
}
