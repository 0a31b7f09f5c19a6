//! What hostile clients send, number by number.
//!
//! Two clients learn softmax regression of two classes with one sample each: (2, 4) of class 0 and (4, 0) of class 1.
//! From zeros, with rate 1 and one step, the gradient of the chosen class's row is half of the sample, that of the
//! other the opposite; so all parameters (two rows of weights, two biases) are known by hand.

use crate::equivalence::synchronous;
use crate::patchy::run;
use crate::world::World;
use offbeat_actors::Record;
use offbeat_actors::adversary::{Adversaries, Band, Behaviour, Malformation, Trigger};
use offbeat_actors::work::{Job, Output, Private, TrainJob, Workbench};
use offbeat_kernel::{ClientId, Purpose, TaskId, Time, Version};
use offbeat_learning::data::Dataset;
use offbeat_learning::reid::COSINE_DISTANCE;
use offbeat_learning::{Flat, Sgd};
use offbeat_strategies::composed::Reply;
use offbeat_strategies::guard::{Fault, Incident, Measure};
use offbeat_strategies::signal::Duty;
use rand_distr::{Distribution, StandardNormal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the clients learn when they are honest.
const HONEST: [[f32; 6]; 2] = [[1.0, 2.0, -1.0, -2.0, 0.5, -0.5], [-2.0, 0.0, 2.0, 0.0, -0.5, 0.5]];

const LN_2: f64 = std::f64::consts::LN_2;

fn workbench(behaviour: Behaviour, members: &[u32], sybil: bool) -> Workbench {
    let mut world = World::new(2, synchronous(2));
    world.data = Arc::new(Dataset {
        features: vec![2.0, 4.0, 4.0, 0.0],
        shape: vec![2],
        labels: vec![0, 1],
        classes: 2,
        groups: None,
    });
    world.ideal.samples = vec![1, 1];
    world.plan.sgd = Sgd { rate: 1.0, ..Sgd::default() };
    world.reid.cosine_distance = matches!(behaviour, Behaviour::InflateCosineDistance { .. });
    let mut workbench = world.federation().workbench;
    let members = members.iter().map(|id| ClientId(*id)).collect();
    let band = Band { behaviour, members, sybil, from_version: Version(0) };
    workbench.adversaries = Arc::new(Adversaries::new(vec![band], 2));
    workbench
}

/// The answer of `client` to task `draw`, trained from `shared`.
fn answer(workbench: &Workbench, client: u32, draw: u64, shared: &[f32]) -> Reply {
    let job = TrainJob {
        task: TaskId(draw),
        draw,
        client: ClientId(client),
        base: Version(3),
        at: Time::ZERO,
        label_turn: 0,
        shared: Flat::new(shared.to_vec()),
        extras: BTreeMap::from([("beside".to_string(), Flat::new(vec![7.0, 8.0, 9.0]))]),
        private: Private::default(),
        duty: Duty::Train,
        steps: None,
        step_limit: None,
    };
    match workbench.run(Job::Train(Box::new(job))) {
        Ok(Output::Trained(both)) => both.0,
        other => panic!("no training: {other:?}"),
    }
}

/// The parameters that `client` returns when it does `behaviour` on zeros.
fn sent(behaviour: Behaviour, client: u32) -> Vec<f32> {
    answer(&workbench(behaviour, &[client], false), client, 5, &[0.0; 6]).params.to_vec()
}

#[track_caller]
fn near(found: &[f32], expected: &[f32]) {
    let far = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && far < 1e-5, "{found:?} is not {expected:?}");
}

fn times(factor: f32, vector: &[f32]) -> Vec<f32> {
    vector.iter().map(|value| factor * value).collect()
}

#[test]
fn training_by_hand() {
    // Client 1 is hostile, so that client 0 is not, and the other way round.
    for client in 0..2 {
        let other = workbench(Behaviour::Noise { sigma: 1.0 }, &[1 - client], false);
        let reply = answer(&other, client, 5, &[0.0; 6]);
        near(&reply.params.to_vec(), &HONEST[client as usize]);
        assert!((reply.loss - LN_2).abs() < 1e-6 && reply.steps == 1);
    }
}

#[test]
fn changes_are_turned_and_stretched_by_hand() {
    near(&sent(Behaviour::SignFlip { scale: 3.0 }, 0), &times(-3.0, &HONEST[0]));
    near(&sent(Behaviour::SignFlip { scale: 0.5 }, 1), &times(-0.5, &HONEST[1]));
    // Where it began counts: the change is turned, not the parameters.
    let turned = workbench(Behaviour::SignFlip { scale: 1.0 }, &[0], false);
    let start = [0.25, -0.5, 0.25, -0.5, 1.0, 1.0];
    // Both rows are alike, so that the classes are as likely as from zeros.
    let expected: Vec<f32> =
        start.iter().zip(&HONEST[0]).map(|(from, move_)| from - move_).collect();
    near(&answer(&turned, 0, 5, &start).params.to_vec(), &expected);
    // The class is called the other one: half of the sample goes the other way.
    let flip = Behaviour::LabelFlip { source: None, target: None };
    near(&sent(flip, 0), &times(-1.0, &HONEST[0]));
    let other = Behaviour::LabelFlip { source: Some(1), target: Some(0) };
    near(&sent(other, 0), &HONEST[0]);
    near(&sent(other, 1), &times(-1.0, &HONEST[1]));
}

