//! Weights in files: safetensors, and PyTorch's own (`.pt`, `.pth`), with PyTorch's names and shapes.

mod file;
#[cfg(test)]
mod tests;

use super::backbone::PREFIX;
use super::built::Network;
use super::zoo::NetworkSpec;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::layout::{Entry, Layout, Part};
use file::{Found, WeightFile};
use safetensors::tensor::{Dtype, TensorView};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Reads all tensors of `layout` from the file `path`, safetensors or, by its ending `.pt` or `.pth`, a
/// state dict of PyTorch; others in the file are ignored. Names that begin with `backbone.` may lack
/// that in the file, and dimensions of length 1 do not count in shapes.
///
/// # Errors
/// [`LearnError::Io`] when the file cannot be read, [`LearnError::Malformed`] when it has another format,
/// or lacks a tensor, or has it in another shape or type than `f32`.
pub fn load_weights(path: &Path, layout: &Layout) -> Result<Flat, LearnError> {
    let file = WeightFile::open(path)?;
    let mut values = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        values.extend(found(path, &file, entry)?);
    }
    Ok(Flat::new(values))
}

/// Reads what the file `path` has of a network's weights, as [`load_weights`] does. Re-identification
/// networks start from files of bare backbones (whose own head `fc` is ignored): what is missing above
/// the backbone, and a head of another size, stays as in `drawn`. Other networks need all tensors.
///
/// # Errors
/// As [`load_weights`]; [`LearnError::Invalid`] when `drawn` does not fit the network.
pub fn load_start(path: &Path, network: &Network, drawn: &Flat) -> Result<Flat, LearnError> {
    let layout = network.layout();
    refuse_other_length(path, drawn, layout)?;
    if !matches!(network.spec(), NetworkSpec::Reid(_)) {
        return load_weights(path, layout);
    }
    let (file, drawn) = (WeightFile::open(path)?, drawn.host());
    let mut values = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        let kept = match file.find(path, &names(entry))? {
            None => !entry.name.starts_with(PREFIX),
            Some(there) => entry.part == Part::Head && !fits(&there, entry),
        };
        match kept {
            true => values.extend_from_slice(&drawn[entry.range()]),
            false => values.extend(found(path, &file, entry)?),
        }
    }
    Ok(Flat::new(values))
}

/// What a tensor may be called in a file.
fn names(entry: &Entry) -> Vec<&str> {
    let bare = entry.name.strip_prefix(PREFIX);
    std::iter::once(entry.name.as_str()).chain(bare).collect()
}

/// Whether the shapes are the same but for dimensions of length 1.
fn fits(found: &Found, entry: &Entry) -> bool {
    let squeezed = |shape: &[usize]| shape.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
    squeezed(&found.shape) == squeezed(&entry.shape)
}

/// The numbers of one tensor.
fn found(path: &Path, file: &WeightFile, entry: &Entry) -> Result<Vec<f32>, LearnError> {
    let Some(found) = file.find(path, &names(entry))? else {
        return Err(malformed(path, &entry.name, format!("no such tensor; {}", file.contents())));
    };
    match &found.values {
        Some(values) if fits(&found, entry) => Ok(values.clone()),
        _ => {
            let (dtype, shape) = (&found.dtype, &found.shape);
            let reason = format!("expected F32 {:?}, found {dtype} {shape:?}", entry.shape);
            Err(malformed(path, &entry.name, reason))
        }
    }
}

fn refuse_other_length(path: &Path, params: &Flat, layout: &Layout) -> Result<(), LearnError> {
    if params.len() == layout.len() {
        return Ok(());
    }
    Err(LearnError::Invalid(format!(
        "{}: {} parameters, but the layout has {}",
        path.display(),
        params.len(),
        layout.len()
    )))
}

/// Writes `params` to the safetensors file `path`. The file appears whole or not at all: it is written
/// beside its place, synced, then renamed.
///
/// # Errors
/// [`LearnError::Invalid`] when `params` has another length than `layout`, [`LearnError::Io`] when the
/// file cannot be written.
pub fn save_weights(path: &Path, params: &Flat, layout: &Layout) -> Result<(), LearnError> {
    refuse_other_length(path, params, layout)?;
    let bytes: Vec<u8> = params.host().iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut tensors = Vec::new();
    for entry in layout.entries() {
        let data = &bytes[4 * entry.offset..4 * entry.range().end];
        let view = TensorView::new(Dtype::F32, entry.shape.clone(), data)
            .map_err(|error| malformed(path, &entry.name, error.to_string()))?;
        tensors.push((entry.name.as_str(), view));
    }
    let content = safetensors::serialize(tensors, None)
        .map_err(|error| malformed(path, "the header", error.to_string()))?;
    write_whole(path, &content).map_err(|source| io(path, source))
}

fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one to report; what is left behind may not even exist.
        std::fs::remove_file(&beside).ok();
        return written;
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

/// Makes the rename durable. Only Unix lets one sync a folder.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn io(path: &Path, source: std::io::Error) -> LearnError {
    LearnError::Io { path: path.to_path_buf(), source }
}

fn malformed(path: &Path, tensor: &str, reason: String) -> LearnError {
    LearnError::Malformed { path: path.to_path_buf(), place: format!("tensor {tensor}"), reason }
}
