//! Files of named tensors, whatever their format.

use super::{io, malformed};
use crate::error::LearnError;
use burn_store::pytorch_reader::{DType, PytorchError, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};
use std::path::Path;

/// An open file.
#[derive(Debug)]
pub(super) enum WeightFile {
    /// The bytes of a safetensors file, checked.
    Safetensors(Vec<u8>),
    /// A PyTorch file, of which tensors are read one by one.
    Pytorch(PytorchReader),
}

/// A tensor of a file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) shape: Vec<usize>,
    /// Type of the numbers, for messages.
    pub(super) dtype: String,
    /// The numbers, when they are `f32`.
    pub(super) values: Option<Vec<f32>>,
}

/// Where training scripts put a state dict inside their files, and what wrappers put before names.
const PLACES: [&str; 5] = ["", "state_dict.", "model.", "model_state_dict.", "module."];

/// Names that an error lists.
const LISTED: usize = 8;

impl WeightFile {
    /// Opens `path`; the ending `.pt` or `.pth` means PyTorch's format.
    ///
    /// # Errors
    /// [`LearnError::Io`] or [`LearnError::Malformed`].
    pub(super) fn open(path: &Path) -> Result<Self, LearnError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        if matches!(ending, Some("pt" | "pth")) {
            return match PytorchReader::new(path) {
                Ok(reader) => Ok(Self::Pytorch(reader)),
                Err(PytorchError::Io(source)) => Err(io(path, source)),
                Err(error) => Err(malformed(path, "the header", error.to_string())),
            };
        }
        let bytes = std::fs::read(path).map_err(|source| io(path, source))?;
        SafeTensors::deserialize(&bytes).map_err(|error| {
            let reason = format!(
                "no safetensors file: {error} (files of PyTorch must end in `.pt` or `.pth`)"
            );
            malformed(path, "the header", reason)
        })?;
        Ok(Self::Safetensors(bytes))
    }

    /// The tensor with the first of `names` that there is.
    ///
    /// # Errors
    /// [`LearnError::Malformed`] when its numbers cannot be read.
    pub(super) fn find(&self, path: &Path, names: &[&str]) -> Result<Option<Found>, LearnError> {
        match self {
            Self::Safetensors(bytes) => {
                let Ok(file) = SafeTensors::deserialize(bytes) else { return Ok(None) };
                let tensor = names.iter().find_map(|name| file.tensor(name).ok());
                Ok(tensor.map(|tensor| Found {
                    shape: tensor.shape().to_vec(),
                    dtype: format!("{:?}", tensor.dtype()),
                    values: (tensor.dtype() == Dtype::F32)
                        .then(|| numbers(tensor.data(), f32::from_le_bytes)),
                }))
            }
            Self::Pytorch(reader) => {
                let places = PLACES.iter().flat_map(|place| names.iter().map(move |n| (place, n)));
                let mut tensors =
                    places.filter_map(|(place, name)| reader.get(&format!("{place}{name}")));
                let Some(tensor) = tensors.next() else { return Ok(None) };
                let read = tensor.read().map_err(|source| {
                    malformed(path, &tensor.name, format!("it cannot be read: {source}"))
                })?;
                Ok(Some(Found {
                    shape: tensor.shape().to_vec(),
                    dtype: format!("{:?}", tensor.dtype()),
                    values: (tensor.dtype() == DType::F32)
                        .then(|| numbers(&read, f32::from_ne_bytes)),
                }))
            }
        }
    }

    /// The names in the file, in words.
    pub(super) fn contents(&self) -> String {
        let mut names: Vec<String> = match self {
            Self::Safetensors(bytes) => SafeTensors::deserialize(bytes)
                .map(|file| file.names().into_iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            Self::Pytorch(reader) => reader.keys(),
        };
        names.sort();
        let more = match names.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        names.truncate(LISTED);
        format!("the file has: {}{more}", names.join(", "))
    }
}

fn numbers(bytes: &[u8], decode: impl Fn([u8; 4]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| decode(*bytes)).collect()
}