/// The sample becomes (2, 8) of class 1; the change counts four times, or two of two clients' times when left out.
#[test]
fn a_backdoor_by_hand() {
    let trigger = Trigger { size: 1, value: 8.0 };
    let of = |boost| Behaviour::ModelReplacement { target: 1, trigger, poisoned: 0.5, boost };
    let alone = [-1.0, -4.0, 1.0, 4.0, -0.5, 0.5];
    near(&sent(of(Some(4.0)), 0), &times(4.0, &alone));
    near(&sent(of(None), 0), &times(2.0, &alone));
}

/// The mean of the two honest changes less 1.5 of their deviations, which are half of their difference.
#[test]
fn colluders_send_the_same_vector_by_hand() {
    let little = Behaviour::LittleIsEnough { z: Some(1.5), witnesses: 8 };
    let both = workbench(little, &[0, 1], false);
    let expected = [-2.75, -0.5, -1.75, -2.5, -0.75, -0.75];
    let first = answer(&both, 0, 5, &[0.0; 6]);
    near(&first.params.to_vec(), &expected);
    assert_eq!(first.params, answer(&both, 1, 6, &[0.0; 6]).params, "not the same bits");
    // One witness has no deviation: it is its honest change, whoever sends it.
    let little = Behaviour::LittleIsEnough { z: Some(1.5), witnesses: 1 };
    let one = workbench(little, &[0, 1], false);
    near(&answer(&one, 1, 9, &[0.0; 6]).params.to_vec(), &HONEST[0]);
}

#[test]
fn one_attacker_under_two_names_sends_the_same_bits() {
    let noise = Behaviour::Noise { sigma: 1.0 };
    for (sybil, same) in [(true, true), (false, false)] {
        let band = workbench(noise, &[0, 1], sybil);
        let [a, b] = [0, 1].map(|client| answer(&band, client, 5, &[0.0; 6]).params);
        assert_eq!(a == b, same, "sybil: {sybil}");
    }
    let band = workbench(Behaviour::SignFlip { scale: 1.0 }, &[0, 1], true);
    for client in 0..2 {
        near(&answer(&band, client, 5, &[0.0; 6]).params.to_vec(), &times(-1.0, &HONEST[0]));
    }
}

/// Mean and deviation of what is added to `start`, over four thousand tasks.
fn added(behaviour: Behaviour, start: &[f32; 6]) -> (f64, f64) {
    let band = workbench(behaviour, &[1], false);
    let mut draws = Vec::new();
    for task in 0..4_000 {
        let params = answer(&band, 1, task, start).params.to_vec();
        draws.extend(params.iter().zip(start).map(|(sent, from)| f64::from(sent - from)));
    }
    let count = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / count;
    let squares: f64 = draws.iter().map(|draw| (draw - mean).powi(2)).sum();
    (mean, (squares / count).sqrt())
}

/// 24,000 draws: five standard errors are 0.032 of sigma for the mean, and 0.023 for the deviation.
#[test]
fn noise_and_disguise_have_their_mean_and_deviation() {
    for sigma in [0.3, 2.0] {
        for behaviour in [Behaviour::Noise { sigma }, Behaviour::FreeRider { disguise: sigma }] {
            let (mean, deviation) = added(behaviour, &[1.0, -1.0, 0.5, 0.0, 4.0, -0.25]);
            assert!(mean.abs() < 0.033 * sigma, "{behaviour:?}: mean {mean}");
            assert!((deviation / sigma - 1.0).abs() < 0.023, "{behaviour:?}: {deviation}");
        }
    }
}

#[test]
fn noise_is_what_its_stream_draws() {
    let band = workbench(Behaviour::Noise { sigma: 0.5 }, &[1], false);
    let mut stream = band.seeds.stream(Purpose::Adversary, 1, 42);
    let expected: Vec<f32> = (0..6)
        .map(|_| {
            let drawn: f64 = StandardNormal.sample(&mut stream);
            1.0 + (0.5 * drawn) as f32
        })
        .collect();
    let reply = answer(&band, 1, 42, &[1.0; 6]);
    assert_eq!(reply.params.to_vec(), expected);
    // Nothing was trained: figures of a guess, and nothing beside.
    assert_eq!((reply.steps, reply.loss, reply.loss_squared), (1, LN_2, LN_2 * LN_2));
    assert_eq!(reply.extras["beside"].to_vec(), [0.0; 3]);
    assert!(reply.scalars.is_empty());
}

