//! Snapshots: the whole state of a run between two events, as plain data.
//!
//! A snapshot holds the calendar, the journal, every actor's state, what clients keep, and the
//! specifications of all open jobs. Random streams are functions of seed and counters, and the counters
//! lie in those states. What does not change in a run (data, network, parts of the strategy with their
//! settings) is not in it: a federation of the same scenario is built anew and takes the state over.
//! Taking one is no event and changes nothing, the digest included.

use crate::client::{Home, Task};
use crate::message::Event;
use crate::retrieval::Tried;
use crate::tally::Counts;
use crate::{director, edge, evaluator, network, promise, server, strategist, tap};
use offbeat_kernel::codec::{self, CodecError};
use offbeat_kernel::{Calendar, ClientId, Journal, Time, Version};
use offbeat_learning::Flat;
use offbeat_learning::device::HomeDevice;
use offbeat_learning::evaluate::Evaluation;
use offbeat_learning::intern::{self, Interned, Known};
use offbeat_strategies::registry::Switch;
use offbeat_strategies::signal::Clusters;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// A run between two events.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Virtual time.
    pub now: Time,
    /// Events delivered.
    pub events: u64,
    /// The last version that was published.
    pub version: Version,
    /// Where the sink stood, in its own words.
    pub sink: Vec<u8>,
    /// All state but the vectors.
    pub state: Vec<u8>,
    /// The vectors, each once, in the order of their numbers in the state.
    pub vectors: Vec<Interned>,
}

/// Why a snapshot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occasion {
    /// So much real time has passed.
    Wall,
    /// So much virtual time has passed.
    Virtual,
    /// An actor asked for it.
    Asked,
    /// The run is interrupted.
    Interrupted,
}

/// Keeps snapshots, and says when the next is due.
pub trait Keeper: Debug {
    /// Whether a snapshot is due before the event at `next` is delivered; `now` is the time of the last.
    fn due(&mut self, now: Time, next: Time) -> Option<Occasion>;

    /// Keeps a snapshot. One that cannot be kept is told of and forgotten; the run goes on.
    fn keep(&mut self, snapshot: Snapshot, occasion: Occasion);
}

/// Where a run begins, and what becomes of its snapshots.
#[derive(Debug, Default)]
pub struct Continuation {
    /// Go on from here instead of from the beginning.
    pub from: Option<Snapshot>,
    /// Who keeps snapshots.
    pub keeper: Option<Box<dyn Keeper>>,
    /// What is different from there on.
    pub branch: Option<Branch>,
}

/// What makes the rest of a run another one than that of which the snapshot was taken.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    /// Parts of the strategy that are replaced.
    pub switches: Vec<Switch>,
}

/// Asks an actor for its state.
#[derive(Debug)]
pub struct Save<S>(PhantomData<S>);

impl<S> Save<S> {
    /// The question.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S> Default for Save<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Send + 'static> actix::Message for Save<S> {
    type Result = Result<S, CodecError>;
}

/// Everything that a driver and its actors know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) driving: Driving,
    pub(crate) server: server::State,
    pub(crate) strategist: strategist::State,
    pub(crate) network: network::State,
    pub(crate) evaluator: evaluator::State,
    pub(crate) director: Option<director::State>,
    pub(crate) tap: Option<tap::State>,
    pub(crate) edges: Vec<edge::State>,
    pub(crate) clients: BTreeMap<ClientId, Task>,
    pub(crate) homes: BTreeMap<ClientId, Home>,
    pub(crate) book: promise::State,
    pub(crate) counts: Counts,
}

/// What the driver itself knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Driving {
    pub(crate) calendar: Calendar<Event>,
    pub(crate) journal: Journal,
    pub(crate) events: u64,
    /// Events for the director since the last for anybody else.
    pub(crate) quiet: u32,
    pub(crate) ended: Option<String>,
    pub(crate) accuracy: Option<f64>,
    pub(crate) trace: Option<Vec<[u64; 5]>>,
    /// Real time that earlier processes spent on the run.
    pub(crate) wall_seconds: f64,
    pub(crate) last: Last,
}

impl Driving {
    /// The beginning of a run of which `model` is version 0.
    pub(crate) fn new(model: Flat, trace: bool) -> Self {
        Self {
            calendar: Calendar::new(),
            journal: Journal::new(),
            events: 0,
            quiet: 0,
            ended: None,
            accuracy: None,
            trace: trace.then(Vec::new),
            wall_seconds: 0.0,
            last: Last {
                version: Version(0),
                model,
                clusters: None,
                test: None,
                attack: None,
                clients: Vec::new(),
                tried: Vec::new(),
            },
        }
    }
}

/// What the run's result is made of, kept up to date.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) version: Version,
    pub(crate) model: Flat,
    pub(crate) clusters: Option<Box<Clusters>>,
    pub(crate) test: Option<Evaluation>,
    pub(crate) attack: Option<f64>,
    pub(crate) clients: Vec<(ClientId, Evaluation)>,
    pub(crate) tried: Vec<Tried>,
}

impl State {
    /// As a snapshot; `known` is what the last call left.
    pub(crate) fn pack(&self, sink: Vec<u8>, known: &mut Known) -> Result<Snapshot, CodecError> {
        let (state, vectors) = intern::gather(known, || codec::encode(self));
        Ok(Snapshot {
            now: self.driving.calendar.now(),
            events: self.driving.events,
            version: self.driving.last.version,
            sink,
            state: state?,
            vectors,
        })
    }

    /// The state in a snapshot, for a run whose strategy has its vectors at `home`.
    pub(crate) fn unpack(snapshot: &Snapshot, home: HomeDevice) -> Result<Self, CodecError> {
        let list = snapshot.vectors.iter().map(|held| Arc::clone(&held.values)).collect();
        intern::scatter(list, home, || codec::decode(&snapshot.state))
    }
}
