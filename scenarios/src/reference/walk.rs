//! Walks the schema from the top, one key after the other.

use super::key::{Key, alternatives, choices};
use super::used::used;
use crate::schema::{reference, resolve, schema, variant};
use crate::suggest;
use serde_json::Value;
use std::collections::BTreeMap;

/// The order of the sections in the reference; those that are not named follow by name.
const ORDER: [&str; 14] = [
    "version",
    "name",
    "description",
    "extends",
    "include",
    "run",
    "data",
    "population",
    "server",
    "network",
    "training",
    "strategy",
    "evaluation",
    "output",
];

/// Keys that come before the others of their table.
const FIRST: [&str; 5] = ["clients", "device", "link", "dataset", "partition"];

/// What a choice of a key takes, in words.
pub(crate) const CHOICE: &str = "one of the choices";

/// All keys of the language.
#[derive(Clone, Debug)]
pub struct Reference {
    root: Value,
    keys: Vec<Key>,
    /// Where each type is described: types that several keys share are described once.
    homes: BTreeMap<String, String>,
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl Reference {
    /// Reads the schema, and takes examples from the scenarios that come with Offbeat.
    pub fn new() -> Self {
        let root = schema();
        let mut reference = Self { keys: Vec::new(), homes: BTreeMap::new(), root };
        let root = reference.root.clone();
        reference.table("", &root);
        let used = used(&reference, super::EXAMPLES);
        for key in &mut reference.keys {
            let seen = used.example(&key.path).map(String::from);
            key.example = seen.or_else(|| key.example.take());
        }
        reference
    }

    /// The keys, section by section.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The schema that the keys come from.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// What is known of `path`, wherever in a scenario it is; numbers and `[]` stand for places in
    /// lists.
    pub fn find(&self, path: &str) -> Option<Key> {
        // What stands at a place of a list is told with the list, where it has no entry of its own.
        self.found(path).or_else(|| self.found(path.strip_suffix("[]")?))
    }

    fn found(&self, path: &str) -> Option<Key> {
        let home = self.home_of(&path.replace("[]", ".[]")).or_else(|| self.in_lists(path))?;
        let found = self.keys.iter().find(|key| key.path == home)?;
        let mut key = found.clone();
        if home != path {
            key.same_as = Some(home);
            key.path = path.into();
        }
        Some(key)
    }

    /// The key that is called `path` by somebody who leaves out the `[]`.
    fn in_lists(&self, path: &str) -> Option<String> {
        let paths = self.keys.iter().map(|key| &key.path);
        paths.into_iter().find(|known| known.replace("[]", "") == path).cloned()
    }

    /// Paths that look like `path`, best first.
    pub fn near(&self, path: &str) -> Vec<&str> {
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_string();
        let paths: Vec<&str> = self.keys.iter().map(|key| key.path.as_str()).collect();
        let wanted = last(path);
        let mut near: Vec<&str> =
            paths.iter().copied().filter(|known| last(known) == wanted).collect();
        // Where the table was named, it counts; else the key nearest to the top is meant most often.
        match path.contains('.') {
            true => near
                .sort_by(|a, b| suggest::likeness(path, b).total_cmp(&suggest::likeness(path, a))),
            false => near.sort_by_key(|known| known.matches('.').count()),
        }
        near.truncate(5);
        for found in suggest::nearest(path, &paths) {
            if !near.contains(&found) {
                near.push(found);
            }
        }
        near
    }

    /// The paths of the keys that are called `name`; choices are no keys.
    pub fn named(&self, name: &str) -> Vec<&str> {
        let called = |key: &&Key| key.path.rsplit('.').next() == Some(name);
        let keys = self.keys.iter().filter(called);
        keys.filter(|key| key.takes != CHOICE).map(|key| key.path.as_str()).collect()
    }

    /// Where the key at `path` is described.
    fn home_of(&self, path: &str) -> Option<String> {
        let (mut schema, mut home) = (&self.root, String::new());
        for name in path.split('.').flat_map(|part| split_list(part)).filter(|n| !n.is_empty()) {
            let content = resolve(schema, &self.root);
            (schema, home) = self.step(content, &home, name)?;
            home = self.home(schema, home);
        }
        // The last step names a key, not its type.
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() { String::new() } else { self.home_of(parent)? };
        let above = self.schema_at(&parent)?;
        let (_, own) = self.step(resolve(above, &self.root), &parent, name)?;
        self.keys.iter().any(|key| key.path == own).then_some(own).or(Some(home))
    }

    fn schema_at(&self, home: &str) -> Option<&Value> {
        let mut schema = &self.root;
        for name in home.split('.').flat_map(|part| split_list(part)).filter(|n| !n.is_empty()) {
            schema = self.step(resolve(schema, &self.root), "", name)?.0;
        }
        Some(schema)
    }

    /// One key or list place further down from `content`.
    pub(super) fn step<'a>(
        &'a self,
        content: &'a Value,
        home: &str,
        name: &str,
    ) -> Option<(&'a Value, String)> {
        if content["type"] == "array" && (name == "[]" || name.parse::<usize>().is_ok()) {
            return Some((&content["items"], format!("{home}[]")));
        }
        let property = content["properties"].get(name);
        let chosen = || {
            let mut tables = alternatives(content).filter_map(variant);
            tables.find(|(known, _)| *known == name).map(|(_, inside)| inside)
        };
        let alone = || alternatives(content).find(|choice| choice["const"] == name);
        let schema = property.or_else(chosen).or_else(alone)?;
        Some((schema, join(home, name)))
    }

