//! From the text of `[sweep]` to a grid.

use super::grid::{Axis, Grid, SEED, Setting, Variant};
use crate::diagnose::Problem;
use crate::document::{Document, Entry, Node, Value};
use crate::{report, spec};
use serde::Deserialize;

/// Points at most.
const MOST: usize = 10_000;

/// Reads the section `entry` of `document`. What is wrong with it is added to `problems`; what is wrong
/// with the values that it gives to other keys is found when its points are checked.
pub fn read(entry: &Entry, document: &Document, problems: &mut Vec<Problem>) -> Grid {
    let mut grid = Grid::default();
    let Value::Table(entries) = &entry.node.value else {
        problems.push(wrong(&entry.node, "sweep", "a table of keys with lists of values"));
        return grid;
    };
    for inner in entries {
        match inner.key.as_str() {
            "target" => grid.target = target(inner, document, problems),
            "variant" => grid.variants = variants(inner, problems),
            _ => axes(&inner.key, inner, &mut grid.axes, problems),
        }
    }
    if grid.len() > MOST {
        problems.push(
            Problem::new("out_of_range", format!("`sweep` asks for {} runs", grid.len()))
                .at(Some(entry.place.clone()), format!("at most {MOST} in one sweep"))
                .help("every value of a key meets every value of all others: try fewer values, or make two sweeps of it")
                .about("sweep"),
        );
        return Grid::default();
    }
    twins(&grid, problems);
    grid
}

#[derive(Deserialize)]
struct Aim {
    target: Option<spec::Target>,
}

fn target(
    entry: &Entry,
    document: &Document,
    problems: &mut Vec<Problem>,
) -> Option<report::Target> {
    let found: Option<Aim> = document.only(entry.clone()).read(problems);
    let target = found?.target?;
    Some(match target.metric {
        spec::Metric::Accuracy => report::Target::Accuracy(target.value),
        spec::Metric::Loss => report::Target::Loss(target.value),
        // The race is over accuracy or loss on common test samples.
        spec::Metric::Rank1 | spec::Metric::Map => return None,
    })
}

/// Keys with lists of values; tables inside are paths that were written without quotes.
fn axes(path: &str, entry: &Entry, found: &mut Vec<Axis>, problems: &mut Vec<Problem>) {
    match &entry.node.value {
        Value::Table(entries) if !entries.is_empty() => {
            for inner in entries {
                axes(&format!("{path}.{}", inner.key), inner, found, problems);
            }
        }
        Value::List(values) if !values.is_empty() => {
            let path = if path == "seed" { SEED.to_string() } else { path.to_string() };
            found.push(Axis { path, place: entry.place.clone(), values: values.clone() });
        }
        _ => {
            let problem = wrong(&entry.node, &format!("sweep.{path}"), "a list of values");
            problems.push(problem.help("write the values to try in brackets: `[1, 2, 3]`"));
        }
    }
}

fn variants(entry: &Entry, problems: &mut Vec<Problem>) -> Vec<Variant> {
    let Value::List(nodes) = &entry.node.value else {
        problems.push(wrong(
            &entry.node,
            "sweep.variant",
            "tables, each under `[[sweep.variant]]`",
        ));
        return Vec::new();
    };
    let variants = nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| variant(&format!("sweep.variant.{index}"), node, problems));
    variants.collect()
}

fn variant(path: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<Variant> {
    let Value::Table(entries) = &node.value else {
        problems.push(wrong(node, path, "a table with `label` and `set`"));
        return None;
    };
    let mut variant = Variant { label: String::new(), place: node.place.clone(), set: Vec::new() };
    for entry in entries {
        match (entry.key.as_str(), &entry.node.value) {
            ("label", Value::Text(text)) => variant.label.clone_from(text),
            ("label", _) => problems.push(wrong(&entry.node, &join(path, "label"), "a text")),
            ("set", Value::Table(values)) => {
                let settings = values.iter().filter_map(|value| setting(path, value, problems));
                variant.set = settings.collect();
            }
            ("set", _) => {
                problems.push(wrong(&entry.node, &join(path, "set"), "a table of keys and values"));
            }
            (other, _) => problems.push(
                Problem::new("unknown_key", format!("unknown key `{other}` in `{path}`"))
                    .at(Some(entry.place.clone()), "not a key of a variant")
                    .help("keys here: `label`, `set`")
                    .about(&join(path, other)),
            ),
        }
    }
    if node.child("set").is_none() {
        problems.push(
            Problem::new("missing_key", format!("missing key `set` in `{path}`"))
                .at(Some(node.place.clone()), "this variant sets nothing")
                .help("write `set = { \"strategy.pace\" = ... }`")
                .about(path),
        );
    }
    Some(variant)
}

/// A table under a bare key may be a path without quotes or a value: it is refused, not guessed.
fn setting(path: &str, entry: &Entry, problems: &mut Vec<Problem>) -> Option<Setting> {
    let key = if entry.key == "seed" { SEED } else { entry.key.as_str() };
    if !key.contains('.') && matches!(entry.node.value, Value::Table(_)) {
        problems.push(
            Problem::new("value", format!("`{path}.set` has a whole section `{key}`"))
                .at(Some(entry.place.clone()), "which keys of it are meant?")
                .help(format!("write the path of each key in quotes: `\"{key}.…\" = …`"))
                .about(&join(path, key)),
        );
        return None;
    }
    let (place, value) = (entry.place.clone(), entry.node.clone());
    Some(Setting { path: key.to_string(), place, value })
}

/// Two variants of one name, or one value twice, would be taken for runs with different seeds.
fn twins(grid: &Grid, problems: &mut Vec<Problem>) {
    for (index, variant) in grid.variants.iter().enumerate() {
        let twin = grid.variants[..index].iter().find(|other| {
            other.label == variant.label && (!variant.label.is_empty() || other.set == variant.set)
        });
        if let Some(twin) = twin {
            problems.push(
                Problem::new("conflict", "two variants of the sweep have the same name")
                    .at(Some(twin.place.clone()), "this")
                    .at(Some(variant.place.clone()), "and this")
                    .help("give each a `label` of its own")
                    .about("sweep.variant"),
            );
        }
    }
    for axis in &grid.axes {
        for (index, value) in axis.values.iter().enumerate() {
            if axis.values[..index].iter().any(|other| other.in_words() == value.in_words())
                && !matches!(value.value, Value::Table(_) | Value::List(_))
            {
                problems.push(
                    Problem::new("conflict", format!("`{}` has a value twice", axis.path))
                        .at(Some(value.place.clone()), "again")
                        .help("remove one of the two")
                        .about(&join("sweep", &axis.path)),
                );
            }
        }
    }
}

fn wrong(node: &Node, path: &str, expected: &str) -> Problem {
    let message = format!("`{path}` takes {expected}, not {}", node.in_words());
    Problem::new("wrong_type", message)
        .at(Some(node.place.clone()), format!("expected {expected}"))
        .about(path)
}

fn join(path: &str, key: &str) -> String {
    format!("{path}.{key}")
}
