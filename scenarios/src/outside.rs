//! Which files a scenario may name: those in its own folder, below it, and in the data folder.
//!
//! A scenario that was sent by somebody else must not read whatever it likes. What is given on the
//! command line is the user's own word and is not judged.

use crate::diagnose::Problem;
use crate::document::{Document, Value};
use std::path::{Component, Path, PathBuf};

/// The keys that name a file, seen from the scenario's folder. `*` stands for any place in a list.
pub(crate) const FILES: [&str; 9] = [
    "network.weights",
    "strategy.schedule_file",
    "population.speed_file",
    "population.availability_file",
    "population.group.*.speed_file",
    "population.group.*.availability_file",
    "data.partition.file.path",
    "topology.tree.assign.file.path",
    "script.file",
];

/// The keys that name a file or folder, seen from the data folder.
const DATA: [&str; 10] = [
    "data.dataset.csv.train",
    "data.dataset.csv.test",
    "data.dataset.mnist.dir",
    "data.dataset.fashion-mnist.dir",
    "data.dataset.cifar10.dir",
    "data.dataset.cifar100.dir",
    "data.dataset.persons.dir",
    "data.dataset.persons.public",
    "data.dataset.orl-faces.dir",
    "data.dataset.face-classes.faces.orl.dir",
];

const DATA_HELP: &str = "keep data below the data folder, and say with `--data-dir DIR` where that is; \
                         if you trust this scenario, give `--allow-outside`";

/// The keys that list folders in `data.dataset.persons.dir`.
const LISTS: [&str; 2] = ["data.dataset.persons.domains", "data.dataset.persons.unseen"];

/// Where files may be.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    folders: Vec<PathBuf>,
    open: bool,
}

impl Fence {
    /// The folder of the scenario at `path` and the data folder, or everywhere when `open`.
    pub(crate) fn new(path: &Path, data: Option<&Path>, open: bool) -> Self {
        let own = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folders = [Some(own.unwrap_or(Path::new("."))), data];
        Self { folders: folders.into_iter().flatten().map(settled).collect(), open }
    }

    /// The same with another folder.
    fn with(mut self, folder: &Path) -> Self {
        self.folders.push(settled(folder));
        self
    }

    fn holds(&self, path: &Path) -> bool {
        let path = settled(path);
        self.open || self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether `path` may be read, which the scenario calls `named`.
    ///
    /// # Errors
    /// How to allow it.
    pub(crate) fn allows(&self, path: &Path, named: &Path) -> Result<(), Problem> {
        if self.holds(path) {
            return Ok(());
        }
        let message = format!("`{}` lies outside the scenario's folder", named.display());
        Err(Problem::new("outside", message).help(
            "keep it beside the scenario or in a folder below it; if you trust this \
             scenario, give `--allow-outside`",
        ))
    }
}

/// Files outside that `document` names, which was read from the scenario at `path`. `data` is the data
/// folder, where the user said on the command line which it is.
pub(crate) fn check(
    document: &Document,
    path: &Path,
    data: Option<&Path>,
    allow_outside: bool,
) -> Vec<Problem> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let own = Fence::new(path, data, allow_outside);
    let mut problems = Vec::new();
    for key in files(document) {
        problems.extend(judge(document, &key, folder, &own, "not below this file's folder"));
    }
    let written = text(document, "data.dir").map(|(text, _)| PathBuf::from(text));
    let folder = data.map(PathBuf::from).or(written).unwrap_or_else(|| "data".into());
    // The folder is seen from where the command is called, so it may lie below that, too.
    let around = Fence::new(path, data, allow_outside).with(Path::new("."));
    let chosen = data.is_none().then(|| {
        judge(document, "data.dir", Path::new(""), &around, "not below this file's folder")
    });
    if let Some(problem) = chosen.flatten() {
        problems.push(problem.help(
            "keep data below the scenario or below the folder in which the command is called; or say \
             where they are yourself: `--data-dir DIR`",
        ));
        return problems;
    }
    let inside = Fence::new(path, Some(&folder), allow_outside);
    for key in DATA {
        let found = judge(document, key, &folder, &inside, "not below the data folder");
        problems.extend(found.map(|problem| problem.help(DATA_HELP)));
    }
    let persons = text(document, "data.dataset.persons.dir").map_or("", |(text, _)| text);
    for list in LISTS {
        let Some(Value::List(nodes)) = document.find(list).map(|node| &node.value) else {
            continue;
        };
        for index in 0..nodes.len() {
            let (key, home) = (format!("{list}.{index}"), folder.join(persons));
            problems.extend(judge(document, &key, &home, &inside, "not below the data folder"));
        }
    }
    problems
}

/// The text at `key`, and whether it was given on the command line.
fn text<'a>(document: &'a Document, key: &str) -> Option<(&'a str, bool)> {
    let node = document.find(key)?;
    match &node.value {
        Value::Text(text) => Some((text, document.from_command_line(&node.place))),
        _ => None,
    }
}

/// The problem with the file that `key` names, seen from `folder`.
fn judge(
    document: &Document,
    key: &str,
    folder: &Path,
    fence: &Fence,
    label: &str,
) -> Option<Problem> {
    let (text, command_line) = text(document, key)?;
    if command_line {
        return None;
    }
    let problem = fence.allows(&folder.join(text), Path::new(text)).err()?;
    Some(problem.at(document.place(key), label).about(key))
}

/// The keys of `document` that name files and are there.
pub(crate) fn files(document: &Document) -> Vec<String> {
    let expand = |pattern: &&str| match pattern.split_once(".*.") {
        None => vec![(*pattern).to_string()],
        Some((list, key)) => match document.find(list).map(|node| &node.value) {
            Some(Value::List(nodes)) => {
                (0..nodes.len()).map(|index| format!("{list}.{index}.{key}")).collect()
            }
            _ => Vec::new(),
        },
    };
    let all = FILES.iter().flat_map(expand);
    all.filter(|path| document.find(path).is_some()).collect()
}

/// The path without `.`, `..` and links, as far as it exists.
fn settled(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    if let Ok(real) = whole.canonicalize() {
        return real;
    }
    // What does not exist yet has no links: its folder is settled, and the rest is plain text.
    let mut plain = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    match (plain.parent(), plain.file_name()) {
        (Some(parent), Some(name)) if parent != plain => settled(parent).join(name),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_is_inside() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let own = folder.path().join("own");
        std::fs::create_dir(&own).expect("made");
        std::fs::write(folder.path().join("secret"), "x").expect("written");
        let fence = Fence::new(&own.join("a.toml"), None, false);
        assert!(fence.allows(&own.join("parts/b.toml"), Path::new("")).is_ok());
        assert!(fence.allows(&own.join("parts/../b.toml"), Path::new("")).is_ok());
        for outside in ["../secret", "../none", "parts/../../secret", "/etc/passwd"] {
            let problem = fence.allows(&own.join(outside), Path::new("")).expect_err(outside);
            assert_eq!(problem.code(), "outside");
        }
        assert!(Fence::new(&own.join("a.toml"), None, true).holds(Path::new("/etc")));
        let data = Fence::new(&own.join("a.toml"), Some(folder.path()), false);
        assert!(data.holds(&own.join("../secret")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let own = folder.path().join("own");
        std::fs::create_dir(&own).expect("made");
        std::fs::write(folder.path().join("secret"), "x").expect("written");
        std::os::unix::fs::symlink(folder.path().join("secret"), own.join("link")).expect("linked");
        let fence = Fence::new(&own.join("a.toml"), None, false);
        assert!(fence.allows(&own.join("link"), Path::new("")).is_err());
    }
}
