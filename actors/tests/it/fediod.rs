//! Questions and answers instead of models: what travels, what stays, and what comes of it.

use crate::heads::{answer, holds_a_piece_of};
use crate::honest::rows;
use crate::world::World;
use offbeat_actors::message::{Invite, Message, WireUpdate};
use offbeat_actors::wire;
use offbeat_actors::work::{Job, Output, Private, TrainJob, Workbench};
use offbeat_actors::{Continuation, Keeper, Memory, Occasion, Record, RunResult, Snapshot};
use offbeat_kernel::{ClientId, Digest, Journal, TaskId, Time, Version, codec};
use offbeat_learning::network::NetworkSpec;
use offbeat_learning::{Flat, Work};
use offbeat_strategies::Parts;
use offbeat_strategies::composed::Reply;
use offbeat_strategies::fediod::{FedIodSettings, GRADIENT, INPUTS, LOGITS, SHARE, SLOPES};
use offbeat_strategies::registry::PacePart;
use offbeat_strategies::signal::Duty;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

const CLIENTS: usize = 3;
const BATCH: usize = 8;
const ASKED: usize = 3 * BATCH;

pub(crate) fn world() -> World {
    let settings = FedIodSettings {
        clients: CLIENTS,
        batch: BATCH,
        student_batches: 2,
        noise: 8,
        generator_width: 4,
        critic_width: 4,
        student_rate: 0.05,
        generator_rate: 1e-3,
        critic_rate: 1e-3,
        ..FedIodSettings::default()
    };
    let parts = Parts { pace: PacePart::FedIod(Box::new(settings)), ..Parts::default() };
    let mut world = World::new(CLIENTS, parts);
    world.network = NetworkSpec::Mlp { hidden: vec![16] };
    world.plan.work = Work::Epochs(4);
    world.plan.sgd.rate = 0.1;
    world.versions = 4;
    world
}

fn run(world: &World, keeper: Option<Box<dyn Keeper>>) -> (RunResult, Vec<Record>) {
    let memory = Memory::default();
    let records = memory.records.clone();
    let continuation = Continuation { keeper, ..Continuation::default() };
    let result =
        world.federation().go_on(Box::new(memory), continuation).expect("the run succeeds");
    let records = records.borrow().clone();
    (result, records)
}

fn job(task: u64, client: ClientId, duty: Duty, private: Private) -> TrainJob {
    TrainJob {
        label_turn: 0,
        task: TaskId(task),
        draw: task,
        client,
        base: Version(0),
        at: Time::ZERO,
        shared: Flat::zeros(0),
        extras: BTreeMap::new(),
        private,
        duty,
        steps: None,
        step_limit: None,
    }
}

fn done(bench: &Workbench, job: TrainJob) -> (Reply, Private) {
    let output = bench.run(Job::Train(Box::new(job))).expect("it is done");
    let Output::Trained(both) = output else { panic!("no answer") };
    *both
}

fn hash(vector: &Flat) -> Digest {
    let mut journal = Journal::new();
    let bytes: Vec<u8> = vector.host().iter().flat_map(|value| value.to_le_bytes()).collect();
    journal.write_bytes(&bytes);
    journal.digest()
}

/// The teacher of a client: its first task is the one of its number.
fn teacher(bench: &Workbench, client: u32) -> Private {
    done(bench, job(client.into(), ClientId(client), Duty::Teach, Private::default())).1
}

fn question(private: Private, task: u64, duty: Duty, vectors: &[(&str, usize)]) -> TrainJob {
    let mut job = job(task, ClientId(0), duty, private);
    let vector = |len: usize| Flat::new((0..len).map(|i| (i as f32 * 0.37).sin().abs()).collect());
    job.extras = vectors.iter().map(|(name, len)| ((*name).to_string(), vector(*len))).collect();
    job
}

#[test]
fn teachers_are_frozen_and_discriminators_are_not() {
    let bench = world().federation().workbench;
    let mut private = teacher(&bench, 0);
    let first = hash(private.kept.as_ref().expect("a teacher"));
    let mut critics = BTreeSet::new();
    for round in 0..6 {
        let asked = [(INPUTS, ASKED * 64)];
        let (reply, after) = done(&bench, question(private, 10 + 2 * round, Duty::Answer, &asked));
        assert_eq!(reply.extras[LOGITS].len(), ASKED * 10);
        critics.insert(hash(&after.critic.as_ref().expect("a discriminator").params).to_string());
        let asked = [(SLOPES, BATCH * 10), (SHARE, 1)];
        let (reply, after) = done(&bench, question(after, 11 + 2 * round, Duty::PullBack, &asked));
        assert_eq!(reply.extras[GRADIENT].len(), BATCH * 64);
        assert!(reply.extras[GRADIENT].norm() > 0.0);
        private = after;
    }
    assert_eq!(hash(private.kept.as_ref().expect("a teacher")), first);
    assert_eq!(critics.len(), 6, "a step for each question");
    // Asked to teach again, it keeps its teacher.
    let (again, kept) = done(&bench, job(40, ClientId(0), Duty::Teach, private));
    assert_eq!((again.steps, hash(kept.kept.as_ref().expect("a teacher"))), (0, first));
}

