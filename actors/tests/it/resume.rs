//! A run that goes on from a snapshot ends as one that was never stopped.

use crate::world::{Shared, World};
use offbeat_actors::network::ServerLink;
use offbeat_actors::tap::TapRules;
use offbeat_actors::{
    Continuation, Federation, Keeper, Memory, Occasion, Record, Snapshot, StopRules,
};
use offbeat_kernel::{Span, Time, Version};
use offbeat_learning::Work;
use offbeat_learning::leakage::Attack;
use offbeat_learning::network::NetworkSpec;
use offbeat_strategies::Parts;
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// Keeps a snapshot before every `every`-th event.
#[derive(Debug)]
struct Often {
    every: u64,
    asked: u64,
    kept: Rc<RefCell<Vec<Snapshot>>>,
}

impl Keeper for Often {
    fn due(&mut self, _: Time, _: Time) -> Option<Occasion> {
        self.asked += 1;
        self.asked.is_multiple_of(self.every).then_some(Occasion::Virtual)
    }

    fn keep(&mut self, snapshot: Snapshot, _: Occasion) {
        self.kept.borrow_mut().push(snapshot);
    }
}

/// Parts, written as JSON.
fn parts(text: &str) -> Parts {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn ended(federation: Federation, continuation: Continuation) -> (String, Vec<Record>) {
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.go_on(Box::new(memory), continuation).expect("the run succeeds");
    let records = records.borrow().clone();
    (format!("{} {} {}", result.digest, result.events, result.now), records)
}

/// Runs whole, with snapshots, and from each of some snapshots; all must end the same.
pub(crate) fn holds(make: impl Fn() -> Federation, every: u64) -> usize {
    let (whole, records) = ended(make(), Continuation::default());
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keeper = Often { every, asked: 0, kept: kept.clone() };
    let continuation = Continuation { keeper: Some(Box::new(keeper)), ..Default::default() };
    let (with_snapshots, _) = ended(make(), continuation);
    assert_eq!(with_snapshots, whole, "taking snapshots changed the run");
    let snapshots = kept.take();
    let count = snapshots.len();
    let stride = count.div_ceil(4).max(1);
    for from in snapshots.into_iter().step_by(stride) {
        let at = from.events;
        let position = u64::from_le_bytes(from.sink.clone().try_into().expect("eight bytes"));
        let (resumed, rest) =
            ended(make(), Continuation { from: Some(from), ..Default::default() });
        assert_eq!(resumed, whole, "resumed after {at} events");
        assert_eq!(rest, records[position as usize..], "records after {at} events");
    }
    count
}

#[test]
fn what_a_tap_heard_survives() {
    let mut world = World::new(3, Parts::default());
    world.plan.batch = 4;
    world.plan.work = Work::Steps(1);
    let attack = Attack::InvertingGradients { iterations: 5, variation: 0.01 };
    let from_version = Version(1);
    world.tap = Some(TapRules { attack, clients: Vec::new(), from_version, updates: 4 });
    assert!(holds(|| world.federation(), 7) > 3);
}

#[test]
fn orders_that_wait_for_sums_survive() {
    let pace = r#"{"buffered":{"buffer":2,"concurrency":4}}"#;
    let parts = crate::encrypted::parts(pace, r#","slices":1000"#);
    let world = World { versions: 6, ..World::new(4, parts) };
    assert!(holds(|| world.federation(), 3) > 6);
}

#[test]
fn models_with_their_judges_survive() {
    let world = crate::fedboost::boosted();
    assert!(holds(|| crate::fedboost::federation(&world), 5) > 3);
}

#[test]
fn teachers_discriminators_and_the_generator_survive() {
    let world = crate::fediod::world();
    assert!(holds(|| world.federation(), 9) > 3);
}

#[test]
fn private_heads_and_control_variates_survive() {
    let mut world = World::new(
        6,
        parts(r#"{"pace":{"buffered":{"buffer":2,"concurrency":4}},"companion":"scaffold"}"#),
    );
    world.network = NetworkSpec::Mlp { hidden: vec![8] };
    world.shared = Shared::Body;
    world.controls = true;
    world.versions = 6;
    assert!(holds(|| world.federation(), 7) > 3);
}

#[test]
fn embeddings_at_the_server_survive() {
    let settings = offbeat_strategies::companion::FedGcSettings { strength: 1.0, scale: None };
    let mut world =
        crate::embeddings::world(5, offbeat_strategies::registry::CompanionPart::FedGc(settings));
    world.parts.pace = parts(r#"{"pace":{"buffered":{"buffer":2,"concurrency":4}}}"#).pace;
    world.versions = 6;
    assert!(holds(|| world.federation(), 7) > 3);
}

#[test]
fn clusters_and_their_budget_survive() {
    let mut world = crate::clusters::world(5);
    world.parts.pace = parts(r#"{"pace":{"buffered":{"buffer":2,"concurrency":4}}}"#).pace;
    world.versions = 6;
    assert!(holds(|| world.federation(), 7) > 3);
}

#[test]
fn transfers_on_a_shared_link_survive() {
    let mut world = World::new(
        8,
        parts(
            r#"{"pace":{"immediate":{"concurrency":5}},"combine":{"mix":{}},"weigh":["uniform"]}"#,
        ),
    );
    world.ideal.latency = Span::from_seconds(0.4);
    world.versions = 12;
    let make = || {
        let mut federation = world.federation();
        federation.server_link = ServerLink { down: Some(40_000), up: Some(20_000) };
        federation
    };
    assert!(holds(make, 9) > 3);
}

#[test]
fn pending_evaluations_and_patience_survive() {
    let mut world = World::new(5, Parts::default());
    world.versions = 9;
    let make = || {
        let mut federation = world.federation();
        federation.evaluation.every = Some(Span::from_seconds(1.5));
        federation.evaluation.clients = true;
        federation.test_clients = (0..5).map(|c| (offbeat_kernel::ClientId(c), 20)).collect();
        federation.stop = StopRules { patience: Some(4), ..federation.stop };
        federation
    };
    assert!(holds(make, 3) > 3);
}

const PACES: [&str; 10] = [
    r#"{"synchronous":{"clients":3}}"#,
    r#"{"over-selection":{"clients":2}}"#,
    r#"{"deadline":{"clients":3,"seconds":1.5}}"#,
    r#"{"buffered":{"buffer":2,"concurrency":4}}"#,
    r#"{"immediate":{"concurrency":3}}"#,
    r#"{"tiers":{"tiers":2,"clients":2}}"#,
    r#"{"safa":{"seconds":2.0}}"#,
    r#"{"port":{"buffer":2,"concurrency":4,"bound":1}}"#,
    r#"{"fedcompass":{"clients":3,"min_steps":1,"max_steps":4}}"#,
    r#"{"pisces":{"concurrency":3,"bound":2}}"#,
];
const COMBINES: [&str; 10] = [
    r#""median""#,
    r#"{"mean":{}}"#,
    r#"{"fedavgm":{}}"#,
    r#"{"fedadam":{}}"#,
    r#"{"fedyogi":{}}"#,
    r#"{"fedadagrad":{}}"#,
    r#"{"mifa":{"start":0.0}}"#,
    r#"{"ca2fl":{}}"#,
    r#"{"fadas":{}}"#,
    r#"{"fednova":{}}"#,
];
const SELECTS: [&str; 6] = [
    r#""uniform""#,
    r#""by-samples""#,
    r#"{"oort":{}}"#,
    r#"{"refl":{}}"#,
    r#"{"pisces":{}}"#,
    r#"{"power-of-choice":{"candidates":4}}"#,
];
const GROUPS: [&str; 3] =
    [r#""one""#, r#"{"finch":{"remember":true}}"#, r#"{"validity-index":{}}"#];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_parts_survive(
        pace in 0usize..PACES.len(),
        combine in 0usize..COMBINES.len(),
        select in 0usize..SELECTS.len(),
        group in 0usize..GROUPS.len(),
        every in 2u64..40,
        speeds in prop::collection::vec(0.002f64..0.05, 6),
    ) {
        let text = format!(
            r#"{{"pace":{},"combine":{},"select":{},"group":{},"weigh":["uniform"]}}"#,
            PACES[pace], COMBINES[combine], SELECTS[select], GROUPS[group]
        );
        let parts = parts(&text);
        prop_assume!(parts.validate().is_empty());
        let mut world = World::new(6, parts);
        world.ideal.seconds_per_sample = speeds;
        world.versions = 4;
        holds(|| world.federation(), every);
    }
}

#[test]
fn what_protects_the_clients_survives() {
    for text in [
        r#"{"select":"poisson","pace":{"synchronous":{"clients":2}},
            "privacy":{"central":{"clip_norm":1.0,"noise_multiplier":1.0,"adaptive":{}}}}"#,
        r#"{"pace":{"buffered":{"buffer":2,"concurrency":4}},
            "privacy":{"central":{"clip_norm":1.0,"noise_multiplier":1.0},"epsilon_budget":12.0}}"#,
        r#"{"pace":{"immediate":{"concurrency":3}},
            "privacy":{"local":{"clip_norm":1.0,"noise_multiplier":4.0}}}"#,
        r#"{"pace":{"over-selection":{"clients":4,"factor":1.5}},"privacy":{"secure":{"threshold":0.6}}}"#,
    ] {
        let mut parts = parts(text);
        parts.weigh = vec![offbeat_strategies::registry::WeighPart::Uniform];
        let mut world = World::new(6, parts);
        world.ideal.seconds_per_sample = vec![0.002, 0.02, 0.005, 0.03, 0.01, 0.004];
        world.versions = 6;
        assert!(holds(|| world.federation(), 5) > 3, "{text}");
    }
}

#[test]
fn edge_servers_in_the_middle_of_their_rounds_survive() {
    use crate::edges::tree;
    use offbeat_actors::{EdgeRules, Wait};
    for (pace, wait) in [
        (r#"{"pace":{"buffered":{"buffer":2,"concurrency":3}}}"#, Wait::All),
        (r#"{"pace":{"synchronous":{"clients":3}}}"#, Wait::Share(0.6)),
        (r#"{"pace":{"immediate":{"concurrency":2}}}"#, Wait::Deadline(Span::from_seconds(0.9))),
    ] {
        let mut world = World::new(7, parts(pace));
        world.network = NetworkSpec::Mlp { hidden: vec![8] };
        world.shared = Shared::Body;
        world.ideal.seconds_per_sample = vec![0.002, 0.004, 0.007];
        world.ideal.latency = Span::from_seconds(0.05);
        world.topology = tree(&[0, 1, 2, 0, 1, 2, 2], EdgeRules { rounds: 2, clients: None, wait });
        world.versions = 5;
        assert!(holds(|| world.federation(), 7) > 3);
    }
}
