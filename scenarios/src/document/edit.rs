//! Documents made from other documents: a section taken off, values laid over.

use super::node::{Entry, Node, Place, Value};
use super::{Document, overrides};

impl Document {
    /// Takes a section off the top of the document.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        let Value::Table(entries) = &mut self.root.value else { return None };
        let place = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(place))
    }

    /// Lays `value` over what is at `path` (keys joined by dots); `place` is where the path was written.
    pub fn lay(&mut self, path: &str, place: Place, value: Node) {
        let keys: Vec<&str> = path.split('.').collect();
        overrides::insert(&mut self.root, &keys, place, value);
    }

    /// Puts the text `value` in the place of the one at `path`.
    pub fn reword(&mut self, path: &str, value: String) {
        if let Some(node) = self.root.child_mut(path) {
            node.value = Value::Text(value);
        }
    }

    /// A document of the same texts that holds nothing but `entry`.
    pub fn only(&self, entry: Entry) -> Self {
        let place = Place { source: 0, span: 0..0 };
        let root = Node { value: Value::Table(vec![entry]), place };
        Self { sources: self.sources.clone(), main: self.main, root }
    }
}
