//! What makes sense in a scenario: ranges, and keys that do not go together.
//!
//! Each section has its own file. A check names the key; the place is looked up in the document, so
//! that a default that clashes with a written key points at the table it belongs to.

mod adversary;
mod codec;
mod data;
mod dialogue;
mod masked;
mod people;
mod population;
mod run;
mod strategy;
mod switched;
mod tap;
mod timeline;
mod topology;
mod training;
mod unlikely;

pub(crate) use self::switched::Surroundings;

use crate::diagnose::Problem;
use crate::document::{Document, Node, Place, Value};
use crate::load::Overrides;
use crate::spec::{LANGUAGE, ScenarioFile};
use crate::suggest;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// All that does not make sense in `file`, errors and warnings.
pub fn check(file: &ScenarioFile, overrides: &Overrides, document: &Document) -> Vec<Problem> {
    let mut checks = Checks { document, problems: Vec::new(), switched: false };
    if file.version != LANGUAGE {
        let version = file.version;
        checks.add(
            "version",
            format!("`version` {version} is not known to this build"),
            format!("expected {LANGUAGE}"),
            format!("write `version = {LANGUAGE}`"),
        );
    }
    name(&file.name, &mut checks);
    run::check(&file.run, overrides, &mut checks);
    data::check(&file.data, file.population.clients, &mut checks);
    population::check(&file.population, &mut checks);
    adversary::check(file, &mut checks);
    tap::check(file, &mut checks);
    codec::check(&file.codec, &mut checks);
    population::server(&file.server, &mut checks);
    training::check(&file.training, &mut checks);
    training::network(&file.network.model, &mut checks);
    training::head(&file.training.objective.loss, &file.network.model, &mut checks);
    training::evaluation(&file.evaluation, &mut checks);
    training::output(&file.output, &mut checks);
    topology::check(file, &mut checks);
    strategy::check(file, &mut checks);
    dialogue::check(file, &mut checks);
    masked::check(file, &mut checks);
    people::check(file, &mut checks);
    timeline::check(file, &mut checks);
    unlikely::check(file, &mut checks);
    checks.problems
}

/// The name becomes part of a folder's name.
fn name(name: &str, checks: &mut Checks<'_>) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(good) || name.starts_with('.') || name.len() > 100 {
        checks.add(
            "name",
            "`name` cannot be used in the name of a folder",
            "letters, digits, `-`, `_` and `.`; at most 100",
            format!("write `name = \"{}\"`", folder_name(name)),
        );
    }
}

/// `name` with everything that is awkward in a folder's name replaced.
pub fn folder_name(name: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut short = String::new();
    for c in name.chars().take(100).map(|c| if good(c) { c } else { '-' }) {
        if c != '-' || !short.ends_with('-') {
            short.push(c);
        }
    }
    let name = short;
    let name = name.trim_matches(['-', '.']).to_lowercase();
    if name.is_empty() { "scenario".into() } else { name }
}

/// The place of the first key below `node` that `reason` names.
fn inside(node: &Node, reason: &str) -> Option<Place> {
    let words: Vec<&str> =
        reason.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect();
    let Value::Table(entries) = &node.value else { return None };
    entries.iter().find_map(|entry| {
        let named = words.contains(&entry.key.as_str());
        inside(&entry.node, reason).or_else(|| named.then(|| entry.node.place.clone()))
    })
}

/// A path as the reference writes it: `[]` for places in lists.
fn generic(path: &str) -> String {
    path.split('.').fold(String::new(), |mut text, part| {
        match part.parse::<usize>() {
            Ok(_) => text.push_str("[]"),
            Err(_) if text.is_empty() => text.push_str(part),
            Err(_) => text.push_str(&format!(".{part}")),
        }
        text
    })
}

/// Collects problems with their places.
pub(crate) struct Checks<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
    /// What is checked is no section of the file but what a switch makes of it.
    switched: bool,
}

impl Checks<'_> {
    /// Reports the value at `path`: what is wrong, the text under the underline, and what to do.
    pub(crate) fn add(
        &mut self,
        path: &str,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem::new("value", message).at(self.document.place(path), label);
        self.problems.push(problem.help(help).about(path));
    }

    /// As [`Checks::add`], as a warning.
    pub(crate) fn warn(
        &mut self,
        path: &str,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem::new("unlikely", message).at(self.document.place(path), label);
        self.problems.push(problem.help(help).about(path).as_warning());
    }

    /// Whether the value at `path` was written, and is no default.
    pub(crate) fn written(&self, path: &str) -> bool {
        self.document.find(path).is_some()
    }

    /// Whether one of the values was given on the command line, and not in a file.
    pub(crate) fn overridden(&self, paths: &[&str]) -> bool {
        let nodes = paths.iter().filter_map(|path| self.document.find(path));
        nodes.into_iter().any(|node| self.document.from_command_line(&node.place))
    }

    /// Whether a count could be read at `path`, so that what depends on it can be judged.
    pub(crate) fn countable(&self, path: &str) -> bool {
        let count = |node: &Node| match node.value {
            Value::Integer(count) => u32::try_from(count).is_ok_and(|count| count > 0),
            _ => false,
        };
        self.document.find(path).is_some_and(count)
    }

    /// Reports two keys that do not go together.
    pub(crate) fn conflict(&mut self, first: &str, second: &str, message: &str, help: &str) {
        let problem = Problem::new("conflict", message)
            .at(self.document.place(first), "this")
            .at(self.document.place(second), "and this")
            .help(help)
            .about(first);
        self.problems.push(problem);
    }

    /// Reports `value` when it is not in `range`.
    pub(crate) fn within<T: PartialOrd + Display>(
        &mut self,
        path: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            let problem = Problem::new("out_of_range", format!("`{path}` cannot be {value}"))
                .at(self.document.place(path), format!("must be from {least} to {most}"));
            self.problems.push(problem.about(path));
        }
    }

    /// Reports what a type's own check says of the value at `path`.
    pub(crate) fn own(&mut self, path: &str, result: Result<(), impl Display>) {
        let Err(reason) = result else { return };
        let reason = reason.to_string();
        // The reason begins with the name of what it is about, which the path says as well.
        let last = path.rsplit('.').next().unwrap_or(path);
        let reason = reason.strip_prefix(&format!("{last}: ")).unwrap_or(&reason);
        let place = self.document.find(path).and_then(|node| inside(node, reason));
        let place = place.or_else(|| self.document.place(path));
        let (what, rule) = reason.split_once(", but ").unwrap_or((reason, "this cannot work"));
        let problem = Problem::new("value", format!("`{path}`: {what}")).at(place, rule);
        let help = format!("`offbeat explain {}` tells what it takes", generic(path));
        self.problems.push(problem.help(help).about(path));
    }

    /// Reports a setting of which a part of the strategy says `KEY is VALUE; it RULE`.
    fn setting(&mut self, path: &str, reason: &str) {
        let (what, rule) = reason.split_once("; it ").unwrap_or((reason, "this cannot work"));
        let help = format!("`offbeat explain {}` tells more", generic(path));
        self.add(path, what, rule, help);
    }

    /// How a group that is named would be found: its nearest name.
    fn near_group(&self, wrong: &str) -> String {
        let Some(Value::List(groups)) = self.document.find("population.group").map(|n| &n.value)
        else {
            return "groups are `[[population.group]]` with a `name`".into();
        };
        let names = groups.iter().filter_map(|group| match &group.child("name")?.value {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
        suggest::of(wrong, &names.collect::<Vec<_>>(), "groups")
    }
}
