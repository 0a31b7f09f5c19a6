//! Reading a document as typed sections, without stopping at the first error.
//!
//! Serde asks for one type after another and stops at the first mistake. This deserializer notes the
//! mistake, hands out a filler in place of the wrong value and goes on, so that one pass finds every
//! unknown key, wrong type and unknown name. What only the type itself can notice (a missing key) ends
//! the pass; then that place is patched with a filler and the document is read once more. Names and
//! types come from serde alone: no second list of keys has to be kept in step.

use super::at::{At, Reader};
use super::node::Node;
use crate::diagnose::Problem;
use serde::de::DeserializeOwned;

/// How often a document is read again before reading gives up: one missing key a time.
const PASSES: usize = 200;

/// Reads `root` as a `T`; see [`super::Document::read`].
pub(super) fn read<T: DeserializeOwned>(root: &Node, problems: &mut Vec<Problem>) -> Option<T> {
    let mut reader = Reader::default();
    for _ in 0..PASSES {
        reader.problems.borrow_mut().clear();
        let result = T::deserialize(At {
            node: Some(root),
            place: None,
            path: String::new(),
            reader: &reader,
        });
        let found = reader.problems.borrow().clone();
        match result {
            Ok(value) => {
                problems.extend(found);
                problems.extend(reader.patches.into_values());
                return Some(value);
            }
            Err(stop) => {
                let (path, problem) = stop.explain(root);
                if reader.patches.insert(path, problem).is_some() {
                    problems.extend(found);
                    break;
                }
            }
        }
    }
    problems.extend(reader.patches.into_values());
    None
}
