//! The language as a whole: its schema, its reference, files that build on files, and the help.

#[path = "language/help.rs"]
mod help;
#[path = "language/layers.rs"]
mod layers;
#[path = "language/pages.rs"]
mod pages;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this crate.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The scenarios in a folder, by name, with their texts.
fn scenarios(name: &str) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder(name)).expect("in the repository");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    paths.sort();
    let text = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("text");
        (path, text)
    };
    paths.into_iter().map(text).collect()
}

fn offbeat(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offbeat"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

fn printed(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(text).expect("text")
}
