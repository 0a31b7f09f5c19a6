//! Files that cannot be read, in words.

use crate::diagnose::Problem;
use crate::suggest;
use crate::words::capital;
use std::path::Path;

/// Files among which the one that was meant is looked for.
const MOST_NAMES: usize = 10_000;

/// Names of files have much in common; from this likeness on one is taken for the other.
const ALIKE: f64 = 0.88;

/// The problem with the file at `path`, and `help`.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error, help: &str) -> Problem {
    let shown = shown(path);
    let problem = match error.kind() {
        std::io::ErrorKind::NotFound => {
            let problem = Problem::new("missing_file", format!("there is no file `{shown}`"));
            if let Some(near) = near(path) {
                return problem.help(format!("did you mean `{near}`? {}", capital(help)));
            }
            problem
        }
        std::io::ErrorKind::InvalidData => {
            Problem::new("unreadable_file", format!("`{shown}` is no text in UTF-8"))
        }
        _ => Problem::new("unreadable_file", format!("cannot read `{shown}`: {error}")),
    };
    problem.help(help)
}

/// The name of a file beside the missing one that looks like it.
fn near(path: &Path) -> Option<String> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_string_lossy());
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).ok()?.take(MOST_NAMES);
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|other| Path::new(other).extension() == path.extension()).collect();
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = suggest::nearest(&name, &names).into_iter().next()?;
    (suggest::likeness(&name, near) >= ALIKE).then(|| near.to_string())
}

/// A path as one would type it here.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or(path).display().to_string()
}

/// `text` with the folder in which the command is called taken out of its paths.
pub(crate) fn shorten(text: &str) -> String {
    match std::env::current_dir() {
        Ok(here) if here.parent().is_some() => text.replace(&format!("{}/", here.display()), ""),
        _ => text.to_string(),
    }
}
