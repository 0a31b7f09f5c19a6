//! One key, as its place in the schema describes it.

use crate::schema::{resolve, variant};
use serde::Serialize;
use serde_json::Value;

/// A key of the language, or one of the choices that a key has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Key {
    /// Keys joined by dots; `[]` stands for any place in a list.
    pub path: String,
    /// What it takes, in words.
    pub takes: String,
    /// Least and largest value, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// The value when left out, as TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether its table cannot do without it.
    pub needed: bool,
    /// What it means, with its unit.
    pub about: String,
    /// What can be chosen, with a line on each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The keys of its table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The key that takes the same settings and is described in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// A line of a scenario that uses it; of a table with a header, the header and some lines below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// One of several names that a key takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The name.
    pub name: String,
    /// What it is.
    pub about: String,
}

impl Key {
    /// Describes what `schema` says of the key at `path`.
    pub(super) fn new(path: &str, schema: &Value, root: &Value, needed: bool) -> Self {
        let content = resolve(schema, root);
        let about = text(schema, "description").or_else(|| text(content, "description"));
        Self {
            path: path.into(),
            takes: takes(content, root),
            range: range(schema).or_else(|| range(content)),
            default: schema.get("default").and_then(shown),
            needed,
            about: about.unwrap_or_default(),
            choices: choices(items(content, root)),
            keys: keys(items(content, root)),
            same_as: None,
            example: example(path, schema),
        }
    }
}

fn text(schema: &Value, key: &str) -> Option<String> {
    let lines = schema[key].as_str()?.split_whitespace();
    Some(unlinked(&lines.collect::<Vec<_>>().join(" ")))
}

/// Links between items of the code say nothing to a reader of scenarios.
fn unlinked(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

/// What a list holds; anything else itself.
fn items<'a>(content: &'a Value, root: &'a Value) -> &'a Value {
    match content.get("items") {
        Some(items) => resolve(items, root),
        None => content,
    }
}

fn keys(content: &Value) -> Vec<String> {
    let properties = content["properties"].as_object();
    properties.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

/// The names that can be chosen, each once.
pub(super) fn choices(content: &Value) -> Vec<Choice> {
    let mut found: Vec<Choice> = Vec::new();
    let mut add = |name: &str, about: Option<String>| {
        if !found.iter().any(|choice| choice.name == name) {
            found.push(Choice { name: name.into(), about: about.unwrap_or_default() });
        }
    };
    for choice in alternatives(content) {
        let about = text(choice, "description");
        match (variant(choice), choice["const"].as_str()) {
            (Some((name, _)), _) => add(name, about),
            (None, Some(name)) => add(name, about),
            (None, None) => names(choice).for_each(|name| add(name, None)),
        }
    }
    names(content).for_each(|name| add(name, None));
    found
}

fn names(schema: &Value) -> impl Iterator<Item = &str> {
    schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The alternatives of a choice; none of anything else.
pub(super) fn alternatives(content: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().flat_map(|key| content[key].as_array().into_iter().flatten())
}

fn takes(content: &Value, root: &Value) -> String {
    if !choices(content).is_empty() {
        return "a choice".into();
    }
    match content["type"].as_str() {
        Some("boolean") => "`true` or `false`".into(),
        Some("integer") => "a whole number".into(),
        Some("number") => "a number".into(),
        Some("string") => "a text".into(),
        Some("object") => "a table".into(),
        Some("array") => {
            let items = takes(resolve(&content["items"], root), root);
            format!("a list, each {items}")
        }
        _ => "a value".into(),
    }
}

fn range(schema: &Value) -> Option<String> {
    let bound = |key: &str| schema[key].as_f64().map(|number| format!("{number}"));
    // Every count is at least 0: that it cannot be negative says nothing.
    let least = bound("minimum").filter(|n| n != "0" || schema.get("maximum").is_some());
    let least = least.map(|n| format!("at least {n}"));
    let above = bound("exclusiveMinimum").map(|n| format!("above {n}"));
    let most = bound("maximum").map(|n| format!("at most {n}"));
    let below = bound("exclusiveMaximum").map(|n| format!("below {n}"));
    let parts: Vec<String> = [least, above, most, below].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A value as TOML writes it; nothing for tables and for what is empty.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(table) if table.len() != 1 => None,
        Value::String(text) if text.is_empty() => None,
        value => Some(toml(value)),
    }
}

fn toml(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let inside = |(key, value): (&String, &Value)| format!("{key} = {}", toml(value));
            let parts: Vec<String> = table.iter().map(inside).collect();
            if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => short(number),
        other => other.to_string(),
    }
}

/// A 32-bit number becomes a long 64-bit one in JSON: 0.1 is shown as it was written.
fn short(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => {
            let narrow = value as f32;
            if f64::from(narrow) == value && value.fract() != 0.0 {
                format!("{narrow:?}")
            } else {
                format!("{value:?}")
            }
        }
        _ => number.to_string(),
    }
}

fn example(path: &str, schema: &Value) -> Option<String> {
    let first = schema["examples"].as_array()?.first()?;
    let name = path.rsplit('.').next()?;
    match first.as_array().is_some_and(|list| list.iter().all(Value::is_object)) {
        true => Some(format!("[[{path}]]")),
        false => Some(format!("{name} = {}", toml(first))),
    }
}
