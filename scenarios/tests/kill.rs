//! Runs that are killed at random moments and resumed end with the digest, the rows and the model of the run
//! that was never stopped. `cargo test --release --workspace --test kill -- --ignored --nocapture` kills
//! more than fifty times and says what it found.

use rand::RngExt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Paces, parts that travel and control variates.
const KINDS: [(&str, &str); 5] = [
    ("synchronous", "pace = { synchronous = { clients = 6 } }"),
    ("buffered", "pace = { buffered = { buffer = 4, concurrency = 9 } }"),
    (
        "immediate",
        "pace = { immediate = { concurrency = 6 } }\ncombine = { mix = {} }\nweigh = [\"uniform\"]",
    ),
    ("controls", "pace = { synchronous = { clients = 6 } }\ncompanion = \"scaffold\""),
    ("heads", "pace = { buffered = { buffer = 4, concurrency = 9 } }\ntravel = \"backbone\""),
];

/// Private heads of different width, cosine-distance weights, clusters and distillation, with stragglers.
const PERSONS: (&str, &str) = (
    "persons",
    "version = 1
name = \"persons\"
[run]
seed = 3
versions = 24
[data]
dataset = { nine-domains = { scale = 0.002, size = { height = 32, width = 16 }, public = 16, domains = [\"market1501-like\", \"cuhk03-np-like\", \"viper-like\"] } }
partition = \"by-dataset\"
[population]
clients = 3
[population.device]
reference_flops_per_second = 1e7
speed = { choice = { values = [0.1, 0.4, 1.0] } }
[network]
model = { reid = { backbone = { resnet = { depth = 8, width = 4 } }, bottleneck = 8 } }
[training]
batch = 8
sgd = { rate = 0.02, momentum = 0.9 }
[strategy]
travel = \"backbone\"
pace = { buffered = { buffer = 2, concurrency = 3 } }
weigh = [{ cosine-distance = {} }]
group = { finch = { on = \"public-features\", remember = true } }
refine = { distillation = { every = 2, normalise = true } }
[evaluation]
every_versions = 4
on = [\"retrieval\", \"retrieval-local\"]
[output]
snapshot = { every_wall_minutes = 0.0005, keep = 2 }
",
);

/// Every kind of run by its name, with its scenario.
fn kinds() -> Vec<(&'static str, String)> {
    let digits = KINDS.map(|(kind, strategy)| (kind, scenario(kind, strategy)));
    digits.into_iter().chain([(PERSONS.0, PERSONS.1.to_string())]).collect()
}

fn scenario(kind: &str, strategy: &str) -> String {
    // A version of one update is made so fast that few would be over before the first snapshot.
    let versions = if kind == "immediate" { 4000 } else { 400 };
    format!(
        "version = 1
name = \"{kind}\"
[run]
seed = 5
versions = {versions}
[data]
dataset = \"digits\"
partition = {{ dirichlet = {{ alpha = 1.0 }} }}
client_test_share = 0.2
[population]
clients = 20
[population.device]
reference_flops_per_second = 1e6
speed = {{ choice = {{ values = [0.3, 0.6, 1.0, 3.0] }} }}
[network]
model = {{ mlp = {{ hidden = [64] }} }}
[training]
epochs = 2
batch = 8
[evaluation]
every_versions = 5
on = [\"clients\"]
[output]
snapshot = {{ every_wall_minutes = 0.0005, keep = 2 }}
[strategy]
{strategy}"
    )
}

fn offbeat(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    command.args(arguments).current_dir(folder).stdout(Stdio::null());
    command
}

/// The run directory in `folder`, if there is one yet.
fn first(folder: &Path) -> Option<PathBuf> {
    Some(fs::read_dir(folder).ok()?.next()?.expect("readable").path())
}

fn only(folder: &Path) -> PathBuf {
    first(folder).expect("a run directory")
}

/// The rows without their wall time, and the bytes of the model.
fn left(dir: &Path) -> (String, Vec<u8>) {
    let rows = fs::read_to_string(dir.join("metrics.csv")).expect("the rows");
    let bare = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(2);
        cells.join(",") + "\n"
    };
    (rows.lines().map(bare).collect(), fs::read(dir.join("model.safetensors")).expect("the model"))
}

fn digest(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("summary.json")).expect("the summary");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    summary["digest"].as_str().expect("text").to_string()
}

/// Waits until the run in `folder` has kept a snapshot, or is over. How long a busy machine takes to get there
/// says nothing.
fn await_snapshot(folder: &Path, run: &mut Child) {
    let kept = || {
        let snapshots = fs::read_dir(first(folder)?.join("snapshots")).ok()?;
        let mut names = snapshots.filter_map(|entry| Some(entry.ok()?.file_name()));
        names.find(|name| name.to_string_lossy().starts_with("state-"))
    };
    while kept().is_none() && run.try_wait().expect("it can be asked").is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What became of a run that was killed.
#[derive(Default)]
struct Tally {
    kills: usize,
    before_any_snapshot: usize,
    too_late: usize,
}

/// Kills runs of one kind until `wanted` of them were resumed and compared.
fn kill(kind: &str, text: &str, wanted: usize, tally: &mut Tally) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("s.toml"), text).expect("writable");
    let begun = Instant::now();
    let status = offbeat(folder.path(), &["run", "s.toml", "--out", "whole", "--quiet"]).status();
    assert!(status.expect("the command starts").success());
    let length = begun.elapsed();
    let whole = only(&folder.path().join("whole"));
    let (whole_digest, whole_left) = (digest(&whole), left(&whole));
    let mut done = 0;
    for attempt in 0..wanted * 10 + 20 {
        if done == wanted {
            return;
        }
        let out = format!("killed-{attempt}");
        let mut child = offbeat(folder.path(), &["run", "s.toml", "--out", &out, "--quiet"])
            .spawn()
            .expect("starts");
        let share: f64 = rand::rng().random_range(0.0..0.9);
        await_snapshot(&folder.path().join(&out), &mut child);
        std::thread::sleep(Duration::from_secs_f64(length.as_secs_f64() * share));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let Some(dir) = first(&folder.path().join(&out)) else {
            tally.before_any_snapshot += 1;
            continue;
        };
        if !dir.to_string_lossy().contains(".running-") {
            tally.too_late += 1;
            continue;
        }
        let text = dir.to_string_lossy().into_owned();
        let resumed =
            offbeat(folder.path(), &["resume", &text, "--quiet"]).output().expect("starts");
        let told = String::from_utf8_lossy(&resumed.stderr);
        if told.contains("there is no snapshot") || told.contains("cannot read") {
            assert!(!resumed.status.success(), "{kind}: {told}");
            tally.before_any_snapshot += 1;
            continue;
        }
        assert!(resumed.status.success(), "{kind}: {told}");
        let dir = only(&folder.path().join(&out));
        assert_eq!(digest(&dir), whole_digest, "{kind}: killed after {share:.2} of the run");
        assert!(left(&dir) == whole_left, "{kind}: other rows or model, {share:.2} of the run");
        tally.kills += 1;
        done += 1;
    }
    panic!("{kind}: {done} of {wanted} kills met a run with a snapshot");
}

#[test]
fn killed_runs_go_on_as_if_nothing_had_happened() {
    let mut tally = Tally::default();
    for (kind, text) in kinds() {
        kill(kind, &text, 1, &mut tally);
    }
    assert_eq!(tally.kills, kinds().len());
}

#[test]
#[ignore = "takes minutes"]
fn more_than_fifty_kills() {
    let mut tally = Tally::default();
    for (kind, text) in kinds() {
        kill(kind, &text, 9, &mut tally);
    }
    let Tally { kills, before_any_snapshot, too_late } = tally;
    println!(
        "{kills} kills resumed, 0 differences ({before_any_snapshot} more before the first snapshot, \
         {too_late} after the end)"
    );
    assert_eq!(kills, 54);
}