/// Keeps the last snapshot.
#[derive(Debug)]
struct Last(Rc<RefCell<Option<Snapshot>>>);

impl Keeper for Last {
    fn due(&mut self, _: Time, _: Time) -> Option<Occasion> {
        Some(Occasion::Virtual)
    }

    fn keep(&mut self, snapshot: Snapshot, _: Occasion) {
        self.0.replace(Some(snapshot));
    }
}

/// At the end of a whole run the clients keep, bit for bit, what their first training alone gave.
#[test]
fn a_run_leaves_every_teacher_as_it_was() {
    let mut world = world();
    world.versions = 12;
    let last = Rc::new(RefCell::new(None));
    run(&world, Some(Box::new(Last(last.clone()))));
    let snapshot: Snapshot = last.take().expect("kept");
    assert!(snapshot.version >= Version(11), "{:?}", snapshot.version);
    let held: BTreeSet<String> = snapshot
        .vectors
        .iter()
        .map(|vector| hash(&Flat::from_shared(vector.values.clone())).to_string())
        .collect();
    let bench = world.federation().workbench;
    for client in 0..CLIENTS as u32 {
        let own = teacher(&bench, client).kept.expect("a teacher");
        assert!(held.contains(&hash(&own).to_string()), "the teacher of client {client}");
    }
}

#[test]
fn no_answer_holds_a_piece_of_a_teacher_or_of_data() {
    let world = world();
    let bench = world.federation().workbench;
    let private = teacher(&bench, 0);
    let own = private.kept.clone().expect("a teacher");
    let asked = [(INPUTS, ASKED * 64)];
    let (told, private) = done(&bench, question(private, 9, Duty::Answer, &asked));
    let critic = private.critic.clone().expect("a discriminator").params;
    let (pulled, _) =
        done(&bench, question(private, 10, Duty::PullBack, &[(SLOPES, BATCH * 10), (SHARE, 1)]));
    let counts = done(&bench, job(0, ClientId(0), Duty::Teach, Private::default())).0;
    for reply in [counts, told, pulled] {
        assert!(reply.params.is_empty());
        let update = WireUpdate {
            answer: answer(ClientId(0), 7),
            params: reply.params,
            loss: reply.loss,
            loss_squared: reply.loss_squared,
            steps: reply.steps,
            scalars: reply.scalars,
            extras: reply.extras,
        };
        let bytes = codec::encode(&update).expect("plain data");
        assert!(!holds_a_piece_of(&bytes, &own) && !holds_a_piece_of(&bytes, &critic));
    }
}

/// Every byte of a round: made pictures down, logits up; slopes down, gradients up.
#[test]
fn bytes_are_those_of_pictures_logits_and_gradients() {
    let (result, records) = run(&world(), None);
    assert_eq!((result.counts.versions, result.counts.failed), (4, 0));
    let question = |extras: &[(&str, usize)], task: u64, duty: Duty, version: u64| {
        let vector = |(name, len): &(&str, usize)| ((*name).to_string(), Flat::zeros(*len));
        Message::Invite(Box::new(Invite {
            task: TaskId(task),
            version: Version(version),
            invited: Time::ZERO,
            model: Flat::zeros(0),
            extras: extras.iter().map(vector).collect(),
            assignment: duty.assignment(),
        }))
        .bytes()
    };
    let all = rows(&records);
    for row in &all {
        let (task, version) = (row.task.0, row.version.0);
        let round = task / CLIENTS as u64;
        let (down, told) = match round {
            0 => (question(&[], task, Duty::Teach, version), ("class-counts", 10)),
            round if round % 2 == 1 => {
                let asked = [(INPUTS, ASKED * 64)];
                (question(&asked, task, Duty::Answer, version), (LOGITS, ASKED * 10))
            }
            _ => {
                let asked = [(SLOPES, BATCH * 10), (SHARE, 1)];
                (question(&asked, task, Duty::PullBack, version), (GRADIENT, BATCH * 64))
            }
        };
        // The time of the invitation has no fixed length.
        assert!(row.bytes_down.abs_diff(down) <= 8, "{row:?} {down}");
        let up = wire::update_len(&answer(row.client, 480), 0, wire::flat_len(0), &[], &[told]);
        assert!(row.bytes_up.abs_diff(up) <= 16, "{row:?} {up}");
    }
    // Teaching, four rounds of two questions less the last one, which the end of the run cuts off.
    assert_eq!(all.len(), CLIENTS * (1 + 2 * 4 - 1));
}

