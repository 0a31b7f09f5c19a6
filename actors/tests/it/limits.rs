//! Parts that coincide with simpler ones at the end of their range.

use crate::equivalence::synchronous;
use crate::patchy::small;
use crate::world::World;
use offbeat_actors::Memory;
use offbeat_learning::Flat;
use offbeat_strategies::Parts;
use offbeat_strategies::combine::{FedNova, TrimmedMean};
use offbeat_strategies::pace::{DeadlineSettings, Late, OverSelection};
use offbeat_strategies::registry::{CombinePart, PacePart, WeighPart};

fn staggered(clients: usize, parts: Parts) -> World {
    let mut world = World { versions: 6, ..World::new(clients, parts) };
    world.ideal.seconds_per_sample = (0..clients).map(|c| 0.001 * (1 + c * c) as f64).collect();
    world
}

/// Five of eight uneven clients, drawn anew in every round.
fn drawn(pace: PacePart) -> World {
    staggered(8, Parts { pace, ..Parts::default() })
}

fn of_synchronous() -> (Flat, offbeat_kernel::Time) {
    let pace = synchronous(5).pace;
    let (result, _) = drawn(pace).run();
    (result.model, result.now)
}

#[test]
fn a_deadline_that_never_comes_is_synchronous_bit_for_bit() {
    for seconds in [1e6, 1e300] {
        for late in [Late::Drop, Late::Keep] {
            let settings = DeadlineSettings { clients: 5, seconds, late, ..Default::default() };
            let (result, _) = drawn(PacePart::Deadline(settings)).run();
            assert_eq!((result.model, result.now), of_synchronous(), "{seconds} {late:?}");
        }
    }
}

#[test]
fn a_short_deadline_is_not_synchronous() {
    let settings = DeadlineSettings { clients: 5, seconds: 2.0, ..Default::default() };
    let (result, _) = drawn(PacePart::Deadline(settings)).run();
    assert_ne!(result.model, of_synchronous().0);
}

#[test]
fn over_selection_of_nobody_more_is_synchronous_bit_for_bit() {
    let run = |factor| drawn(PacePart::OverSelection(OverSelection { clients: 5, factor })).run().0;
    let result = run(1.0);
    assert_eq!((result.model, result.now), of_synchronous());
    assert_ne!(run(1.4).model, of_synchronous().0);
}

/// Largest difference of the models after five versions under two ways of combining.
fn difference(world: &mut World, first: CombinePart, second: CombinePart) -> f32 {
    let mut model = |combine: CombinePart| {
        world.parts.combine = combine;
        world.run().0.model.to_vec()
    };
    let (first, second) = (model(first), model(second));
    first.iter().zip(&second).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// These sum in another order than the mean does; with one client there is nothing to sum.
#[test]
fn fednova_with_equal_steps_is_fedavg() {
    let (nova, mean) = (CombinePart::FedNova(FedNova::default()), CombinePart::default());
    let mut equal = small(5, 64, synchronous(5));
    assert!(difference(&mut equal, nova.clone(), mean.clone()) < 1e-6);
    let mut single = small(1, 64, synchronous(1));
    assert!(difference(&mut single, nova.clone(), mean.clone()) < 1e-7);
    // Uneven data give uneven steps: then it is something else.
    let mut uneven = small(5, 64, synchronous(5));
    let samples = [24, 200, 24, 24, 24];
    uneven.uneven(&samples);
    assert!(difference(&mut uneven, nova, mean) > 1e-3);
}

#[test]
fn a_trimmed_mean_that_trims_nothing_is_the_mean() {
    let trimmed = |trim| CombinePart::TrimmedMean(TrimmedMean { trim });
    let mut parts = synchronous(5);
    parts.weigh = vec![WeighPart::Uniform];
    let mut world = World::new(5, parts.clone());
    assert!(difference(&mut world, trimmed(0.0), CombinePart::default()) < 1e-6);
    assert!(difference(&mut world, trimmed(0.2), CombinePart::default()) > 1e-4);
    let mut single = World::new(1, Parts { pace: synchronous(1).pace, ..parts });
    assert_eq!(difference(&mut single, trimmed(0.0), CombinePart::default()), 0.0);
}

/// Ten clients finish at once and their updates are taken one by one: with room for two of them workers wait, and
/// neither the order of events nor a bit of the model changes.
#[test]
fn little_room_for_results_bounds_what_is_held_and_changes_nothing() {
    let run = |room: u64, workers: usize, cohort: usize| {
        let world = World { workers, cohort, ..staggered(10, synchronous(10)) };
        let mut federation = world.federation();
        let update = 4 * world.initial().len() as u64;
        federation.pool.budget_bytes = room * update;
        let result = federation.run(Box::new(Memory::default())).expect("the run succeeds");
        (result.digest, result.pool.peak_bytes / update)
    };
    let (digest, ahead) = run(1000, 2, 1);
    assert!(ahead >= 5, "{ahead} updates are computed ahead where there is room");
    for workers in [1, 2] {
        let (same, held) = run(2, workers, 1);
        assert_eq!(same, digest);
        // The job that the kernel waits for may come on top.
        assert!(held <= 3, "{held} updates are held");
    }
}
