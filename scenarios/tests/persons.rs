//! Federations that re-identify persons: what helps them works under every pace and gives the same bits with
//! one worker and two, folders give what the generator gives, and interrupted runs go on.

use offbeat::run::{Options, trace};
use offbeat::{Overrides, load_text};
use offbeat_actors::RunResult;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const NINE: &str = "{ nine-domains = { scale = 0.002, size = { height = 32, width = 16 }, public = 16, \
     domains = [\"market1501-like\", \"cuhk03-np-like\", \"viper-like\"] } }";

/// Three edge servers, one of them ten times as slow as another; `strategy` is the rest of its section.
fn scenario(dataset: &str, strategy: &str) -> String {
    format!(
        "version = 1
name = \"p\"
[run]
seed = 3
versions = 5
[data]
dataset = {dataset}
partition = \"by-dataset\"
[population]
clients = 3
[population.device]
reference_flops_per_second = 1e7
speed = {{ choice = {{ values = [0.1, 0.4, 1.0] }} }}
[network]
model = {{ reid = {{ backbone = {{ resnet = {{ depth = 8, width = 4 }} }}, bottleneck = 8 }} }}
[training]
batch = 8
augment = {{ mirror = 0.5, pad_crop = 1 }}
sgd = {{ rate = 0.02, momentum = 0.9 }}
[strategy]
travel = \"backbone\"
{strategy}
[evaluation]
every_versions = 2
on = [\"retrieval\", \"retrieval-local\"]
"
    )
}

fn run(text: &str, workers: usize) -> RunResult {
    let loaded = load_text(Path::new("p.toml"), text, &Overrides::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { workers, ..Options::default() };
    trace(&loaded, &options).unwrap_or_else(|error| panic!("{text}{error:?}"))
}

#[test]
fn what_helps_works_under_every_pace_and_any_number_of_workers() {
    let helps = [
        "weigh = [{ cosine-distance = {} }]",
        "group = { finch = { on = \"public-features\", remember = true } }\nweigh = [{ cosine-distance = {} }]",
        "group = { validity-index = { on = \"public-features\", remember = true } }",
        "refine = { distillation = { every = 2, normalise = true } }\nweigh = [{ cosine-distance = {} }]",
        "combine = { mean = { of = \"models\" } }\nbuffers = \"first\"",
    ];
    let paces = [
        "synchronous = { clients = 3 }",
        "buffered = { buffer = 2, concurrency = 3 }",
        "immediate = { concurrency = 3 }",
    ];
    for (help, pace) in helps.iter().flat_map(|help| paces.map(|pace| (help, pace))) {
        let text = scenario(NINE, &format!("pace = {{ {pace} }}\n{help}"));
        let (one, two) = (run(&text, 1), run(&text, 2));
        assert_eq!(one.counts.versions, 5, "{help} {pace}: {}", one.ended);
        assert_eq!(one.counts.failed, 0, "{help} {pace}: {:?}", one.counts.failures);
        assert!(one.model.is_finite(), "{help} {pace}");
        assert!(one.tried.iter().all(|tried| tried.figures.queries > 0), "{help} {pace}");
        assert_eq!(one.tried, two.tried, "{help} {pace}");
        assert_eq!(one.digest, two.digest, "{help} {pace}: one worker and two");
    }
}

/// The three parts leave the global model alone only where they should: distillation, weights and clusters
/// change it, and training alone differs from training together.
#[test]
fn what_helps_changes_what_is_learnt() {
    let of = |strategy: &str| {
        let pace = "pace = { synchronous = { clients = 3 } }";
        run(&scenario(NINE, &format!("{pace}\n{strategy}")), 2).model
    };
    let plain = of("weigh = [\"samples\"]");
    for strategy in [
        "weigh = [{ cosine-distance = {} }]",
        "refine = { distillation = {} }",
        "group = \"by-client\"",
        "buffers = \"first\"",
    ] {
        assert_ne!(of(strategy), plain, "{strategy}");
    }
    // Fresh updates: averaging models is averaging changes, but for rounding.
    let models = of("combine = { mean = { of = \"models\" } }");
    let (models, plain) = (models.to_vec(), plain.to_vec());
    let largest = models.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 1e-4, "{largest}");
}

fn offbeat(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    let output = command.args(arguments).current_dir(folder).output().expect("the command starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    output
}

/// Pictures written in the layout of Market-1501 and read back give the same run, bit by bit.
#[test]
fn an_exported_folder_gives_the_same_digest() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let size = ["--scale", "0.002", "--size", "32x16", "--seed", "3"];
    for name in ["market1501-like", "cuhk03-np-like", "viper-like"] {
        let out = format!("tree/{name}");
        let export = ["data", "export", name, "--out", out.as_str()];
        offbeat(folder.path(), &[&export[..], &size[..]].concat());
    }
    let tree = folder.path().join("tree");
    let persons = format!(
        "{{ persons = {{ dir = {:?}, domains = [\"market1501-like\", \"cuhk03-np-like\", \"viper-like\"], \
         size = {{ height = 32, width = 16 }} }} }}",
        tree.display().to_string()
    );
    let strategy = "pace = { synchronous = { clients = 3 } }";
    let drawn = run(&scenario(NINE, strategy), 2);
    let read = run(&scenario(&persons, strategy), 2);
    assert_eq!(drawn.tried, read.tried);
    assert_eq!(drawn.digest, read.digest);
}

/// Private heads, local models, clusters and trials under way survive an interruption.
#[test]
fn a_run_goes_on_from_every_snapshot_as_if_nothing_had_been() {
    let strategy = "pace = { buffered = { buffer = 2, concurrency = 3 } }
group = { finch = { on = \"public-features\", remember = true } }
refine = { distillation = { every = 2 } }
weigh = [{ cosine-distance = {} }]";
    let text = scenario(NINE, strategy)
        + "[output]\nsnapshot = { every_virtual_minutes = 0.01, keep = 100 }\n";
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("p.toml"), text).expect("writable");
    offbeat(folder.path(), &["run", "p.toml", "--out", "out", "--quiet"]);
    let mut entries = fs::read_dir(folder.path().join("out")).expect("the folder of runs");
    let dir = entries.next().expect("a run directory").expect("readable").path();
    let summary = || -> serde_json::Value {
        let text = fs::read_to_string(dir.join("summary.json")).expect("the summary");
        serde_json::from_str(&text).expect("JSON")
    };
    let (whole, mut resumed) = (summary(), 0);
    let states = || {
        let entries = fs::read_dir(dir.join("snapshots")).expect("snapshots");
        let paths = entries.map(|entry| entry.expect("readable").path());
        let mut paths: Vec<_> =
            paths.filter(|path| path.to_string_lossy().contains("state-")).collect();
        paths.sort();
        paths
    };
    for last in states().into_iter().rev().take(4) {
        fs::remove_file(dir.join("summary.json")).expect("there");
        states().into_iter().filter(|path| *path > last).for_each(|path| {
            fs::remove_file(path).expect("there");
        });
        offbeat(folder.path(), &["resume", &dir.to_string_lossy(), "--quiet"]);
        let again = summary();
        assert_eq!(again["digest"], whole["digest"], "{}", last.display());
        assert_eq!(again["final"], whole["final"], "{}", last.display());
        resumed += 1;
    }
    assert!(resumed > 1, "{resumed} snapshots");
}
