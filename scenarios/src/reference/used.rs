//! Which keys a scenario uses, and how it writes them.

use super::key::choices;
use super::walk::{Reference, join};
use crate::document::{Document, Entry, Node, Value as Written};
use crate::schema::resolve;
use serde_json::Value;
use std::collections::BTreeMap;

/// Keys of a table that are shown below its header.
const KEYS: usize = 3;

/// Longest line that is shown as an example.
const LONGEST: usize = 72;

/// The keys that some scenarios use, each with a line that does so.
#[derive(Clone, Debug, Default)]
pub struct Used {
    lines: BTreeMap<String, Option<String>>,
}

impl Used {
    /// Whether the key described at `path` is used.
    pub fn contains(&self, path: &str) -> bool {
        self.lines.contains_key(path)
    }

    /// A line that uses the key described at `path`.
    pub fn example(&self, path: &str) -> Option<&str> {
        self.lines.get(path)?.as_deref()
    }

    fn mark(&mut self, path: &str, line: Option<String>) {
        let known = self.lines.entry(path.into()).or_default();
        if known.is_none() {
            *known = line.filter(|text| text.lines().all(|line| line.chars().count() <= LONGEST));
        }
    }
}

/// The keys that the scenarios with these names and texts use.
pub fn used(reference: &Reference, scenarios: &[(&str, &str)]) -> Used {
    let mut used = Used::default();
    for (name, text) in scenarios {
        let document = Document::parse(name, text, &[], &mut Vec::new());
        if let Some(root) = document.find("") {
            let mut visit = Visit { reference, text, used: &mut used };
            visit.inside(root, reference.root(), "");
            visit.sweep(&document);
        }
    }
    used
}

struct Visit<'a> {
    reference: &'a Reference,
    text: &'a str,
    used: &'a mut Used,
}

impl Visit<'_> {
    /// Marks what is written in `node`, whose type is described at `home`.
    fn inside(&mut self, node: &Node, schema: &Value, home: &str) {
        let content = resolve(schema, self.reference.root());
        match &node.value {
            Written::Table(entries) => {
                for entry in entries {
                    self.further(content, home, &entry.key, &entry.node);
                }
            }
            Written::List(nodes) => {
                for node in nodes {
                    self.further(content, home, "[]", node);
                }
            }
            Written::Text(name) if choices(content).iter().any(|choice| choice.name == *name) => {
                let key = home.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
                self.used.mark(&join(home, name), Some(format!("{key} = \"{name}\"")));
            }
            _ => {}
        }
    }

    /// Marks what a sweep sets: the values of its keys, and of its variants.
    fn sweep(&mut self, document: &Document) {
        let Some(Written::Table(entries)) = document.find("sweep").map(|node| &node.value) else {
            return;
        };
        for entry in entries.iter().filter(|entry| entry.key.contains('.')) {
            if let Written::List(values) = &entry.node.value {
                values.iter().for_each(|value| self.setting(&entry.key, value));
            }
        }
        let variants = entries.iter().find(|entry| entry.key == "variant");
        let Some(Written::List(variants)) = variants.map(|entry| &entry.node.value) else { return };
        for set in variants.iter().filter_map(|variant| variant.child("set")) {
            if let Written::Table(entries) = &set.value {
                entries.iter().for_each(|entry| self.setting(&entry.key, &entry.node));
            }
        }
    }

    /// Marks a value that a sweep gives to the key at `path`.
    fn setting(&mut self, path: &str, node: &Node) {
        let (mut schema, mut home) = (self.reference.root().clone(), String::new());
        for name in path.split('.') {
            let content = resolve(&schema, self.reference.root()).clone();
            let Some((next, own)) = self.reference.step(&content, &home, name) else { return };
            schema = next.clone();
            self.used.mark(&own, None);
            home = self.reference.home(&schema, own);
        }
        self.inside(node, &schema, &home);
    }

    fn further(&mut self, content: &Value, home: &str, name: &str, node: &Node) {
        let Some((schema, own)) = self.reference.step(content, home, name) else { return };
        let (schema, line) = (schema.clone(), self.line(name, node));
        self.used.mark(&own, line);
        let home = self.reference.home(&schema, own);
        self.inside(node, &schema, &home);
    }

    /// The line as it was written; of a table with a header, or of a list of such tables, the header and some keys
    /// below it.
    fn line(&self, name: &str, node: &Node) -> Option<String> {
        let text = self.written(node)?;
        match &node.value {
            _ if name == "[]" => None,
            Written::Table(_) if text.starts_with('[') => self.table(text, node),
            Written::Table(_) if !text.starts_with('{') => None,
            Written::List(tables) if text.starts_with("[[") => self.table(text, tables.first()?),
            _ => Some(format!("{name} = {text}")).filter(|line| !line.contains('\n')),
        }
    }

    /// A header and the first keys of its table that fit a line each; nothing where there are none.
    fn table(&self, header: &str, node: &Node) -> Option<String> {
        let Written::Table(entries) = &node.value else { return None };
        let line = |entry: &Entry| {
            let text = self.written(&entry.node)?;
            let own = match &entry.node.value {
                Written::Table(_) => text.starts_with('{'),
                _ => !text.starts_with("[["),
            };
            let line = format!("{} = {text}", entry.key);
            let short = !line.contains('\n') && line.chars().count() <= LONGEST;
            (own && short && !entry.key.contains('.')).then_some(line)
        };
        let lines: Vec<String> = entries.iter().filter_map(line).take(KEYS).collect();
        (!lines.is_empty()).then(|| format!("{header}\n{}", lines.join("\n")))
    }

    fn written(&self, node: &Node) -> Option<&str> {
        Some(self.text.get(node.place.span.clone())?.trim())
    }
}
