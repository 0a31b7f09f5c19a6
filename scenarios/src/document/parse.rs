//! From TOML text to values with places.

use super::node::{Entry, Node, Place, Value};
use crate::diagnose::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// Parses a whole file, text number `source`. Text that is not TOML is reported, and what could be read is returned.
pub(super) fn document(text: &str, source: usize, problems: &mut Vec<Problem>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    // One slip often breaks the rest of its line: the first mistake of a line is told.
    let line = |error: &Error| {
        let end = error.span().map_or(0, |span| span.start.min(text.len()));
        text.get(..end).map_or(0, |before| before.matches('\n').count())
    };
    let mut last = None;
    let mut errors: Vec<&Error> = errors.iter().collect();
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    for error in errors {
        if last.replace(line(error)) != Some(line(error)) {
            problems.push(syntax(error, text, source, 0));
        }
    }
    let place = Place { source, span: 0..0 };
    Node { value: entries(table.get_ref(), source, 0), place }
}

/// Parses one value that begins at byte `offset` of text `source`.
///
/// # Errors
/// What is wrong with it, pointing into that text.
pub(super) fn value(text: &str, source: usize, offset: usize) -> Result<Node, Problem> {
    match DeValue::parse(text) {
        Ok(value) => Ok(node(&value, source, offset)),
        Err(error) => Err(syntax(&error, text, source, offset)),
    }
}

fn syntax(error: &Error, text: &str, source: usize, offset: usize) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let at = text.get(span.clone()).unwrap_or_default();
    let place = Place { source, span: span.start + offset..span.end + offset };
    let (message, help) = in_words(error.message(), at);
    Problem::new("syntax", message).at(Some(place), "here").help(help)
}

/// What the reader of TOML says at the text `at`, in the words of somebody who writes it.
fn in_words(message: &str, at: &str) -> (String, String) {
    if at.starts_with(':') {
        let help = "write `key = value`, not `key: value`";
        return ("this is not TOML: `:` stands where `=` should".into(), help.into());
    }
    if message.starts_with("duplicate key") {
        let help = "keep one of the two; a `[table]` also has its header only once";
        return (format!("this is not TOML: `{at}` is written twice in this table"), help.into());
    }
    if message.starts_with("string values must be quoted") {
        let help = format!("write it in quotes: \"{at}\"");
        return (format!("this is not TOML: the text {at} has no quotes"), help);
    }
    if message.starts_with("invalid basic string") {
        let help = "a text ends on its own line with the quote that it began with";
        return ("this is not TOML: a text has no closing `\"`".into(), help.into());
    }
    let help = "see https://toml.io for how tables, keys and values are written";
    (format!("this is not TOML: {message}"), help.into())
}

fn entries(table: &DeTable<'_>, source: usize, offset: usize) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            place: place(key, source, offset),
            node: node(value, source, offset),
        })
        .collect();
    entries.sort_by_key(|entry| entry.place.span.start);
    Value::Table(entries)
}

fn node(spanned: &Spanned<DeValue<'_>>, source: usize, offset: usize) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => integer(number.as_str(), number.radix()),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, source, offset)).collect())
        }
        DeValue::Table(table) => entries(table, source, offset),
    };
    Node { value, place: place(spanned, source, offset) }
}

/// TOML's own limit is 64 bits; a number beyond 128 bits is as good as the largest one.
fn integer(digits: &str, radix: u32) -> Value {
    Value::Integer(i128::from_str_radix(digits, radix).unwrap_or(i128::MAX))
}

fn place<T>(spanned: &Spanned<T>, source: usize, offset: usize) -> Place {
    let span = spanned.span();
    Place { source, span: span.start + offset..span.end + offset }
}
