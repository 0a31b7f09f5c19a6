//! `explain`, `schema`, `init` and `new-strategy`.

use super::{folder, offbeat, printed};
use offbeat::explain::forecast;
use offbeat::run::{Options, run};
use offbeat::{Overrides, load};

#[test]
fn a_forecast_of_stragglers_is_what_then_happens() {
    let loaded = load(&folder("library/stragglers.toml"), &Overrides::default()).expect("valid");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = Options { out: Some(dir.path().into()), ..Options::default() };
    let told = forecast(&loaded, &options).expect("a forecast");
    let measured = run(&loaded, &options).expect("it runs");
    // The run goes on for the rest of its last, unfinished round.
    let mean = measured.virtual_seconds / measured.versions as f64;
    assert!((told.round_seconds_mean / mean - 1.0).abs() < 0.05, "{told:?} against {mean}");
    assert!(told.whole);
    assert_eq!(
        (told.versions, told.bytes_up, told.bytes_down),
        (measured.versions, measured.bytes_up, measured.bytes_down)
    );
}

#[test]
fn keys_codes_and_scenarios_are_explained_on_eighty_columns() {
    let scenario = folder("library/hospitals.toml").display().to_string();
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (what, words) in [
        ("training.batch", "Samples in a batch"),
        ("strategy.pace.buffered.buffer", "Updates in an aggregation"),
        ("population.group.0.device.speed.lognormal.median", "Half of the values"),
        ("population.group[].share", "share of all clients"),
        ("population.group.3.share", "share of all clients"),
        ("unknown_key", "The table has no such key"),
        (scenario.as_str(), "4 clients hold"),
    ] {
        let output = offbeat(&["explain", what], dir.path());
        let text = printed(&output);
        assert!(output.status.success() && text.contains(words), "{what}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let json = offbeat(&["explain", what, "--json"], dir.path());
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("one object");
        assert!(json.is_object());
    }
}

#[test]
fn a_wrong_key_is_met_with_the_nearest_ones() {
    let output = offbeat(&["explain", "strategy.pace.bufered.buffer"], &folder("."));
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("`strategy.pace.buffered.buffer`"), "{}", printed(&output));
}

#[test]
fn the_schema_is_printed() {
    let output = offbeat(&["schema"], &folder("."));
    assert_eq!(String::from_utf8(output.stdout).expect("text"), offbeat::schema::text());
}

#[test]
fn init_writes_once_and_what_it_writes_runs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = offbeat(&["init", "mine.toml"], dir.path());
    assert!(output.status.success(), "{}", printed(&output));
    let output = offbeat(&["run", "mine.toml", "--set", "run.rounds=2", "--quiet"], dir.path());
    assert!(output.status.success(), "{}", printed(&output));
    let before = std::fs::read(dir.path().join("mine.toml")).expect("there");
    let output = offbeat(&["init", "mine.toml"], dir.path());
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    assert_eq!(std::fs::read(dir.path().join("mine.toml")).expect("there"), before);
}

#[test]
fn a_new_strategy_is_a_crate_with_its_part() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = folder("..").display().to_string();
    let output = offbeat(&["new-strategy", "my-part", "--offbeat", &source], dir.path());
    assert!(output.status.success(), "{}", printed(&output));
    let text = |file: &str| std::fs::read_to_string(dir.path().join("my-part").join(file));
    let manifest: toml::Table =
        toml::from_str(&text("Cargo.toml").expect("written")).expect("TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("my-part"));
    for file in ["src/main.rs", "src/part.rs", "src/scenario.toml"] {
        assert!(!text(file).expect("written").is_empty(), "{file}");
    }
    let again = offbeat(&["new-strategy", "my-part", "--offbeat", &source], dir.path());
    assert_eq!(again.status.code(), Some(2));
}
