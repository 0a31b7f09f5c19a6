//! Federations that re-identify persons: what helps them works under every pace and gives the same bits with
//! one worker and two, folders give what the generator gives, and interrupted runs go on.

use offbeat::prepare::prepare;
use offbeat::run::{Options, trace};
use offbeat::{Overrides, Problems, load_text};
use offbeat_actors::RunResult;
use offbeat_actors::retrieval::Model;
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
    // The pictures may lie anywhere: the test chose the folder.
    let overrides = Overrides { allow_outside: true, ..Overrides::default() };
    let loaded = load_text(Path::new("p.toml"), text, &overrides);
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

/// What cannot be is told before anything is computed, at its place in the file.
#[test]
fn impossible_pictures_losses_and_heads_are_refused_with_their_place() {
    let (pace, head) = ("pace = { synchronous = { clients = 3 } }", "bottleneck = 8");
    let good = scenario(NINE, pace);
    let augment = "augment = { mirror = 0.5, pad_crop = 1 }";
    let objective = |loss: &str| good.replace(augment, &format!("objective = {{ loss = {loss} }}"));
    let cases = [
        (
            good.replace(augment, "augment = { mirror = 1.5 }"),
            "augment.mirror` cannot be 1.5",
            "mirror",
        ),
        (
            good.replace(augment, "augment = { erase = -0.1 }"),
            "augment.erase` cannot be -0.1",
            "erase",
        ),
        (good.replace("pad_crop = 1", "pad_crop = 17"), "pictures of 32 x 16", "17"),
        (good.replace(augment, "instances = 1"), "`training.instances` cannot be 1", "1"),
        (good.replace(augment, "instances = 9"), "a batch of 8 cannot hold 9", "instances = 9"),
        (objective("\"feature-mse\""), "clients cannot minimise `feature-mse`", "feature-mse"),
        (objective("{ arcface = {} }"), "needs a head that gives cosines", "arcface"),
        (objective("{ triplet = { margin = -1.0 } }"), "margin` cannot be -1", "-1.0"),
        (good.replace(head, "bottleneck = 0"), "bottleneck` cannot be 0", "bottleneck"),
        (good.replace(head, "bottleneck = 8, dropout = 1.0"), "dropout` cannot be 1", "dropout"),
        (
            scenario(NINE, &format!("{pace}\nbuffers = \"first\"\ncombine = \"median\"")),
            "a robust rule decides on buffers",
            "buffers = \"first\"",
        ),
    ];
    for (text, says, shown) in cases {
        assert_ne!(text, good, "{says}: nothing is wrong");
        let told = refusal(&text);
        assert!(told.contains(says), "`{says}` is missing in:\n{told}");
        assert!(told.contains("p.toml:") && told.contains(shown), "no place in:\n{told}");
    }
    let vectors = "version = 1\n[run]\nseed = 1\nrounds = 1\n[data]\ndataset = \"heart\"\npartition = \"iid\"\n[population]\nclients = 3\n[training]\naugment = { mirror = 0.5 }\n";
    let told = refusal(vectors);
    assert!(told.contains("vectors of length") && told.contains("p.toml:"), "{told}");
}

/// Why the scenario cannot run, as a user reads it.
fn refusal(text: &str) -> String {
    let loaded = match load_text(Path::new("p.toml"), text, &Overrides::default()) {
        Ok(loaded) => loaded,
        Err(problems) => return problems.render(false),
    };
    let refused = prepare(&loaded.scenario, &loaded.document).expect_err("it cannot run");
    Problems::new(&loaded.document, vec![refused]).render(false)
}

/// Guards look at what arrives at the server: a user who counts on them below edge servers is told.
#[test]
fn guards_above_edge_servers_are_said_not_to_reach_below_them() {
    let pace = "pace = { synchronous = { clients = 2 } }\nguard = [{ norm = { most = 5.0 } }]";
    let text = scenario(NINE, pace) + "[topology.tree]\nedges = 2\n";
    let told = |text: &str| {
        let loaded = load_text(Path::new("p.toml"), text, &Overrides::default());
        loaded.map(|loaded| loaded.warnings.render(false))
    };
    let warned = told(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(
        warned.contains("these guards do not judge") && warned.contains("guard = "),
        "{warned}"
    );
    // With guards of their own nothing is left to be said.
    let own = text.clone() + "guard = [{ norm = { most = 5.0 } }]\n";
    let silent = told(&own).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!silent.contains("these guards"), "{silent}");
    let wrong = text + "guard = [\"scalars\", { norm = { most = -1.0 } }]\n";
    let refused = told(&wrong).err().map(|problems| problems.render(false)).unwrap_or_default();
    assert!(refused.contains("topology.tree.guard[1].norm.most is -1"), "{refused}");
}

/// Nobody learns from an unseen domain: each group's model is tried there.
#[test]
fn every_groups_model_is_tried_on_domains_of_nobody() {
    let unseen = NINE.replace("public = 16,", "public = 16, unseen = true,");
    assert_ne!(unseen, NINE);
    let pace = "pace = { synchronous = { clients = 3 } }\ngroup = \"by-client\"";
    let result = run(&scenario(&unseen, pace), 2);
    for name in result.tried.iter().filter(|t| !t.seen).map(|t| t.name.clone()) {
        let of = result.tried.iter().filter(|t| t.name == name).map(|t| t.model);
        let models: Vec<Model> = of.collect();
        assert_eq!(models, [0, 1, 2].map(Model::Group), "{name}");
    }
    assert!(result.tried.iter().any(|tried| !tried.seen), "there are such domains");
}

/// Clients change groups and come late, and batch normalisation keeps running variances: none of them may fall
/// below zero, whatever rule merges them.
#[test]
fn running_variances_stay_above_zero_when_clients_change_groups_and_come_late() {
    let group = "group = { finch = { on = \"public-features\" } }";
    for combine in ["{ mean = {} }", "{ mean = { rate = 2.0 } }", "{ fedavgm = {} }", "\"median\""]
    {
        let pace = "pace = { buffered = { buffer = 2, concurrency = 3 } }";
        let text = scenario(NINE, &format!("{pace}\n{group}\ncombine = {combine}"));
        let text = text
            .replace("versions = 5", "versions = 20")
            .replace("width = 4", "width = 4, norm = \"batch\"");
        let loaded = load_text(Path::new("p.toml"), &text, &Overrides::default());
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        let prepared = prepare(&loaded.scenario, &loaded.document).expect("a valid scenario");
        let options = Options { workers: 2, ..Options::default() };
        let result =
            trace(&loaded, &options).unwrap_or_else(|error| panic!("{combine}: {error:?}"));
        assert!(result.mean_staleness() > 0.0, "{combine}: nothing came late");
        let model = result.model.to_vec();
        let mut looked_at = 0;
        for entry in prepared.network.layout().entries() {
            if entry.name.ends_with("running_var") {
                looked_at += 1;
                let lowest = model[entry.range()].iter().copied().fold(f32::INFINITY, f32::min);
                assert!(lowest >= 0.0, "{combine}: {} falls to {lowest}", entry.name);
            }
        }
        assert!(looked_at > 3, "batch normalisation has running variances");
    }
}
