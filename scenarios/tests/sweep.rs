//! `offbeat sweep`: the grid is run, kept and not run again; errors point at the sweep's lines.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TINY: &str = "\
version = 1
name = \"tiny\"
[run]
seed = 1
versions = 4
[data]
dataset = \"digits\"
partition = \"iid\"
[population]
clients = 10
[population.device]
reference_flops_per_second = 1e6
speed = { lognormal = { median = 1.0, sigma = 1.0 } }
[strategy]
pace = { synchronous = { clients = 4 } }
[sweep]
seed = [1, 2]
target = { metric = \"accuracy\", value = 0.3 }
[[sweep.variant]]
label = \"all wait\"
set = { \"strategy.pace\" = { synchronous = { clients = 4 } } }
[[sweep.variant]]
label = \"none wait\"
set = { \"strategy.pace\" = { buffered = { buffer = 2, concurrency = 4 } } }
";

fn offbeat(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// A folder with `text` as `s.toml`.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("s.toml"), text).expect("writable");
    folder
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = offbeat(folder, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("exactly one JSON object")
}

fn ledger(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("sweep.json")).expect("a ledger");
    let ledger: Value = serde_json::from_str(&text).expect("JSON");
    ledger["runs"].as_array().expect("runs").clone()
}

fn place(dir: &Path, run: &Value) -> PathBuf {
    dir.join(run["status"]["done"].as_str().expect("a finished run"))
}

fn digest(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    summary["digest"].as_str().expect("text").to_string()
}

#[test]
fn a_sweep_gives_the_runs_of_its_grid_with_the_digests_that_they_have_alone() {
    let folder = folder(TINY);
    let answer =
        json(folder.path(), &["sweep", "s.toml", "--out", "o", "--workers", "3", "--json"]);
    assert_eq!(
        (&answer["ran"], &answer["kept"], &answer["failed"]),
        (&4.into(), &0.into(), &0.into())
    );
    let labels: Vec<_> = answer["comparison"]["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["label"].clone())
        .collect();
    assert_eq!(labels, ["all wait", "none wait"]);
    let dir = folder.path().join("o/sweep-tiny");
    assert!(dir.join("compare.html").is_file());
    let runs = ledger(&dir);
    let named: Vec<_> =
        runs.iter().map(|run| (run["label"].as_str(), run["seed"].as_u64())).collect();
    let (all, none) = (Some("all wait"), Some("none wait"));
    assert_eq!(named, [(all, Some(1)), (all, Some(2)), (none, Some(1)), (none, Some(2))]);
    let pace = "strategy.pace={ buffered = { buffer = 2, concurrency = 4 } }";
    let alone = json(
        folder.path(),
        &["run", "s.toml", "--out", "a", "--set", pace, "--seed", "2", "--json"],
    );
    let last = place(&dir, &runs[3]);
    assert_eq!(alone["digest"], digest(&last));
    assert!(last.file_name().expect("a name").to_string_lossy().starts_with("none-wait-2-"));
    for file in ["report.html", "report.json", "metrics.csv", "scenario.toml"] {
        assert!(last.join(file).is_file(), "{file}");
    }
}

#[test]
fn finished_runs_are_not_run_again() {
    let folder = folder(TINY);
    let dir = folder.path().join("o/sweep-tiny");
    let sweep = |further: &[&str]| {
        json(folder.path(), &[&["sweep", "s.toml", "--out", "o", "--json"], further].concat())
    };
    let counts = |answer: &Value| (answer["ran"].as_u64(), answer["kept"].as_u64());
    assert_eq!(counts(&sweep(&[])), (Some(4), Some(0)));
    let before = ledger(&dir);
    assert_eq!(counts(&sweep(&[])), (Some(0), Some(4)));
    assert_eq!(ledger(&dir), before);
    // What a run leaves behind and what it is called do not decide its result; a further seed does.
    let more = ["--set", "sweep.seed=[1, 2, 3]", "--set", "output.tasks=false"];
    assert_eq!(counts(&sweep(&more)), (Some(2), Some(4)));
    std::fs::remove_dir_all(place(&dir, &before[1])).expect("removable");
    assert_eq!(counts(&sweep(&[])), (Some(1), Some(3)));
    let kept: Vec<_> = ledger(&dir).iter().map(|run| run["in_grid"].as_bool()).collect();
    assert_eq!(kept, [[Some(true); 4].as_slice(), &[Some(false); 2]].concat());
}

#[test]
fn a_run_that_fails_does_not_stop_the_others() {
    let axis = "'data.dataset' = [\"digits\", { csv = { train = \"no.csv\" } }]\ntarget";
    let folder = folder(&TINY.replace("target", axis));
    let output = offbeat(folder.path(), &["sweep", "s.toml", "--out", "o"]);
    let told = String::from_utf8_lossy(&output.stderr);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("no.csv") && told.contains("4 of 8 runs failed"), "{told}");
    assert_eq!(told.matches("asked for here").count(), 1, "one reason is told once: {told}");
    assert!(table.contains("all wait, dataset=digits"), "{table}");
}

/// What `command` prints about a scenario that is refused.
fn refused(command: &str, text: &str) -> String {
    let folder = folder(text);
    let output = offbeat(folder.path(), &[command, "s.toml"]);
    let printed = String::from_utf8(output.stderr).expect("messages are text");
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(!folder.path().join("runs").exists(), "nothing was run");
    printed
}

#[test]
fn a_wrong_value_in_the_grid_points_at_its_line_in_every_command() {
    let text = TINY.replace("seed = [1, 2]", "seed = [1, 2]\n\"training.batch\" = [8, 0]");
    for command in ["sweep", "run", "check"] {
        let printed = refused(command, &text);
        assert!(printed.contains("`training.batch` cannot be 0"), "{printed}");
        assert!(printed.contains("[s.toml:18:24]"), "{printed}");
        assert!(printed.contains("s.toml: 1 error"), "once, not for every point:\n{printed}");
    }
}

#[test]
fn wrong_keys_of_a_sweep_are_explained() {
    let text = TINY
        .replace(
            "seed = [1, 2]",
            "seed = 7\n\"training.bacth\" = [8]\n\"training.epochs\" = [1, 1]",
        )
        .replace("label = \"all wait\"", "lable = \"all wait\"")
        .replace(
            "{ \"strategy.pace\" = { synchronous = { clients = 4 } } }",
            "{ strategy.pace = \"safa\" }",
        );
    insta::assert_snapshot!(refused("sweep", &text), @r##"
      × `sweep.seed` takes a list of values, not the number 7
        ╭─[s.toml:17:8]
     16 │ [sweep]
     17 │ seed = 7
        ·        ┬
        ·        ╰── expected a list of values
     18 │ "training.bacth" = [8]
        ╰────
      help: write the values to try in brackets: `[1, 2, 3]`

      × unknown key `bacth` in `training`
        ╭─[s.toml:18:1]
     17 │ seed = 7
     18 │ "training.bacth" = [8]
        · ────────┬───────
        ·         ╰── not a key of this table
     19 │ "training.epochs" = [1, 1]
        ╰────
      help: did you mean `batch`? keys here: `epochs`, `steps`, `batch`,
            `last_batch`, `sgd`, `objective`, `augment`, `instances`, `trainer`,
            `cohort`

      × `training.epochs` has a value twice
        ╭─[s.toml:19:25]
     18 │ "training.bacth" = [8]
     19 │ "training.epochs" = [1, 1]
        ·                         ┬
        ·                         ╰── again
     20 │ target = { metric = "accuracy", value = 0.3 }
        ╰────
      help: remove one of the two

      × unknown key `lable` in `sweep.variant.0`
        ╭─[s.toml:22:1]
     21 │ [[sweep.variant]]
     22 │ lable = "all wait"
        · ──┬──
        ·   ╰── not a key of a variant
     23 │ set = { strategy.pace = "safa" }
        ╰────
      help: keys here: `label`, `set`

      × `sweep.variant.0.set` has a whole section `strategy`
        ╭─[s.toml:23:9]
     22 │ lable = "all wait"
     23 │ set = { strategy.pace = "safa" }
        ·         ────┬───
        ·             ╰── which keys of it are meant?
     24 │ [[sweep.variant]]
        ╰────
      help: write the path of each key in quotes: `"strategy.…" = …`

    s.toml: 5 errors
    "##);
}

#[test]
fn two_variants_of_one_name_are_refused() {
    let printed = refused("check", &TINY.replace("none wait", "all wait"));
    assert!(printed.contains("two variants of the sweep have the same name"), "{printed}");
    assert!(printed.contains("help: give each a `label` of its own"), "{printed}");
}
