//! Values with their places.

use std::ops::Range;

/// Where something was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which text: what the file builds on, the file, then the `--set` arguments in order.
    pub source: usize,
    /// Bytes of that text.
    pub span: Range<usize>,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written. Of a `[table]`, its header.
    pub place: Place,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number. Wider than TOML's, so that too large ones can be reported.
    Integer(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// A text.
    Text(String),
    /// A date or time; no key takes one.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order of the text.
    Table(Vec<Entry>),
}

/// A key of a table and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The value under `key`, or at index `key` of a list.
    pub fn child(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.node),
            Value::List(nodes) => nodes.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// As [`Node::child`] along a whole path, to be changed.
    pub(super) fn child_mut(&mut self, path: &str) -> Option<&mut Node> {
        let (key, rest) =
            path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let child = match &mut self.value {
            Value::Table(entries) => {
                entries.iter_mut().find(|e| e.key == key).map(|e| &mut e.node)?
            }
            Value::List(nodes) => nodes.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
        match rest {
            Some(rest) => child.child_mut(rest),
            None => Some(child),
        }
    }

    /// Lays `upper` over this value: tables merge key by key, everything else is replaced.
    pub(super) fn lay_over(&mut self, upper: Node) {
        match (&mut self.value, upper.value) {
            (Value::Table(entries), Value::Table(more)) => {
                self.place = upper.place;
                for entry in more {
                    match entries.iter_mut().find(|known| known.key == entry.key) {
                        Some(known) => {
                            known.place = entry.place;
                            known.node.lay_over(entry.node);
                        }
                        None => entries.push(entry),
                    }
                }
            }
            (_, value) => *self = Node { value, place: upper.place },
        }
    }

    /// Takes the key at `path` out of its table.
    pub(super) fn remove(&mut self, path: &str) {
        let Value::Table(entries) = &mut self.value else { return };
        match path.split_once('.') {
            None => entries.retain(|entry| entry.key != path),
            Some((key, rest)) => {
                entries.iter_mut().filter(|e| e.key == key).for_each(|e| e.node.remove(rest));
            }
        }
    }

    /// The value as a number, if it is one.
    pub(super) fn as_number(&self) -> Option<f64> {
        match &self.value {
            Value::Integer(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The value in words, for messages: `the text "abc"`, `the number 3`, `a table`.
    pub fn in_words(&self) -> String {
        match &self.value {
            Value::Bool(value) => format!("`{value}`"),
            Value::Integer(value) => format!("the number {value}"),
            Value::Float(value) => format!("the number {value:?}"),
            Value::Text(value) if value.chars().count() > 24 => "a text".into(),
            Value::Text(value) => format!("the text {value:?}"),
            Value::Date(_) => "a date".into(),
            Value::List(_) => "a list".into(),
            Value::Table(_) => "a table".into(),
        }
    }
}
