//! The seams: what a part of a strategy has to answer. Each is a trait with one method that matters.

use crate::ledger::Ledger;
use crate::roster::Roster;
use crate::signal::{Assignment, LossReason};
use crate::update::{Arrival, Feedback, Update};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, SeedTree, Span, Stream, TaskId, Time, Version};
use offbeat_learning::Flat;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

mod companion;
mod dialogue;
mod refine;

pub use companion::Companion;
pub use dialogue::{Dialogue, Learnt, Question, Turn};
pub use refine::Refine;

/// Saves and restores a part as a whole, for parts that are plain data.
macro_rules! state_in_bytes {
    () => {
        fn save(&self) -> Result<Vec<u8>, offbeat_kernel::codec::CodecError> {
            offbeat_kernel::codec::encode(self)
        }

        fn restore(&mut self, bytes: &[u8]) -> Result<(), offbeat_kernel::codec::CodecError> {
            *self = offbeat_kernel::codec::decode(bytes)?;
            Ok(())
        }
    };
}
pub(crate) use state_in_bytes;

/// What every part may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Virtual time.
    pub now: Time,
    /// Version of the global model.
    pub version: Version,
    /// Root of all randomness; parts draw from [`View::stream`].
    pub seeds: SeedTree,
    /// The clients as the server sees them.
    pub roster: &'a dyn Roster,
    /// What the server has learnt of them.
    pub ledger: &'a Ledger,
    /// Clients that hold an open task: they cannot be invited again.
    pub busy: &'a BTreeSet<ClientId>,
}

impl View<'_> {
    /// The stream of random numbers for `purpose` at the present version and the `counter`-th call.
    pub fn stream(&self, purpose: offbeat_kernel::Purpose, counter: u64) -> Stream {
        self.seeds.stream(purpose, self.version.0, counter)
    }

    /// Whether the client can be invited now: it has samples, no open task, and is present.
    pub fn free(&self, client: ClientId) -> bool {
        !self.busy.contains(&client)
            && self.roster.samples(client) > 0
            && self.roster.present(client, self.now)
    }

    /// All clients that can be invited now, in the order of their ids. Costs a look at every client:
    /// parts that work with a million clients should draw and ask [`View::free`] instead.
    pub fn all_free(&self) -> Vec<ClientId> {
        (0..self.roster.count()).map(ClientId).filter(|client| self.free(*client)).collect()
    }
}

impl Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("now", &self.now)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Whom to invite?
pub trait Select: Debug + Send {
    /// Up to `want` different clients for which `view.free(client)` holds. Fewer when there are not
    /// enough. `stream` is fresh for every call.
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId>;

    /// Where each client is drawn independently of the others, the probability of each: then how many
    /// are drawn is up to chance, and few does not mean that few were free.
    fn chance_of_each(&self, _want: usize, _view: &View<'_>) -> Option<f64> {
        None
    }

    /// Told of every update that was merged.
    fn merged(&mut self, _feedback: &Feedback) {}

    /// Told of every task that was lost.
    fn lost(&mut self, _client: ClientId, _reason: LossReason) {}

    /// What went wrong in the part since it was last asked, in words: the run ends with it. For parts that
    /// run what a user wrote; all others cannot fail.
    fn fault(&mut self) -> Option<String> {
        None
    }

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}

/// When to aggregate?
pub trait Pace: Debug + Send {
    /// Reacts to `signal` by giving orders at the desk.
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>);

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}

/// What a pace has to react to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PaceSignal {
    /// The run begins: give the first invitations.
    Start,
    /// The update of this task arrived and lies in [`Desk::arrived`].
    Arrived(TaskId),
    /// This task will not be answered; the client is free again.
    Lost(TaskId),
    /// A timer rang.
    Timer(u64),
    /// An aggregation that was ordered is done and the version has grown.
    Aggregated,
    /// Clients may be free again after an invitation found too few.
    Vacancy,
}

/// An invitation that is under way.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Flight {
    /// Whose task.
    pub client: ClientId,
    /// Version that was sent.
    pub version: Version,
    /// When the invitation was sent.
    pub invited: Time,
    /// What was asked for.
    pub assignment: Assignment,
}

/// What a pace may order.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Invite up to `want` clients of the selector's choice.
    Invite {
        /// How many.
        want: usize,
        /// What they are asked to do.
        assignment: Assignment,
    },
    /// Invite exactly these clients; those that are not free are left out. [`PaceSignal::Vacancy`] follows
    /// when somebody may be back, as it does when nobody is named because nobody was found.
    InviteThese {
        /// Whom.
        clients: Vec<ClientId>,
        /// What they are asked to do.
        assignment: Assignment,
    },
    /// Merge these arrived updates into a new version.
    Aggregate {
        /// Which; they leave the desk.
        tasks: Vec<TaskId>,
        /// A number for grouping and combining parts (a tier).
        tag: u64,
    },
    /// Take these arrived updates, which leave the desk, and have their senders judge all of them. The next
    /// [`Wish::Aggregate`] merges them, with what the judges said in the meantime; its tasks are those of the judges.
    /// [`PaceSignal::Vacancy`] follows when nobody can be asked.
    Judge(Vec<TaskId>),
    /// Take these arrived answers, which leave the desk, and have the dialogue hear them: it publishes what it learns
    /// and asks on. [`PaceSignal::Vacancy`] follows when nobody can be asked.
    Ask(Vec<TaskId>),
    /// Throw an arrived update away.
    Discard(TaskId),
    /// Take an invitation back.
    Cancel(TaskId),
    /// Ask for what there is at the end of the client's present epoch.
    Urge(TaskId),
    /// Ring after a span.
    Timer {
        /// How long.
        after: Span,
        /// The number that comes back.
        token: u64,
    },
    /// End the run: nothing can happen any more.
    Finish(String),
}

