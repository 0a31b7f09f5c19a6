//! Damaged snapshots, other scenarios and full disks: clear errors, and the snapshot before still goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCENARIO: &str = "version = 1
name = \"s\"
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
snapshot = { every_virtual_minutes = 0.02, keep = 3 }
";

fn offbeat(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    command.args(arguments).current_dir(folder).output().expect("the command starts")
}

fn only(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).expect("the folder of runs");
    entries.next().expect("a run directory").expect("readable").path()
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn digest(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("summary.json")).expect("the summary");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    summary["digest"].as_str().expect("text").to_string()
}

fn files(dir: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("snapshots")).expect("snapshots");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().contains(kind)).collect();
    paths.sort();
    paths
}

/// A finished run, made to look like one that was killed after its last snapshot.
fn killed(folder: &Path) -> (PathBuf, String) {
    killed_of(folder, SCENARIO)
}

fn killed_of(folder: &Path, scenario: &str) -> (PathBuf, String) {
    fs::write(folder.join("s.toml"), scenario).expect("writable");
    let output = offbeat(folder, &["run", "s.toml", "--out", "out", "--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
    let dir = only(&folder.join("out"));
    let digest = digest(&dir);
    fs::remove_file(dir.join("summary.json")).expect("there");
    (dir, digest)
}

#[test]
fn a_truncated_snapshot_is_passed_over() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (dir, whole) = killed(folder.path());
    let last = files(&dir, "state-").pop().expect("a snapshot");
    let bytes = fs::read(&last).expect("readable");
    fs::write(&last, &bytes[..bytes.len() / 2]).expect("writable");
    let output = offbeat(folder.path(), &["resume", &dir.to_string_lossy()]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("passed over a snapshot"), "{}", said(&output));
    assert_eq!(digest(&only(&folder.path().join("out"))), whole);
}

#[test]
fn damage_everywhere_and_other_scenarios_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (dir, _) = killed(folder.path());
    let resume = || said(&offbeat(folder.path(), &["resume", &dir.to_string_lossy()]));
    let scenario = dir.join("scenario.toml");
    let text = fs::read_to_string(&scenario).expect("readable");
    fs::write(&scenario, text.replace("versions = 40", "versions = 41")).expect("writable");
    let told = resume();
    assert!(told.contains("[versions = 40], here it has [versions = 41]"), "{told}");
    fs::write(&scenario, text).expect("writable");
    for path in files(&dir, "vectors-") {
        let mut bytes = fs::read(&path).expect("readable");
        bytes.iter_mut().for_each(|byte| *byte ^= 1);
        fs::write(&path, bytes).expect("writable");
    }
    let told = resume();
    assert!(told.contains("cannot go on") && told.contains("vectors-"), "{told}");
}

#[test]
fn a_complete_run_is_not_resumed() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("s.toml"), SCENARIO).expect("writable");
    offbeat(folder.path(), &["run", "s.toml", "--out", "out", "--quiet"]);
    let dir = only(&folder.path().join("out"));
    let output = offbeat(folder.path(), &["resume", &dir.to_string_lossy()]);
    assert!(said(&output).contains("the run is complete"), "{}", said(&output));
    assert!(said(&output).contains("help: `offbeat fork"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_run_that_lacks_but_its_final_name_gets_it() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("s.toml"), SCENARIO).expect("writable");
    offbeat(folder.path(), &["run", "s.toml", "--out", "out", "--quiet"]);
    let dir = only(&folder.path().join("out"));
    let (whole, unnamed) = (digest(&dir), folder.path().join("out/s-1.running-1"));
    fs::rename(&dir, &unnamed).expect("it can be renamed");
    let output = offbeat(folder.path(), &["resume", &unnamed.to_string_lossy()]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(digest(&only(&folder.path().join("out"))), whole);
}

#[test]
fn an_unwritable_place_is_named() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("s.toml"), SCENARIO).expect("writable");
    fs::write(folder.path().join("file"), "").expect("writable");
    let output = offbeat(folder.path(), &["run", "s.toml", "--out", "file/runs", "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cannot write file/runs"), "{}", said(&output));
}

/// A script that chooses and weighs by what it remembers and draws: what it keeps is part of a snapshot, and without
/// it the run would go on differently.
#[test]
fn a_script_that_remembers_goes_on_to_the_same_digest() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let rules = "fn select(want, free) {
    if this.turn == () { this.turn = 0; }
    this.turn += 1;
    let first = (this.turn * 3 + (random() * 2.0).to_int()) % free.len();
    let order = free.extract(first) + free.extract(0, first);
    order.extract(0, want)
}
fn weigh(u) {
    if this.seen == () { this.seen = #{}; }
    let key = `${u.client}`;
    if !(key in this.seen) { this.seen[key] = 0; }
    this.seen[key] += 1;
    u.samples / this.seen[key]
}
";
    fs::write(folder.path().join("rules.rhai"), rules).expect("writable");
    let scenario = SCENARIO.replace(
        "[strategy]\n",
        "[script]\nfile = \"rules.rhai\"\n[strategy]\nselect = \"script\"\nweigh = [\"script\"]\n",
    );
    let (dir, whole) = killed_of(folder.path(), &scenario);
    // From each of the snapshots that are kept, the last first.
    for _ in 0..3 {
        let output = offbeat(folder.path(), &["resume", &dir.to_string_lossy()]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("goes on at"), "{}", said(&output));
        let done = only(&folder.path().join("out"));
        assert_eq!(digest(&done), whole);
        if files(&done, "state-").len() == 1 {
            break;
        }
        fs::remove_file(done.join("summary.json")).expect("there");
        fs::remove_file(files(&done, "state-").pop().expect("a snapshot")).expect("there");
    }
}
