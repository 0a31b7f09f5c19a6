//! Panics away from the delivery of events: while figures are read at the end, records are kept, or state is saved.

use crate::equivalence::synchronous;
use crate::world::World;
use offbeat_actors::hooks::{Hooks, Occasion as Asked, Wants};
use offbeat_actors::record::Progress;
use offbeat_actors::timeline::Action;
use offbeat_actors::{
    Continuation, DirectorSetup, Federation, Keeper, Memory, Occasion, Record, RunError, Sink,
    Snapshot,
};
use offbeat_kernel::Time;
use offbeat_kernel::hardship::Interventions;
use std::cell::RefCell;
use std::rc::Rc;

fn world() -> World {
    World { versions: 3, ..World::new(3, synchronous(3)) }
}

/// A sink that gives up at one of its three tasks.
struct Brittle(&'static str);

impl Brittle {
    fn hold(&self, task: &str) {
        assert!(self.0 != task, "gives up at a {task}");
    }
}

impl Sink for Brittle {
    fn record(&mut self, _: &Record) -> Result<(), String> {
        self.hold("record");
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, String> {
        self.hold("save");
        Ok(Vec::new())
    }

    fn progress(&mut self, _: &Progress) {
        self.hold("progress");
    }
}

/// Wants a snapshot before every event, and does something before the event of one number.
struct Before {
    event: u64,
    asked: u64,
    work: Box<dyn Fn()>,
}

impl std::fmt::Debug for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Before").field("event", &self.event).finish_non_exhaustive()
    }
}

impl Keeper for Before {
    fn due(&mut self, _: Time, _: Time) -> Option<Occasion> {
        self.asked += 1;
        if self.asked == self.event {
            (self.work)();
        }
        (self.event == 0).then_some(Occasion::Virtual)
    }

    fn keep(&mut self, _: Snapshot, _: Occasion) {}
}

fn going_on(event: u64, work: impl Fn() + 'static) -> Continuation {
    let keeper = Before { event, asked: 0, work: Box::new(work) };
    Continuation { keeper: Some(Box::new(keeper)), ..Continuation::default() }
}

#[test]
fn a_sink_that_panics_ends_the_run_as_one_that_cannot_keep_records() {
    for task in ["record", "save", "progress"] {
        let error = world()
            .federation()
            .go_on(Box::new(Brittle(task)), going_on(0, || ()))
            .expect_err("it gives up");
        assert!(matches!(error, RunError::Sink(_)), "{task}: {error}");
        let expected = format!("the sink panicked: gives up at a {task}");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

/// A script that cannot be saved.
#[derive(Debug)]
struct Unsaved;

impl Hooks for Unsaved {
    fn wants(&self) -> Wants {
        Wants::default()
    }

    fn on(&mut self, _: Asked<'_>, _: Time) -> Result<Vec<Action>, String> {
        Ok(Vec::new())
    }

    fn save(&self) -> Result<Vec<u8>, String> {
        panic!("has nothing to say")
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

fn directed(hooks: Option<Box<dyn Hooks>>) -> (Federation, Rc<RefCell<Interventions>>) {
    let world = world();
    let interventions = Rc::new(RefCell::new(Interventions::new(world.seeds(), 3)));
    let mut federation = world.federation();
    federation.director = Some(DirectorSetup {
        interventions: interventions.clone(),
        timeline: Vec::new(),
        hooks,
        board: None,
        parts: synchronous(3),
        durable_every: 1,
    });
    (federation, interventions)
}

#[test]
fn a_script_that_panics_when_it_is_saved_is_told() {
    let (federation, _) = directed(Some(Box::new(Unsaved)));
    let error = federation
        .go_on(Box::new(Memory::default()), going_on(0, || ()))
        .expect_err("it cannot be saved");
    assert!(matches!(error, RunError::Snapshot(_)), "{error}");
    let expected =
        "the timeline or the script panicked when it was to be saved: has nothing to say";
    assert!(error.to_string().contains(expected), "{error}");
}

/// The world is out of reach when the last version is to be evaluated, after the last event: what was read before
/// is kept, and the run says what panicked.
#[test]
fn an_evaluator_that_panics_at_the_end_loses_nothing_that_was_read() {
    let memory = Memory::default();
    let whole = directed(None).0.run(Box::new(memory.clone())).expect("the run succeeds");
    let evaluations = |memory: &Memory| {
        let records = memory.records.borrow();
        records.iter().filter(|record| matches!(record, Record::Evaluation { .. })).count()
    };
    assert_eq!(evaluations(&memory), 4);
    let memory = Memory::default();
    let (federation, interventions) = directed(None);
    // Never given back: whoever looks at the world from now on panics.
    let grip = move || std::mem::forget(interventions.borrow_mut());
    let error = federation.go_on(Box::new(memory.clone()), going_on(whole.events, grip));
    let Err(RunError::Panicked { panicked, result }) = error else { panic!("{error:?}") };
    assert_eq!((panicked.part.as_str(), panicked.version.0), ("the evaluator", 3));
    assert!(panicked.text.contains("borrow"), "{panicked}");
    assert_eq!((result.counts.versions, evaluations(&memory)), (3, 3));
}
