//! Paths of keys: joined by dots, numbers for places in lists.

use super::node::{Node, Place};

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// A path as messages show it.
pub(super) fn shown(path: &str) -> String {
    if path.is_empty() { "the scenario".into() } else { format!("`{path}`") }
}

/// The place of what was written at `path`, or of the nearest table around it.
pub(super) fn nearest(root: &Node, path: &str) -> Option<Place> {
    let mut found = None;
    let mut node = root;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let Some(child) = node.child(key) else { break };
        found = Some(child.place.clone());
        node = child;
    }
    found
}