    /// Where what `schema` stands for is described, when it is first met at `path`.
    pub(super) fn home(&self, schema: &Value, path: String) -> String {
        reference(schema).and_then(|name| self.homes.get(name)).cloned().unwrap_or(path)
    }

    fn table(&mut self, path: &str, content: &Value) {
        let Some(properties) = content["properties"].as_object() else { return };
        let mut names: Vec<&String> = properties.keys().collect();
        let place = |name: &str| ORDER.iter().position(|known| *known == name);
        names.sort_by_key(|name| {
            let listed = if path.is_empty() { place(name).unwrap_or(ORDER.len()) } else { 0 };
            let first = FIRST.iter().position(|known| known == name).unwrap_or(FIRST.len());
            (listed, first, properties[*name]["type"] == "array")
        });
        let whole = &self.root["else"];
        let whole = if path.is_empty() { whole } else { &whole["properties"][path] };
        let lists = [content["required"].as_array(), whole["required"].as_array()];
        let needed: Vec<&str> =
            lists.into_iter().flatten().flatten().filter_map(Value::as_str).collect();
        let needed: Vec<String> = needed.into_iter().map(String::from).collect();
        for name in names {
            self.key(&join(path, name), &properties[name], needed.contains(name));
        }
    }

    /// Adds the key at `path`, and all below it unless it is described elsewhere.
    fn key(&mut self, path: &str, schema: &Value, needed: bool) {
        let root = self.root.clone();
        let mut key = Key::new(path, schema, &root, needed);
        key.same_as = self.met_before(path, schema);
        let go_on = key.same_as.is_none();
        self.keys.push(key);
        if go_on {
            self.below(path, resolve(schema, &root));
        }
    }

    /// The place where the type behind `schema` is described; `path` becomes that place when it is new.
    fn met_before(&mut self, path: &str, schema: &Value) -> Option<String> {
        let name = reference(schema)?;
        if let Some(home) = self.homes.get(name) {
            return Some(home.clone());
        }
        self.homes.insert(name.into(), path.into());
        None
    }

    fn below(&mut self, path: &str, content: &Value) {
        self.table(path, content);
        if content["type"] == "array" {
            let (items, path) = (&content["items"], format!("{path}[]"));
            if self.met_before(&path, items).is_none() {
                let root = self.root.clone();
                self.below(&path, resolve(items, &root));
            }
        }
        for choice in choices(content) {
            let path = join(path, &choice.name);
            let table = alternatives(content).filter_map(variant);
            let inside = table.into_iter().find(|(name, _)| *name == choice.name);
            let empty = Value::Object(serde_json::Map::new());
            let inside = inside.map_or(&empty, |(_, inside)| inside);
            let root = self.root.clone();
            let mut key = Key::new(&path, inside, &root, false);
            key.takes = CHOICE.into();
            key.about = choice.about;
            key.same_as = self.met_before(&path, inside);
            let go_on = key.same_as.is_none();
            self.keys.push(key);
            if go_on {
                self.below(&path, resolve(inside, &root));
            }
        }
    }
}

/// `group[]` is a key and a place in its list.
fn split_list(part: &str) -> Vec<&str> {
    match part.strip_suffix("[]") {
        Some(name) => vec![name, "[]"],
        None => vec![part],
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}
