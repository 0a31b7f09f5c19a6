//! Trainings that are computed together against trainings one by one.

use crate::equivalence::synchronous;
use crate::patchy::every_pace;
use crate::world::World;
use offbeat_strategies::Parts;
use offbeat_strategies::pace::OverSelection;
use offbeat_strategies::registry::PacePart;

/// The trainer of these worlds trains a cohort one after another, to the same bits: what is tested is who
/// gets which result.
#[test]
fn every_pace_gives_the_same_run_with_cohorts() {
    for parts in every_pace(6) {
        let run = |cohort, workers| {
            let world = World { cohort, workers, ..World::new(6, parts.clone()) };
            world.run().0
        };
        let alone = run(1, 2);
        for (cohort, workers) in [(2, 1), (4, 2), (64, 3)] {
            let together = run(cohort, workers);
            assert_eq!(together.digest, alone.digest, "{:?}, cohorts of {cohort}", parts.pace);
            assert_eq!(together.counts.updates, alone.counts.updates);
        }
    }
}

#[test]
fn private_parts_find_their_clients() {
    let run = |cohort| {
        let world = World { cohort, controls: true, ..World::new(7, synchronous(7)) };
        world.run().0
    };
    assert_eq!(run(1).digest, run(3).digest);
}

#[test]
fn what_over_selection_takes_back_is_in_no_cohort() {
    let pace = PacePart::OverSelection(OverSelection { clients: 6, factor: 1.3 });
    let world = World { cohort: 4, ..World::new(8, Parts { pace, ..Parts::default() }) };
    let (result, _) = world.run();
    let rounds = world.versions;
    assert_eq!(result.pool.cancelled_unstarted, 2 * rounds);
    assert_eq!(result.pool.cancelled_started, 0);
    assert_eq!(result.counts.updates, 6 * rounds);
}
