//! The director: lets happen what the timeline and a user's script ask for.
//!
//! It is told of what they wait for, and nothing else: a run without timeline and script has no
//! director at all. What it decides goes through the calendar like everything else.

use crate::caught::{caught, saved};
use crate::effect::{Deliver, Effect};
use crate::hooks::{Board, Hooks, Occasion, SharedBoard, Told, Wants};
use crate::message::{Address, Event, Message};
use crate::snapshot::Save;
use crate::timeline::{Action, Entry, When};
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::hardship::Interventions;
use offbeat_kernel::{Span, Time};
use offbeat_strategies::registry::Parts;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

mod acting;

/// The list of interventions that the director writes and the world reads.
pub type SharedInterventions = Rc<RefCell<Interventions>>;

/// So many timers can be set at the same time.
const MOST_RINGS: usize = 100_000;

/// What a federation with a timeline or a script needs.
#[derive(Debug)]
pub struct DirectorSetup {
    /// What is done to the clients; the world reads the same list.
    pub interventions: SharedInterventions,
    /// What happens when.
    pub timeline: Vec<Entry>,
    /// The user's script.
    pub hooks: Option<Box<dyn Hooks>>,
    /// What the script can look at.
    pub board: Option<SharedBoard>,
    /// The strategy's parts, for those that are switched later.
    pub parts: Parts,
    /// The server stores every so many versions where a crash does not reach them.
    pub durable_every: u64,
}

impl DirectorSetup {
    /// What timeline and script want to be told of.
    pub fn wants(&self) -> Wants {
        let has = |is: fn(&When) -> bool| self.timeline.iter().any(|entry| is(&entry.when));
        let timeline = Wants {
            updates: has(|when| matches!(when, When::Updates { .. })),
            versions: has(|when| matches!(when, When::Version { .. })),
            evaluations: has(|when| matches!(when, When::Accuracy { .. } | When::Loss { .. })),
        };
        timeline.or(self.hooks.as_ref().map(|hooks| hooks.wants()).unwrap_or_default())
    }
}

/// What rings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Ring {
    /// An entry of the timeline.
    Entry(usize),
    /// A timer of the script.
    Timer(String),
    /// What undoes an earlier action.
    Undo(Box<Action>),
}

/// All that a director knows and changes between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    progress: Progress,
    interventions: Interventions,
    board: Option<Board>,
    hooks: Option<Vec<u8>>,
}

/// How far the timeline is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    rings: BTreeMap<u64, Ring>,
    next_ring: u64,
    /// Entries that have happened and do not happen again.
    done: Vec<bool>,
    updates: u64,
}

/// Lets things happen.
#[derive(Debug)]
pub struct Director {
    interventions: SharedInterventions,
    timeline: Vec<Entry>,
    hooks: Option<Box<dyn Hooks>>,
    board: Option<SharedBoard>,
    state: Progress,
}

/// Asks the director for what happens before the run starts.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub struct Begin;

impl Director {
    /// A director that has not begun.
    pub fn new(
        interventions: SharedInterventions,
        timeline: Vec<Entry>,
        hooks: Option<Box<dyn Hooks>>,
        board: Option<SharedBoard>,
    ) -> Self {
        let state = Progress { done: vec![false; timeline.len()], ..Progress::default() };
        Self { interventions, timeline, hooks, board, state }
    }

