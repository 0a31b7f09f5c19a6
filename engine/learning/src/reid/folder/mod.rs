//! Re-identification data in folders: the layout that Market-1501, DukeMTMC-reID, CUHK03-NP and the
//! preprocessed benchmarks share, and the list files of MSMT17; reading and writing.

mod decode;
mod export;
mod lists;
mod name;

pub use export::export;
pub use lists::load_msmt17;

use super::images::{Mark, Pictures, ReIdSet, Size, Who};
use crate::LearnError;
use std::path::{Path, PathBuf};

/// The folders of a data set: to learn from, to search for, to search in.
const FOLDERS: [&str; 3] = ["bounding_box_train", "query", "bounding_box_test"];

/// Reads a data set in the layout of Market-1501: `bounding_box_train`, `query` and `bounding_box_test` hold
/// pictures named `<number>_c<camera>...`. Number -1 is junk, 0 a distractor. Files that are neither
/// `.jpg`, `.jpeg` nor `.png` are passed over. Pictures are decoded once, brought to `size` (bicubic), and
/// ordered by who, camera and name. The set is named after its folder.
///
/// # Errors
/// [`LearnError::Io`] or [`LearnError::Malformed`] with the file: a folder that is missing or empty, a name that
/// says nothing, a picture that cannot be decoded. [`LearnError::Invalid`] for a size of 0.
pub fn load(folder: &Path, size: Size) -> Result<ReIdSet, LearnError> {
    check_size(size)?;
    let part = |name: &str| read_part(&folder.join(name), size);
    let [train, query, gallery] = FOLDERS;
    Ok(ReIdSet {
        name: set_name(folder),
        train: part(train)?,
        query: part(query)?,
        gallery: part(gallery)?,
    })
}

/// Reads one folder of pictures, such as `bounding_box_train`; see [`load`].
///
/// # Errors
/// As [`load`].
pub fn load_part(folder: &Path, size: Size) -> Result<Pictures, LearnError> {
    check_size(size)?;
    read_part(folder, size)
}

fn set_name(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "re-id".into(), |name| name.to_string_lossy().into_owned())
}

pub(crate) fn check_size(size: Size) -> Result<(), LearnError> {
    let side = 1..=4096;
    if side.contains(&size.height) && side.contains(&size.width) {
        return Ok(());
    }
    let Size { height, width } = size;
    Err(LearnError::Invalid(format!(
        "re-ID pictures of {height}x{width}: each side must be 1 to 4096 pixels"
    )))
}

fn read_part(folder: &Path, size: Size) -> Result<Pictures, LearnError> {
    let io = |source| LearnError::Io { path: folder.into(), source };
    let mut files: Vec<(Mark, String)> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        if name::is_picture(&name) {
            files.push((
                name::market(&name).map_err(|reason| bad_name(&folder.join(&name), reason))?,
                name,
            ));
        }
    }
    if files.is_empty() {
        return Err(LearnError::Malformed {
            path: folder.into(),
            place: "its files".into(),
            reason: "there is no .jpg, .jpeg or .png file".into(),
        });
    }
    files.sort();
    decode_all(files.into_iter().map(|(mark, name)| (mark, folder.join(name))), size)
}

fn bad_name(path: &Path, reason: String) -> LearnError {
    LearnError::Malformed { path: path.into(), place: "its name".into(), reason }
}

fn decode_all(
    files: impl Iterator<Item = (Mark, PathBuf)>,
    size: Size,
) -> Result<Pictures, LearnError> {
    let mut pictures = Pictures::new(size);
    for (mark, path) in files {
        pictures.push(mark, &decode::decode(&path, size)?);
    }
    Ok(pictures)
}

#[cfg(test)]
mod tests;
