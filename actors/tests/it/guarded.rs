//! Edge servers that guard what their clients answer.

use crate::edges::tree;
use crate::equivalence::synchronous;
use crate::patchy::{Patchy, run};
use crate::world::World;
use offbeat_actors::adversary::{Adversaries, Band, Behaviour, Malformation};
use offbeat_actors::timeline::{Action, Entry, When, Who};
use offbeat_actors::{DirectorSetup, EdgeRules, Federation, Record, RunResult, Topology};
use offbeat_kernel::hardship::{Clients, Interventions, Pick};
use offbeat_kernel::{ClientId, Span, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::Parts;
use offbeat_strategies::guard::{
    Excess, Fault, Measure, Norm, RelativeNormSettings, RelativeScalarsSettings, Scalars,
};
use offbeat_strategies::pace::Buffered;
use offbeat_strategies::registry::{GuardPart, PacePart, SelectPart};
use offbeat_strategies::select::Schedule;
use offbeat_strategies::signal::LossReason;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// One edge server with these clients, who take one step on all of their samples: nothing depends on chance.
fn world(samples: &[usize], rules: EdgeRules) -> World {
    let mut world = World { versions: 1, ..World::new(samples.len(), synchronous(1)) };
    world.uneven(samples);
    world.plan.batch = 100_000;
    world.topology = tree(&vec![0; samples.len()], rules);
    world
}

fn norm(most: f64, excess: Excess) -> GuardPart {
    GuardPart::Norm(Norm { most, excess })
}

/// `world` with hostile clients.
fn hostile(world: &World, bands: &[(Behaviour, &[u32])]) -> Federation {
    let band = |(behaviour, members): &(Behaviour, &[u32])| Band {
        behaviour: *behaviour,
        members: members.iter().map(|id| ClientId(*id)).collect(),
        sybil: false,
        from_version: Version(0),
    };
    let mut federation = world.federation();
    let bands = bands.iter().map(band).collect();
    federation.workbench.adversaries = Arc::new(Adversaries::new(bands, world.clients));
    federation
}

/// Client, fault and measure of everything that edge servers found.
fn found(records: &[Record]) -> Vec<(u32, u32, Fault, Measure)> {
    let found = records.iter().filter_map(|record| match record {
        Record::EdgeGuarded { edge, incident, .. } => {
            Some((*edge, incident.client.0, incident.fault, incident.measure))
        }
        _ => None,
    });
    found.collect()
}

/// The change that client `client` of `world` makes of `from` alone.
fn change(world: &World, client: u32, from: &Flat) -> Flat {
    let schedule = Schedule { rounds: vec![vec![client]], ..Schedule::default() };
    let parts = Parts { select: SelectPart::Schedule(schedule), ..synchronous(1) };
    let mut alone = World { versions: 1, parts, ..World::new(world.clients, synchronous(1)) };
    alone.blocks = world.blocks.clone();
    alone.ideal = world.ideal.clone();
    alone.plan = world.plan.clone();
    let mut federation = alone.federation();
    federation.initial = from.clone();
    let (result, _) = run(federation);
    result.model.minus(from)
}

fn near(result: &RunResult, expected: &Flat) {
    let far = result.model.minus(expected).norm();
    assert!(far < 1e-6, "{far} away");
}

/// `from + sum_i w_i min(1, most / |d_i|) d_i`.
fn clipped(from: &Flat, changes: &[(f64, Flat)], most: f64) -> Flat {
    let mut sum = from.clone();
    for (weight, change) in changes {
        let factor = weight * (most / change.norm()).min(1.0);
        sum.add_scaled(factor as f32, change);
    }
    sum
}

#[test]
fn a_clip_below_an_edge_server_by_hand() {
    let mut world = world(&[300, 100], EdgeRules::default());
    let initial = world.initial();
    let changes = [(0.75, change(&world, 0, &initial)), (0.25, change(&world, 1, &initial))];
    let (small, large) = (changes[0].1.norm(), changes[1].1.norm());
    let most = 0.5 * (small + large);
    assert!((small - large).abs() > 1e-3, "{small} and {large}: one has to be clipped alone");
    world.edge_guard = vec![norm(most, Excess::Clip)];
    let (result, records) = world.run();
    near(&result, &clipped(&initial, &changes, most));
    let larger = u32::from(large > small);
    assert_eq!(found(&records), [(0, larger, Fault::Norm, Measure::Clipped)]);
    let below = &result.counts.below;
    assert_eq!(below.guarded[&(Fault::Norm, Measure::Clipped)], 1);
    // What is clipped is merged, and nothing was found at the server.
    assert_eq!((below.refused, result.counts.refused, result.counts.failed), (0, 0, 0));
    assert!(result.counts.guarded.is_empty());
    assert!(result.counts.findings[0].contains("edge server 0"), "{:?}", result.counts.findings);
    // Far from every norm nothing changes at all.
    world.edge_guard = vec![norm(1e6, Excess::Clip)];
    let (with, _) = world.run();
    world.edge_guard.clear();
    assert!(with.model == world.run().0.model);
}

/// Both rounds of a task are judged: that whose values the edge server takes itself, and the last.
#[test]
fn every_round_of_a_task_is_judged() {
    let mut world = world(&[200, 200], EdgeRules { rounds: 2, ..EdgeRules::default() });
    let initial = world.initial();
    let round = |from: &Flat| {
        let changes = [(0.5, change(&world, 0, from)), (0.5, change(&world, 1, from))];
        clipped(from, &changes, 0.01)
    };
    let expected = round(&round(&initial));
    world.edge_guard = vec![norm(0.01, Excess::Clip)];
    let (result, records) = world.run();
    near(&result, &expected);
    assert_eq!(found(&records).len(), 4);
    let rounds: Vec<u32> = records
        .iter()
        .filter_map(|record| match record {
            Record::EdgeGuarded { round, .. } => Some(*round),
            _ => None,
        })
        .collect();
    assert_eq!(rounds, [0, 0, 1, 1]);
}

#[test]
fn hostile_clients_below_an_edge_server_do_not_reach_the_model() {
    let mut world = world(&[200, 150, 150, 100], EdgeRules::default());
    world.versions = 3;
    world.edge_guard = vec![norm(10.0, Excess::Refuse)];
    let bands: [(Behaviour, &[u32]); 2] = [
        (Behaviour::Malformed(Malformation::Nan), &[1]),
        (Behaviour::SignFlip { scale: 1e4 }, &[2]),
    ];
    let (attacked, records) = run(hostile(&world, &bands));
    let each = [(0, 1, Fault::NotFinite, Measure::Refused), (0, 2, Fault::Norm, Measure::Refused)];
    assert_eq!(found(&records), [each, each, each].concat());
    assert_eq!(attacked.counts.below.refused, 6);
    assert_eq!((attacked.counts.failed, attacked.counts.merged), (0, 3));
    // As if they were not there.
    world.ideal.samples = vec![200, 0, 0, 100];
    let (honest, _) = world.run();
    near(&attacked, &honest.model);
    // Without guards of its own, the edge server refuses what is no number, and nothing else.
    world.ideal.samples = vec![200, 150, 150, 100];
    world.edge_guard.clear();
    let (boosted, records) = run(hostile(&world, &bands));
    assert_eq!(found(&records), [each[0]; 3]);
    assert!(boosted.model.minus(&honest.model).norm() > 10.0);
}

#[test]
fn an_edge_server_whose_clients_all_lie_has_nothing_to_answer() {
    let mut world = world(&[200, 100], EdgeRules::default());
    world.topology = tree(&[0, 1], EdgeRules::default());
    world.parts = synchronous(2);
    world.versions = 2;
    world.edge_guard = vec![GuardPart::Scalars(Scalars::default())];
    let liar: [(Behaviour, &[u32]); 1] = [(Behaviour::FalseSamples { factor: 3.0 }, &[1])];
    let (result, records) = run(hostile(&world, &liar));
    assert_eq!(found(&records), [(1, 1, Fault::Samples, Measure::Refused); 2]);
    // Known at arrival: its training is not even computed.
    assert_eq!(result.counts.lost[&LossReason::Refused], 2);
    assert_eq!((result.counts.merged, result.counts.failed), (2, 0));
}

/// Weights follow what is let in: samples above the cap count as the cap, there and at the server.
#[test]
fn samples_that_are_cut_weigh_what_they_were_cut_to() {
    let mut world = world(&[300, 100], EdgeRules::default());
    let initial = world.initial();
    let most_samples = Some(100);
    let scalars = Scalars { most_samples, ..Scalars::default() };
    world.edge_guard = vec![GuardPart::Scalars(scalars)];
    let (result, records) = world.run();
    let changes = [(0.5, change(&world, 0, &initial)), (0.5, change(&world, 1, &initial))];
    near(&result, &clipped(&initial, &changes, f64::INFINITY));
    assert_eq!(found(&records), [(0, 0, Fault::Samples, Measure::Clipped)]);
    let weights: Vec<f64> = records
        .iter()
        .filter_map(|record| match record {
            Record::EdgeAggregation { used, .. } => Some(used.iter().map(|share| share.weight)),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(weights, [0.5, 0.5]);
}

#[test]
fn answers_that_were_not_asked_for_are_told_with_their_edge_server() {
    let mut world = world(&[100; 4], EdgeRules::default());
    world.topology = tree(&[0, 0, 1, 1], EdgeRules::default());
    world.parts = synchronous(2);
    world.versions = 2;
    let bands: [(Behaviour, &[u32]); 2] = [(Behaviour::Repeat, &[1]), (Behaviour::Unasked, &[3])];
    let (result, records) = run(hostile(&world, &bands));
    let found = found(&records);
    let count = |wanted| found.iter().filter(|one| **one == wanted).count();
    assert!(count((0, 1, Fault::Repeated, Measure::Refused)) >= 1, "{found:?}");
    assert!(count((1, 3, Fault::Unasked, Measure::Refused)) >= 1, "{found:?}");
    assert_eq!(result.counts.below.refused, found.len() as u64);
    let honest = world.run().0;
    assert!(result.model == honest.model, "they changed the model");
}

/// Guards that remember, below edge servers that the server waits for by `pace`; two clients of nine lie.
fn remembering(pace: PacePart) -> (World, [(Behaviour, &'static [u32]); 2]) {
    let mut world = World { versions: 6, ..World::new(9, Parts { pace, ..Parts::default() }) };
    world.ideal.seconds_per_sample = vec![0.001, 0.01, 0.03, 0.002, 0.02];
    world.topology =
        tree(&[0, 0, 0, 1, 1, 1, 1, 0, 1], EdgeRules { rounds: 2, ..EdgeRules::default() });
    let relative = RelativeNormSettings { warm_up: 3, window: 20, ..Default::default() };
    let scalars = RelativeScalarsSettings { warm_up: 3, window: 20, ..Default::default() };
    world.edge_guard = vec![GuardPart::RelativeNorm(relative), GuardPart::RelativeScalars(scalars)];
    let bands: [(Behaviour, &[u32]); 2] = [
        (Behaviour::SignFlip { scale: 50.0 }, &[2]),
        (Behaviour::FalseSamples { factor: 100.0 }, &[5]),
    ];
    (world, bands)
}

fn paces() -> [PacePart; 2] {
    let buffered = Buffered { buffer: 1, concurrency: 2, ..Buffered::default() };
    [synchronous(2).pace, PacePart::Buffered(buffered)]
}

#[test]
fn guards_that_remember_find_the_same_whatever_the_number_of_workers() {
    for pace in paces() {
        let (mut world, bands) = remembering(pace);
        world.workers = 1;
        let (one, records) = run(hostile(&world, &bands));
        world.workers = 3;
        let (three, _) = run(hostile(&world, &bands));
        assert_eq!(one.digest, three.digest);
        let found = found(&records);
        for lie in [(0, 2, Fault::Norm, Measure::Clipped), (1, 5, Fault::Samples, Measure::Clipped)]
        {
            assert!(found.contains(&lie), "{lie:?} is not in {found:?}");
        }
        let honest = |one: &&(u32, u32, Fault, Measure)| one.1 != 2 && one.1 != 5;
        assert!(found.iter().filter(honest).count() < found.len() / 4, "{found:?}");
    }
}

#[test]
fn what_guards_of_edge_servers_remember_survives_a_snapshot() {
    for pace in paces() {
        let (world, bands) = remembering(pace);
        assert!(crate::resume::holds(|| hostile(&world, &bands), 5) > 3);
    }
}

/// Four clients of one edge server, of whom the first turns hostile after version 0. A guard that had forgotten what
/// it saw of the first round would let it pass until three others were judged.
#[test]
fn what_guards_remember_survives_crashes_of_their_edge_server_and_of_the_server() {
    let edge = Clients { range: 4..5, pick: Pick::Ids(vec![4]) };
    let down = Span::from_seconds(0.3);
    let edge = Who { clients: edge, name: "the edge server".into(), lasts: Some(down) };
    // A round takes a second.
    let at = Time::ZERO + Span::from_seconds(1.5);
    for strike in [Action::Crash(edge), Action::CrashServer(Some(down))] {
        let mut world = world(&[100; 4], EdgeRules::default());
        world.versions = 4;
        let relative = RelativeNormSettings { warm_up: 3, window: 20, ..Default::default() };
        world.edge_guard = vec![GuardPart::RelativeNorm(relative)];
        let mut federation = hostile(&world, &[]);
        let band = Band {
            behaviour: Behaviour::SignFlip { scale: 50.0 },
            members: vec![ClientId(0)],
            sybil: false,
            from_version: Version(1),
        };
        federation.workbench.adversaries = Arc::new(Adversaries::new(vec![band], 4));
        if matches!(strike, Action::Crash(_)) {
            // The server sees that its edge server is away.
            world.ideal.samples.push(0);
            let mut patchy = Patchy::new(&world.ideal);
            patchy.away[4].push((at, at + down));
            let patchy = Rc::new(patchy);
            federation.conditions = patchy.clone();
            federation.roster = patchy;
        }
        let actions = vec![strike.clone()];
        federation.director = Some(DirectorSetup {
            interventions: Rc::new(RefCell::new(Interventions::new(world.seeds(), 5))),
            timeline: vec![Entry { when: When::At(at, None), actions }],
            hooks: None,
            board: None,
            parts: synchronous(1),
            durable_every: 1,
        });
        let (result, records) = run(federation);
        assert_eq!(result.counts.versions, 4, "{strike:?}: {}", result.ended);
        let lost: u64 = result.counts.lost.values().sum();
        assert_eq!(lost, 1, "{strike:?} struck nobody: {:?}", result.counts.lost);
        assert_eq!(found(&records), [(0, 0, Fault::Norm, Measure::Clipped); 3], "{strike:?}");
    }
}

/// A star never asks them.
#[test]
fn a_star_has_none() {
    let mut world = world(&[200, 100], EdgeRules::default());
    world.topology = Topology::Star;
    world.edge_guard = vec![norm(1e-9, Excess::Refuse)];
    assert!(found(&world.run().1).is_empty());
}
