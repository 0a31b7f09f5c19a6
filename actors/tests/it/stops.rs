//! What ends a run, and when.

use crate::equivalence::synchronous;
use crate::world::World;
use offbeat_actors::{EvaluationRules, Memory, Record, RunResult, StopRules, Target};

/// A run of at most 40 rounds of three clients under these rules, with the accuracies and losses on its way.
fn run(stop: StopRules) -> (RunResult, Vec<(u64, f64, f64)>) {
    let mut federation = World::new(3, synchronous(3)).federation();
    federation.stop = StopRules { versions: Some(40), ..stop };
    federation.evaluation = EvaluationRules { every_versions: 1, ..federation.evaluation };
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).expect("the run succeeds");
    let points = records
        .borrow()
        .iter()
        .filter_map(|record| match record {
            Record::Evaluation { version, test, .. } => Some((version.0, test.accuracy, test.loss)),
            _ => None,
        })
        .collect();
    (result, points)
}

#[test]
fn a_target_ends_the_run_at_the_first_version_that_reaches_it() {
    let (whole, all) = run(StopRules::default());
    assert_eq!((whole.counts.versions, all.len()), (40, 41));
    let accuracy = 0.8;
    let loss = 1.0;
    let first = |reached: &dyn Fn(&(u64, f64, f64)) -> bool| {
        all.iter().find(|point| reached(point)).expect("learns that much").0
    };
    for (target, at, words) in [
        (Target::Accuracy(accuracy), first(&|p| p.1 >= accuracy), "accuracy 0.8 was reached at"),
        (Target::Loss(loss), first(&|p| p.2 <= loss), "loss 1 was reached at"),
    ] {
        let (result, points) = run(StopRules { target: Some(target), ..StopRules::default() });
        assert!(at > 1 && at < 40, "{at}: the test must be able to fail");
        assert!(result.ended.starts_with(words), "{}", result.ended);
        assert!(result.ended.ends_with(&format!("version {at}")), "{}", result.ended);
        assert_eq!(points[..=at as usize], all[..=at as usize], "the same run until then");
    }
}

#[test]
fn patience_ends_the_run_after_so_many_evaluations_without_a_gain() {
    let (_, all) = run(StopRules::default());
    let patience = 2;
    let (mut best, mut without, mut last) = (f64::MIN, 0, None);
    for (version, accuracy, _) in &all {
        (best, without) = if *accuracy > best { (*accuracy, 0) } else { (best, without + 1) };
        if without == patience && last.is_none() {
            last = Some(*version);
        }
    }
    let last = last.expect("some two versions in forty gain nothing");
    let (result, points) = run(StopRules { patience: Some(patience), ..StopRules::default() });
    assert_eq!(result.ended, "no better accuracy in 2 evaluations");
    assert_eq!(points[..=last as usize], all[..=last as usize]);
    assert!(result.counts.versions < 40, "{}", result.counts.versions);
}

#[test]
fn arrived_updates_end_the_run() {
    let (result, _) = run(StopRules { updates: Some(7), ..StopRules::default() });
    assert_eq!(result.ended, "7 updates arrived");
    assert_eq!((result.counts.updates, result.counts.versions), (7, 2));
}
