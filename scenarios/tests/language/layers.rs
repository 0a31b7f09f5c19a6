//! `extends` and `include`.

use super::{folder, offbeat, printed, scenarios};
use offbeat::{Overrides, load};
use std::fs;
use std::path::Path;

const BASE: &str = "version = 1\nname = \"base\"\nrun = { seed = 1, rounds = 3 }\n\
[data]\ndataset = \"digits\"\npartition = \"iid\"\n[population]\nclients = 8\n\
[training]\nbatch = 16\nepochs = 2\n\
[strategy.pace.synchronous]\nclients = 4\n";

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
}

#[test]
fn later_beats_earlier_tables_merge_and_lists_are_replaced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let part = "[training]\nbatch = 4\n[strategy]\nweigh = [\"uniform\"]\n";
    let top = "extends = \"base.toml\"\ninclude = [\"parts/p.toml\"]\n[training]\nepochs = 1\n\
        [strategy.pace.immediate]\nconcurrency = 2\n";
    write(dir.path(), &[("base.toml", BASE), ("parts/p.toml", part), ("top.toml", top)]);
    let loaded = load(&dir.path().join("top.toml"), &Overrides::default()).expect("valid");
    let sections = loaded.scenario.sections();
    assert_eq!((sections.training.batch, sections.training.epochs), (4, Some(1)));
    assert_eq!(loaded.scenario.name(), "top", "a name is not handed down");
    let toml = loaded.scenario.to_toml().expect("TOML");
    assert!(toml.contains("immediate") && !toml.contains("synchronous"), "{toml}");
    assert!(toml.contains("weigh = [\"uniform\"]") && !toml.contains("include"), "{toml}");
    let set = vec!["training.batch=9".to_string()];
    let overrides = Overrides { set, ..Overrides::default() };
    let loaded = load(&dir.path().join("top.toml"), &overrides).expect("valid");
    assert_eq!(loaded.scenario.sections().training.batch, 9);
}

#[test]
fn errors_point_into_the_file_that_they_are_in() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let part = "# a comment\n[training]\nbatchsize = 4\n";
    let top = "extends = \"base.toml\"\ninclude = [\"p.toml\"]\n[population]\nclients = \"x\"\n";
    write(dir.path(), &[("base.toml", BASE), ("p.toml", part), ("top.toml", top)]);
    let output = offbeat(&["check", "top.toml"], dir.path());
    assert_eq!(output.status.code(), Some(2));
    let text = printed(&output);
    for wanted in
        ["p.toml:3:1", "that is `training.batch` here", "top.toml:4:11", "top.toml: 2 errors"]
    {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn circles_are_refused_with_the_way_round() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (a, b) = ("include = [\"b.toml\"]\n", "extends = \"c.toml\"\n");
    write(dir.path(), &[("a.toml", a), ("b.toml", b), ("c.toml", "include = [\"a.toml\"]\n")]);
    let text = printed(&offbeat(&["check", "a.toml"], dir.path()));
    assert!(text.contains("a.toml -> b.toml -> c.toml -> a.toml"), "{text}");
    assert!(text.contains("c.toml:1:12"), "{text}");
}

#[test]
fn nothing_outside_is_read_unless_allowed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let own = dir.path().join("own");
    let top = "extends = \"../base.toml\"\n";
    write(dir.path(), &[("base.toml", BASE), ("own/top.toml", top)]);
    let text = printed(&offbeat(&["check", "top.toml"], &own));
    assert!(text.contains("lies outside") && text.contains("--allow-outside"), "{text}");
    let output = offbeat(&["check", "top.toml", "--allow-outside"], &own);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let keys = [
        "network.weights = \"/etc/passwd\"\n",
        "population.speed_file = \"../speeds.txt\"\n",
        "strategy.select = \"schedule\"\nstrategy.schedule_file = \"../schedule.txt\"\n",
    ];
    for key in keys {
        let text = format!("version = 1\n{key}include = [\"rest.toml\"]\n");
        let rest = BASE.replace("version = 1\n", "");
        write(&own, &[("top.toml", &text), ("rest.toml", &rest)]);
        let output = offbeat(&["check", "top.toml"], &own);
        assert_eq!(output.status.code(), Some(2));
        assert!(printed(&output).contains("lies outside"), "{key}: {}", printed(&output));
    }
}

#[test]
fn relative_paths_count_from_the_file_that_names_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let part = "[population]\nspeed_file = \"speeds.txt\"\n";
    let top = "extends = \"base.toml\"\ninclude = [\"parts/p.toml\"]\n";
    let files = [("base.toml", BASE), ("parts/p.toml", part), ("top.toml", top)];
    write(dir.path(), &files);
    write(dir.path(), &[("parts/speeds.txt", "1.0\n2.0\n")]);
    let output = offbeat(&["check", "top.toml"], dir.path());
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
}

#[test]
fn giants_are_refused_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write(dir.path(), &[("base.toml", BASE)]);
    let dataset =
        "data.dataset={ synthetic = { classes = 1000000000, train = 4000000000, test = 10 } }";
    for set in ["population.clients=1000000000000", dataset, "training.batch=1000000000"] {
        let start = std::time::Instant::now();
        let output = offbeat(&["check", "base.toml", "--set", set], dir.path());
        assert_eq!(output.status.code(), Some(2), "{set}: {}", printed(&output));
        assert!(start.elapsed().as_secs() < 20, "{set}");
    }
}

#[test]
fn the_cookbook_runs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let readme = fs::read_to_string(folder("cookbook/README.md")).expect("text");
    let all = scenarios("cookbook");
    assert_eq!(all.len(), 11);
    for (path, text) in all {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(text.lines().count() < 25, "{name} is long");
        assert!(readme.contains(&format!("({name})")), "{name} is not listed");
        let path = path.display().to_string();
        let command = if name == "sweep.toml" { "sweep" } else { "run" };
        let output = offbeat(&[command, &path, "--quiet", "--out", "out"], dir.path());
        assert_eq!(output.status.code(), Some(0), "{name}: {}", printed(&output));
        assert!(output.stderr.is_empty(), "{name}: {}", printed(&output));
    }
}
