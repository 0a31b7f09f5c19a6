//! What the command prints fits a terminal of 80 columns: results, remarks and errors.

use std::path::Path;
use std::process::{Command, Output};

fn offbeat(args: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(args.iter().map(|arg| arg.replace("OUT", &out.display().to_string())))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("library"))
        .env_remove("OFFBEAT_DATA")
        .env_remove("OFFBEAT_LOG")
        .output()
        .expect("the command starts")
}

/// Each command with its exit code and some of what it prints.
const COMMANDS: &[(&[&str], i32, &str)] = &[
    (&["run", "quickstart.toml", "--out", "OUT", "--set", "run.rounds=3"], 0, "digest"),
    (
        &["run", "stragglers.toml", "--out", "OUT", "--set", "run.versions=5"],
        0,
        "5 versions are done",
    ),
    (&["run", "edges.toml", "--out", "OUT", "--set", "run.rounds=3"], 0, "below edges"),
    (&["run", "outage.toml", "--out", "OUT"], 0, "digest"),
    (&["check", "quickstart.toml"], 0, "valid"),
    (&["check", "attacks.toml"], 0, "warning"),
    (&["check", "edges.toml"], 0, "variants"),
    (&["explain", "quickstart.toml"], 0, "learns"),
    (&["explain", "edges.toml"], 0, "`offbeat sweep` does them all"),
    (&["explain", "timeline"], 0, "[[timeline]]"),
    (&["explain", "strategy.weigh"], 0, "staleness"),
    (&["explain", "strategy.weigh[]"], 0, "staleness"),
    (&["explain", "evaluation.on"], 0, "clients"),
    (&["explain", "training"], 0, "[training]"),
    (&["explain", "strategy.pace.fediod"], 0, "a table"),
    (&["explain", "scenario"], 2, "did you mean"),
    (&["list"], 0, "scenarios"),
    (&["doctor", "--seconds", "0"], 0, "  scenarios/libtorch.sh libtorch\n"),
    (&["run", "nowhere/stragglers.toml"], 2, "`offbeat init` writes a scenario anywhere"),
    (&["run", "."], 2, "is a folder, not a scenario"),
    (&["run", "quickstart.toml", "--out", "/proc/nowhere"], 1, "help: `--out DIR`"),
    (&["run", "quickstart.toml", "--prometheus", "foo"], 2, "--prometheus"),
    (&["run", "quickstart.toml", "--seed", "-1"], 2, "help: no option takes a number below 0"),
    (&["rnu", "quickstart.toml"], 2, "help: did you mean `offbeat run`?"),
    (&["resume", "nowhere"], 2, "there is no run directory `nowhere`"),
    (&["fork", "nowhere", "--set", "run.seed=2"], 2, "help: `ls runs` shows them"),
    (&["fork", "nowhere", "--at", "banana"], 2, "expected a number and s, min, h or d"),
    (&["compare", "nowhere"], 2, "help: name run directories"),
    (&["compare", "OUT", "--target", "speed=2"], 2, "neither `accuracy` nor `loss`"),
    (&["bench", "nothing"], 2, "help: workloads here"),
    (&["data", "preview", "market", "--out", "OUT/x.png"], 2, "help:"),
    (&["data", "preview", "synthetic-faces", "--out", "OUT/y.png"], 0, "training"),
    (&["data", "export", "grid-like", "--out", "/proc/nowhere"], 1, "cannot write"),
    (&["new-strategy", "My"], 2, "help: small letters"),
    (&["compare", "OUT", "--out", "OUT/new/c.html"], 0, "quickstart: "),
];

#[test]
fn everything_fits_eighty_columns() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let long = folder.path().display().to_string();
    for (args, code, words) in COMMANDS {
        let output = offbeat(args, folder.path());
        let both = [output.stdout, output.stderr].concat();
        // How long a temporary path is does not matter here.
        let printed = String::from_utf8(both).expect("text").replace(&long, "OUT");
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {printed}");
        let flat = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = printed.contains(words) || flat.contains(words);
        assert!(told, "{args:?}: `{words}` is missing in:\n{printed}");
        let wide = printed.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{args:?}: wider than 80 columns");
    }
}

#[test]
fn a_missing_base_is_all_that_is_told() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let place = folder.path().join("s.toml");
    std::fs::write(&place, "version = 1\nextends = \"base.toml\"\n").expect("writable");
    let output = offbeat(&["check", "OUT/s.toml"], folder.path());
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("there is no file") && told.contains("s.toml: 1 error"), "{told}");
}

#[test]
fn a_file_without_a_sweep_is_told_so_and_twins_are_left_out() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sweep = ["sweep", "quickstart.toml", "--out", "OUT", "--set", "run.rounds=2"];
    let output = offbeat(&sweep, folder.path());
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success() && told.contains("no `[sweep]` in this scenario"), "{told}");
    for out in ["OUT/one", "OUT/two"] {
        let run = ["run", "quickstart.toml", "--out", out, "--set", "run.rounds=2", "--quiet"];
        assert!(offbeat(&run, folder.path()).status.success());
    }
    let compare = ["compare", "OUT/one", "OUT/two", "--out", "OUT/c.html"];
    let output = offbeat(&compare, folder.path());
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success() && told.contains("is the same run as"), "{told}");
}
