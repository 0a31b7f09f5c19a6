//! Edge servers through scenario files: their links, absences, devices, rows and refusals.

use crate::world::{EXACT, Run, load, load_in, run, run_loaded};
use offbeat::Overrides;
use offbeat::rundir::table::rows;
use offbeat_actors::Record;
use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_strategies::LossReason;
use std::path::Path;

const TREE: [&str; 6] = [
    "population.clients=4",
    "run.rounds=2",
    "topology.tree.edges=2",
    "topology.tree.device.reference_flops_per_second=1e4",
    "topology.tree.link={ custom = { up_mbps = { constant = 2.0 }, down_mbps = { constant = 8.0 }, latency_ms = { constant = 100.0 } } }",
    "strategy.pace={ synchronous = { clients = 2 } }",
];

fn below(run: &Run) -> Vec<(u32, &TaskRow)> {
    let of_edges = run.records.iter().filter_map(|record| match record {
        Record::EdgeTask { edge, row, .. } => Some((*edge, row)),
        _ => None,
    });
    of_edges.collect()
}

#[test]
fn links_of_both_tiers_and_the_merge_take_their_time() {
    let run = run(&TREE);
    let parameters = 650.0;
    assert_eq!(run.tasks().len(), 4);
    for row in run.tasks() {
        let down = 0.1 + row.bytes_down as f64 * 8.0 / 8e6;
        let up = 0.1 + row.bytes_up as f64 * 8.0 / 2e6;
        let own: Vec<_> = below(&run)
            .into_iter()
            .filter(|(edge, task)| *edge == row.client.0 && task.version == row.version)
            .collect();
        assert_eq!(own.len(), 2);
        let begun = own.iter().map(|(_, task)| task.invited.seconds()).fold(f64::MAX, f64::min);
        let last = own.iter().map(|(_, task)| task.ended.seconds()).fold(0.0, f64::max);
        assert!((begun - row.invited.seconds() - down).abs() < 2e-6, "{row:?}");
        // Two updates of 650 parameters, two operations each, ten thousand a second.
        let merge = 2.0 * 2.0 * parameters / 1e4;
        assert!((row.ended.seconds() - last - merge - up).abs() < 3e-6, "{row:?}");
    }
    // By default clients are dealt in blocks.
    assert!(below(&run).iter().all(|(edge, task)| *edge == task.client.0 / 2));
}

#[test]
fn an_edge_server_that_is_cut_off_answers_later_while_its_clients_work_on() {
    let away = "topology.tree.availability={ trace = { devices = [{ on = [[0.0, 0.5], [50.0, 1e6]], period = 1e6 }] } }";
    let waits = run(&[&TREE[..], &[away, "run.rounds=1"]].concat());
    for row in waits.tasks() {
        assert_eq!(row.end, TaskEnd::Arrived);
        assert!(row.ended.seconds() > 50.0 && row.ended.seconds() < 51.0, "{row:?}");
    }
    assert!(below(&waits).iter().all(|(_, row)| row.ended.seconds() < 50.0));
    assert_eq!(below(&waits).len(), 4);
    let lost = "topology.tree.interruption=lost";
    let lost = run(&[&TREE[..], &[away, lost, "run.rounds=1"]].concat());
    let gone = TaskEnd::Lost(LossReason::WentOffline);
    assert!(lost.tasks().iter().any(|row| row.end == gone));
}

#[test]
fn an_edge_server_too_small_for_the_network_declines() {
    // Edge server e is participant 4 + e: a trace gives it the value with that number, over again.
    let small = "topology.tree.device.memory_bytes={ trace = { values = [10.0, 1e9] } }";
    let run = run(&[&TREE[..], &[small, "run.rounds=1"]].concat());
    assert!(run.ends(0).contains(&TaskEnd::Lost(LossReason::Declined)), "{:?}", run.ends(0));
    assert_eq!(run.ends(1), [TaskEnd::Arrived]);
    assert!(below(&run).iter().all(|(edge, _)| *edge == 1));
}

