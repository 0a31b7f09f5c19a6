//! Edge servers that a timeline cuts off, crashes and slows down.

use crate::world::prepared;
use offbeat::assemble::{Settings, assemble};
use offbeat::run::Options;
use offbeat::{Overrides, load_text};
use offbeat_actors::record::TaskEnd;
use offbeat_actors::{Memory, Record, RunResult};
use offbeat_strategies::LossReason;
use std::path::Path;

/// Three edge servers with four clients each, whose rounds take some minutes.
const TREE: &str = r#"
version = 1
name = "struck"
[run]
seed = 3
virtual_hours = 1.0
[data]
dataset = "digits"
partition = "iid"
[training]
batch = 32
[strategy]
pace = { buffered = { buffer = 1, concurrency = 3 } }
[evaluation]
every_versions = 50
[population]
clients = 12
[population.device]
reference_flops_per_second = 1.0e4
[topology.tree]
edges = 3
edge_rounds = 2
link = "fibre"
device = { reference_flops_per_second = 1e5 }
"#;

fn tree(more: &str, workers: usize) -> (RunResult, Vec<Record>) {
    run(&format!("{TREE}{more}"), workers)
}

fn run(text: &str, workers: usize) -> (RunResult, Vec<Record>) {
    let loaded = load_text(Path::new("struck.toml"), text, &Overrides::default())
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let settings = Settings::of(&Options { workers, ..Options::default() }, false);
    let federation = assemble(&loaded, &prepared(&loaded), &settings);
    let federation = federation.unwrap_or_else(|problem| panic!("{}", problem.message()));
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).unwrap_or_else(|error| panic!("{error}"));
    let records = records.borrow().clone();
    (result, records)
}

/// When edge server `edge` answered, in minutes.
fn answers(records: &[Record], edge: u32) -> Vec<f64> {
    let at = |record: &Record| match record {
        Record::Task(row) if row.end == TaskEnd::Arrived && row.client.0 == edge => {
            Some(row.ended.seconds() / 60.0)
        }
        _ => None,
    };
    records.iter().filter_map(at).collect()
}

/// When clients of edge server `edge` answered it, in minutes.
fn below(records: &[Record], edge: u32) -> Vec<f64> {
    let at = |record: &Record| match record {
        Record::EdgeTask { edge: own, row, .. } if *own == edge && row.end == TaskEnd::Arrived => {
            Some(row.ended.seconds() / 60.0)
        }
        _ => None,
    };
    records.iter().filter_map(at).collect()
}

fn within(times: &[f64], from: f64, to: f64) -> usize {
    times.iter().filter(|time| (from..to).contains(*time)).count()
}

fn struck(what: &str) -> String {
    format!("[[timeline]]\nat_minutes = 10\n{what}\n")
}

#[test]
fn an_edge_server_that_crashes_takes_its_clients_work_with_it_and_comes_back() {
    let (plain, before) = tree("", 1);
    let (result, after) = tree(&struck("crash = { edges = [1], for_minutes = 10 }"), 1);
    assert!(within(&answers(&before, 1), 10.0, 20.0) > 0, "without a crash it answers");
    assert!(within(&below(&before, 1), 10.1, 20.0) > 0);
    assert_eq!(within(&answers(&after, 1), 10.0, 20.0), 0, "it answers nobody");
    assert_eq!(within(&below(&after, 1), 10.0, 20.0), 0, "and nobody works for it");
    for other in [0, 2] {
        assert!(within(&answers(&after, other), 10.0, 20.0) > 0, "{other} goes on");
    }
    assert_eq!(result.counts.lost.get(&LossReason::Crashed), Some(&1));
    assert!(within(&answers(&after, 1), 20.0, 60.0) > 0, "it comes back");
    assert!(within(&below(&after, 1), 20.0, 60.0) > 0);
    assert!(result.counts.updates < plain.counts.updates);
    let said = after.iter().any(
        |record| matches!(record, Record::Happening { what, .. } if what.contains("edge server 1")),
    );
    assert!(said, "the happening names the edge server, not a client's number");
}

/// Only the way to the cloud is cut: below it the work goes on, and its answer waits.
#[test]
fn clients_of_an_edge_server_that_is_cut_off_work_on() {
    let cut =
        struck("partition = { name = \"u\", messages = \"wait\", edges = [1], for_minutes = 10 }");
    let (result, after) = tree(&cut, 1);
    assert_eq!(within(&answers(&after, 1), 10.001, 20.0), 0);
    assert!(within(&below(&after, 1), 10.001, 20.0) > 0, "they answer their edge server");
    assert_eq!(within(&answers(&after, 1), 20.0, 20.2), 1, "its answer had waited");
    assert_eq!(result.counts.lost.get(&LossReason::CutOff), None);
    let (lost, rows) = tree(&cut.replace("\"wait\"", "\"lost\""), 1);
    assert_eq!(lost.counts.lost.get(&LossReason::CutOff), Some(&1));
    assert_eq!(within(&answers(&rows, 1), 10.0, 20.0), 0);
}

#[test]
fn what_happens_to_edge_servers_is_the_same_with_one_worker_and_two() {
    let all = struck(
        "crash = { edges = [1], for_minutes = 5 }\nslow_down = { edges = [0], work = 3.0 }",
    ) + "[[timeline]]\nat_minutes = 20\npartition = { name = \"u\", edges = [2], for_minutes = 5 }\n";
    let ((one, rows), (two, others)) = (tree(&all, 1), tree(&all, 2));
    assert!(one.counts.lost.len() > 1, "{:?}", one.counts.lost);
    assert_eq!(one.digest, two.digest);
    assert_eq!(one.model.to_vec(), two.model.to_vec());
    assert_eq!(rows, others);
}

/// Four encrypted updates are added up for about a minute. The server has stored the version that they make, so a crash
/// during the sums delays it, and loses it for nobody.
#[test]
fn a_crash_during_encrypted_sums_loses_no_version() {
    let text = r#"
version = 1
run = { seed = 3, versions = 3 }
data = { dataset = "digits", partition = "iid" }
population = { clients = 4 }
[strategy]
pace = { synchronous = { clients = 4 } }
privacy = { paillier = { encrypt_seconds = 0.01, decrypt_seconds = 0.01, add_seconds = 1.0 } }
[[timeline]]
at_minutes = 0.5
crash_server = { for_minutes = 1 }
"#;
    let (result, records) = run(text, 1);
    let made = |record: &Record| match record {
        Record::Aggregation { version, at, .. } => Some((version.0, at.seconds())),
        _ => None,
    };
    let made: Vec<(u64, f64)> = records.iter().filter_map(made).collect();
    let versions: Vec<u64> = made.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3], "{made:?}");
    assert!((made[0].1 - 90.0).abs() < 1e-3, "told when the server is back: {made:?}");
    assert_eq!(result.counts.versions, 3);
}
