//! Files that are there whole or not at all: write beside, sync, rename, sync the directory.

use super::WriteError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Writes `bytes` as `dir/name`.
pub(super) fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let temporary = dir.join(format!(".{name}.part"));
    let written = File::create(&temporary).and_then(|mut file| file.write_all(bytes));
    let kept = written
        .map_err(|error| WriteError::new(&dir.join(name), error))
        .and_then(|()| settle(dir, &temporary, name));
    if kept.is_err() {
        // Half a file helps nobody, and on a full disk its room is needed.
        let _ = fs::remove_file(&temporary);
    }
    kept
}

/// Syncs the finished file `temporary` and renames it to `dir/name`.
pub(super) fn settle(dir: &Path, temporary: &Path, name: &str) -> Result<(), WriteError> {
    let path = dir.join(name);
    File::open(temporary)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(temporary, &path))
        .map_err(|error| WriteError::new(&path, error))?;
    sync_dir(dir)
}

/// Makes renames in `dir` last. Where a directory cannot be opened as a file there is nothing to do.
pub(super) fn sync_dir(dir: &Path) -> Result<(), WriteError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(dir).and_then(|file| file.sync_all()).map_err(|error| WriteError::new(dir, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_rest() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write(dir.path(), "a.txt", b"one").expect("writable");
        write(dir.path(), "a.txt", b"two").expect("writable");
        let names: Vec<_> = fs::read_dir(dir.path())
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name())
            .collect();
        assert_eq!(names, ["a.txt"]);
        assert_eq!(fs::read(dir.path().join("a.txt")).expect("readable"), b"two");
        let missing = dir.path().join("none");
        let error = write(&missing, "a.txt", b"one").expect_err("no such directory");
        assert!(error.to_string().contains("none"), "{error}");
    }
}
