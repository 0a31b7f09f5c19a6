//! Somebody listens to the clients' links.

use crate::world::World;
use offbeat_actors::Record;
use offbeat_actors::tap::{Leak, TapRules};
use offbeat_kernel::{ClientId, Version};
use offbeat_learning::codec::{Codec, Rounding, Uniform};
use offbeat_learning::leakage::Attack;
use offbeat_learning::network::NetworkSpec;
use offbeat_learning::{Sgd, Work};
use offbeat_strategies::Parts;

/// Three clients that train a perceptron by one step on one sample.
fn world(attack: Attack) -> World {
    let mut world = World::new(3, Parts::default());
    world.network = NetworkSpec::Mlp { hidden: vec![16] };
    world.plan.batch = 1;
    world.plan.work = Work::Steps(1);
    world.plan.sgd = Sgd { rate: 0.05, ..Sgd::default() };
    world.versions = 3;
    world.tap =
        Some(TapRules { attack, clients: vec![ClientId(1)], from_version: Version(1), updates: 2 });
    world
}

fn leaks(records: &[Record]) -> Vec<(Version, ClientId, Leak)> {
    let leak = |record: &Record| match record {
        Record::Leak { version, client, leak, .. } => Some((*version, *client, (**leak).clone())),
        _ => None,
    };
    records.iter().filter_map(leak).collect()
}

/// Of a single sample the first layer tells all, and the tap hears what it was asked to and nothing else.
#[test]
fn a_single_sample_is_read_exactly() {
    let world = world(Attack::Analytic);
    let (result, records) = world.run();
    let found = leaks(&records);
    let heard: Vec<_> = found.iter().map(|(version, client, _)| (version.0, client.0)).collect();
    assert_eq!(heard, [(1, 1), (2, 1)]);
    for (_, _, leak) in &found {
        assert!(leak.figures.mse < 1e-6 && leak.figures.labels == 1.0, "{:?}", leak.figures);
        assert_eq!((leak.samples, leak.steps, leak.shape), (1, 1, [1, 8, 8]));
        let [found, sample] = leak.recognised.expect("there are test samples");
        assert_eq!(found, sample, "what is read exactly is recognised as well as the sample");
        assert!(leak.originals.iter().zip(&leak.found).all(|(a, b)| a.abs_diff(*b) <= 1));
    }
    let mut quiet = self::world(Attack::Analytic);
    quiet.tap = None;
    assert_eq!(quiet.run().0.model, result.model, "listening changes nothing");
}

/// More samples, more steps and a codec each blur what is found.
#[test]
fn what_blurs_the_update_blurs_the_reconstruction() {
    let error = |change: &dyn Fn(&mut World)| {
        let mut world = world(Attack::Analytic);
        change(&mut world);
        let found = leaks(&world.run().1);
        assert_eq!(found.len(), 2);
        found.iter().map(|(_, _, leak)| leak.figures.mse).sum::<f64>() / 2.0
    };
    let alone = error(&|_| ());
    let coded = error(&|world| {
        world.codecs[0] = Codec::Uniform(Uniform { bits: 2, rounding: Rounding::Stochastic });
    });
    let batch = error(&|world| world.plan.batch = 8);
    let steps = error(&|world| world.plan.work = Work::Steps(8));
    for blurred in [coded, batch, steps] {
        assert!(blurred > 1e-3 && alone < 1e-6, "{alone} {coded} {batch} {steps}");
    }
}

/// Of one sample the listener knows whose it is as well as its own picture says; of the mixture of sixteen less.
#[test]
fn whom_a_mixture_shows_is_harder_to_say() {
    let known = |batch: usize| {
        let mut world = world(Attack::Analytic);
        world.plan.batch = batch;
        world.tap.as_mut().expect("a tap").updates = 6;
        (world.tap.as_mut().expect("a tap").clients, world.versions) = (Vec::new(), 4);
        let found = leaks(&world.run().1);
        let shares = found.iter().map(|(.., leak)| leak.recognised.expect("test samples"));
        let count = found.len() as f64;
        shares.fold([0.0; 2], |sum, share| [sum[0] + share[0] / count, sum[1] + share[1] / count])
    };
    let ([alone, best], [mixed, of_all]) = (known(1), known(16));
    assert_eq!(alone, best);
    assert!(best > 0.8 && of_all > 0.8 && mixed < 0.5 * of_all, "{best} {of_all} {mixed}");
}

/// The same with one worker and with two.
#[test]
fn attacks_do_not_depend_on_workers() {
    let mut world = world(Attack::InvertingGradients { iterations: 20, variation: 0.01 });
    let (one, first) = world.run();
    world.workers = 1;
    let (two, second) = world.run();
    assert_eq!(one.digest, two.digest);
    assert_eq!(leaks(&first), leaks(&second));
}

/// A network that the attacker cannot compute is said so in the records; the run goes on.
#[test]
fn what_cannot_be_attacked_is_told() {
    let mut world = world(Attack::Analytic);
    world.network = NetworkSpec::Cnn;
    let (result, records) = world.run();
    assert_eq!(result.counts.failed, 0);
    let told = records.iter().filter(|record| {
        matches!(record, Record::Happening { what, .. } if what.contains("the networks softmax"))
    });
    assert_eq!((told.count(), leaks(&records).len()), (2, 0));
}
