//! Scripts in the place of parts of the strategy: the same results as the built-in parts, and errors
//! that tell where and when.

use offbeat::assemble::{Settings, assemble};
use offbeat::prepare::prepare;
use offbeat::run::Options;
use offbeat::{Overrides, load_text};
use offbeat_actors::{Memory, Record, RunResult};
use std::path::Path;

const BASE: &str = r#"
version = 1
name = "scripted"
script = { file = "rules.rhai" }
[run]
seed = 3
versions = 6
[data]
dataset = "digits"
partition = { dirichlet = { alpha = 0.5 } }
[population]
clients = 10
[population.device]
reference_flops_per_second = 1.0e5
[strategy]
pace = { buffered = { buffer = 3, concurrency = 6 } }
"#;

/// Runs the scenario with `more` in `[strategy]` and with `script`.
fn run(more: &str, script: &str) -> Result<(RunResult, Vec<Record>), String> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("rules.rhai"), script).expect("written");
    let path = folder.path().join("scripted.toml");
    let loaded = load_text(&path, &format!("{BASE}{more}\n"), &Overrides::default())
        .map_err(|problems| problems.render(false))?;
    let options = Options { workers: 1, ..Options::default() };
    let problem = |problem: offbeat::Problem| problem.message().to_string();
    let prepared = prepare(&loaded.scenario, &loaded.document).map_err(problem)?;
    let federation =
        assemble(&loaded, &prepared, &Settings::of(&options, false)).map_err(problem)?;
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).map_err(|error| error.to_string())?;
    let records = records.borrow().clone();
    Ok((result, records))
}

fn digest(more: &str, script: &str) -> String {
    let (result, _) = run(more, script).unwrap_or_else(|error| panic!("{error}"));
    format!("{:?}", result.digest)
}

const HEARS: &str = "fn on_start() { }\n";

#[test]
fn a_script_that_weighs_by_samples_gives_the_digest_of_the_built_in_part() {
    let built_in = digest("weigh = [\"samples\"]", HEARS);
    let scripted = "fn weigh(u) { u.samples }";
    assert_eq!(digest("weigh = [\"script\"]", &format!("{HEARS}{scripted}")), built_in);
    let other = "fn weigh(u) { 1 + u.client }";
    assert_ne!(digest("weigh = [\"script\"]", &format!("{HEARS}{other}")), built_in);
}

#[test]
fn a_script_that_takes_the_lowest_ids_gives_the_digest_of_the_built_in_part() {
    let built_in = digest("select = \"all\"", HEARS);
    let scripted = "fn select(want, free) { free.extract(0, want) }";
    assert_eq!(digest("select = \"script\"", &format!("{HEARS}{scripted}")), built_in);
}

#[test]
fn random_choices_of_a_script_come_from_the_seed() {
    let shuffled = "fn select(want, free) {
        let chosen = [];
        while chosen.len() < want && !free.is_empty() {
            chosen.push(free.remove(random_below(free.len())));
        }
        chosen
    }
    fn weigh(u) { this.calls = (this.calls ?? 0) + 1; 1.0 + random() }";
    let strategy = "select = \"script\"\nweigh = [\"script\"]";
    assert_eq!(digest(strategy, shuffled), digest(strategy, shuffled));
    let (_, records) = run(strategy, shuffled).expect("it runs");
    assert!(!records.is_empty());
}

#[test]
fn errors_tell_file_line_column_and_virtual_time() {
    let weigh = "weigh = [\"script\"]";
    for (more, script, words) in [
        (weigh, "fn weigh(u) {\n    u.samples / 0\n}", ["rules.rhai:2:", "in `weigh`"]),
        (weigh, "fn weigh(u) { -1 }", ["rules.rhai", "-1 is no weight"]),
        (weigh, "fn weigh(u) { loop { } }", ["rules.rhai", "Too many operations"]),
        (weigh, "fn weigh(u) { sleep(1000000); 1 }", ["rules.rhai", "cannot sleep"]),
        ("select = \"script\"", "fn select(want, free) { [99] }", ["rules.rhai", "client 99"]),
    ] {
        let error = run(more, &format!("{script}\n{HEARS}")).expect_err("the script is wrong");
        assert!(error.contains("at virtual time"), "{error}");
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn a_part_without_its_function_is_refused_before_the_run() {
    let error = run("weigh = [\"script\"]", HEARS).expect_err("no such function");
    assert!(error.contains("has no function `weigh`"), "{error}");
    let text = BASE.replace("script = { file = \"rules.rhai\" }", "");
    let text = format!("{text}weigh = [\"script\"]\n");
    let problems = load_text(Path::new("s.toml"), &text, &Overrides::default());
    let printed = problems.expect_err("no script").render(false);
    assert!(printed.contains("is left to a script, but there is none"), "{printed}");
}

/// Distances have to be measured from the beginning: a script that says the part's name has them measured.
#[test]
fn a_script_can_switch_to_weights_by_distances_that_clients_measure() {
    let switching = |name: &str| {
        let part = format!("let part = #{{}}; part[{name}] = #{{}};");
        let switch = "#{ \"switch\": #{ weigh: [part] } }";
        format!("fn on_version(v) {{ if v.version == 2 {{ {part} {switch} }} }}\n")
    };
    let (plain, _) = run("", HEARS).expect("the run succeeds");
    let (result, records) =
        run("", &switching("\"cosine-distance\"")).expect("what it needs is there");
    assert_eq!((result.counts.failed, result.counts.versions), (0, 6));
    // A name of 15 letters with its length, and eight bytes.
    assert_eq!(result.counts.updates, plain.counts.updates);
    assert_eq!(result.counts.bytes_up - plain.counts.bytes_up, 24 * plain.counts.updates);
    let weights = |of: std::ops::RangeInclusive<u64>| -> Vec<f64> {
        let all = records.iter().filter_map(|record| match record {
            Record::Aggregation { version, used, .. } if of.contains(&version.0) => Some(used),
            _ => None,
        });
        all.flatten().map(|used| used.weight).collect()
    };
    assert!(weights(1..=2).iter().all(|weight| weight.fract() == 0.0), "weights by samples");
    let moved = weights(3..=6);
    assert!(moved.iter().all(|weight| *weight > 0.0 && *weight < 2.0), "{moved:?}");
    // One that puts the name together where nobody sees it is refused when it switches.
    let error = run("", &switching("\"cosine\" + \"-distance\"")).expect_err("not measured");
    assert!(error.contains("`switch`: clients measure no cosine distances"), "{error}");
}

/// What a timeline's switch would be refused for before the run, a script's is refused for when it happens.
#[test]
fn what_a_scripts_part_lacks_is_told_at_its_switch() {
    let switching = |part: &str| {
        format!("fn on_version(v) {{ if v.version == 2 {{ #{{ \"switch\": #{{ {part} }} }} }} }}\n")
    };
    for (part, lack) in [
        ("pace: #{ fedboost: #{ clients: 4 } }", "hold none back; write `client_test_share"),
        (
            "pace: #{ synchronous: #{ clients: 40 } }",
            "40 clients in a round, but there are only 10",
        ),
    ] {
        let error = run("", &switching(part)).expect_err("it lacks something");
        for fact in ["rules.rhai", "`switch`: ", lack, "at virtual time"] {
            assert!(error.contains(fact), "{error} does not say {fact}");
        }
    }
    let (result, _) = run("", &switching("pace: #{ synchronous: #{ clients: 4 } }")).expect("fits");
    assert_eq!(result.counts.versions, 6);
}
