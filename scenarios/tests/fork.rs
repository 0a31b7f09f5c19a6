//! Runs that go on from a snapshot of another in another way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCENARIO: &str = "version = 1
name = \"trunk\"
[run]
seed = 5
versions = 40
[data]
dataset = \"digits\"
partition = { dirichlet = { alpha = 1.0 } }
[population]
clients = 10
[population.device]
reference_flops_per_second = 1e6
[strategy]
pace = { buffered = { buffer = 3, concurrency = 6 } }
[output]
snapshot = { every_virtual_minutes = 0.02, keep = 100 }
";

fn offbeat(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    command.args(arguments).current_dir(folder).output().expect("the command starts")
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A finished run, by its directory.
fn trunk(folder: &Path) -> PathBuf {
    trunk_of(folder, SCENARIO)
}

fn trunk_of(folder: &Path, text: &str) -> PathBuf {
    fs::write(folder.join("s.toml"), text).expect("writable");
    let output = offbeat(folder, &["run", "s.toml", "--out", "out", "--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
    let mut entries = fs::read_dir(folder.join("out")).expect("the folder of runs");
    entries.next().expect("a run directory").expect("readable").path()
}

/// Forks, and gives the summary.
fn fork(folder: &Path, dir: &Path, arguments: &[&str]) -> serde_json::Value {
    let dir = dir.to_string_lossy();
    let output = offbeat(folder, &[&["fork", &dir, "--json"], arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn rows(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("metrics.csv")).expect("the rows");
    let bare = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(2);
        cells.join(",")
    };
    text.lines().map(bare).collect()
}

fn place(folder: &Path, summary: &serde_json::Value) -> PathBuf {
    folder.join(summary["run_dir"].as_str().expect("a path"))
}

#[test]
fn a_fork_that_changes_nothing_is_the_same_run() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let dir = trunk(folder.path());
    let text = fs::read_to_string(dir.join("summary.json")).expect("readable");
    let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let same = fork(folder.path(), &dir, &["--at", "3s"]);
    assert_eq!(same["digest"], whole["digest"]);
    assert_eq!(rows(&place(folder.path(), &same)), rows(&dir));
}

#[test]
fn a_fork_has_the_same_past_and_another_future() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let dir = trunk(folder.path());
    let arguments =
        ["--at", "3s", "--set", "strategy.combine=\"median\"", "--set", "run.versions=45"];
    let one = fork(folder.path(), &dir, &[&arguments[..], &["--workers", "1"]].concat());
    let two = fork(folder.path(), &dir, &[&arguments[..], &["--workers", "2"]].concat());
    assert_eq!(one["digest"], two["digest"]);
    assert_eq!(one["versions"], 45);
    let (trunk, branch) = (rows(&dir), rows(&place(folder.path(), &one)));
    let common = trunk.iter().zip(&branch).take_while(|(a, b)| a == b).count();
    assert!(common > 10 && common < trunk.len(), "{common} of {} rows in common", trunk.len());
    // A fork can be forked, and everything is still told apart.
    let again = fork(folder.path(), &place(folder.path(), &one), &["--at", "4s"]);
    assert_eq!(again["digest"], one["digest"]);
}

#[test]
fn a_fork_can_have_a_timeline() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let dir = trunk(folder.path());
    let stop = "timeline=[{ at_minutes = 0.08, stop = \"enough\" }]";
    let stopped = fork(folder.path(), &dir, &["--at", "3s", "--set", stop]);
    assert!(stopped["versions"].as_u64().expect("a count") < 40, "{stopped}");
    assert_eq!(stopped["virtual_seconds"].as_f64(), Some(4.8), "{stopped}");
}

/// Other parts can be switched beside a schedule that a file has, by a timeline and by a fork.
#[test]
fn a_schedule_from_a_file_stays_when_other_parts_are_switched() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let rounds: String =
        (0..60).map(|round| format!("{}, {}\n", round % 10, (round + 3) % 10)).collect();
    fs::write(folder.path().join("rounds.txt"), rounds).expect("writable");
    let pace = "pace = { synchronous = { clients = 2 } }\nselect = \"schedule\"\nschedule_file = \"rounds.txt\"";
    let text = SCENARIO.replace("pace = { buffered = { buffer = 3, concurrency = 6 } }", pace);
    let switch = "[[timeline]]\nwhen = { version = 5 }\nswitch = { weigh = [\"uniform\"] }\n";
    let dir = trunk_of(folder.path(), &format!("{text}{switch}"));
    let fork = fork(folder.path(), &dir, &["--at", "3s", "--set", "strategy.combine=\"median\""]);
    assert_eq!(fork["versions"], 40, "{fork}");
}

#[test]
fn what_was_settled_and_what_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let dir = trunk(folder.path());
    let dir = dir.to_string_lossy();
    let refused = |arguments: &[&str], words: &str| {
        let output = offbeat(folder.path(), &[&["fork", &dir], arguments].concat());
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said(&output).contains(words), "{}", said(&output));
        let wide = |line: &str| line.chars().count() > 80 && !line.contains(&*dir);
        assert!(!String::from_utf8_lossy(&output.stderr).lines().any(wide), "{}", said(&output));
    };
    refused(&["--set", "run.seed=6"], "`run.seed` cannot change in a fork");
    refused(&["--set", "run.seed=6"], "start a new run with `offbeat run");
    refused(&["--set", "population.clients=3"], "`population.clients` cannot change in a fork");
    refused(&["--at", "1s"], "no snapshot is as early as 1.00s");
    refused(&["--at", "1s"], "help: there are 1.10s, ");
    refused(&["--at", "1s"], "give `--at 2s` or later");
    refused(&["--at", "soon"], "expected a number and s, min, h or d");
    refused(&["--set", "strategy.pase=1"], "strategy.pase");
}
