//! Clients that are asked to hurry: they answer with the epochs that they have finished.

use crate::equivalence::synchronous;
use crate::world::World;
use offbeat_actors::conditions::{Conditions, Direction, Outcome};
use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_actors::{Ideal, Memory, Record};
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use offbeat_learning::Work;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::Port;
use offbeat_strategies::registry::{PacePart, SelectPart};
use offbeat_strategies::signal::LossReason;
use std::rc::Rc;

/// Client 1 leaves for good 2 s after it has begun.
#[derive(Debug)]
struct Doomed(Ideal);

impl Conditions for Doomed {
    fn accepts(&self, client: ClientId, task: TaskId, now: Time) -> Result<(), LossReason> {
        self.0.accepts(client, task, now)
    }

    fn completeness(&self, client: ClientId, task: TaskId) -> f64 {
        self.0.completeness(client, task)
    }

    fn compute(&self, client: ClientId, task: TaskId, start: Time, samples: usize) -> Outcome {
        if client.0 == 1 {
            let at = start + Span::of_work(2.0);
            return Outcome::Lost { at, reason: LossReason::WentOffline };
        }
        self.0.compute(client, task, start, samples)
    }

    fn transfer(&self, client: ClientId, task: TaskId, way: Direction, bytes: u64) -> Span {
        self.0.transfer(client, task, way, bytes)
    }

    fn carry(&self, client: ClientId, task: TaskId, start: Time, span: Span) -> Outcome {
        self.0.carry(client, task, start, span)
    }

    fn delay(&self, client: ClientId, task: TaskId, way: Direction) -> Span {
        self.0.delay(client, task, way)
    }

    fn rate(&self, client: ClientId, task: TaskId, way: Direction) -> u64 {
        self.0.rate(client, task, way)
    }
}

/// Four epochs of 0.2 s at client 0 and of 1.2 s at client 1, which is urged when client 0 answers: at 0.8 s.
fn world() -> World {
    let port = Port { buffer: 1, concurrency: 2, bound: 1 };
    let parts = Parts { select: SelectPart::Uniform, pace: PacePart::Port(port), ..synchronous(2) };
    let mut world = World { versions: 2, ..World::new(2, parts) };
    world.plan.work = Work::Epochs(4);
    world.uneven(&[20, 40]);
    world.ideal.seconds_per_sample = vec![0.01, 0.03];
    world
}

/// How client 1's first task ended.
fn first(records: &[Record]) -> TaskRow {
    let rows = records.iter().filter_map(|record| match record {
        Record::Task(row) if row.client.0 == 1 => Some(row.clone()),
        _ => None,
    });
    rows.into_iter().next().expect("client 1 had a task")
}

#[test]
fn an_urged_client_answers_at_the_end_of_its_epoch() {
    let (_, records) = world().run();
    let row = first(&records);
    assert_eq!((row.end, row.ended.micros()), (TaskEnd::Arrived, 1_200_000));
}

#[test]
fn who_is_about_to_be_lost_is_not_saved_by_being_urged() {
    let world = world();
    let mut federation = world.federation();
    federation.conditions = Rc::new(Doomed(world.ideal.clone()));
    let memory = Memory::default();
    let records = memory.records.clone();
    federation.run(Box::new(memory)).expect("the run succeeds");
    let row = first(&records.borrow());
    let lost = TaskEnd::Lost(LossReason::WentOffline);
    assert_eq!((row.end, row.ended.micros()), (lost, 2_000_000));
}
