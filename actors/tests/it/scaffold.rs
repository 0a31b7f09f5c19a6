//! SCAFFOLD through the actors against a loop written out by hand (Karimireddy et al. 2020, Algorithm 1,
//! option II), and its control variates on the wire.

use crate::equivalence::synchronous;
use crate::honest::rows;
use crate::patchy::small;
use crate::world::World;
use offbeat_actors::message::{Answer, Invite, Message};
use offbeat_actors::wire;
use offbeat_actors::work::CONTROL;
use offbeat_learning::Flat;
use offbeat_learning::data::Shard;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::Synchronous;
use offbeat_strategies::registry::{CompanionPart, PacePart, SelectPart, WeighPart};
use offbeat_strategies::select::Schedule;
use std::collections::BTreeMap;

const ROUNDS: [&[u32]; 5] = [&[0, 1], &[2, 3], &[1, 2], &[0, 3], &[0, 1]];
const STEPS: usize = 3;
const RATE: f64 = 0.2;

/// Four clients of which two take part in each round, three whole-batch steps each.
fn scaffold(companion: CompanionPart) -> World {
    let rounds = ROUNDS.iter().map(|round| round.to_vec()).collect();
    let parts = Parts {
        select: SelectPart::Schedule(Schedule { rounds, repeat: false }),
        pace: PacePart::Synchronous(Synchronous { clients: 2 }),
        weigh: vec![WeighPart::Uniform],
        companion: companion.clone(),
        ..Parts::default()
    };
    let mut world = small(4, 40, parts);
    world.controls = companion == CompanionPart::Scaffold;
    world.plan.work = offbeat_learning::Work::Epochs(STEPS as u32);
    world.plan.batch = 40;
    world.plan.sgd.rate = RATE as f32;
    world
}

/// The mean gradient of softmax regression: `[classes x inputs]` weights, then `[classes]` biases.
fn gradient(params: &[f64], shard: &Shard) -> Vec<f64> {
    let (inputs, classes) = (64, 10);
    let mut sum = vec![0.0; params.len()];
    for row in shard.rows.iter().map(|row| *row as usize) {
        let x = &shard.data.features[row * inputs..(row + 1) * inputs];
        let logits: Vec<f64> = (0..classes)
            .map(|class| {
                let weights = &params[class * inputs..(class + 1) * inputs];
                let dot: f64 = weights.iter().zip(x).map(|(w, x)| w * f64::from(*x)).sum();
                dot + params[classes * inputs + class]
            })
            .collect();
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        for (class, logit) in logits.iter().enumerate() {
            let target = f64::from(u8::from(shard.data.labels[row] as usize == class));
            let error = (logit.exp() / total - target) / shard.rows.len() as f64;
            let weights = &mut sum[class * inputs..(class + 1) * inputs];
            weights.iter_mut().zip(x).for_each(|(g, x)| *g += error * f64::from(*x));
            sum[classes * inputs + class] += error;
        }
    }
    sum
}

/// Algorithm 1 as it stands in the paper: `corrected` or, without the variates, FedAvg.
fn by_hand(world: &World, corrected: bool) -> Vec<f64> {
    let shards = world.shards();
    let mut x: Vec<f64> = world.initial().to_vec().into_iter().map(f64::from).collect();
    let mut c = vec![0.0; x.len()];
    let mut own = vec![vec![0.0; x.len()]; shards.len()];
    for round in ROUNDS {
        let (mut dx, mut dc) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for client in round.iter().map(|client| *client as usize) {
            let mut y = x.clone();
            for _ in 0..STEPS {
                let g = gradient(&y, &shards[client]);
                for j in 0..y.len() {
                    let drift = if corrected { c[j] - own[client][j] } else { 0.0 };
                    y[j] -= RATE * (g[j] + drift);
                }
            }
            for j in 0..y.len() {
                let renewed = own[client][j] - c[j] + (x[j] - y[j]) / (STEPS as f64 * RATE);
                dx[j] += (y[j] - x[j]) / round.len() as f64;
                dc[j] += (renewed - own[client][j]) / shards.len() as f64;
                own[client][j] = renewed;
            }
        }
        for j in 0..x.len() {
            x[j] += dx[j];
            c[j] += dc[j];
        }
    }
    x
}

fn distance(model: &Flat, other: &[f64]) -> f64 {
    assert_eq!(model.len(), other.len());
    let pairs = model.to_vec().into_iter().zip(other);
    pairs.map(|(a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn scaffold_is_the_papers_algorithm() {
    let world = scaffold(CompanionPart::Scaffold);
    let (result, _) = world.run();
    assert_eq!(result.counts.merged, 10);
    let (own, other) = (by_hand(&world, true), by_hand(&world, false));
    assert!(distance(&result.model, &own) < 1e-6, "{}", distance(&result.model, &own));
    // The variates do something, and the loop without them is FedAvg.
    assert!(distance(&result.model, &other) > 1e-3);
    let (fedavg, _) = scaffold(CompanionPart::None).run();
    assert!(distance(&fedavg.model, &other) < 1e-6);
}

#[test]
fn with_zero_controls_the_first_round_is_fedavg_bit_for_bit_and_later_ones_are_not() {
    for versions in [1, 3] {
        let mut world = World { versions, ..World::new(5, synchronous(5)) };
        let (fedavg, _) = world.run();
        world.parts.companion = CompanionPart::Scaffold;
        world.controls = true;
        let (scaffold, _) = world.run();
        assert_eq!(scaffold.model == fedavg.model, versions == 1, "after {versions} versions");
    }
}

#[test]
fn the_control_variates_are_charged_both_ways_as_they_are_encoded() {
    let (_, records) = scaffold(CompanionPart::Scaffold).run();
    let (_, plain) = scaffold(CompanionPart::None).run();
    let zeros = Flat::zeros(650);
    for (row, bare) in rows(&records).into_iter().zip(rows(&plain)) {
        let extras = BTreeMap::from([(CONTROL.to_string(), zeros.clone())]);
        let invite = Message::Invite(Box::new(Invite {
            task: row.task,
            version: row.version,
            invited: row.invited,
            model: zeros.clone(),
            extras,
            assignment: Default::default(),
        }));
        assert_eq!(row.bytes_down, offbeat_kernel::codec::encoded_len(&invite).expect("plain"));
        let answer = Answer {
            task: row.task,
            client: row.client,
            base_version: row.version,
            invited: row.invited,
            samples: 40,
            completeness: 1.0,
            tag: 0,
        };
        let up =
            wire::update_len(&answer, STEPS as u64, wire::flat_len(650), &[], &[(CONTROL, 650)]);
        assert_eq!(row.bytes_up, up);
        // A name of one length byte and seven letters, and 650 numbers with their count.
        let vector = 1 + CONTROL.len() as u64 + wire::flat_len(650);
        assert_eq!(
            (row.bytes_down - bare.bytes_down, row.bytes_up - bare.bytes_up),
            (vector, vector)
        );
    }
    assert_eq!(rows(&records).len(), 10);
}