#[test]
fn a_student_comes_near_to_its_teachers() {
    let mut world = world();
    let PacePart::FedIod(settings) = &mut world.parts.pace else { panic!("another pace") };
    (settings.batch, settings.student_batches, settings.student_rate) = (32, 3, 0.1);
    (settings.noise, settings.generator_width, settings.critic_width) = (16, 8, 8);
    (settings.terms.gan, settings.terms.balance) = (5.0, 1.0);
    world.plan.work = Work::Epochs(8);
    world.versions = 120;
    let (result, records) = run(&world, None);
    let figures: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Teachers { figures, .. } => Some(figures),
            _ => None,
        })
        .collect();
    assert_eq!(figures.len(), 1, "teachers are tried once: they do not change");
    let (_, best) = figures[0].mean_and_best().expect("three teachers");
    assert!(best > 0.7 && figures[0].by_class > 0.75, "{figures:?}");
    let student = result.test.expect("evaluated").accuracy;
    assert!(student > 0.6, "{student} of {figures:?}");
}

#[test]
fn the_same_with_any_number_of_workers() {
    let mut world = world();
    let one = run(&world, None).0;
    world.workers = 1;
    let two = run(&world, None).0;
    assert_eq!((one.digest, one.model), (two.digest, two.model));
}

#[test]
fn without_training_times_and_bytes_are_the_same() {
    let world = world();
    let whole = run(&world, None).0;
    let mut federation = world.idle();
    federation.workbench.timing_only = true;
    let idle = federation.run(Box::new(Memory::default())).expect("the run succeeds");
    assert_eq!((idle.now, idle.counts.versions), (whole.now, whole.counts.versions));
    assert_eq!(
        (idle.counts.bytes_up, idle.counts.bytes_down),
        (whole.counts.bytes_up, whole.counts.bytes_down)
    );
    assert_eq!(idle.model, world.federation().initial);
}

/// Whoever is there at the beginning takes part: fewer than asked for are told, and it goes on with them.
#[test]
fn fewer_clients_than_asked_for_are_told() {
    let mut world = world();
    let PacePart::FedIod(settings) = &mut world.parts.pace else { panic!("another pace") };
    settings.clients = CLIENTS + 2;
    let (result, records) = run(&world, None);
    assert_eq!(result.counts.versions, 4);
    assert_eq!(result.counts.notes.len(), 1);
    assert!(result.counts.notes[0].starts_with("3 of 5 clients"), "{:?}", result.counts.notes);
    let told = records.iter().filter(|record| matches!(record, Record::Happening { .. }));
    assert_eq!(told.count(), 1);
    assert!(run(&self::world(), None).0.counts.notes.is_empty());
}

/// Teachers and gradients are used when they arrive, logits when the student learns from them: nothing is left over but
/// what the end of the run cuts off.
#[test]
fn every_answer_is_used() {
    let (result, records) = run(&world(), None);
    let (counts, arrived) = (result.counts, rows(&records));
    assert_eq!(counts.updates, arrived.len() as u64);
    assert_eq!(counts.merged + counts.used_at_once, counts.updates);
    assert_eq!(counts.merged, (4 * CLIENTS) as u64);
    let used = records.iter().flat_map(|record| match record {
        Record::Aggregation { used, .. } => used.iter().map(|used| used.task).collect(),
        _ => Vec::new(),
    });
    let used: BTreeSet<TaskId> = used.collect();
    for row in arrived {
        assert!(row.used_at_once != used.contains(&row.task), "{row:?}");
    }
}

/// The memory of results counts the teachers that trainings leave, not only what they say.
#[test]
fn teachers_count_in_the_memory_of_results() {
    let world = world();
    let mut federation = world.federation();
    federation.stop.updates = Some(CLIENTS as u64);
    let result = federation.run(Box::new(Memory::default())).expect("the run succeeds");
    assert_eq!((result.counts.updates, result.counts.versions), (CLIENTS as u64, 0));
    let teacher = 4 * (64 * 16 + 16 + 16 * 10 + 10) as u64;
    assert!(result.pool.peak_bytes >= teacher, "{} below {teacher}", result.pool.peak_bytes);
}
