//! Help that needs more than the place of the mistake: what other simulators call a key, where in the
//! language it is, how a missing key is written.
//!
//! Reading and checking report what is wrong where they find it. Afterwards all problems of a scenario
//! pass through here once: some get a better hint, and those that only echo another one are dropped.

mod foreign;
mod recipes;

use crate::diagnose::Problem;
use crate::document::{Document, Value};
use crate::reference::Reference;
use crate::suggest;
use crate::words::{capital, small};
use std::sync::OnceLock;

/// Longest value that is repeated in a hint, in characters.
const LONGEST: usize = 40;

/// The problems of a scenario with better hints, without mere echoes.
pub(crate) fn improve(mut problems: Vec<Problem>, document: &Document) -> Vec<Problem> {
    // For each unknown key: its table, and the key that it stands for.
    let mut meant: Vec<(String, Option<String>)> = Vec::new();
    for problem in &mut problems {
        match problem.code() {
            "unknown_key" => meant.push(unknown_key(problem, document)),
            "unknown_name" => unknown_name(problem, document),
            "wrong_type" => wrong_type(problem, document),
            "missing_key" => missing_key(problem, document),
            "out_of_range" => out_of_range(problem),
            _ => {}
        }
    }
    problems.retain(|problem| !echoes(problem, &meant));
    problems
}

fn reference() -> &'static Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    REFERENCE.get_or_init(Reference::new)
}

/// Says what an unknown key is called here. Gives its table, and the path of the key that was meant.
fn unknown_key(problem: &mut Problem, document: &Document) -> (String, Option<String>) {
    let path = problem.path().to_string();
    let (table, name) = path.rsplit_once('.').unwrap_or(("", &path));
    let written = written(document, &path);
    if table == "strategy"
        && let Some(recipe) = document.find(&path).and_then(|node| match &node.value {
            Value::Text(text) => recipes::find(text),
            _ => None,
        })
    {
        problem.set_help(recipe);
        return (table.into(), None);
    }
    if let Some(key) = foreign::find(name, table) {
        problem.set_help(key.hint(table, written.as_deref()));
        return (table.into(), Some(key.path.into()));
    }
    let here = reference().find(table).map(|table| table.keys).unwrap_or_default();
    let here: Vec<&str> = here.iter().map(String::as_str).collect();
    if let Some(near) = suggest::nearest(name, &here).first() {
        let key = if table.is_empty() { near.to_string() } else { format!("{table}.{near}") };
        return (table.into(), Some(key));
    }
    let mut elsewhere: Vec<&str> = reference().named(name);
    // Keys of single groups or happenings are meant less often than those of all.
    let plain = |path: &&str| !path.contains("[]") && !path.starts_with("sweep");
    if elsewhere.iter().any(plain) {
        elsewhere.retain(|path| plain(path));
    }
    elsewhere.truncate(3);
    if let [first, ..] = elsewhere[..] {
        let (home, own) = first.rsplit_once('.').unwrap_or(("", first));
        let hint = match (elsewhere.len(), home) {
            (1, "") => format!("`{own}` stands at the top of the file, before the first `[table]`"),
            (1, home) => format!("`{own}` belongs in `[{home}]`"),
            _ => format!("there are {}", suggest::list(&elsewhere)),
        };
        problem.set_help(match problem.help_text() {
            Some(keys) => format!("{hint}. {}", capital(without_guess(keys))),
            None => hint,
        });
    }
    (table.into(), None)
}

/// A guess of a name in this table is worth less than the very name in another one.
fn without_guess(help: &str) -> &str {
    help.split_once("? ").map_or(help, |(_, keys)| keys)
}

/// What was written as the value at `path`, when it is short.
fn written(document: &Document, path: &str) -> Option<String> {
    let place = &document.find(path)?.place;
    let text = document.sources().get(place.source)?.text.get(place.span.clone())?;
    // The place of a `[table]` is its header.
    let fits = text.chars().count() <= LONGEST && !text.starts_with('[') && !text.contains('\n');
    fits.then(|| text.to_string())
}

fn unknown_name(problem: &mut Problem, document: &Document) {
    let Some(node) = document.find(problem.path()) else { return };
    let wrong = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Table(entries) if !entries.is_empty() => entries[0].key.clone(),
        _ => return,
    };
    let hint = recipes::find_in(&wrong, problem.path());
    if let Some(hint) = hint {
        let choices = problem.help_text().map(without_guess).unwrap_or_default();
        problem.set_help(match choices {
            "" => hint,
            choices => format!("{hint}. {}", capital(choices)),
        });
    }
}

fn wrong_type(problem: &mut Problem, document: &Document) {
    let path = problem.path().to_string();
    let Some(node) = document.find(&path) else { return };
    if problem.help_text().is_some() {
        return;
    }
    if path == "strategy"
        && let Value::Text(text) = &node.value
    {
        let parts = "`[strategy]` is a table with a part for each question: `select`, `pace`, \
                     `weigh`, `combine` and so on";
        problem.set_help(recipes::find(text).unwrap_or_else(|| parts.to_string()));
        return;
    }
    if let Some(example) = reference().find(&path).and_then(|key| key.example) {
        problem.set_help(match example.split_once('\n') {
            Some((header, _)) => format!("write `{header}` and its keys below it"),
            None => format!("write it like `{example}`"),
        });
    }
}

/// Says what a number is, where nothing better is known.
fn out_of_range(problem: &mut Problem) {
    if problem.help_text().is_some() {
        return;
    }
    let Some(key) = reference().find(problem.path()) else { return };
    let range = key.range.map_or_else(String::new, |range| format!(", {range}"));
    problem.set_help(format!("it is {}{range}: {}", key.takes, small(&key.about)));
}

fn missing_key(problem: &mut Problem, document: &Document) {
    let path = problem.path();
    let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
    let key = reference().find(path);
    let example = match (table, name) {
        ("", "version") => Some("version = 1".to_string()),
        ("", "data") => Some("data = { dataset = \"digits\", partition = \"iid\" }".into()),
        ("", "population") => Some("population = { clients = 50 }".into()),
        _ => key.as_ref().and_then(|key| key.example.clone()),
    };
    let Some(example) = example else { return };
    let example = example.lines().next().unwrap_or_default();
    // A choice that was only named gets its settings in the same place.
    if let Some((above, choice)) = table.rsplit_once('.')
        && let Some(Value::Text(_)) = document.find(above).map(|node| &node.value)
    {
        let key = above.rsplit('.').next().unwrap_or(above);
        problem.set_help(format!("write for example `{key} = {{ {choice} = {{ {example} }} }}`"));
        return;
    }
    let place = match table {
        "" => "at the top of the file".to_string(),
        table if table.contains("[]") || table.chars().any(|c| c.is_ascii_digit()) => {
            format!("in `{table}`")
        }
        table => format!("in `[{table}]`"),
    };
    problem.set_help(format!("write for example `{example}` {place}"));
}

/// Whether a problem is only there because a key has another name than was written.
fn echoes(problem: &Problem, meant: &[(String, Option<String>)]) -> bool {
    let path = problem.path();
    meant.iter().any(|(table, key)| match problem.code() {
        "missing_key" => key.as_deref() == Some(path),
        // What a table lacks as a whole may be what the unknown key was to say.
        "value" => !table.is_empty() && path == table,
        _ => false,
    })
}
