//! Ten million unexpected bytes for every file that a scenario can name, and for snapshots.

#[path = "../../engine/kernel/tests/common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use offbeat::{schedule, traces};
use std::fs;
use std::path::Path;
use std::process::Command;

fn by_file(name: &str, valid: &[&str], read: impl Fn(&Path) -> bool) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("f.csv");
    let valid: Vec<Vec<u8>> = valid.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(name, &valid, TEN_MILLION, |input| {
        fs::write(&file, input).expect("writable");
        read(&file)
    });
}

#[test]
fn schedules() {
    by_file("schedule", &["0 1 2\n3 4\n", "# by hand\n1\n2\n"], |path| {
        schedule::read(path, 5).is_ok_and(|rounds| rounds.iter().flatten().all(|id| *id < 5))
    });
}

#[test]
fn speeds_and_presence() {
    by_file("speeds", &["1.0\n2.5\n0.5\n"], |path| traces::speeds(path).is_ok());
    by_file("presence", &["device,from_seconds,to_seconds\na,0,60\na,90,120\nb,5,50\n"], |path| {
        traces::presence(path).is_ok()
    });
}

const SCENARIO: &str = "version = 1
name = \"s\"
run = { seed = 5, versions = 4 }
data = { dataset = { synthetic = { train = 40, test = 10, inputs = 2, classes = 2 } }, partition = { iid = {} } }
population = { clients = 4, device = { reference_flops_per_second = 1e4 } }
network = { model = \"softmax\" }
output = { snapshot = { every_virtual_minutes = 0.0001, keep = 1 } }
[strategy]
pace = { synchronous = { clients = 2 } }
";

/// A snapshot is not taken at all unless every bit of it is as it was written.
#[test]
fn snapshots() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("s.toml"), SCENARIO).expect("writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    let command = command.args(["run", "s.toml", "--out", "out", "--quiet"]);
    let output = command.current_dir(folder.path()).output().expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut runs = fs::read_dir(folder.path().join("out")).expect("runs");
    let dir = runs.next().expect("a run").expect("readable").path();
    let entries = fs::read_dir(dir.join("snapshots")).expect("snapshots");
    let states = entries.map(|entry| entry.expect("readable").path());
    let state = states.filter(|path| path.to_string_lossy().contains("state-")).max();
    let state = state.expect("a snapshot");
    let valid = fs::read(&state).expect("readable");
    let whole = valid.clone();
    fuzz("snapshot", &[valid], TEN_MILLION, |input| {
        fs::write(&state, input).expect("writable");
        let taken = offbeat::snapshot::Vault::latest(&dir, |_| true).is_ok();
        assert!(!taken || input == whole, "a damaged snapshot is taken: {input:02x?}");
        taken
    });
}