/// The desk at which a pace sits: what is under way, what has arrived, and its orders.
pub struct Desk<'a> {
    /// What every part may look at.
    pub view: View<'a>,
    /// Invitations under way.
    pub flights: &'a BTreeMap<TaskId, Flight>,
    /// Updates that arrived and were neither merged nor discarded, in the order of arrival.
    pub arrived: &'a [Arrival],
    /// Orders, carried out in this order when the pace returns.
    pub wishes: Vec<Wish>,
}

impl Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("view", &self.view)
            .field("wishes", &self.wishes)
            .finish_non_exhaustive()
    }
}

impl Desk<'_> {
    /// Invites up to `want` clients of the selector's choice, by the plan.
    pub fn invite(&mut self, want: usize) {
        self.invite_with(want, Assignment::default());
    }

    /// Invites up to `want` clients of the selector's choice.
    pub fn invite_with(&mut self, want: usize, assignment: Assignment) {
        if want > 0 {
            self.wishes.push(Wish::Invite { want, assignment });
        }
    }

    /// Merges these updates into a new version.
    pub fn aggregate(&mut self, tasks: Vec<TaskId>) {
        self.wishes.push(Wish::Aggregate { tasks, tag: 0 });
    }

    /// Has the senders of these updates judge all of them.
    pub fn judge(&mut self, tasks: Vec<TaskId>) {
        self.wishes.push(Wish::Judge(tasks));
    }

    /// Has the dialogue hear these answers and ask on.
    pub fn ask(&mut self, tasks: Vec<TaskId>) {
        self.wishes.push(Wish::Ask(tasks));
    }

    /// Takes back every invitation under way.
    pub fn cancel_all(&mut self) {
        self.wishes.extend(self.flights.keys().map(|task| Wish::Cancel(*task)));
    }

    /// Rings after `after`.
    pub fn timer(&mut self, after: Span, token: u64) {
        self.wishes.push(Wish::Timer { after, token });
    }

    /// The tasks of all arrived updates, in the order of arrival.
    pub fn arrived_tasks(&self) -> Vec<TaskId> {
        self.arrived.iter().map(|arrival| arrival.task).collect()
    }
}

/// Which updates belong together?
pub trait Group: Debug + Send {
    /// A group for each update, by position; groups count from 0. Each group has its own model.
    fn group(&mut self, updates: &[Update], view: &View<'_>) -> Vec<u32>;

    /// Whether all updates go into one model, so that they can be merged one by one as they are taken.
    fn is_trivial(&self) -> bool {
        false
    }

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}

/// How much does each update count?
pub trait Weigh: Debug + Send {
    /// A weight of at least 0 for each update, not normalised.
    fn weigh(&mut self, updates: &[Update], model: &Flat, view: &View<'_>) -> Vec<f64>;

    /// The same from what is known at arrival, for rules that need no values: it lets a large round be
    /// merged update by update in constant memory. `None` when the values are needed.
    fn weigh_arrivals(&mut self, _arrivals: &[Arrival], _view: &View<'_>) -> Option<Vec<f64>> {
        None
    }

    /// What went wrong in the part since it was last asked, in words: the run ends with it. For parts that
    /// run what a user wrote; all others cannot fail.
    fn fault(&mut self) -> Option<String> {
        None
    }

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}

/// How are updates merged?
pub trait Combine: Debug + Send {
    /// The new model of a group, from its present `model` and its updates.
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat;

    /// Why the last [`Self::combine`] gave no new model, in words: its updates are then counted as failed, and
    /// no version is published. For rules that compute something of their own; all others cannot fail.
    fn failure(&mut self) -> Option<String> {
        None
    }

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}

/// The updates of one group on their way into its model.
pub struct Batch<'a> {
    /// The group's present model.
    pub model: &'a Flat,
    /// Which group.
    pub group: u32,
    /// What the pace said of this aggregation (a tier).
    pub tag: u64,
    /// Weight of each update, not normalised, by position.
    pub weights: &'a [f64],
    /// The updates with their positions, in the order of client ids. Each is computed when it is
    /// asked for; an update whose work failed is missing.
    pub updates: &'a mut dyn Iterator<Item = (usize, Update)>,
}

impl Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("group", &self.group)
            .field("weights", &self.weights)
            .finish_non_exhaustive()
    }
}
