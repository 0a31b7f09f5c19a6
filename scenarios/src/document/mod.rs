//! A scenario file as text with places: what was written, and where.
//!
//! The document keeps the place of every key and value, also of those that came from `--set`, so that
//! an error found much later (in a range check, in the data) can still show the line that caused it.

mod advice;
mod at;
mod deserialize;
mod edit;
mod fields;
mod fill;
mod names;
mod node;
mod overrides;
mod parse;
mod path;
mod read;
mod stop;
#[cfg(test)]
mod tests;
mod variant;

pub use names::names;
pub use node::{Entry, Node, Place, Value};

use crate::diagnose::Problem;
use serde::de::DeserializeOwned;

/// A text that values come from: a file, or one `--set` argument.
#[derive(Clone, Debug)]
pub struct Source {
    /// What messages call it: the file's path, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A scenario file, what it builds on, and the overrides on top of it.
#[derive(Clone, Debug)]
pub struct Document {
    sources: Vec<Source>,
    /// Which of the sources is the scenario file: those before it are what it builds on.
    main: usize,
    root: Node,
}

impl Document {
    /// Parses `text`, then lays each `path.to.key=value` of `overrides` over it, in order. Everything
    /// that is wrong is added to `problems`; what could be understood is in the document.
    pub fn parse(
        name: &str,
        text: &str,
        overrides: &[String],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let file = Source { name: name.into(), text: text.into() };
        Self::layered(vec![file], overrides, problems)
    }

    /// Lays texts over each other, the last one on top: tables merge, everything else is replaced. The
    /// last one is the scenario file; `overrides` are laid over it as in [`Document::parse`].
    pub fn layered(
        sources: Vec<Source>,
        overrides: &[String],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut root = Node { value: Value::Table(Vec::new()), place: Place::default() };
        for (index, source) in sources.iter().enumerate() {
            root.lay_over(parse::document(&source.text, index, problems));
        }
        let main = sources.len().saturating_sub(1);
        let mut document = Self { sources, main, root };
        for argument in overrides {
            let source = document.sources.len();
            document.sources.push(Source { name: "--set".into(), text: argument.clone() });
            overrides::apply(&mut document.root, source, argument, problems);
        }
        document
    }

    /// The scenario file's name.
    pub fn name(&self) -> &str {
        self.sources.get(self.main).map_or("scenario", |source| source.name.as_str())
    }

    /// Whether what is at `place` was given on the command line.
    pub fn from_command_line(&self, place: &Place) -> bool {
        place.source > self.main
    }

    /// The texts, each after those that it is laid over.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Adds a text that a value names, so that problems can point into it; gives its number.
    pub fn add_source(&mut self, name: &str, text: &str) -> usize {
        self.sources.push(Source { name: name.into(), text: text.into() });
        self.sources.len() - 1
    }

    /// The value at `path` (keys joined by dots), if the document has it.
    pub fn find(&self, path: &str) -> Option<&Node> {
        let mut node = &self.root;
        for key in path.split('.').filter(|key| !key.is_empty()) {
            node = node.child(key)?;
        }
        Some(node)
    }

    /// Where `path` was written; when it was not, where the nearest table around it was. `None` when
    /// not even its section was written.
    pub fn place(&self, path: &str) -> Option<Place> {
        path::nearest(&self.root, path)
    }

    /// Two keys stand for the same thing: when they were written in different texts, the one of the later
    /// text stays, so that `--set` wins over the file. Within one text both stay, to be reported.
    pub fn keep_latest(&mut self, first: &str, second: &str) {
        let source = |path: &str| self.find(path).map(|node| node.place.source);
        let (Some(a), Some(b)) = (source(first), source(second)) else { return };
        match a.cmp(&b) {
            std::cmp::Ordering::Less => self.root.remove(first),
            std::cmp::Ordering::Greater => self.root.remove(second),
            std::cmp::Ordering::Equal => {}
        }
    }

    /// Reads the whole document as a `T`. All that does not fit is added to `problems`, each thing
    /// once; where it can, the value is completed with fillers so that further checks can go on.
    pub fn read<T: DeserializeOwned>(&self, problems: &mut Vec<Problem>) -> Option<T> {
        read::read(&self.root, problems)
    }
}
