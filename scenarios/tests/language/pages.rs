//! Schema and reference: kept in step, true of all scenarios, and used in full.

use super::{folder, scenarios};
use offbeat::reference::{Reference, page, used};
use offbeat::{Overrides, load, schema};
use serde_json::Value;
use std::path::Path;

/// The page at `place` (from the repository's root) is `text`; OFFBEAT_WRITE_PAGES=1 writes it.
fn kept(place: &str, text: &str) {
    let path = folder("..").join(place);
    if std::env::var_os("OFFBEAT_WRITE_PAGES").is_some() {
        std::fs::write(&path, text).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "`{place}` is behind: OFFBEAT_WRITE_PAGES=1 cargo test --test language");
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    kept(schema::PLACE, &schema::text());
}

#[test]
fn the_reference_is_the_one_in_the_repository() {
    let text = page(&Reference::new());
    kept(offbeat::reference::PLACE, &text);
    let code = text.lines().find(|line| line.contains("::"));
    assert_eq!(code, None, "names of the code say nothing to a reader of scenarios");
}

#[test]
fn the_words_that_fuzzing_tries_are_those_of_the_language() {
    let mut words = std::collections::BTreeSet::new();
    gather_words(&schema::schema(), &mut words);
    let lines = words.iter().map(|word| format!("{}\n", toml::Value::String(word.clone())));
    kept("scenarios/fuzz/scenario.dict", &lines.collect::<String>());
}

/// Keys and names of values.
fn gather_words(schema: &Value, words: &mut std::collections::BTreeSet<String>) {
    let Some(table) = schema.as_object() else {
        schema.as_array().into_iter().flatten().for_each(|value| gather_words(value, words));
        return;
    };
    let keys = table.get("properties").and_then(Value::as_object);
    words.extend(keys.into_iter().flat_map(|keys| keys.keys().cloned()));
    let names = table.get("enum").and_then(Value::as_array).into_iter().flatten();
    words.extend(names.chain(table.get("const")).filter_map(Value::as_str).map(String::from));
    table.values().for_each(|value| gather_words(value, words));
}

fn valid(validator: &jsonschema::Validator, text: &str) -> Result<(), String> {
    let value: toml::Table = toml::from_str(text).expect("TOML");
    let value: Value = serde_json::to_value(value).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

#[test]
fn scenarios_are_valid_by_the_schema_and_name_it() {
    let validator = jsonschema::draft7::new(&schema::schema()).expect("a schema");
    for name in ["library", "cookbook", "tests/keys"] {
        for (path, text) in scenarios(name) {
            let found = valid(&validator, &text);
            assert_eq!(found, Ok(()), "{}", path.display());
            let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema "));
            let schema = path.parent().expect("a folder").join(named.expect("a directive"));
            assert!(schema.is_file(), "{}: {}", path.display(), schema.display());
        }
    }
}

#[test]
fn wrong_scenarios_are_refused_by_the_schema() {
    let validator = jsonschema::draft7::new(&schema::schema()).expect("a schema");
    let good = std::fs::read_to_string(folder("library/quickstart.toml")).expect("text");
    assert!(valid(&validator, &good).is_ok());
    for (from, to) in [
        ("batch = 16", "batchsize = 16"),
        ("batch = 16", "batch = \"16\""),
        ("batch = 16", "batch = 0"),
        ("\"mobile-4g\"", "\"mobile-6g\""),
        ("dataset = \"digits\"", ""),
        ("clients = 50", "clients = -1"),
        ("buffer = 5,", "bufer = 5,"),
        ("{ mlp = { hidden = [64] } }", "\"mlp\""),
        ("version = 1 ", "#"),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(valid(&validator, &good.replace(from, to)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn every_scenario_of_the_keys_is_valid() {
    for (path, _) in scenarios("tests/keys") {
        let overrides = Overrides { seed: Some(1), ..Overrides::default() };
        let loaded = load(&path, &overrides);
        assert!(loaded.is_ok(), "{}: {:?}", path.display(), loaded.err());
    }
}

#[test]
fn every_key_of_the_reference_is_used_by_a_scenario() {
    let reference = Reference::new();
    let mut all = scenarios("tests/keys");
    all.extend(scenarios("library"));
    all.extend(scenarios("cookbook"));
    let texts: Vec<(&str, &str)> =
        all.iter().map(|(path, text)| (name(path), text.as_str())).collect();
    let used = used(&reference, &texts);
    let missing: Vec<&str> = reference
        .keys()
        .iter()
        .filter(|key| !used.contains(&key.path))
        .map(|key| key.path.as_str())
        // No scenario can write it: it is the server that minimises it when it distils.
        .filter(|path| *path != "training.objective.loss.feature-mse")
        .collect();
    assert!(
        missing.is_empty(),
        "{} keys are in no scenario:\n{}",
        missing.len(),
        missing.join("\n")
    );
}

fn name(path: &Path) -> &str {
    path.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
}

#[test]
fn every_key_has_a_meaning_and_is_found_by_its_path() {
    let reference = Reference::new();
    assert!(reference.keys().len() > 250, "{}", reference.keys().len());
    for key in reference.keys() {
        assert!(!key.about.is_empty(), "`{}` has no meaning", key.path);
        let found = reference.find(&key.path).unwrap_or_else(|| panic!("`{}`", key.path));
        assert_eq!(found.about, key.about, "{}", key.path);
    }
}
