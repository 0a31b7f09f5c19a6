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

    /// Whether `path` may be read.
    ///
    /// # Errors
    /// Where it is, and how to allow it.
    pub(crate) fn allows(&self, path: &Path) -> Result<(), Problem> {
        let path = settled(path);
        if self.open || self.folders.iter().any(|folder| path.starts_with(folder)) {
            return Ok(());
        }
        let message = format!("`{}` lies outside the scenario's folder", path.display());
        Err(Problem::new("outside", message).help(
            "keep it beside the scenario or in a folder below it; if you trust this \
             scenario, give `--allow-outside`",
        ))
    }
}

/// Files outside that `document` names, the scenario of which stands in `folder`.
pub(crate) fn check(document: &Document, folder: &Path, fence: &Fence) -> Vec<Problem> {
    let mut problems = Vec::new();
    for path in files(document) {
        let Some(node) = document.find(&path) else { continue };
        let Value::Text(text) = &node.value else { continue };
        if document.from_command_line(&node.place) {
            continue;
        }
        if let Err(problem) = fence.allows(&folder.join(text)) {
            let place = Some(node.place.clone());
            problems.push(problem.at(place, "not below this file's folder").about(&path));
        }
    }
    problems
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
        assert!(fence.allows(&own.join("parts/b.toml")).is_ok());
        assert!(fence.allows(&own.join("parts/../b.toml")).is_ok());
        for outside in ["../secret", "../none", "parts/../../secret", "/etc/passwd"] {
            let problem = fence.allows(&own.join(outside)).expect_err(outside);
            assert_eq!(problem.code(), "outside");
        }
        assert!(Fence::new(&own.join("a.toml"), None, true).allows(Path::new("/etc")).is_ok());
        let data = Fence::new(&own.join("a.toml"), Some(folder.path()), false);
        assert!(data.allows(&own.join("../secret")).is_ok());
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
        assert!(fence.allows(&own.join("link")).is_err());
    }
}
