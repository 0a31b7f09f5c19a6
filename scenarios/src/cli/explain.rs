//! `offbeat explain`: what a key, an error code or a scenario means.

use super::check::show;
use super::run::all_cores;
use super::{ExplainArgs, Failure, print};
use crate::complaint::{WIDTH, complain, hung};
use crate::diagnose::Problems;
use crate::errors::{self, Explained};
use crate::explain::{forecast, sentences};
use crate::load::{self, Overrides, load};
use crate::reference::{CHOICE, Key, Reference};
use crate::run::Options;
use crate::suggest;
use crate::words::wrap;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// Explains what was named.
pub(super) fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let path = Path::new(&args.what);
    if path.is_file() || args.what.ends_with(".toml") {
        return scenario(path, args);
    }
    if let Some(found) = errors::find(&args.what) {
        return answer(args.json, found, || code(found));
    }
    let reference = Reference::new();
    match reference.find(&args.what) {
        Some(found) => answer(args.json, &found, || key(&found)),
        None => Err(unknown(&args.what, &reference)),
    }
}

fn answer<T: Serialize>(
    json: bool,
    found: &T,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match json {
        true => print(&(serde_json::to_string(found).unwrap_or_default() + "\n")),
        false => print(&text()),
    }
}

fn unknown(what: &str, reference: &Reference) -> Failure {
    let codes: Vec<&str> = errors::CODES.iter().map(|known| known.code).collect();
    let mut near = reference.near(what);
    near.extend(suggest::nearest(what, &codes));
    // A key and a code may have one name.
    let mut seen = BTreeSet::new();
    near.retain(|name| seen.insert(*name));
    let help = match near.is_empty() {
        true => "see scenarios/REFERENCE.md for all keys".to_string(),
        false => format!("did you mean {}?", suggest::list(&near)),
    };
    complain(&format!("`{what}` is no key, no error code and no file\nhelp: {help}"));
    Failure::Wrong
}

fn scenario(path: &Path, args: &ExplainArgs) -> Result<(), Failure> {
    let overrides = Overrides {
        set: args.set.clone(),
        seed: args.seed,
        data_dir: args.data_dir.clone(),
        allow_outside: args.allow_outside,
    };
    let told = |problems: Problems| {
        show(&problems);
        Failure::Wrong
    };
    let loaded = load(path, &overrides).map_err(told)?;
    show(&loaded.warnings);
    let options = Options { workers: all_cores(), ..Options::default() };
    let found = forecast(&loaded, &options)
        .map_err(|problem| told(Problems::new(&loaded.document, vec![problem])))?;
    let grid = load::read(path, &overrides).map(|(_, grid, _)| grid.in_words());
    let sweep = match grid.unwrap_or_default() {
        none if none.is_empty() => none,
        grid => hung("  sweep      ", &format!("{grid}; `offbeat sweep` does them all.")),
    };
    answer(args.json, &found, || sentences(&loaded.scenario, &found) + sweep.as_str())
}

fn key(key: &Key) -> String {
    let mut text = format!("{}\n", key.path);
    text += &paragraph(&key.about);
    let mut rows = vec![("takes", takes(key))];
    rows.extend(key.range.clone().map(|range| ("range", range)));
    match (&key.default, key.needed) {
        (Some(default), _) => rows.push(("left out", format!("is {default}"))),
        (None, true) => rows.push(("left out", "is an error".into())),
        (None, false) => {}
    }
    let example = key.example.as_deref().unwrap_or_default().lines().enumerate();
    rows.extend(example.map(|(n, line)| (if n == 0 { "example" } else { "" }, line.to_string())));
    rows.extend(key.same_as.clone().map(|home| ("see also", home)));
    if !key.keys.is_empty() {
        rows.push(("keys", key.keys.join(", ")));
    }
    for (name, value) in rows {
        text += &row(name, &value, 10);
    }
    if !key.choices.is_empty() {
        text += "\n  choices\n";
        let width = key.choices.iter().map(|choice| choice.name.chars().count()).max();
        for choice in &key.choices {
            text += &row(&format!("  {}", choice.name), &choice.about, width.unwrap_or(0) + 4);
        }
    }
    text
}

/// What it takes; of a choice, whether that has settings.
fn takes(key: &Key) -> String {
    match (key.takes == CHOICE, key.path.rsplit_once('.')) {
        (true, Some((above, name))) => match key.keys.is_empty() {
            true => format!("no settings: it is one of the choices of `{above}`, as \"{name}\""),
            false => format!("a table: it is one of the choices of `{above}`"),
        },
        _ => key.takes.clone(),
    }
}

fn code(found: &Explained) -> String {
    let mut text = format!("{}\n", found.code);
    text += &paragraph(found.meaning);
    text += &row("why", found.why, 6);
    text += &row("mend", found.mend, 6);
    text += "\n";
    for line in found.example.lines() {
        text += &format!("  {line}\n");
    }
    text
}

fn paragraph(text: &str) -> String {
    let lines = wrap(text, WIDTH - 2);
    lines.iter().map(|line| format!("  {line}\n")).collect::<String>() + "\n"
}

fn row(name: &str, value: &str, width: usize) -> String {
    let lines = wrap(value, WIDTH.saturating_sub(width + 4).max(20));
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        text += format!("  {name:<width$}  {line}").trim_end();
        text += "\n";
    }
    text
}
