//! What the command promises: one JSON object, digests, run directories, exit codes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn library(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("library").join(name)
}

fn run(scenario: &str, folder: &Path, further: &[&str]) -> Output {
    let path = library(scenario);
    let limit = if scenario == "hospitals.toml" { "run.rounds=20" } else { "run.versions=20" };
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .arg("run")
        .arg(path)
        .args(["--out", "out", "--set", limit])
        .args(further)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

fn json(scenario: &str, folder: &Path, further: &[&str]) -> serde_json::Value {
    let output = run(scenario, folder, &[&["--json"], further].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("exactly one JSON object")
}

#[test]
fn json_has_the_promised_keys_and_the_directory_the_promised_files() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let answer = json("quickstart.toml", folder.path(), &[]);
    let keys: BTreeSet<&str> =
        answer.as_object().expect("an object").keys().map(String::as_str).collect();
    let promised = [
        "scenario",
        "seed",
        "digest",
        "ended",
        "virtual_seconds",
        "wall_seconds",
        "events",
        "updates",
        "versions",
        "bytes_up",
        "bytes_down",
        "final",
        "run_dir",
    ];
    assert_eq!(keys, BTreeSet::from(promised));
    assert!(answer["final"]["accuracy"].is_f64() && answer["final"]["loss"].is_f64());
    assert_eq!(answer["versions"], 20);
    let digest = answer["digest"].as_str().expect("text");
    let run_dir = answer["run_dir"].as_str().expect("text");
    assert!(run_dir.ends_with(&format!("quickstart-1-{}", &digest[..8])), "{run_dir}");
    let run_dir = folder.path().join(run_dir);
    let files: BTreeSet<String> = std::fs::read_dir(&run_dir)
        .expect("the run directory")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    let expected = [
        "metrics.csv",
        "model.safetensors",
        "report.html",
        "report.json",
        "scenario.toml",
        "summary.json",
        "version.json",
    ];
    assert_eq!(files, expected.map(String::from).into());
    assert_eq!(
        std::fs::read_dir(folder.path().join("out")).expect("readable").count(),
        1,
        "no rests"
    );
    let metrics = std::fs::read_to_string(run_dir.join("metrics.csv")).expect("readable");
    assert!(metrics.starts_with("kind,virtual_seconds,wall_seconds,version,client,metric,value\n"));
    let last = metrics.lines().rfind(|line| line.contains(",,accuracy,")).expect("an evaluation");
    let accuracy: f64 = last.rsplit(',').next().expect("a value").parse().expect("a number");
    assert_eq!(answer["final"]["accuracy"].as_f64(), Some(accuracy));
}

#[test]
fn the_same_seed_gives_the_same_bits_with_any_number_of_workers() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let digest =
        |further: &[&str]| json("quickstart.toml", folder.path(), further)["digest"].clone();
    let first = digest(&["--workers", "1"]);
    for workers in ["1", "2", "3"] {
        assert_eq!(digest(&["--workers", workers]), first);
    }
    assert_ne!(digest(&["--seed", "2"]), first);
    for list in ["flex*3", "flex,flex"] {
        assert_eq!(digest(&["--device", list]), first, "one device, however it is listed");
    }
    assert_eq!(digest(&["--set", "run.device=\"flex*2\""]), first, "or named in the file");
}

#[test]
fn the_resolved_scenario_gives_the_same_run() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let first = json("hospitals.toml", folder.path(), &["--set", "training.batch=8"]);
    let resolved = Path::new(first["run_dir"].as_str().expect("text")).join("scenario.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .arg("run")
        .arg(resolved)
        .args(["--out", "again", "--json"])
        .current_dir(folder.path())
        .output()
        .expect("the command starts");
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(again["digest"], first["digest"]);
    assert!(first["final"]["local_accuracy"].is_f64(), "the comparison was asked for");
}

#[test]
fn timing_only_has_the_same_events_and_bytes() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let whole = json("quickstart.toml", folder.path(), &[]);
    let timing = json("quickstart.toml", folder.path(), &["--timing-only"]);
    for key in ["virtual_seconds", "events", "updates", "versions", "bytes_up", "bytes_down"] {
        assert_eq!(whole[key], timing[key], "{key}");
    }
}

#[test]
fn determinism_is_checked_and_quiet_is_quiet() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = run("quickstart.toml", folder.path(), &["--check-determinism", "--quiet"]);
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("the same with 1 and"), "{told}");
}

#[test]
fn every_library_scenario_is_valid() {
    for (path, text) in offbeat::catalogue::LIBRARY {
        // Files that a scenario names lie beside it.
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let loaded = offbeat::load_text(&place, text, &offbeat::Overrides::default());
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        // Some rows of the table of attacks have more hostile clients than a rule is made for: that is their point.
        let meant = path.ends_with("attacks.toml");
        assert!(loaded.warnings.is_empty() || meant, "{}", loaded.warnings);
    }
}

fn bench(further: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(["bench", "--quick", "--json"])
        .args(further)
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("exactly one JSON object")
}

#[test]
fn benchmarks_are_measured_case_by_case() {
    let report = bench(&["overhead-1k", "softmax-1k", "--workers", "1,2"]);
    let rows = report["rows"].as_array().expect("rows");
    let names: Vec<_> = rows.iter().map(|row| (&row["name"], &row["workers"])).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(rows[0]["tasks"], 10_000);
    assert_eq!(rows[0]["samples"], 0);
    assert_eq!(rows[2]["tasks"], 2_000);
    assert!(rows[2]["samples"].as_u64().expect("a count") > 100_000);
    assert_eq!(rows[2]["digest"], rows[3]["digest"], "the number of workers changes nothing");
    assert!(rows[0]["speedup"].is_null() && rows[1]["speedup"].is_number());
}

#[test]
fn a_cancelled_job_of_over_selection_is_never_computed() {
    let report = bench(&[
        "softmax-1k",
        "--set",
        "strategy.pace={ over-selection = { clients = 100, factor = 1.3 } }",
        "--set",
        "population.device.speed={ lognormal = { median = 1.0, sigma = 0.6 } }",
    ]);
    let row = &report["rows"][0];
    assert_eq!(row["tasks"], 2_000);
    assert_eq!(row["jobs_wasted"], 0);
    // 30 of 130 in each of 20 rounds; a few are taken back before they have a job at all.
    let spared = row["jobs_spared"].as_u64().expect("a count");
    assert!((550..=600).contains(&spared), "{spared} jobs were spared");
    // The others, and the evaluation's few pieces.
    let computed = row["jobs_computed"].as_u64().expect("a count");
    assert!((2_000..2_100).contains(&computed), "{computed} jobs were computed");
}

#[test]
fn an_unknown_workload_is_wrong_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(["bench", "cn"])
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("did you mean `cnn`?"), "{error}");
}