#[test]
fn both_tiers_have_rows_in_the_metrics() {
    let run = run(&TREE);
    let all: Vec<_> = run.records.iter().flat_map(rows).collect();
    let of = |kind: &str, metric: &str| {
        all.iter().filter(|row| row.kind == kind && row.metric == metric).collect::<Vec<_>>()
    };
    assert_eq!(of("task", "arrived").len(), 4);
    assert_eq!(of("edge-task", "arrived").len(), 8);
    let sum = |kind: &str, metric: &str| of(kind, metric).iter().map(|row| row.value).sum::<f64>();
    let counts = &run.result.counts;
    assert_eq!(sum("task", "bytes_up"), counts.bytes_up as f64);
    assert_eq!(sum("edge-task", "bytes_up"), counts.below.bytes_up as f64);
    assert_eq!(sum("edge-task", "bytes_down"), counts.below.bytes_down as f64);
    let edges: Vec<f64> = of("edge-task", "edge").iter().map(|row| row.value).collect();
    assert!(edges.len() == 8 && edges.iter().all(|edge| *edge < 2.0));
    assert_eq!(sum("edge-aggregation", "updates"), 8.0);
    assert_eq!(of("edge-aggregation", "round").len(), 4);
}

#[test]
fn clients_are_assigned_as_the_scenario_says() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("edges.txt"), "# four\n1\n0\n1\n1\n").expect("writable");
    let file = "topology.tree.assign={ file = { path = \"edges.txt\" } }";
    let listed = run_loaded(&load_in(folder.path(), &[&TREE[..], &[file]].concat()));
    assert!(below(&listed).iter().all(|(edge, row)| *edge == [1, 0, 1, 1][row.client.index()]));
    let turn = run(&[&TREE[..], &["topology.tree.assign=in-turn"]].concat());
    assert!(below(&turn).iter().all(|(edge, row)| *edge == row.client.0 % 2));
    let text = format!("{EXACT}\n[[population.group]]\ncount = 3\n");
    let set = [&TREE[..], &["topology.tree.assign=by-group"]].concat();
    let overrides =
        Overrides { set: set.iter().map(|s| (*s).to_string()).collect(), ..Overrides::default() };
    let grouped = offbeat::load_text(Path::new("g.toml"), &text, &overrides)
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let grouped = run_loaded(&grouped);
    assert!(below(&grouped).iter().all(|(edge, row)| *edge == row.client.0 / 3));
}

#[test]
fn a_tree_that_cannot_be_is_refused_with_the_way_round() {
    let refused = |set: &[&str]| {
        let set = [&TREE[..], set].concat().iter().map(|text| (*text).to_string()).collect();
        let overrides = Overrides { set, ..Overrides::default() };
        let problems = offbeat::load_text(Path::new("t.toml"), EXACT, &overrides);
        problems.map(|_| ()).expect_err("refused").render(false)
    };
    let holds = |text: String, part: &str| {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(part), "`{part}` is missing in:\n{text}");
    };
    holds(refused(&["topology.tree.edges=5"]), "lower `edges`, or raise `clients`");
    holds(refused(&["topology.tree.edge_rounds=0"]), "`topology.tree.edge_rounds` cannot be 0");
    let wait = "topology.tree.wait={ share = { of_invited = 1.5 } }";
    holds(refused(&[wait]), "a share cannot be 1.5");
    let wait = "topology.tree.wait={ deadline = { seconds = 0.0 } }";
    holds(refused(&[wait]), "0 seconds cannot be waited");
    holds(refused(&["topology.tree.assign=by-group"]), "write `edges = 1`");
    holds(refused(&["strategy.companion=scaffold"]), "write `topology = \"star\"`");
    holds(refused(&["topology.tree.asign=blocks"]), "assign");
    let one =
        load(&[&TREE[..], &["topology.tree.assign={ file = { path = \"none.txt\" } }"]].concat());
    let prepared = crate::world::prepared(&one);
    let settings = offbeat::assemble::Settings::of(&offbeat::run::Options::default(), false);
    let missing =
        offbeat::assemble::assemble(&one, &prepared, &settings).expect_err("no such file");
    assert!(missing.message().starts_with("there is no file"), "{}", missing.message());
}
