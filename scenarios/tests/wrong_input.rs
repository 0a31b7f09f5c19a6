//! Wrong input: the text that a user reads, and the exit code.

use std::path::Path;
use std::process::{Command, Output};

const GOOD: &str = "\
version = 1
[run]
seed = 1
rounds = 2
[data]
dataset = \"digits\"
partition = \"iid\"
[population]
clients = 10
[training]
batch = 32
";

fn offbeat(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(args)
        .current_dir(folder)
        .env_remove("OFFBEAT_DATA")
        .env_remove("OFFBEAT_LOG")
        .output()
        .expect("the command starts")
}

/// Writes `text` as `s.toml`, runs it with further arguments, expects exit code 2 and gives what was
/// printed on standard error.
fn refused(text: &str, further: &[&str]) -> String {
    refused_with(text, further, &[])
}

fn refused_with(text: &str, further: &[&str], files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("s.toml"), text).expect("writable");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    let output = offbeat(&[&["run", "s.toml", "--out", "out"], further].concat(), folder.path());
    let printed = String::from_utf8(output.stderr).expect("messages are text");
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(output.stdout.is_empty(), "standard output is for results");
    assert!(!folder.path().join("out").exists(), "nothing was run");
    assert!(
        printed.lines().all(|line| line.chars().count() <= 80),
        "wider than 80 columns:\n{printed}"
    );
    assert!(!printed.contains('\u{1b}'), "no colours without a terminal");
    printed.replace(&folder.path().display().to_string(), "DIR")
}

fn expect(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "`{part}` is missing in:\n{printed}");
    }
}

