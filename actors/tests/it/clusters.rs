//! Clusters of class centres: what travels, what it weighs, and that class centres stay at home.

use crate::equivalence::synchronous;
use crate::heads::holds_a_piece_of;
use crate::honest::rows;
use crate::world::{Shared, World};
use offbeat_actors::Record;
use offbeat_actors::work::{Job, Output, Private, TrainJob};
use offbeat_kernel::{ClientId, TaskId, Time, Version, codec};
use offbeat_learning::Flat;
use offbeat_learning::network::{Backbone, Head, NetworkSpec, ReidSpec};
use offbeat_learning::objective::Loss;
use offbeat_strategies::Parts;
use offbeat_strategies::companion::{CLUSTERS, PrivacyFaceSettings, RELEASE};
use offbeat_strategies::pace::Buffered;
use offbeat_strategies::registry::{CompanionPart, PacePart, SelectPart};
use offbeat_strategies::signal::Duty;
use std::collections::BTreeMap;

const WIDTH: usize = 6;

fn settings() -> PrivacyFaceSettings {
    PrivacyFaceSettings {
        clusters: 2,
        radius: 1.4,
        minimum: 2,
        pivots: 32,
        epsilon: 50.0,
        releases: 2,
        from_version: 1,
        every_versions: 2,
        ..PrivacyFaceSettings::default()
    }
}

pub(crate) fn world(clients: usize) -> World {
    let companion = CompanionPart::PrivacyFace(settings());
    let mut world = World::new(clients, Parts { companion, ..synchronous(clients) });
    let backbone = Backbone::Mlp { hidden: vec![8] };
    let head = Head::Cosine;
    let spec = ReidSpec { bottleneck: WIDTH, dropout: 0.0, head, ..ReidSpec::new(backbone) };
    world.network = NetworkSpec::Reid(spec);
    world.plan.objective.loss = Loss::Cosface { scale: 8.0, margin: 0.1 };
    world.shared = Shared::Body;
    world.reid.clustering = Some(settings().mechanism());
    world
}

fn trained(world: &World, extras: BTreeMap<String, Flat>) -> (Flat, BTreeMap<String, Flat>, Flat) {
    let federation = world.federation();
    let job = TrainJob {
        label_turn: 0,
        task: TaskId(4),
        draw: 4,
        client: ClientId(1),
        base: Version(0),
        at: Time::ZERO,
        shared: federation.initial.clone(),
        extras,
        private: Private::default(),
        duty: Duty::Train,
        steps: None,
        step_limit: None,
    };
    let output = federation.workbench.run(Job::Train(Box::new(job))).expect("trains");
    let Output::Trained(both) = output else { panic!("not a training") };
    let (reply, private) = *both;
    (reply.params, reply.extras, private.kept.expect("a head of its own"))
}

/// A client that is asked returns as many numbers as it may have clusters, none of them a piece of a centre; what it is
/// told of others changes what it learns.
#[test]
fn clusters_leave_and_centres_stay() {
    let world = world(3);
    let ask = BTreeMap::from([(RELEASE.to_string(), Flat::new(vec![0.0]))]);
    let (plain, extras, head) = trained(&world, ask.clone());
    assert_eq!(extras.keys().collect::<Vec<_>>(), [CLUSTERS]);
    assert_eq!(extras[CLUSTERS].len(), 2 * (WIDTH + 1));
    assert!(!holds_a_piece_of(&codec::encode(&extras).expect("plain"), &head));
    // Noise is drawn anew for every release, and the same for the same.
    let (_, again, _) = trained(&world, ask);
    assert_eq!(again, extras);
    let next = BTreeMap::from([(RELEASE.to_string(), Flat::new(vec![1.0]))]);
    assert_ne!(trained(&world, next).1, extras);
    let foreign = Flat::new(vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.5]);
    let told = BTreeMap::from([(CLUSTERS.to_string(), foreign)]);
    let (away, none, _) = trained(&world, told);
    assert!(none.is_empty() && away != plain);
}

/// Rounds and buffers: repeatable, charged, and the budget is told with every version until it is used up.
#[test]
fn budgets_are_told_and_messages_charged() {
    let buffered = Buffered { buffer: 2, concurrency: 3, ..Buffered::default() };
    for pace in [synchronous(3).pace, PacePart::Buffered(buffered)] {
        let run = |workers: usize| {
            let mut world = world(5);
            (world.parts.pace, world.parts.select) = (pace.clone(), SelectPart::Uniform);
            (world.versions, world.workers) = (9, workers);
            world.run()
        };
        let ((one, records), (four, _)) = (run(1), run(3));
        assert_eq!(one.digest, four.digest);
        assert_eq!(one.counts.failed, 0);
        let spent: Vec<f64> = records
            .iter()
            .filter_map(|record| match record {
                Record::Budget { budget, .. } => budget.epsilon,
                _ => None,
            })
            .collect();
        assert_eq!(spent.len(), 9);
        assert!(spent.windows(2).all(|pair| pair[0] <= pair[1]) && spent[0] == 0.0, "{spent:?}");
        assert!(spent[8] > 0.0 && spent[8] <= 50.0, "{spent:?}");
        let body = 4 * world(5).initial().len() as u64;
        let release = 4 * 2 * (WIDTH as u64 + 1);
        let (mut plain, mut asked) = (0, 0);
        for row in rows(&records).iter().filter(|row| row.bytes_up > body) {
            let beside = row.bytes_up - body;
            if beside < release {
                plain += 1
            } else {
                asked += 1
            }
            assert!(beside < release + 90, "{row:?}");
        }
        assert!(plain > 0 && asked > 0 && asked <= 10, "{plain} plain, {asked} asked");
    }
}
