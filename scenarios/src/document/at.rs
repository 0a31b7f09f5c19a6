//! A value at its path, and what is said when it is not what a type asks for.

use super::advice::advice;
use super::fields::Fields;
use super::fill::Fill;
use super::node::{Entry, Node, Place, Value};
use super::path::{join, shown};
use super::stop::Stop;
use crate::diagnose::Problem;
use crate::suggest;
use serde::de::{Deserializer, Visitor};
use std::cell::RefCell;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: RefCell<Vec<Problem>>,
    /// Places that get a filler, and what was wrong with them.
    pub(super) patches: BTreeMap<String, Problem>,
}

impl Reader {
    pub(super) fn note(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }
}

/// A value at its path, ready to be read as whatever type serde asks for.
#[derive(Clone)]
pub(super) struct At<'a> {
    /// What was written; `None` for the content of a variant that was only named.
    pub(super) node: Option<&'a Node>,
    /// Where to point when nothing was written.
    pub(super) place: Option<&'a Place>,
    pub(super) path: String,
    pub(super) reader: &'a Reader,
}

impl<'a> At<'a> {
    pub(super) fn child(&self, key: &str, node: &'a Node) -> At<'a> {
        At {
            node: Some(node),
            place: Some(&node.place),
            path: join(&self.path, key),
            reader: self.reader,
        }
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.node.map(|node| node.place.clone()).or_else(|| self.place.cloned())
    }

    pub(super) fn patched(&self) -> bool {
        self.reader.patches.contains_key(&self.path)
    }

    /// Notes that another kind of value was expected; the caller goes on with a filler.
    pub(super) fn wrong(&self, expected: &str) -> Fill {
        let found = self.node.map_or("nothing".into(), Node::in_words);
        let mut problem = Problem::new(
            "wrong_type",
            format!("{} takes {expected}, not {found}", shown(&self.path)),
        )
        .at(self.place(), format!("expected {expected}"))
        .about(&self.path);
        if let Some(help) = self.node.and_then(|node| advice(&self.path, expected, &node.value)) {
            problem = problem.help(help);
        }
        self.reader.note(problem);
        Fill
    }

    /// Notes that one of several names was expected.
    pub(super) fn wrong_choice(&self, variants: &[&str]) {
        let found = self.node.map_or("nothing".into(), Node::in_words);
        let choices = suggest::list(variants);
        let number =
            matches!(self.node.map(|node| &node.value), Some(Value::Integer(_) | Value::Float(_)));
        let help = match self.node.and_then(|node| node.as_number()) {
            Some(value) if number && variants.contains(&"constant") => {
                format!("the same for all is `{{ constant = {value:?} }}`; choices here: {choices}")
            }
            _ => format!("choices here: {choices}"),
        };
        self.reader.note(
            Problem::new(
                "wrong_type",
                format!("{} takes a choice by name, not {found}", shown(&self.path)),
            )
            .at(self.place(), "expected a name, or a table with one")
            .help(help)
            .about(&self.path),
        );
    }

    pub(super) fn whole(&self, least: i128, most: i128) -> Option<i128> {
        let number = match self.node.map(|node| &node.value) {
            Some(Value::Integer(number)) => *number,
            _ => {
                self.wrong("a whole number");
                return None;
            }
        };
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.reader.note(
            Problem::new("out_of_range", format!("{} cannot be {number}", shown(&self.path)))
                .at(self.place(), bounds(number, least, most))
                .about(&self.path),
        );
        None
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self.node.map(|node| &node.value) {
            Some(Value::Integer(number)) => Some(*number as f64),
            Some(Value::Float(number)) if number.is_finite() => Some(*number),
            _ => {
                self.wrong("a finite number");
                None
            }
        }
    }

    /// The entries with known keys; the others are reported.
    pub(super) fn known(&self, fields: &'static [&'static str]) -> Option<Vec<&'a Entry>> {
        let entries = match self.node.map(|node| &node.value) {
            None => return Some(Vec::new()),
            Some(Value::Table(entries)) => entries,
            Some(_) => {
                self.wrong("a table of keys and values");
                return None;
            }
        };
        let (known, unknown): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| fields.contains(&entry.key.as_str()));
        for entry in unknown {
            self.reader.note(
                Problem::new(
                    "unknown_key",
                    format!("unknown key `{}` in {}", entry.key, shown(&self.path)),
                )
                .at(Some(entry.place.clone()), "not a key of this table")
                .help(suggest::of(&entry.key, fields, "keys"))
                .about(&join(&self.path, &entry.key)),
            );
        }
        Some(known)
    }

    pub(super) fn read_struct<'de, V: Visitor<'de>>(
        &self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Some(entries) = self.known(fields) else {
            return Fill.deserialize_struct("", fields, visitor);
        };
        let absent = |field: &&'static str| {
            self.reader.patches.contains_key(&join(&self.path, field))
                && !entries.iter().any(|entry| entry.key == **field)
        };
        let fillers = fields.iter().copied().filter(absent).collect();
        let map = Fields { at: self, entries: entries.into_iter(), fillers, next: None };
        visitor.visit_map(map).map_err(|stop| stop.at(&self.path))
    }
}

/// What a whole number out of the range of its type is told.
fn bounds(number: i128, least: i128, most: i128) -> String {
    match (number < least, least) {
        (true, 0) => "cannot be below 0".into(),
        (true, _) => format!("must be at least {least}"),
        (false, _) => format!("must be at most {most}"),
    }
}