#[test]
fn unknown_key() {
    let printed = refused(&GOOD.replace("batch = 32", "bacth = 32"), &[]);
    insta::assert_snapshot!(printed, @r"
      × unknown key `bacth` in `training`
        ╭─[s.toml:11:1]
     10 │ [training]
     11 │ bacth = 32
        · ──┬──
        ·   ╰── not a key of this table
        ╰────
      help: did you mean `batch`? keys here: `epochs`, `steps`, `batch`,
            `last_batch`, `sgd`, `objective`, `augment`, `instances`, `trainer`,
            `cohort`

    s.toml: 1 error
    ");
}

#[test]
fn wrong_type() {
    let printed = refused(&GOOD.replace("batch = 32", "batch = \"32\""), &[]);
    insta::assert_snapshot!(printed, @r#"
      × `training.batch` takes a whole number, not the text "32"
        ╭─[s.toml:11:9]
     10 │ [training]
     11 │ batch = "32"
        ·         ──┬─
        ·           ╰── expected a whole number
        ╰────
      help: write it without quotes: 32

    s.toml: 1 error
    "#);
}

#[test]
fn out_of_range_value() {
    let printed = refused(&GOOD.replace("batch = 32", "batch = 0"), &[]);
    insta::assert_snapshot!(printed, @r"
      × `training.batch` cannot be 0
        ╭─[s.toml:11:9]
     10 │ [training]
     11 │ batch = 0
        ·         ┬
        ·         ╰── must be from 1 to 1000000
        ╰────
      help: it is a whole number, at least 1, at most 1000000: samples in a batch.

    s.toml: 1 error
    ");
}

#[test]
fn unknown_name() {
    let printed = refused(&GOOD.replace("\"digits\"", "\"digit\""), &[]);
    expect(
        &printed,
        &["`data.dataset` cannot be `digit`", "[s.toml:6:11]", "help: did you mean `digits`?"],
    );
}

#[test]
fn missing_scenario_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("quickstart.toml"), GOOD).expect("writable");
    let output = offbeat(&["run", "quickstrat.toml"], folder.path());
    let printed = String::from_utf8(output.stderr).expect("messages are text");
    assert_eq!(output.status.code(), Some(2));
    expect(&printed, &["cannot read `quickstrat.toml`", "help: did you mean `./quickstart.toml`?"]);
    let output = offbeat(&["run", "fedgc"], folder.path());
    let printed = String::from_utf8(output.stderr).expect("messages are text");
    expect(
        &printed,
        &["`scenarios/library/fedgc.toml` is in the folder", "`offbeat init` writes a"],
    );
}

#[test]
fn missing_data_file() {
    let text = GOOD.replace("\"digits\"", "{ csv = { train = \"patients.csv\" } }");
    let printed = refused(&text, &["--data-dir", "."]);
    expect(&printed, &["patients.csv", "[s.toml:6:", "asked for here"]);
}

#[test]
fn empty_client() {
    let file = [("split.txt", "0 1 2\n\n3 4\n")];
    let text = GOOD
        .replace(
            "partition = \"iid\"",
            "partition = { file = { path = \"split.txt\", layout = \"lists\" } }",
        )
        .replace("clients = 10", "clients = 3");
    let printed = refused_with(&text, &[], &file);
    expect(&printed, &["client 1 has no samples", "[s.toml:7:", "help:"]);
}

#[test]
fn more_clients_than_samples() {
    let printed = refused(&GOOD.replace("clients = 10", "clients = 100000"), &[]);
    expect(&printed, &["100000 clients, but only", "samples", "use fewer clients"]);
}

#[test]
fn more_clients_than_owners() {
    let text = GOOD.replace("\"digits\"", "\"heart\"").replace("\"iid\"", "\"natural\"");
    let printed = refused(&text, &[]);
    expect(&printed, &["4 owners", "10", "set 4 clients"]);
}

#[test]
fn more_clients_in_a_round_than_exist() {
    let text = format!("{GOOD}[strategy.pace.synchronous]\nclients = 11\n");
    let printed = refused(&text, &[]);
    expect(
        &printed,
        &["11 clients in a round, but there are only 10", "clients = 11", "[s.toml:9:11]"],
    );
}

#[test]
fn not_a_number_in_the_data() {
    let text = GOOD
        .replace("\"digits\"", "{ csv = { train = \"t.csv\" } }")
        .replace("clients = 10", "clients = 1");
    let printed = refused_with(
        &text,
        &["--data-dir", "."],
        &[("t.csv", "a,b,label\n1,2,0\n3,nan,1\n5,6,0\n")],
    );
    expect(&printed, &["t.csv", "line 3", "asked for here"]);
}

#[test]
fn all_errors_at_once() {
    let text = GOOD
        .replace("seed = 1", "sed = 1")
        .replace("rounds = 2", "rounds = \"two\"")
        .replace("\"iid\"", "{ dirichlet = { alpha = -1.0 } }")
        .replace("batch = 32", "epochs = 1\nsteps = 3\nbatch = 0");
    let printed = refused(&text, &[]);
    expect(
        &printed,
        &[
            "unknown key `sed`",
            "did you mean `seed`?",
            "`run.rounds` takes a whole number",
            "no seed",
            "`data.partition.dirichlet.alpha` cannot be -1",
            "either for `epochs` or for `steps`",
            "this\n",
            "and this",
            "`training.batch` cannot be 0",
            "s.toml: 6 errors",
        ],
    );
    assert!(
        !printed.contains("the run has no end"),
        "a key that could not be read is not judged:\n{printed}"
    );
}

#[test]
fn bad_overrides() {
    let printed = refused(
        GOOD,
        &["--set", "training.batch=many", "--set", "training.btch=3", "--set", "seed"],
    );
    insta::assert_snapshot!(printed, @r#"
      × `training.batch` takes a whole number, not the text "many"
       ╭─[--set:1:16]
     1 │ training.batch=many
       ·                ──┬─
       ·                  ╰── expected a whole number
       ╰────
      help: write it like `batch = 16`

      × unknown key `btch` in `training`
       ╭─[--set:1:1]
     1 │ training.btch=3
       · ──────┬──────
       ·       ╰── not a key of this table
       ╰────
      help: did you mean `batch`? keys here: `epochs`, `steps`, `batch`,
            `last_batch`, `sgd`, `objective`, `augment`, `instances`, `trainer`,
            `cohort`

      × `--set` needs a path and a value joined by `=`
       ╭─[--set:1:1]
     1 │ seed
       · ──┬─
       ·   ╰── no `=` here
       ╰────
      help: write it as `--set training.batch=16`

    s.toml: 3 errors
    "#);
}

#[test]
fn wrong_usage_is_two_as_well() {
    let here = std::env::temp_dir();
    for args in [&["run"][..], &["list", "colours"], &["run", "s.toml", "--workers", "0"]] {
        assert_eq!(offbeat(args, &here).status.code(), Some(2), "{args:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let printed = refused(GOOD, &["--prometheus", &address]);
    expect(&printed, &["cannot listen on", "help:"]);
}

#[test]
fn devices_that_are_not_built_in() {
    if cfg!(not(feature = "wgpu")) {
        let printed = refused(GOOD, &["--device", "wgpu"]);
        expect(
            &printed,
            &["cannot compute on `wgpu`", "help:", "--features wgpu", "--device flex"],
        );
    }
    let direct = GOOD.replace("batch = 32", "trainer = \"direct\"");
    let printed = refused(&direct, &["--device", "cuda"]);
    expect(&printed, &["the direct trainer cannot compute on `cuda`", "[s.toml:11:11]"]);
}

#[test]
fn lists_of_devices_that_make_no_sense() {
    for (list, parts) in [
        ("gpu", ["there is no device `gpu`", "help: use one of `flex`, `tch`, `wgpu`, `cuda`"]),
        ("flex:0", ["`flex:0` has a number", "`flex*2` are two"]),
        ("wgpu:first,flex", ["`wgpu:first` names no card", "such as `wgpu:0`"]),
        ("flex*0", ["no number of workers behind `*`", "such as `flex*2`"]),
        ("flex,,tch", ["has an empty entry", "`wgpu:0,flex*2`"]),
    ] {
        expect(&refused(GOOD, &["--device", list]), &parts);
    }
    let printed = refused(GOOD, &["--device", "flex*2", "--workers", "2"]);
    expect(&printed, &["`--workers` and `flex*2` both say", "help: leave `--workers` out"]);
    let printed = refused(&GOOD.replace("seed = 1", "seed = 1\ndevice = \"gpus\""), &[]);
    expect(&printed, &["there is no device `gpus`", "[s.toml:4:10]"]);
}

#[test]
fn an_override_wins_over_what_it_stands_for() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("s.toml"), GOOD).expect("writable");
    let check = |set: &[&str]| {
        let output = offbeat(&[&["check", "s.toml"], set].concat(), folder.path());
        (output.status.code(), String::from_utf8(output.stderr).expect("messages are text"))
    };
    let (code, printed) = check(&["--set", "run.versions=5"]);
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = check(&["--set", "run.versions=5", "--set", "run.rounds=6"]);
    assert_eq!(code, Some(0), "{printed}");
    let both = GOOD.replace("rounds = 2", "rounds = 2\nversions = 3");
    expect(&refused(&both, &[]), &["two names for the same limit"]);
}

#[test]
fn what_depends_on_an_unreadable_key_is_not_judged() {
    let text = GOOD.replace("clients = 10", "clients = \"ten\"");
    let text = format!("{text}[strategy.pace.buffered]\nbuffer = 4\nconcurrency = 8\n");
    let printed = refused(&text, &[]);
    expect(&printed, &["`population.clients` takes a whole number", "s.toml: 1 error"]);
    assert!(!printed.contains("buffer"), "{printed}");
}

#[test]
fn more_clients_at_work_than_exist() {
    let paces = [
        ("buffered", "buffer = 2, concurrency = 11", "at work"),
        ("immediate", "concurrency = 11", "at work"),
        ("over-selection", "clients = 11", "in a round"),
        ("deadline", "clients = 11, seconds = 1.0", "in a round"),
    ];
    for (pace, settings, what) in paces {
        let weigh = "weigh = [\"uniform\"]";
        let text = format!("{GOOD}[strategy]\n{weigh}\npace = {{ {pace} = {{ {settings} }} }}\n");
        let printed = refused(&text, &[]);
        expect(&printed, &[&format!("11 clients {what}, but there are only 10")]);
    }
}

#[test]
fn a_rate_group_that_matches_no_tensor() {
    let group = "{ prefix = \"nope.\", factor = 0.5 }";
    let printed = refused(GOOD, &["--set", &format!("training.sgd.groups=[{group}]")]);
    expect(&printed, &["no tensor of the network begins with `nope.`", "f.weight"]);
}
