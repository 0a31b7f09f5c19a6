//! What goes wrong inside a run stays inside it.

use crate::equivalence::synchronous;
use crate::world::{Dealt, World};
use offbeat_actors::work::Shards;
use offbeat_actors::{Memory, RunError};
use offbeat_kernel::ClientId;
use offbeat_learning::data::Shard;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[test]
fn a_client_whose_training_fails_is_left_out_and_counted() {
    let mut world = World::new(4, synchronous(4));
    // Client 1's first sample is not a number: its training fails, the others go on.
    Arc::make_mut(&mut world.data).features[64] = f32::NAN;
    let (result, _) = world.run();
    assert_eq!(result.counts.versions, 5);
    assert_eq!(result.counts.merged, 15);
    assert_eq!(result.counts.failed, 5);
    let first = &result.counts.failures[0];
    assert!(first.contains("client 1") && first.contains("not finite"), "{first}");
    assert!(result.model.is_finite());
}

/// Shards of which one client's cannot be had.
#[derive(Debug)]
struct Trapped(Dealt);

impl Shards for Trapped {
    fn train(&self, client: ClientId) -> Arc<Shard> {
        assert!(client != ClientId(2), "a trap at the data of {client}");
        self.0.train(client)
    }

    fn test(&self, client: ClientId) -> Option<Arc<Shard>> {
        self.0.test(client)
    }
}

#[test]
fn a_training_that_panics_is_the_failure_of_its_task_alone() {
    for cohort in [1, 4] {
        let world = World { cohort, ..World::new(4, synchronous(4)) };
        let mut federation = world.federation();
        federation.workbench.shards = Arc::new(Trapped(Dealt(world.shards())));
        let result = federation.run(Box::new(Memory::default())).expect("the others go on");
        assert_eq!(
            (result.counts.versions, result.counts.merged, result.counts.failed),
            (5, 15, 5)
        );
        let first = &result.counts.failures[2];
        for fact in ["task ", "client 2", "version 2", "panicked: a trap at the data of client 2"] {
            assert!(first.contains(fact), "{first} does not say {fact}");
        }
    }
}

#[test]
fn a_run_in_which_nobody_learns_says_why() {
    let mut world = World::new(2, synchronous(2));
    world.plan.sgd.rate = 1e38;
    let mut federation = world.federation();
    federation.stop.updates = Some(20);
    let error = federation.run(Box::new(Memory::default())).expect_err("nothing was learnt");
    assert!(matches!(error, RunError::NothingLearnt { .. }), "{error}");
    assert!(error.to_string().contains("not finite"), "{error}");
}

#[test]
fn an_interrupt_ends_the_run_cleanly() {
    let world = World { versions: 1_000_000, ..World::new(3, synchronous(3)) };
    let mut federation = world.federation();
    federation.interrupt = Arc::new(AtomicBool::new(true));
    let result = federation.run(Box::new(Memory::default())).expect("ends cleanly");
    assert_eq!(result.ended, "interrupted");
}
