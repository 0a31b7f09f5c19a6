//! Several devices in one run: who does which job, and devices that fail in the middle.

use crate::world::World;
use offbeat_actors::work::Devices;
use offbeat_actors::{Memory, Record, RunResult};
use offbeat_learning::data::Shard;
use offbeat_learning::network::Network;
use offbeat_learning::{Flat, LearnError, TrainRequest, Trained, Trainer};
use offbeat_strategies::Parts;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How a device that is not the first one behaves.
#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// As the first one.
    Well,
    /// Later than the first one, and with results of its own.
    Differently,
    /// Every training of an odd number of samples, and every evaluation, panics.
    Badly,
}

/// A trainer on a device that the test makes up.
struct Odd {
    inner: Arc<dyn Trainer>,
    behaviour: Behaviour,
}

impl Trainer for Odd {
    fn network(&self) -> &Arc<Network> {
        self.inner.network()
    }

    fn train(&self, request: TrainRequest) -> Result<Trained, LearnError> {
        assert!(
            self.behaviour != Behaviour::Badly || request.shard.len().is_multiple_of(2),
            "the card fell off the bus"
        );
        let mut trained = self.inner.train(request)?;
        if self.behaviour == Behaviour::Differently {
            std::thread::sleep(Duration::from_millis(2));
            trained.params.scale(1.0 + 1e-6);
        }
        Ok(trained)
    }

    fn logits(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
    ) -> Result<Vec<f32>, LearnError> {
        assert!(self.behaviour != Behaviour::Badly, "the card fell off the bus");
        self.inner.logits(params, shard, rows)
    }

    fn features(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        mirrored: bool,
    ) -> Result<Vec<f32>, LearnError> {
        self.inner.features(params, shard, rows, mirrored)
    }

    fn with_classes(&self, classes: usize) -> Result<Arc<dyn Trainer>, LearnError> {
        self.inner.with_classes(classes)
    }
}

/// Runs `world` on devices called `names`, those behind the first of which behave as told, with workers on
/// `of_workers`.
fn run(
    world: &World,
    names: &[&str],
    behaviours: &[Behaviour],
    of_workers: &[usize],
) -> (RunResult, Vec<Record>) {
    let mut federation = world.federation();
    let further = behaviours.iter().map(|behaviour| {
        let inner = federation.workbench.trainer.clone();
        let mut bench = federation.workbench.clone();
        bench.trainer = Arc::new(Odd { inner, behaviour: *behaviour });
        bench
    });
    federation.devices = Devices {
        further: further.collect(),
        names: names.iter().map(|name| name.parse().expect("a device")).collect(),
        of_workers: of_workers.to_vec(),
        ..Devices::default()
    };
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).expect("the run succeeds");
    let records = records.borrow().clone();
    (result, records)
}

/// 9 clients, 4 of them with an odd number of samples.
fn world(cohort: usize) -> World {
    let mut world = World::new(9, Parts::default());
    world.uneven(&[30, 31, 32, 33, 34, 35, 36, 37, 38]);
    World { cohort, ..world }
}

fn retried(records: &[Record]) -> Vec<(u32, &str, &str)> {
    let of = |record| match record {
        &Record::Retried { client, ref from, ref to, .. } => Some((client.0, &**from, &**to)),
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn the_list_decides_what_computes_a_job_and_no_clock_does() {
    for cohort in [1, 3] {
        let world = world(cohort);
        let (plain, _) = world.run();
        let (same, _) = run(&world, &["flex", "tch"], &[Behaviour::Well], &[0, 1, 1]);
        assert_eq!(plain.digest, same.digest, "the devices compute the same");
        assert_eq!((same.workers, same.transfers.is_none()), (3, true));
        let mixed = |of_workers: &[usize]| {
            run(&world, &["flex", "tch"], &[Behaviour::Differently], of_workers).0.digest
        };
        let first = mixed(&[0, 1]);
        assert_eq!(first, mixed(&[0, 1]));
        // As many shares for each device, but other workers for them.
        assert_eq!(first, mixed(&[0, 1, 0, 1]));
        assert_ne!(first, plain.digest);
        assert_ne!(first, mixed(&[0, 0, 1]), "another list, other bits");
    }
}

#[test]
fn what_a_failing_device_was_to_do_is_done_by_the_next() {
    for cohort in [1, 3] {
        let world = world(cohort);
        let (plain, _) = world.run();
        let names = ["flex", "wgpu:1"];
        let (result, records) = run(&world, &names, &[Behaviour::Badly], &[0, 1, 1]);
        assert_eq!(result.digest, plain.digest, "nothing is lost, and the journal does not tell");
        assert_eq!((result.counts.failed, result.counts.merged), (0, plain.counts.merged));
        let found = retried(&records);
        assert!(found.iter().all(|(_, from, to)| (*from, *to) == ("wgpu:1", "flex")), "{found:?}");
        if cohort == 1 {
            assert!(found.iter().all(|(client, _, _)| client % 2 == 1), "{found:?}");
        }
        assert!(!found.is_empty());
        // Evaluations are retried too, and counted.
        assert!(result.counts.retried > found.len() as u64);
        let words = &result.counts.retries[0];
        assert!(
            words.contains("wgpu:1 failed (the card fell off the bus), done on flex"),
            "{words}"
        );
        let (again, records_again) = run(&world, &names, &[Behaviour::Badly], &[0, 1, 1]);
        assert_eq!(result.counts, again.counts);
        assert_eq!(found, retried(&records_again));
    }
}

#[test]
fn the_next_device_of_the_list_is_asked_first_and_the_last_one_falls_back_on_the_first() {
    let world = world(1);
    let bad = [Behaviour::Badly, Behaviour::Well, Behaviour::Badly];
    let names = ["tch:0", "wgpu:0", "cuda:0", "cuda:1"];
    let (result, records) = run(&world, &names, &bad, &[0, 1, 2, 3]);
    assert_eq!(result.digest, world.run().0.digest);
    let pairs: std::collections::BTreeSet<_> =
        retried(&records).into_iter().map(|(_, from, to)| (from, to)).collect();
    assert_eq!(pairs, [("cuda:1", "tch:0"), ("wgpu:0", "cuda:0")].into());
}

#[test]
fn a_training_that_fails_everywhere_is_a_failed_task() {
    let mut world = world(1);
    world.versions = 2;
    let federation = |first: &str| {
        let mut federation = world.federation();
        let inner = federation.workbench.trainer.clone();
        let well = federation.workbench.clone();
        federation.workbench.trainer =
            Arc::new(Odd { inner: inner.clone(), behaviour: Behaviour::Badly });
        let mut bad = federation.workbench.clone();
        let names = vec![first.parse().expect("a device"), "wgpu:1".parse().expect("a device")];
        // On pure Rust a panic is the job's own fault: the other device is never asked.
        if first == "flex" {
            bad = well;
        }
        federation.evaluation.test = false;
        federation.devices =
            Devices { names, further: vec![bad], of_workers: vec![0, 0], ..Devices::default() };
        federation.run(Box::new(Memory::default())).expect("even numbers of samples are trained on")
    };
    let result = federation("tch");
    assert_eq!((result.counts.failed, result.counts.retried), (8, 0));
    let words = &result.counts.failures[0];
    assert!(words.contains("tch failed (the card fell off the bus), wgpu:1 failed"), "{words}");
    let result = federation("flex");
    assert_eq!((result.counts.failed, result.counts.retried), (8, 0));
    assert!(
        result.counts.failures[0].contains("panicked: the card"),
        "{:?}",
        result.counts.failures
    );
}
