//! Finding runs in directories: of one run, of a sweep, or of many runs.

use super::labels;
use crate::report::{RunData, Target};
use crate::sweep::{Ledger, Status};
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The runs, in the order of the directories; of a sweep in the order of its grid.
    pub runs: Vec<RunData>,
    /// The target of the first sweep that has one.
    pub target: Option<Target>,
    /// Directories that were left out, each with the one that holds the same run.
    pub twins: Vec<(PathBuf, PathBuf)>,
    /// Runs of sweeps that are missing because they failed or were not finished.
    pub missing: usize,
}

/// A directory that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// No run is in it.
    #[error("{} holds no finished run\nhelp: name run directories, or the directory of a sweep", .0.display())]
    Empty(PathBuf),
    /// There is no such directory.
    #[error("there is no directory `{}`\nhelp: name run directories, or the directory of a sweep", .0.display())]
    Missing(PathBuf),
    /// A file of it cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Reads the runs in `dirs`. A directory is that of a run, of a sweep, or one with such directories in
/// it, which are then taken by name. Runs that share a label but differ in more than their seed get
/// what differs added to their labels.
///
/// # Errors
/// See [`CompareError`].
pub fn load(dirs: &[PathBuf]) -> Result<Found, CompareError> {
    let mut found = Found::default();
    let mut places = Vec::new();
    for dir in dirs {
        if !dir.is_dir() {
            return Err(CompareError::Missing(dir.clone()));
        }
        if directory(dir, 1, &mut found, &mut places)? == 0 {
            return Err(CompareError::Empty(dir.clone()));
        }
    }
    labels::by_scenario(&mut found.runs);
    labels::part(&mut found.runs, &places);
    Ok(found)
}

/// Adds the runs in `dir` and says how many there are; of directories inside it `depth` levels are looked at.
fn directory(
    dir: &Path,
    depth: usize,
    found: &mut Found,
    places: &mut Vec<PathBuf>,
) -> Result<usize, CompareError> {
    let mut read = 0;
    if dir.join("sweep.json").is_file() {
        let ledger = Ledger::load(dir).map_err(|reason| unreadable(dir, reason))?;
        found.target = found.target.or(ledger.target);
        for run in ledger.runs.iter().filter(|run| run.in_grid) {
            match &run.status {
                Status::Done(place) => {
                    add(&dir.join(place), Some(&run.label), found, places)?;
                    read += 1;
                }
                Status::Open | Status::Failed(_) => found.missing += 1,
            }
        }
    } else if dir.join("report.json").is_file() {
        add(dir, None, found, places)?;
        read += 1;
    } else if depth > 0 {
        let entries = std::fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut inside: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
        inside.sort();
        for dir in inside {
            read += directory(&dir, depth - 1, found, places)?;
        }
    }
    Ok(read)
}

fn add(
    dir: &Path,
    label: Option<&str>,
    found: &mut Found,
    places: &mut Vec<PathBuf>,
) -> Result<(), CompareError> {
    let path = dir.join("report.json");
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
    let mut run: RunData =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
    run.label = label.map_or(run.label, str::to_string);
    // A run that was kept twice says no more than once.
    let same = |other: &RunData| {
        (&other.label, other.seed, &other.digest) == (&run.label, run.seed, &run.digest)
    };
    if let Some(twin) = found.runs.iter().position(same).filter(|_| !run.digest.is_empty()) {
        found.twins.push((dir.to_path_buf(), places[twin].clone()));
        return Ok(());
    }
    if let Some(name) = dir.file_name() {
        run.name = name.to_string_lossy().into_owned();
    }
    found.runs.push(run);
    places.push(dir.to_path_buf());
    Ok(())
}

fn unreadable(path: &Path, reason: impl ToString) -> CompareError {
    CompareError::Unreadable { path: path.to_path_buf(), reason: reason.to_string() }
}
