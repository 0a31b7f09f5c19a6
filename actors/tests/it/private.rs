//! Differential privacy and secure aggregation in whole federations.

use crate::world::World;
use offbeat_actors::adversary::{Adversaries, Band, Behaviour};
use offbeat_actors::{Record, RunResult};
use offbeat_kernel::{ClientId, Version};
use offbeat_strategies::Parts;
use offbeat_strategies::privacy::{Accountant, Spent};
use offbeat_strategies::secure::Traffic;
use std::sync::Arc;

fn parts(text: &str) -> Parts {
    let text = format!(r#"{{"weigh":["uniform"],{text}}}"#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn run(clients: usize, text: &str) -> (World, RunResult, Vec<Record>) {
    let world = World::new(clients, parts(text));
    let (result, records) = world.run();
    (world, result, records)
}

const ROUND: &str = r#""pace":{"synchronous":{"clients":8}}"#;

/// Every version says what was revealed, and the counts keep the last.
#[test]
fn epsilon_is_recorded_with_every_version() {
    let noise =
        r#""select":"poisson","privacy":{"central":{"clip_norm":1.0,"noise_multiplier":2.0}}"#;
    let (_, result, records) = run(16, &format!("{ROUND},{noise}"));
    let spent: Vec<Spent> = records
        .iter()
        .filter_map(|record| match record {
            Record::Privacy { spent, .. } => Some(*spent),
            _ => None,
        })
        .collect();
    let mut accountant = Accountant::default();
    let expected = (0..spent.len()).map(|_| {
        accountant.add(0.5, 2.0, 1.0);
        Some(accountant.epsilon(1e-5))
    });
    assert_eq!(spent.iter().map(|s| s.central).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(spent.len() as u64, result.counts.versions);
    assert_eq!(result.counts.privacy.as_ref(), spent.last());
}

/// Eight clients in every round of a buffer: each counts as often as it was merged, twice in a buffer as
/// four.
#[test]
fn asynchronous_contributions_are_counted_client_by_client() {
    let noise = r#""privacy":{"central":{"clip_norm":1.0,"noise_multiplier":2.0}}"#;
    let pace = r#""pace":{"buffered":{"buffer":3,"concurrency":3}}"#;
    let (_, result, records) = run(4, &format!("{pace},{noise}"));
    let mut squares = [0.0; 4];
    for record in &records {
        let Record::Aggregation { used, .. } = record else { continue };
        for (client, squares) in (0u32..).zip(&mut squares) {
            let count = used.iter().filter(|used| used.client == ClientId(client)).count();
            *squares += (count * count) as f64;
        }
    }
    let mut accountant = Accountant::default();
    accountant.add(1.0, 2.0, squares.into_iter().fold(0.0, f64::max));
    let spent = result.counts.privacy.expect("noise is added");
    assert_eq!(spent.central, Some(accountant.epsilon(1e-5)));
}

/// Noise that nobody adds and a clip that nobody reaches change nothing but the order of the arithmetic.
#[test]
fn without_noise_the_protected_mean_is_the_mean() {
    let open = run(8, ROUND).1;
    let quiet = r#""privacy":{"central":{"clip_norm":1e6,"noise_multiplier":0.0}}"#;
    let quiet = run(8, &format!("{ROUND},{quiet}")).1;
    let apart = open.model.minus(&quiet.model).norm() / open.model.norm();
    assert!(apart < 1e-5, "{apart}");
    let loud = r#""privacy":{"central":{"clip_norm":1.0,"noise_multiplier":5.0}}"#;
    let loud = run(8, &format!("{ROUND},{loud}")).1;
    assert!(open.model.minus(&loud.model).norm() / open.model.norm() > 0.1);
}

/// What the server gets lies at the noise's distance from what was trained, and says nothing of losses.
/// Hostile clients add no noise.
#[test]
fn local_noise_is_added_before_an_update_leaves() {
    let noise = r#""privacy":{"local":{"clip_norm":0.5,"noise_multiplier":2.0}}"#;
    let (world, result, records) = run(8, &format!("{ROUND},{noise}"));
    for record in &records {
        let Record::Aggregation { used, .. } = record else { continue };
        assert!(used.iter().all(|used| used.loss == 0.0));
    }
    // Five versions of the mean of eight changes with noise of deviation 1 on each parameter.
    let moved = result.model.minus(&world.initial()).norm() / (result.model.len() as f64).sqrt();
    let expected = (5.0f64 / 8.0).sqrt();
    assert!((moved / expected - 1.0).abs() < 0.15, "{moved}, not about {expected}");
    let mut accountant = Accountant::default();
    accountant.add(1.0, 1.0, 5.0);
    let spent = result.counts.privacy.expect("noise is added");
    assert_eq!((spent.central, spent.local), (None, Some(accountant.epsilon(1e-5))));
    let band = Band {
        behaviour: Behaviour::FreeRider { disguise: 0.0 },
        members: (0..8).map(ClientId).collect(),
        sybil: false,
        from_version: Version(0),
    };
    let mut federation = world.federation();
    federation.workbench.adversaries = Arc::new(Adversaries::new(vec![band], 8));
    let lazy = federation.run(Box::new(offbeat_actors::Memory::default())).expect("it runs");
    assert_eq!(lazy.model, world.initial());
}

/// The hidden sum is the open one but for rounding, and every message pays for its rounds.
#[test]
fn hidden_sums_learn_the_same_and_cost_what_they_weigh() {
    let (world, open, _) = run(8, ROUND);
    let hidden = run(8, &format!(r#"{ROUND},"privacy":{{"secure":{{"fraction_bits":30}}}}"#)).1;
    let apart = open.model.minus(&hidden.model).norm() / open.model.norm();
    assert!(apart < 1e-5, "{apart}");
    let extra = Traffic::of(8, world.initial().len());
    let tasks = open.counts.updates;
    assert_eq!(hidden.counts.updates, tasks);
    assert_eq!(hidden.counts.bytes_up - open.counts.bytes_up, tasks * extra.up);
    assert_eq!(hidden.counts.bytes_down - open.counts.bytes_down, tasks * extra.down);
    println!(
        "8 clients, {} parameters: {} bytes up and {} down more a task, of {} up in the open",
        world.initial().len(),
        extra.up,
        extra.down,
        open.counts.bytes_up / tasks
    );
}
