//! Why serde gave up on a value.

use super::node::Node;
use super::path::{join, nearest, shown};
use crate::diagnose::Problem;
use std::fmt;

/// Why serde gave up.
#[derive(Debug)]
pub(super) struct Stop {
    message: String,
    missing: Option<&'static str>,
    path: Option<String>,
}

impl Stop {
    pub(super) fn at(mut self, path: &str) -> Self {
        self.path.get_or_insert_with(|| path.to_string());
        self
    }

    /// The path to patch, and the problem in words.
    pub(super) fn explain(self, root: &Node) -> (String, Problem) {
        let table = self.path.unwrap_or_default();
        let place = nearest(root, &table);
        let Some(field) = self.missing else {
            let problem = Problem::new("value", format!("{}: {}", shown(&table), self.message));
            return (table.clone(), problem.at(place, "here").about(&table));
        };
        let path = join(&table, field);
        let what = if table.is_empty() { "section" } else { "key" };
        let problem =
            Problem::new("missing_key", format!("missing {what} `{field}` in {}", shown(&table)))
                .at(place.filter(|_| !table.is_empty()), "something is missing here")
                .help(format!("add `{field}` to {}", shown(&table)))
                .about(&path);
        (path, problem)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), missing: None, path: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { message: format!("missing `{field}`"), missing: Some(field), path: None }
    }
}
