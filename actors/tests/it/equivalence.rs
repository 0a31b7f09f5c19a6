//! Special cases that must coincide with something simpler.

use crate::world::{Shared, World};
use offbeat_kernel::Purpose;
use offbeat_learning::TrainRequest;
use offbeat_learning::network::NetworkSpec;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::{Buffered, Immediate, Synchronous};
use offbeat_strategies::registry::{PacePart, SelectPart, WeighPart};
use std::sync::Arc;

pub(crate) fn synchronous(clients: usize) -> Parts {
    Parts {
        select: SelectPart::All,
        pace: PacePart::Synchronous(Synchronous { clients }),
        ..Parts::default()
    }
}

/// FedAvg as one would write it on a blackboard: no actors, no strategy, plain slices of numbers.
fn plain_fedavg(world: &World) -> Vec<f32> {
    let trainer = world.trainer();
    let shards = world.shards();
    let total: f64 = shards.iter().map(|shard| shard.len() as f64).sum();
    let mut model = world.initial().to_vec();
    for round in 0..world.versions {
        let mut next = model.clone();
        for (client, shard) in shards.iter().enumerate() {
            let task = round * shards.len() as u64 + client as u64;
            let request = TrainRequest {
                start: model.clone().into(),
                received: model.len(),
                shard: shard.clone(),
                plan: Arc::new(world.plan.clone()),
                step_limit: None,
                correction: None,
                targets: None,
                foreign: None,
                stream: world.seeds().stream(Purpose::Training, client as u64, task),
            };
            let trained = trainer.train(request).expect("training succeeds").params.to_vec();
            let weight = (shard.len() as f64 / total) as f32;
            for ((next, trained), model) in next.iter_mut().zip(&trained).zip(&model) {
                *next += weight * (trained - model);
            }
        }
        model = next;
    }
    model
}

#[test]
fn synchronous_fedavg_is_the_plain_loop_bit_for_bit() {
    for network in [NetworkSpec::Softmax, NetworkSpec::Mlp { hidden: vec![16] }] {
        let world = World { network, ..World::new(7, synchronous(7)) };
        let (result, _) = world.run();
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&result.model.to_vec()), bits(&plain_fedavg(&world)));
        assert_eq!(result.counts.updates, 35);
    }
}

#[test]
fn fedprox_with_mu_zero_is_fedavg_and_with_more_is_not() {
    let model = |mu: f32| {
        let mut world = World::new(5, synchronous(5));
        world.plan.objective.proximal = mu;
        world.run().0.model
    };
    let fedavg = plain_fedavg(&World::new(5, synchronous(5)));
    assert_eq!(model(0.0), fedavg.clone().into());
    assert_ne!(model(0.5), fedavg.into());
}

#[test]
fn buffered_with_the_whole_cohort_and_equal_delays_is_synchronous_bit_for_bit() {
    // Equal samples give equal delays, so that all finish at the same instant.
    let mut world = World::new(6, synchronous(6));
    let data = Arc::make_mut(&mut world.data);
    data.labels.truncate(1200);
    data.features.truncate(1200 * 64);
    world.ideal.samples = vec![200; 6];
    let (synchronous, _) = world.run();
    let buffered = Buffered { buffer: 6, concurrency: 6, ..Buffered::default() };
    world.parts.pace = PacePart::Buffered(buffered);
    let (buffered, _) = world.run();
    assert!(synchronous.model == buffered.model, "the models differ");
    assert_eq!(buffered.mean_staleness(), 0.0);
}

#[test]
fn immediate_with_one_client_is_sequential_sgd() {
    let parts = Parts {
        select: SelectPart::All,
        pace: PacePart::Immediate(Immediate { concurrency: 1, ..Immediate::default() }),
        weigh: vec![WeighPart::Uniform],
        ..Parts::default()
    };
    let world = World { versions: 6, ..World::new(1, parts) };
    let (result, _) = world.run();
    assert_eq!(result.model, plain_fedavg(&world).into());
}

#[test]
fn private_heads_stay_at_home_and_differ() {
    let mut world = World::new(4, synchronous(4));
    world.network = NetworkSpec::Mlp { hidden: vec![8] };
    world.shared = Shared::Body;
    let (result, _) = world.run();
    let layout = world.trainer().network().layout().clone();
    assert_eq!(result.model.len(), layout.body().len());
    assert!(layout.body().len() < layout.len());
    // Four clients, five rounds, each way: the head's 90 numbers never travel.
    let floats = 4 * layout.body().len() as u64;
    let per_message = result.counts.bytes_up / 20;
    assert!((floats..floats + 64).contains(&per_message), "{per_message} bytes for {floats}");
}

#[test]
fn the_last_version_is_the_one_that_is_reported() {
    let world = World::new(4, synchronous(4));
    let mut federation = world.federation();
    federation.evaluation.every_versions = 3;
    let result = federation.run(Box::new(offbeat_actors::Memory::default())).expect("runs");
    let test =
        offbeat_learning::data::Shard::whole(Arc::new(offbeat_learning::data::digits().test));
    let trainer = world.trainer();
    let expected = offbeat_learning::evaluate::evaluate(&*trainer, &result.model, &test);
    let reported = result.test.expect("the last version was evaluated");
    assert!((reported.loss - expected.expect("evaluates").loss).abs() < 1e-12);
}