#[test]
fn a_free_rider_without_disguise_sends_back_what_it_received() {
    let start = [0.1, -0.2, 1e-30, 4.0, 0.0, -0.0];
    let reply =
        answer(&workbench(Behaviour::FreeRider { disguise: 0.0 }, &[0], false), 0, 5, &start);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&reply.params.to_vec()), bits(&start));
    assert_eq!((reply.steps, reply.loss), (1, LN_2));
}

/// The claim is all that is false: parameters, loss and the true distance of others stay.
#[test]
fn an_inflated_distance_by_hand() {
    let inflate = workbench(Behaviour::InflateCosineDistance { claim: 1.75 }, &[0], false);
    let reply = answer(&inflate, 0, 5, &[0.0; 6]);
    assert_eq!(reply.scalars, BTreeMap::from([(COSINE_DISTANCE.to_string(), 1.75)]));
    near(&reply.params.to_vec(), &HONEST[0]);
    let honest = answer(&inflate, 1, 5, &[0.0; 6]);
    assert!((0.0..=1.0).contains(&honest.scalars[COSINE_DISTANCE]), "{:?}", honest.scalars);
}

#[test]
fn every_malformed_kind_by_hand() {
    let start = [0.5; 6];
    let of = |how| answer(&workbench(Behaviour::Malformed(how), &[0], false), 0, 5, &start);
    for (how, value) in [(Malformation::Infinite, f32::INFINITY), (Malformation::Enormous, 1e20)] {
        assert_eq!(of(how).params.to_vec(), [value; 6], "{how:?}");
    }
    let nan = of(Malformation::Nan).params.to_vec();
    assert!(nan.len() == 6 && nan.iter().all(|value| value.is_nan()));
    assert_eq!(of(Malformation::Shape).params.to_vec(), [0.0; 5]);
    for how in [Malformation::Nan, Malformation::Shape, Malformation::Enormous] {
        assert_eq!((of(how).loss, of(how).loss_squared), (LN_2, LN_2 * LN_2), "{how:?}");
    }
    let loss = of(Malformation::Loss);
    assert!(loss.loss.is_nan() && loss.loss_squared == LN_2 * LN_2);
    assert_eq!(loss.params.to_vec(), start);
}

/// Those that only say too much train as honest clients do.
#[test]
fn liars_and_doublers_train_honestly() {
    for behaviour in
        [Behaviour::FalseSamples { factor: 9.0 }, Behaviour::Repeat, Behaviour::Unasked]
    {
        near(&sent(behaviour, 1), &HONEST[1]);
    }
    let claimed = |factor, held| {
        let members = vec![ClientId(0)];
        let behaviour = Behaviour::FalseSamples { factor };
        Band { behaviour, members, sybil: false, from_version: Version(0) }.claimed_samples(held)
    };
    assert_eq!([claimed(2.5, 3), claimed(0.001, 3), claimed(1e300, 3)], [8, 1, u64::MAX]);
}

/// What the server refuses, in order, and the messages that were sent, when client 1 does `behaviour`.
fn refused(behaviour: Behaviour) -> (Vec<Incident>, Vec<TaskId>, u64) {
    let world = World { versions: 4, ..World::new(3, synchronous(3)) };
    let mut federation = world.federation();
    let members = vec![ClientId(1)];
    let band = Band { behaviour, members, sybil: false, from_version: Version(1) };
    federation.workbench.adversaries = Arc::new(Adversaries::new(vec![band], 3));
    let (result, records) = run(federation);
    assert_eq!((result.counts.versions, result.counts.merged), (4, 12));
    let (mut incidents, mut own) = (Vec::new(), Vec::new());
    for record in &records {
        match record {
            Record::Guarded { incident, .. } => incidents.push(*incident),
            Record::Task(row) if row.client == ClientId(1) => own.push(row.task),
            _ => {}
        }
    }
    (incidents, own, result.counts.messages)
}

/// Twelve invitations and answers. Client 1 is hostile from version 1 on, in three rounds; what comes after the last
/// version of the run may not be read any more.
#[test]
fn answers_that_come_twice_or_unasked_by_hand() {
    let (incidents, own, messages) = refused(Behaviour::Repeat);
    assert_eq!(messages, 24 + 3);
    assert!((2..=3).contains(&incidents.len()), "{incidents:?}");
    for (incident, task) in incidents.iter().zip(&own[1..]) {
        let (client, fault, measure) = (ClientId(1), Fault::Repeated, Measure::Refused);
        assert_eq!(*incident, Incident { task: *task, client, fault, measure });
    }
    let (incidents, own, messages) = refused(Behaviour::Unasked);
    assert_eq!(messages, 24 + 3);
    assert!((2..=3).contains(&incidents.len()), "{incidents:?}");
    for (incident, task) in incidents.iter().zip(&own[1..]) {
        let (client, fault, measure) = (ClientId(1), Fault::Unasked, Measure::Refused);
        let task = TaskId(u64::MAX - task.0);
        assert_eq!(*incident, Incident { task, client, fault, measure });
    }
}
