//! Groups of clients, correlations, traces, and what must not depend on whom else there is.

use crate::world::{EXACT, load, load_in, prepared, run};
use offbeat::Overrides;
use offbeat::population::Population;
use offbeat::ranks::dominant_labels;
use offbeat::spec::PopulationSection;
use offbeat::world::{Cost, World};
use offbeat_actors::record::TaskEnd;
use offbeat_kernel::{ClientId, SeedTree, Time};
use offbeat_learning::LocalPlan;
use offbeat_strategies::{LossReason, Roster};
use std::path::Path;
use std::sync::Arc;

const GROUPS: &str = r#"
[population]
clients = 10
interruption = "paused"
[[population.group]]
name = "phones"
share = 0.25
device = { reference_flops_per_second = 1e5 }
[[population.group]]
name = "toys"
count = 2
device = { memory_bytes = { constant = 100.0 } }
interruption = "lost"
data_shift = { label_rotation = 1 }
"#;

fn with(tail: &str, set: &[&str]) -> Result<offbeat::Loaded, String> {
    let set = set.iter().map(|text| (*text).to_string()).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    let loaded = offbeat::load_text(Path::new("g.toml"), &format!("{EXACT}{tail}"), &overrides);
    loaded.map_err(|problems| problems.render(false))
}

#[test]
fn groups_take_ids_in_order_and_fall_back_to_the_population() {
    let loaded = with(GROUPS, &["run.rounds=1"]).unwrap_or_else(|problems| panic!("{problems}"));
    let prepared = prepared(&loaded);
    let population = &prepared.population;
    // A quarter of ten is 2.5, rounded up; then two; then the rest.
    let ends: Vec<u32> = population.groups().iter().map(|group| group.end).collect();
    assert_eq!(ends, [3, 5, 10]);
    assert_eq!([0, 2, 3, 4, 5, 9].map(|c| population.group_of(ClientId(c))), [0, 0, 1, 1, 2, 2]);
    use offbeat_kernel::hardship::Interruption::{Lost, Paused};
    let rules: Vec<_> = population.groups().iter().map(|g| g.hardship.interruption).collect();
    assert_eq!(rules, [Paused, Lost, Paused]);
    assert_eq!(population.groups()[0].hardship.link, population.groups()[2].hardship.link);
    let plain = crate::world::prepared(&load(&["population.clients=10", "run.rounds=1"]));
    let turned = |c: usize| prepared.shards[c].label(0) != plain.shards[c].label(0);
    assert_eq!([2, 3, 4, 5].map(turned), [false, true, true, false]);
    let run = crate::world::run_loaded(&loaded);
    assert_eq!(run.ends(3), [TaskEnd::Lost(LossReason::Declined)]);
    assert_eq!(run.ends(5), [TaskEnd::Arrived]);
    let seconds = |c| {
        let tasks = run.tasks();
        let row = tasks.iter().find(|row| row.client.0 == c).expect("a task");
        row.ended.seconds()
    };
    let (slow, fast) = (seconds(0), seconds(5));
    let work = crate::world::seconds_of_epoch(&prepared, 0);
    assert!((slow - fast - 9.0 * work).abs() < 0.2 * work, "{slow} {fast} {work}");
}

#[test]
fn the_resolved_scenario_keeps_its_groups() {
    let loaded = with(GROUPS, &["run.rounds=1"]).unwrap_or_else(|problems| panic!("{problems}"));
    let text = loaded.scenario.to_toml().expect("plain data");
    let again = offbeat::load_text(Path::new("g.toml"), &text, &Overrides::default());
    let again = again.unwrap_or_else(|problems| panic!("{}\n{text}", problems.render(false)));
    assert_eq!(again.scenario, loaded.scenario);
}

#[test]
fn wrong_groups_are_refused_where_they_are_written() {
    let refused = |tail: &str, part: &str| {
        let printed = with(tail, &["run.rounds=1"]).expect_err("must be refused");
        assert!(printed.contains(part), "`{part}` is missing in:\n{printed}");
    };
    let base = "[population]\nclients = 10\n[[population.group]]\n";
    refused(&format!("{base}name = \"x\"\n"), "a group needs a size");
    refused(&format!("{base}count = 3\nshare = 0.5\n"), "either a `count` or a `share`");
    refused(&format!("{base}share = 1.5\n"), "`population.group.0.share` cannot be 1.5");
    refused(&format!("{base}count = 11\n"), "the groups hold 11 clients, but there are 10");
    refused(&format!("{base}share = 0.01\n"), "a group without clients");
    refused(&format!("{base}count = 2\nspeeds = 1\n"), "unknown key `speeds`");
    let device = "device = { speed = { constant = 0.0 } }\n";
    refused(&format!("{base}count = 2\n{device}"), "values go down to 0");
    let both = "speed_file = \"s.csv\"\ndevice = { speed = \"phones\" }\n";
    refused(&format!("{base}count = 2\n{both}"), "takes the place of");
}

