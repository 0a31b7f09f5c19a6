//! Trees with edge servers: against stars, plain loops, and times and bytes computed by hand.

use crate::equivalence::synchronous;
use crate::honest::rows;
use crate::patchy::{Patchy, federation, run, small};
use crate::world::{Shared, World};
use offbeat_actors::message::{Answer, Invite, Message};
use offbeat_actors::record::{EdgeShare, TaskEnd, TaskRow};
use offbeat_actors::{EdgeRules, Record, Topology, Tree, Wait, wire};
use offbeat_kernel::{ClientId, Span, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_learning::network::NetworkSpec;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::{Buffered, Immediate};
use offbeat_strategies::registry::{PacePart, SelectPart, WeighPart};
use offbeat_strategies::signal::LossReason;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(crate) fn tree(edge_of: &[u32], rules: EdgeRules) -> Topology {
    Topology::Tree(Rc::new(Tree::new(edge_of.to_vec(), rules).expect("a tree")))
}

/// Tasks of clients that edge servers gave, with their edge server.
fn of_edges(records: &[Record]) -> Vec<(u32, TaskRow)> {
    let below = records.iter().filter_map(|record| match record {
        Record::EdgeTask { edge, row, .. } => Some((*edge, row.clone())),
        _ => None,
    });
    below.collect()
}

fn merges(records: &[Record]) -> Vec<(u64, u32, u32, Vec<EdgeShare>)> {
    let merges = records.iter().filter_map(|record| match record {
        Record::EdgeAggregation { at, edge, round, used, .. } => {
            Some((at.micros(), *edge, *round, used.clone()))
        }
        _ => None,
    });
    merges.collect()
}

#[test]
fn edge_servers_with_one_client_each_learn_what_the_star_learns_bit_for_bit() {
    let paces = [
        synchronous(5).pace,
        PacePart::Buffered(Buffered { buffer: 2, concurrency: 4, ..Buffered::default() }),
        PacePart::Immediate(Immediate { concurrency: 3, max_staleness: None }),
    ];
    for pace in paces {
        let parts = Parts { pace, ..Parts::default() };
        let mut world = World { versions: 8, ..World::new(5, parts) };
        world.network = NetworkSpec::Mlp { hidden: vec![8] };
        world.shared = Shared::Body;
        world.ideal.seconds_per_sample = vec![0.001, 0.0023, 0.0031, 0.0047, 0.0059];
        let (star, of_star) = world.run();
        world.topology = tree(&[0, 1, 2, 3, 4], EdgeRules::default());
        let (tree, of_tree) = world.run();
        let name = format!("{:?}", world.parts.pace);
        assert!(star.model == tree.model, "{name}: the models differ");
        assert_eq!(star.counts.updates, tree.counts.updates, "{name}");
        assert_eq!(tree.counts.below.updates, of_edges(&of_tree).len() as u64);
        let used = |records: &[Record]| -> Vec<_> {
            let all = records.iter().filter_map(|record| match record {
                Record::Aggregation { at, used, .. } => Some((*at, used.clone())),
                _ => None,
            });
            all.collect()
        };
        // Links are ideal, so that even the times agree.
        assert_eq!(used(&of_star), used(&of_tree), "{name}");
    }
}

#[test]
fn the_clients_behind_an_edge_server_can_be_numbered_as_one_likes() {
    // Edge server 0 has client 2, 1 has 0, 2 has 1: the server sees other numbers, and each client still
    // draws what it draws in a star with this order of invitations.
    let mut world = World::new(3, synchronous(3));
    world.topology = tree(&[1, 2, 0], EdgeRules::default());
    let (result, records) = world.run();
    assert_eq!(result.counts.merged, 15);
    for (edge, row) in of_edges(&records) {
        assert_eq!(edge, [1, 2, 0][row.client.index()]);
    }
}

#[test]
fn one_edge_server_with_everybody_is_fedavg() {
    let mut world = World::new(6, synchronous(6));
    world.uneven(&[300, 100, 250, 50, 400, 200]);
    let (star, _) = world.run();
    world.parts = synchronous(1);
    world.topology = tree(&[0; 6], EdgeRules::default());
    let (tree, records) = world.run();
    // Shuffles are drawn by turn here and by task there: compare with whole batches.
    assert_eq!(tree.counts.below.updates, 30);
    world.plan.batch = 400;
    let (whole_tree, _) = world.run();
    world.topology = Topology::Star;
    world.parts = synchronous(6);
    let (whole_star, _) = world.run();
    let far = whole_star.model.minus(&whole_tree.model).norm();
    assert!(far < 1e-6, "{far}");
    assert!(star.model.minus(&whole_star.model).norm() > 1e-3, "the batch size is of no matter");
    let weights: Vec<f64> = merges(&records)[0].3.iter().map(|share| share.weight).collect();
    let expected = [300.0, 100.0, 250.0, 50.0, 400.0, 200.0].map(|samples| samples / 1300.0);
    assert!(weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{weights:?}");
}

#[test]
fn an_edge_server_with_several_rounds_is_that_many_rounds_of_fedavg() {
    let rules = EdgeRules { rounds: 4, ..EdgeRules::default() };
    let mut world = World { versions: 1, ..World::new(4, synchronous(1)) };
    world.plan.batch = 100_000;
    world.topology = tree(&[0; 4], rules);
    let (tree, records) = world.run();
    let rounds: Vec<u32> = merges(&records).iter().map(|(_, _, round, _)| *round).collect();
    assert_eq!(rounds, [0, 1, 2, 3]);
    world.topology = Topology::Star;
    world.parts = synchronous(4);
    world.versions = 4;
    let (star, _) = world.run();
    let far = star.model.minus(&tree.model).norm();
    assert!(far < 1e-6, "{far}");
    assert_eq!((tree.counts.updates, tree.counts.below.updates), (1, 16));
}

/// Latency of 0.25 s, 100 kB/s for everybody, edge servers included; four clients of two edge servers.
fn timed(rules: EdgeRules) -> World {
    let mut world = World { versions: 1, ..small(4, 16, synchronous(2)) };
    world.ideal.seconds_per_sample = vec![0.001, 0.002, 0.004, 0.003, 0.0, 0.0];
    world.ideal.latency = Span::from_micros(250_000);
    world.ideal.bytes_per_second = 100_000.0;
    world.topology = tree(&[0, 0, 1, 1], rules);
    world
}

#[test]
fn times_and_bytes_by_hand() {
    let (result, records) = timed(EdgeRules { rounds: 2, ..EdgeRules::default() }).run();
    let (below, above) = (of_edges(&records), rows(&records));
    let zeros = Flat::zeros(650);
    let of = |edge: u32| below.iter().filter(move |(of, _)| *of == edge).map(|(_, row)| row);
    for row in above.iter().chain(below.iter().map(|(_, row)| row)) {
        let invite = Message::Invite(Box::new(Invite {
            task: row.task,
            version: Version(0),
            invited: row.invited,
            model: zeros.clone(),
            extras: BTreeMap::new(),
            assignment: Default::default(),
        }));
        assert_eq!(row.bytes_down, offbeat_kernel::codec::encoded_len(&invite).expect("plain"));
        let is_edge = above.contains(row);
        let answer = Answer {
            task: row.task,
            client: row.client,
            base_version: Version(0),
            invited: row.invited,
            samples: if is_edge { 32 } else { 16 },
            completeness: 1.0,
            tag: 0,
        };
        let steps = if is_edge { 2 } else { 1 };
        assert_eq!(
            row.bytes_up,
            wire::update_len(&answer, steps, wire::flat_len(650), &[], &[]),
            "{row:?}"
        );
    }
    let sum = |rows: &mut dyn Iterator<Item = &TaskRow>| {
        rows.fold((0, 0), |(down, up), row| (down + row.bytes_down, up + row.bytes_up))
    };
    let counts = &result.counts;
    assert_eq!(sum(&mut above.iter()), (counts.bytes_down, counts.bytes_up));
    let all_below = sum(&mut below.iter().map(|(_, row)| row));
    assert_eq!(all_below, (counts.below.bytes_down, counts.below.bytes_up));
    assert_eq!((counts.messages, counts.below.messages), (4, 16));
    assert_eq!((counts.below.merges, counts.below.updates), (4, 8));
    // 10 microseconds a byte, latency, and 16 samples.
    let link = |bytes: u64| 250_000 + 10 * bytes;
    let mut last = 0;
    for edge in 0..2 {
        let slowest = [32_000, 64_000][edge as usize];
        let own = above.iter().find(|row| row.client == ClientId(edge)).expect("it answered");
        let mut at = link(own.bytes_down);
        for round in 0..2 {
            let ended: Vec<u64> =
                of(edge).map(|row| row.ended.micros()).skip(2 * round).take(2).collect();
            let row = of(edge).nth(2 * round).expect("two rounds");
            assert_eq!(row.invited.micros(), at);
            at += link(row.bytes_down) + slowest + link(row.bytes_up);
            assert_eq!(ended.iter().max(), Some(&at));
        }
        at += link(own.bytes_up);
        assert_eq!(own.ended.micros(), at);
        last = last.max(at);
    }
    assert_eq!(result.now.micros(), last);
}

#[test]
fn an_edge_server_waits_as_its_rule_says() {
    // Ends of the clients' tasks: 0.5 s on the way, some bytes, and 16 to 64 ms of work.
    let arrived = |wait: Wait| {
        let (result, records) = timed(EdgeRules { wait, ..EdgeRules::default() }).run();
        let cancelled = TaskEnd::Lost(LossReason::Cancelled);
        let lost = of_edges(&records).iter().filter(|(_, row)| row.end == cancelled).count();
        let counts = result.counts;
        assert_eq!(
            counts.below.lost.get(&LossReason::Cancelled).copied().unwrap_or(0),
            lost as u64
        );
        let merged: Vec<usize> = merges(&records).iter().map(|merge| merge.3.len()).collect();
        assert_eq!(counts.updates, 2);
        (merged, lost)
    };
    assert_eq!(arrived(Wait::All), (vec![2, 2], 0));
    assert_eq!(arrived(Wait::Share(0.5)), (vec![1, 1], 2));
    assert_eq!(arrived(Wait::Share(0.51)), (vec![2, 2], 0));
    assert_eq!(arrived(Wait::Deadline(Span::from_seconds(10.0))), (vec![2, 2], 0));
    // Before anybody is there: the first one is enough.
    assert_eq!(arrived(Wait::Deadline(Span::from_seconds(0.1))), (vec![1, 1], 2));
    // Between the fast and the slow one of edge server 0; both of edge server 1 are slower.
    let mut world = timed(EdgeRules { clients: Some(1), ..EdgeRules::default() });
    world.versions = 30;
    let (result, records) = world.run();
    assert!(merges(&records).iter().all(|merge| merge.3.len() == 1));
    let who: BTreeSet<u32> = of_edges(&records).iter().map(|(_, row)| row.client.0).collect();
    assert_eq!((who.len(), result.counts.below.updates), (4, 60));
}

#[test]
fn clients_that_fail_are_left_out_and_an_edge_server_without_answers_is_lost() {
    let mut world = timed(EdgeRules::default());
    world.versions = 6;
    world.ideal.samples = vec![16, 16, 16, 16, 0, 0];
    let mut patchy = Patchy::new(&world.ideal);
    // Client 1 is away for good; the clients of edge server 1 are away for a while.
    let at = |seconds| Time::ZERO + Span::from_seconds(seconds);
    patchy.away[1].push((Time::ZERO, Time::NEVER));
    for client in [2, 3] {
        patchy.away[client].push((at(0.7), at(3.0)));
    }
    let (result, records) = run(federation(&world, patchy));
    assert_eq!(result.counts.versions, 6);
    let below = of_edges(&records);
    assert!(below.iter().all(|(_, row)| row.client != ClientId(1)));
    let gone = TaskEnd::Lost(LossReason::WentOffline);
    assert!(below.iter().any(|(edge, row)| *edge == 1 && row.end == gone));
    // The edge server tells the server why it has nothing.
    assert!(rows(&records).iter().any(|row| row.client == ClientId(1) && row.end == gone));
    // The server invites it again when its clients are back.
    assert!(rows(&records).iter().any(|row| row.client == ClientId(1) && row.invited >= at(3.0)));
}

fn above() -> Vec<Parts> {
    let paces = [
        synchronous(3).pace,
        PacePart::Buffered(Buffered { buffer: 2, concurrency: 3, ..Buffered::default() }),
        PacePart::Immediate(Immediate { concurrency: 2, max_staleness: None }),
        PacePart::Deadline(offbeat_strategies::pace::DeadlineSettings {
            clients: 3,
            seconds: 0.4,
            ..Default::default()
        }),
    ];
    paces
        .map(|pace| Parts {
            pace,
            select: SelectPart::Uniform,
            weigh: vec![WeighPart::Samples],
            ..Parts::default()
        })
        .to_vec()
}

fn busy(parts: Parts, rules: EdgeRules) -> World {
    let mut world = World { versions: 8, ..small(9, 16, parts) };
    world.ideal.seconds_per_sample = vec![0.001, 0.01, 0.03, 0.002, 0.02];
    world.ideal.latency = Span::from_micros(40_000);
    world.ideal.bytes_per_second = 1e5;
    world.topology = tree(&[0, 0, 0, 1, 1, 2, 2, 2, 2], rules);
    world
}

#[test]
fn one_and_two_workers_give_the_same_bits() {
    for parts in above() {
        for rules in [
            EdgeRules::default(),
            EdgeRules { rounds: 2, clients: Some(2), wait: Wait::Share(0.7) },
            EdgeRules { rounds: 3, clients: None, wait: Wait::Deadline(Span::from_seconds(0.3)) },
        ] {
            let mut world = busy(parts.clone(), rules);
            let name = format!("{:?} {rules:?}", world.parts.pace);
            let (two, _) = world.run();
            world.workers = 1;
            let (one, _) = world.run();
            assert_eq!(one.digest, two.digest, "{name}");
            assert_eq!(one.counts.versions, 8, "{name}: {}", one.ended);
        }
    }
}

#[test]
fn what_nobody_takes_is_not_computed() {
    use offbeat_strategies::pace::OverSelection;
    // The server invites three edge servers and takes two; each of them takes the first half of its clients.
    let pace = PacePart::OverSelection(OverSelection { clients: 2, factor: 1.5 });
    let parts = Parts { pace, select: SelectPart::Uniform, ..Parts::default() };
    let mut world = busy(parts, EdgeRules { wait: Wait::Share(0.5), ..EdgeRules::default() });
    world.versions = 12;
    let mut federation = world.federation();
    federation.evaluation.test = false;
    let (result, records) = run(federation);
    let taken: BTreeSet<TaskId> = records
        .iter()
        .filter_map(|record| match record {
            Record::Aggregation { used, .. } => Some(used.iter().map(|used| used.task)),
            _ => None,
        })
        .flatten()
        .collect();
    let parts_of = |record: &Record| match record {
        Record::EdgeAggregation { of, used, .. } if taken.contains(of) => used.len() as u64,
        _ => 0,
    };
    let expected: u64 = records.iter().map(parts_of).sum();
    assert_eq!((taken.len(), result.counts.merged), (24, 24));
    assert_eq!(result.pool.computed, expected, "{:?}", result.pool);
    assert!(result.pool.submitted > 2 * expected, "{:?}", result.pool);
    assert_eq!((result.pool.cancelled_started, result.counts.failed), (0, 0));
}

#[test]
fn tasks_of_clients_end_once() {
    let (_, records) =
        busy(above().remove(1), EdgeRules { rounds: 2, ..EdgeRules::default() }).run();
    let below = of_edges(&records);
    let tasks: BTreeSet<TaskId> = below
        .iter()
        .map(|(_, row)| row.task)
        .chain(rows(&records).iter().map(|r| r.task))
        .collect();
    assert_eq!(tasks.len(), below.len() + rows(&records).len());
}

/// Edge servers pass on the cosine distance that their clients measured, and are charged for its name and value.
#[test]
fn edge_servers_are_charged_for_the_scalars_that_they_pass_on() {
    let mut world = World { versions: 3, ..World::new(4, synchronous(2)) };
    world.topology = tree(&[0, 0, 1, 1], EdgeRules::default());
    let bytes = |world: &World| {
        let counts = world.run().0.counts;
        (counts.updates, counts.bytes_up, counts.below.updates, counts.below.bytes_up)
    };
    let (updates, without, below, below_without) = bytes(&world);
    world.reid.cosine_distance = true;
    let (same, with, _, below_with) = bytes(&world);
    assert_eq!((same, updates), (6, 6));
    // A name of 15 letters with its length, and eight bytes.
    assert_eq!(with - without, 24 * updates);
    assert_eq!(below_with - below_without, 24 * below);
}
