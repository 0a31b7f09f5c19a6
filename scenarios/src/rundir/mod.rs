//! The run directory: what a run leaves behind.
//!
//! While a run lasts its directory is called `<scenario>-<seed>.running-<process>`; at the end it gets
//! its name `<scenario>-<seed>-<digest prefix>`. A run that was interrupted or failed keeps what it has
//! under a name that says so. Files are written beside their place, synced and renamed, so that no
//! half-written file carries a final name.
//!
//! | file | content |
//! |---|---|
//! | `scenario.toml` | the scenario with every default and override resolved |
//! | `version.json` | the build: version, features, machine |
//! | `metrics.csv` | every evaluation, aggregation and task; see [`table`] |
//! | `summary.json` | what the run came to |
//! | `report.html` | the same as a page with pictures |
//! | `report.json` | what the page shows, for `offbeat compare` |
//! | `model.safetensors` | the final shared parameters |
//! | `failure.json` | of a part that panicked: where in the run, and how to see it again |
//! | `snapshots/` | where the run can go on from; see [`crate::snapshot`] |

mod atomic;
mod build;
pub mod lines;
#[cfg(feature = "parquet")]
pub mod parquet;
mod spread;
pub mod table;

pub use build::Build;
pub use spread::Spread;

use crate::scenario::Scenario;
use crate::validate::folder_name;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The rows of a run that is under way; `metrics.csv` when it is over.
pub const ROWS: &str = ".metrics.csv.part";
const LOCK: &str = ".lock";

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {reason}", path.display())]
pub struct WriteError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl WriteError {
    pub(crate) fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_path_buf(), reason: reason.to_string() }
    }
}

/// How a run ended, as its directory's name says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As the scenario says; with the digest's prefix.
    Complete(String),
    /// By Ctrl-C; with the prefix of the digest so far.
    Interrupted(String),
    /// With an error.
    Failed,
}

/// The directory of a run that is under way.
#[derive(Debug)]
pub struct RunDir {
    parent: PathBuf,
    stem: String,
    working: PathBuf,
    /// Held while the run lasts, so that nobody goes on with a run that is alive.
    _lock: File,
}

impl RunDir {
    /// Makes the working directory below `parent` and writes what is known before the run. The
    /// directory is called after `name`, or after the scenario without one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(
        parent: &Path,
        scenario: &Scenario,
        name: Option<&str>,
    ) -> Result<Self, WriteError> {
        fs::create_dir_all(parent).map_err(|error| WriteError::new(parent, error))?;
        let stem = format!("{}-{}", folder_name(name.unwrap_or(scenario.name())), scenario.seed());
        let (working, ()) =
            claim(parent, &format!("{stem}.running-{}", std::process::id()), |path| {
                fs::create_dir(path)
            })?;
        let lock = lock(&working)?;
        let dir = Self { parent: parent.to_path_buf(), stem, working, _lock: lock };
        let text = scenario
            .to_toml()
            .map_err(|error| WriteError::new(&dir.file("scenario.toml"), error))?;
        dir.write("scenario.toml", text.as_bytes())?;
        dir.write("version.json", Build::this().to_json().as_bytes())?;
        Ok(dir)
    }

    /// Takes the directory of a run that was killed, interrupted or failed, to go on with it. Its rows are
    /// then in [`ROWS`] again.
    ///
    /// # Errors
    /// When the run is still alive, or the directory cannot be written.
    pub fn reopen(path: &Path) -> Result<Self, WriteError> {
        let path = &fs::canonicalize(path).map_err(|error| WriteError::new(path, error))?;
        let lock = lock(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = stem(&name).to_string();
        let parent = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let wanted = format!("{stem}.running-{}", std::process::id());
        let (working, ()) = match name == wanted {
            true => (path.clone(), ()),
            false => claim(&parent, &wanted, |to| match to.exists() {
                true => Err(std::io::ErrorKind::AlreadyExists.into()),
                false => fs::rename(path, to),
            })?,
        };
        let dir = Self { parent, stem, working, _lock: lock };
        let (rows, metrics) = (dir.file(ROWS), dir.file("metrics.csv"));
        if !rows.exists() {
            fs::rename(&metrics, &rows).map_err(|error| WriteError::new(&metrics, error))?;
        }
        Ok(dir)
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.working
    }

    /// Path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.working.join(name)
    }

    /// Writes a whole file: never half of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        atomic::write(&self.working, name, bytes)
    }

    /// Gives a file that something else wrote as `temporary` its final name.
    ///
    /// # Errors
    /// When it cannot be synced or renamed.
    pub fn settle(&self, temporary: &Path, name: &str) -> Result<(), WriteError> {
        atomic::settle(&self.working, temporary, name)
    }

    /// Gives the directory its final name and returns its path. A directory of that name stays as it
    /// is; this one then gets a number after its name.
    ///
    /// # Errors
    /// When it cannot be renamed; everything is then still in the working directory.
    pub fn finish(self, ending: &Ending) -> Result<PathBuf, WriteError> {
        let name = match ending {
            Ending::Complete(digest) => format!("{}-{digest}", self.stem),
            Ending::Interrupted(digest) => format!("{}-{digest}-interrupted", self.stem),
            Ending::Failed => format!("{}-failed", self.stem),
        };
        // The lock itself lasts until the file is closed.
        let _ = fs::remove_file(self.file(LOCK));
        atomic::sync_dir(&self.working)?;
        let (path, ()) = claim(&self.parent, &name, |path| match path.exists() {
            true => Err(std::io::ErrorKind::AlreadyExists.into()),
            false => fs::rename(&self.working, path),
        })?;
        atomic::sync_dir(&self.parent)?;
        Ok(path)
    }
}

/// Writes the file `dir/name` whole: never half of it.
pub(crate) fn write_file(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
    atomic::write(dir, name, bytes)
}

/// Locks a run directory.
fn lock(dir: &Path) -> Result<File, WriteError> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| WriteError::new(&path, error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(WriteError::new(dir, "another process is running it")),
        // Where files cannot be locked, nobody is kept from harm.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// `<scenario>-<seed>` of a directory's name.
fn stem(name: &str) -> &str {
    if let Some((stem, _)) = name.split_once(".running-") {
        return stem;
    }
    let parts = ["-interrupted", "-failed"].map(|word| name.rfind(word));
    match parts {
        [Some(end), _] => name[..end].rsplit_once('-').map_or(&name[..end], |(stem, _)| stem),
        [_, Some(end)] => &name[..end],
        _ => name.rsplit_once('-').map_or(name, |(stem, _)| stem),
    }
}

/// Tries `name`, `name-2`, `name-3`, ... until one is free.
fn claim<T>(
    parent: &Path,
    name: &str,
    mut attempt: impl FnMut(&Path) -> std::io::Result<T>,
) -> Result<(PathBuf, T), WriteError> {
    let mut number = 1;
    loop {
        let path = match number {
            1 => parent.join(name),
            number => parent.join(format!("{name}-{number}")),
        };
        match attempt(&path) {
            Ok(value) => return Ok((path, value)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 10_000 => {
                number += 1
            }
            Err(error) => return Err(WriteError::new(&path, error)),
        }
    }
}