#[test]
fn traces_come_from_files_beside_the_scenario() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let csv = "device,from_seconds,to_seconds\na,0,1000\nb,500,1000\n";
    std::fs::write(folder.path().join("presence.csv"), csv).expect("writable");
    let set = ["population.clients=2", "run.rounds=1", "population.availability_file=presence.csv"];
    let prepared = prepared(&load_in(folder.path(), &set));
    let world = world(prepared.population.clone(), vec![10; 2], &[0, 0]);
    let at = |seconds: u64| Time::from_micros(seconds * 1_000_000);
    let present = |c, s| world.present(ClientId(c), at(s));
    assert_eq!(
        [present(0, 0), present(1, 0), present(1, 500), present(1, 1000)],
        [true, false, true, false]
    );
    assert_eq!(world.next_change(ClientId(1), at(0)), at(500));
    let missing =
        load_in(folder.path(), &[&set[..2], &["population.speed_file=none.csv"]].concat());
    let problem = offbeat::prepare::prepare(&missing.scenario, &missing.document);
    let problem = problem.expect_err("there is no such file");
    assert_eq!((problem.code(), problem.path()), ("missing_file", "population.speed_file"));
}

fn world(population: Population, sizes: Vec<u32>, labels: &[u32]) -> World {
    let plan = LocalPlan {
        work: offbeat_learning::Work::Epochs(1),
        batch: 10,
        last_batch: offbeat_learning::LastBatch::Keep,
        sgd: offbeat_learning::Sgd::default(),
        ..LocalPlan::default()
    };
    let cost =
        Cost { flops_per_sample: 1e6, model_bytes: 4000, shared_bytes: 4000, plan: Arc::new(plan) };
    World::new(population, SeedTree::new(3), sizes, labels, cost)
}

#[test]
fn slow_devices_hold_particular_classes() {
    let with = |rank: &str| {
        let set = [
            "population.clients=200",
            "run.rounds=1",
            "data.partition={ pathological = { labels = 1 } }",
            "population.device.speed=phones",
            &format!("population.device.correlation={{ label_group = {rank} }}"),
        ];
        let prepared = prepared(&load(&set));
        let labels = dominant_labels(&prepared.report.counts, prepared.report.classes);
        // Equal sizes: what is left is the device.
        let world = world(prepared.population.clone(), vec![10; 200], &labels);
        let seconds: Vec<f64> =
            (0..200).map(|client| world.expected_seconds(ClientId(client))).collect();
        let mean = |label: u32| {
            let of: Vec<f64> =
                (0..200).filter(|c| labels[*c] == label).map(|c| seconds[c]).collect();
            assert!(!of.is_empty(), "nobody holds {label}");
            of.iter().sum::<f64>() / of.len() as f64
        };
        // Whatever clients hold must be what they are said to hold.
        for (shard, label) in prepared.shards.iter().zip(&labels) {
            assert_eq!(shard.label(0), *label);
        }
        (0..10).map(mean).collect::<Vec<f64>>()
    };
    let fast_last = with("1.0");
    assert!(fast_last.windows(2).all(|pair| pair[0] > pair[1]), "{fast_last:?}");
    let slow_last = with("-1.0");
    assert!(slow_last.windows(2).all(|pair| pair[0] < pair[1]), "{slow_last:?}");
    let loosely = with("0.7");
    assert!(loosely[0] > 2.0 * loosely[9], "{loosely:?}");
}

#[test]
fn another_client_changes_no_other() {
    let section = |clients: u32| -> PopulationSection {
        let set = format!("population.clients={clients}");
        let hard = [
            set.as_str(),
            "run.rounds=1",
            "data.partition={ iid = { samples = 5, replacement = true } }",
            "population.device.speed=phones",
            "population.link=phones",
            "population.availability={ diurnal = {} }",
            "population.energy={}",
            "population.data_shift={ gain = { uniform = { low = 0.5, high = 2.0 } } }",
        ];
        load(&hard).scenario.sections().population.clone()
    };
    let population = |clients| {
        let mut problems = Vec::new();
        let document = offbeat::document::Document::parse("", "", &[], &mut problems);
        Population::new(&section(clients), &document).expect("no files")
    };
    let (few, many) = (population(10), population(1000));
    let seeds = SeedTree::new(3);
    let small = world(few.clone(), vec![20; 10], &[0; 10]);
    let large = world(many.clone(), vec![20; 1000], &[0; 1000]);
    for client in (0..10).map(ClientId) {
        assert_eq!(small.expected_seconds(client), large.expected_seconds(client));
        for hour in 0..48 {
            let at = Time::from_micros(hour * 3_600_000_000);
            assert_eq!(small.next_change(client, at), large.next_change(client, at));
        }
        let shift = |p: &Population| p.shift_of(client).draw(&seeds, client);
        assert_eq!(shift(&few), shift(&many));
        use offbeat_actors::Conditions;
        let noon = Time::from_micros(12 * 3_600_000_000);
        let battery = small.battery(client, None, noon);
        assert!(battery.is_some() && battery == large.battery(client, None, noon));
    }
}

#[test]
fn idle_clients_have_no_battery_to_look_after() {
    // Ten of a million clients are addressed; a store for all would take far longer than this.
    let set = [
        "population.clients=1000000",
        "run.rounds=1",
        "data.partition={ iid = { samples = 1, replacement = true } }",
        "population.energy={}",
        "strategy.select=uniform",
        "strategy.pace={ synchronous = { clients = 10 } }",
    ];
    assert!(run(&set).tasks().len() >= 10);
}