    /// What a snapshot has to hold.
    ///
    /// # Errors
    /// When the script keeps what cannot be written.
    pub fn state(&self) -> Result<State, CodecError> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { interventions, timeline: _, hooks, board, state } = self;
        let hooks = hooks.as_ref().map(|hooks| hooks.save()).transpose();
        Ok(State {
            progress: state.clone(),
            interventions: interventions.borrow().clone(),
            board: board.as_ref().map(|board| board.lock().clone()),
            hooks: hooks.map_err(CodecError::Refused)?,
        })
    }

    /// Goes on from an earlier state; the world sees it too.
    ///
    /// # Errors
    /// When the script refuses its state.
    pub fn restore(&mut self, state: State) -> Result<(), CodecError> {
        let State { progress, interventions, board, hooks } = state;
        self.state = progress;
        self.interventions.replace(interventions);
        if let (Some(own), Some(board)) = (&self.board, board) {
            *own.lock() = board;
        }
        match (&mut self.hooks, hooks) {
            (Some(own), Some(bytes)) => own.restore(&bytes).map_err(CodecError::Refused),
            _ => Ok(()),
        }
    }

    fn begin(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let timed: Vec<(usize, Time)> = (self.timeline.iter().enumerate())
            .filter_map(|(index, entry)| match entry.when {
                When::At(at, _) => Some((index, at)),
                _ => None,
            })
            .collect();
        for (index, at) in timed {
            if at == Time::ZERO {
                self.happen(index, Time::ZERO, &mut effects);
            } else {
                self.ring(at, Ring::Entry(index), &mut effects);
            }
        }
        self.ask(Occasion::Start, Time::ZERO, &mut effects);
        self.look_ahead();
        effects
    }

    /// Takes up entries of the timeline that it did not have when its state was taken, at `now`. What should
    /// have happened by then does not happen. Gives the events that are to come.
    pub fn take_up(&mut self, now: Time) -> Vec<(Time, Event)> {
        let mut events = Vec::new();
        for index in self.state.done.len()..self.timeline.len() {
            let at = match self.timeline[index].when {
                When::At(mut at, Some(every)) if every > Span::ZERO => {
                    while at <= now {
                        at += every;
                    }
                    Some(at)
                }
                When::At(at, _) => Some(at),
                _ => None,
            };
            self.state.done.push(at.is_some_and(|at| at <= now));
            if let Some(at) = at.filter(|at| *at > now) {
                let message = Message::Ring(self.set(Ring::Entry(index)));
                events.push((at, Event { to: Address::Director, message }));
            }
        }
        self.look_ahead();
        events
    }

    /// A director of a run that had none when its snapshot was taken.
    #[must_use]
    pub fn newcomer(mut self) -> Self {
        self.state.done.clear();
        self
    }

    /// Puts a ring in the calendar.
    fn ring(&mut self, at: Time, ring: Ring, effects: &mut Vec<Effect>) {
        if self.state.rings.len() >= MOST_RINGS {
            effects.push(Effect::Fail(format!("more than {MOST_RINGS} timers are set at once")));
            return;
        }
        let message = Message::Ring(self.set(ring));
        effects.push(Effect::Schedule { at, to: Address::Director, message });
    }

    fn set(&mut self, ring: Ring) -> u64 {
        let id = self.state.next_ring;
        self.state.next_ring += 1;
        self.state.rings.insert(id, ring);
        id
    }

    fn rung(&mut self, id: u64, now: Time, effects: &mut Vec<Effect>) {
        match self.state.rings.remove(&id) {
            Some(Ring::Entry(index)) => self.happen(index, now, effects),
            Some(Ring::Timer(name)) => self.ask(Occasion::Timer(&name), now, effects),
            Some(Ring::Undo(action)) => self.act(*action, now, effects),
            None => {}
        }
    }

    /// Carries out an entry of the timeline.
    fn happen(&mut self, index: usize, now: Time, effects: &mut Vec<Effect>) {
        let Some(entry) = self.timeline.get(index) else { return };
        let Entry { when, actions } = entry.clone();
        actions.into_iter().for_each(|action| self.act(action, now, effects));
        match when {
            When::At(_, Some(every)) => self.ring(now + every, Ring::Entry(index), effects),
            When::Version { repeat: true, .. }
            | When::Updates { repeat: true, .. }
            | When::Accuracy { repeat: true, .. }
            | When::Loss { repeat: true, .. } => {}
            _ => self.state.done[index] = true,
        }
    }

    /// Takes note of what happened, lets the timeline's conditions see it, and asks the script.
    fn told(&mut self, told: &Told, now: Time, effects: &mut Vec<Effect>) {
        match told {
            Told::Update { .. } => self.state.updates += 1,
            Told::Version { .. } | Told::Evaluation { .. } => {}
        }
        let met: Vec<usize> = (0..self.timeline.len())
            .filter(|index| !self.state.done[*index] && self.is_met(&self.timeline[*index], told))
            .collect();
        met.into_iter().for_each(|index| self.happen(index, now, effects));
        let wanted = self.hooks.as_ref().map(|hooks| hooks.wants()).unwrap_or_default();
        let asked = match told {
            Told::Update { .. } => wanted.updates,
            Told::Version { .. } => wanted.versions,
            Told::Evaluation { .. } => wanted.evaluations,
        };
        if let Some(board) = &self.board {
            let mut board = board.lock();
            match told {
                Told::Evaluation { accuracy, loss, .. } => board.figures = Some((*accuracy, *loss)),
                Told::Version { version, .. } => board.version = *version,
                Told::Update { .. } => {}
            }
        }
        if asked {
            self.ask(Occasion::Told(told), now, effects);
        }
    }

    fn is_met(&self, entry: &Entry, told: &Told) -> bool {
        let reached = |have: u64, count: u64, repeat: bool| match repeat {
            true => have.is_multiple_of(count.max(1)),
            false => have >= count,
        };
        match (&entry.when, told) {
            (When::Version { count, repeat }, Told::Version { version, .. }) => {
                reached(version.0, *count, *repeat)
            }
            (When::Updates { count, repeat }, Told::Update { .. }) => {
                reached(self.state.updates, *count, *repeat)
            }
            (When::Accuracy { least, .. }, Told::Evaluation { accuracy, .. }) => accuracy >= least,
            (When::Loss { most, .. }, Told::Evaluation { loss, .. }) => loss <= most,
            _ => false,
        }
    }

    /// Asks the script what shall happen.
    fn ask(&mut self, occasion: Occasion<'_>, now: Time, effects: &mut Vec<Effect>) {
        let Some(hooks) = &mut self.hooks else { return };
        if let Some(board) = &self.board {
            board.lock().now = now;
        }
        match hooks.on(occasion, now) {
            Ok(actions) => actions.into_iter().for_each(|action| self.act(action, now, effects)),
            Err(reason) => effects.push(Effect::Fail(reason)),
        }
    }

    fn look_ahead(&self) {
        self.interventions.borrow_mut().more_to_come = !self.state.rings.is_empty();
    }
}

impl Actor for Director {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Director {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(saved("the timeline or the script", || self.state()))
    }
}

impl Handler<Begin> for Director {
    type Result = MessageResult<Begin>;

    fn handle(&mut self, _: Begin, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the timeline or the script", || self.begin()))
    }
}

impl Handler<Deliver> for Director {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        MessageResult(caught("the timeline or the script", || {
            let mut effects = Vec::new();
            match deliver.message {
                Message::Ring(id) => self.rung(id, deliver.now, &mut effects),
                Message::Told(told) => self.told(&told, deliver.now, &mut effects),
                _ => {}
            }
            self.look_ahead();
            effects
        }))
    }
}
