//! Rounds in which clients judge each other's models.

use crate::honest::rows;
use crate::world::World;
use offbeat_actors::adversary::{Adversaries, Band, Behaviour};
use offbeat_actors::{Federation, Memory, Record, RunResult};
use offbeat_kernel::{ClientId, Version};
use offbeat_learning::Work;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::FedBoostSettings;
use offbeat_strategies::registry::{PacePart, SelectPart, WeighPart};
use offbeat_strategies::weigh::FedBoost;
use std::sync::Arc;

const CLIENTS: usize = 4;

/// Digits, softmax: bytes of a model without its length.
const MODEL: u64 = 4 * 650;

pub(crate) fn boosted() -> World {
    let parts = Parts {
        select: SelectPart::All,
        pace: PacePart::FedBoost(FedBoostSettings { clients: CLIENTS }),
        weigh: vec![WeighPart::FedBoost(FedBoost::default())],
        ..Parts::default()
    };
    let mut world = World::new(CLIENTS, parts);
    world.versions = 3;
    world
}

/// Each client judges on the samples that it has.
pub(crate) fn federation(world: &World) -> Federation {
    let mut federation = world.federation();
    let samples = world.shards().into_iter().map(|shard| shard.len());
    federation.test_clients = (0..).map(ClientId).zip(samples).collect();
    federation
}

fn run(federation: Federation) -> (RunResult, Vec<Record>) {
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).expect("the run succeeds");
    let records = records.borrow().clone();
    (result, records)
}

/// N models down and N figures up for each of N judges.
#[test]
fn judging_is_paid_for_with_the_square_of_the_clients() {
    let (result, records) = run(federation(&boosted()));
    assert_eq!((result.counts.merged, result.counts.failed), (12, 0));
    let all = rows(&records);
    let (judges, trainings): (Vec<_>, Vec<_>) =
        all.iter().partition(|row| row.bytes_down > 2 * MODEL);
    assert_eq!((judges.len(), trainings.len()), (12, 12));
    for judge in judges {
        let (down, most) = (CLIENTS as u64 * MODEL, CLIENTS as u64 * (MODEL + 40) + 40);
        assert!((down..most).contains(&judge.bytes_down), "{} {down}", judge.bytes_down);
        assert!(judge.bytes_up < 250, "{}", judge.bytes_up);
    }
    assert!(trainings.iter().all(|row| row.bytes_up > MODEL));
    assert!(result.test.expect("evaluated").accuracy > 0.7);
}

/// Whom nobody believes counts little.
#[test]
fn a_client_with_wrong_labels_counts_less() {
    let mut world = boosted();
    (world.plan.work, world.plan.sgd.rate) = (Work::Epochs(5), 0.2);
    let mut federation = federation(&world);
    let band = Band {
        behaviour: Behaviour::LabelFlip { source: None, target: None },
        members: vec![ClientId(2)],
        sybil: false,
        from_version: Version(0),
    };
    federation.workbench.adversaries = Arc::new(Adversaries::new(vec![band], CLIENTS));
    let (_, records) = run(federation);
    let mut seen = 0;
    for record in &records {
        let Record::Aggregation { used, .. } = record else { continue };
        seen += 1;
        let all: f64 = used.iter().map(|update| update.weight).sum();
        assert_eq!(all, 65_536.0, "whole slices");
        let bad = used.iter().find(|update| update.client.0 == 2).expect("it answered").weight;
        let rest = (all - bad) / (CLIENTS - 1) as f64;
        assert!(bad < 0.6 * rest, "{bad} against {rest}");
    }
    assert_eq!(seen, 3);
}

#[test]
fn the_same_with_any_number_of_workers() {
    let mut world = boosted();
    let one = run(federation(&world)).0;
    world.workers = 1;
    let two = run(federation(&world)).0;
    assert_eq!((one.digest, one.model), (two.digest, two.model));
}
