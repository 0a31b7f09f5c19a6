//! `offbeat compare`: tables from finished runs.

use offbeat::report::{EvalPoint, RunData};
use std::path::Path;
use std::process::{Command, Output};

fn offbeat(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .arg("compare")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// Keeps a run of `label` that reaches `accuracy` after `hours`, as `offbeat run` would.
fn keep(folder: &Path, name: &str, label: &str, seed: u64, (hours, accuracy): (f64, f64)) {
    let point = |share: f64| EvalPoint {
        epsilon: None,
        attack_success: None,
        virtual_seconds: share * hours * 3600.0,
        version: (share * 10.0) as u64,
        updates: (share * 100.0) as u64,
        bytes_up: (share * 1e6) as u64,
        bytes_down: (share * 1e6) as u64,
        accuracy: share * accuracy,
        loss: 2.0 - share,
        per_class: if share < 1.0 { Vec::new() } else { vec![accuracy, accuracy - 0.25] },
    };
    let run = RunData {
        label: label.into(),
        scenario: "by-hand".into(),
        strategy: label.into(),
        seed,
        evaluations: [0.0, 0.5, 1.0].map(point).into(),
        client_accuracy: vec![accuracy; 4],
        mean_staleness: Some(1.5),
        p95_staleness: Some(4.0),
        wasted_share: Some(0.25),
        ..RunData::default()
    };
    let dir = folder.join(name);
    std::fs::create_dir(&dir).expect("writable");
    let json = serde_json::to_string(&run).expect("serialisable");
    std::fs::write(dir.join("report.json"), json).expect("writable");
}

fn runs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    keep(folder.path(), "a1", "waiting", 1, (4.0, 0.8));
    keep(folder.path(), "a2", "waiting", 2, (8.0, 0.8));
    keep(folder.path(), "b1", "not waiting", 1, (1.0, 1.0));
    keep(folder.path(), "b2", "not waiting", 2, (1.0, 0.5));
    folder
}

#[test]
fn the_table_says_what_one_computes_by_hand() {
    let folder = runs();
    let dirs = ["a1", "a2", "b1", "b2"];
    let output = offbeat(folder.path(), &[&dirs[..], &["--target", "accuracy=0.6"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    insta::assert_snapshot!(table, @r##"
    To accuracy 0.6
    strategy               time (min)     updates   bytes (MB)
    waiting           270.0 ± 1,143.6  75.0 ± 0.0  1.50 ± 0.00
    not waiting                  36.0        60.0         1.20
                 not reached (1 of 2)

    strategy     runs       accuracy    worst tenth  stale (p95)  wasted (%)
    waiting         2  0.800 ± 0.000  0.800 ± 0.000      1.5 (4)  25.0 ± 0.0
    not waiting     2  0.750 ± 3.177  0.750 ± 3.177      1.5 (4)  25.0 ± 0.0

    Accuracy by class
    strategy         0      1
    waiting      0.800  0.550
    not waiting  0.750  0.500

    Mean over runs ± half of the 95 % interval (Student's t).
    stale: mean age of updates in versions, and its 95th percentile.
    The bytes that were sent stand in the page.

    compare.html
    "##);
    let page = std::fs::read_to_string(folder.path().join("compare.html")).expect("a page");
    assert!(page.contains("not waiting") && page.contains("<svg"));
}

#[test]
fn a_folder_of_runs_is_compared_and_json_is_one_object() {
    let folder = runs();
    let output = offbeat(folder.path(), &[".", "--json", "--out", "here.html"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let row = &found["rows"][0];
    assert_eq!((row["label"].as_str(), row["runs"].as_u64()), (Some("waiting"), Some(2)));
    assert!(folder.path().join("here.html").is_file());
}

#[test]
fn folders_without_runs_and_bad_targets_are_wrong_usage() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (args, part) in [
        (&["."][..], "holds no finished run"),
        (&["none"], "there is no directory `none`"),
        (&[".", "--target", "accuracy=2"], "lies between 0 and 1"),
        (&[".", "--target", "speed=2"], "neither `accuracy` nor `loss`"),
    ] {
        let output = offbeat(folder.path(), args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(part), "{told}");
    }
}
