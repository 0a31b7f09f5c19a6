//! Codecs of updates: a vector of `f32` becomes fewer bytes, and comes back with an error that is known.
//!
//! A codec is a pure function of the values, the layers' lengths and a random stream. Both ends know the
//! layout, so no length travels. What does not fit a codec is an error, never a wrong number.

mod bits;
mod codebook;
mod feedback;
mod float16;
mod kmeans;
mod reader;
mod top_k;
mod uniform;

pub use codebook::Codebook;
pub use feedback::Feedback;
pub use kmeans::{Means, means};
pub use top_k::TopK;
pub use uniform::{Rounding, Uniform};

use crate::LearnError;
use crate::layout::Layout;
use offbeat_kernel::Stream;
use reader::Reader;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How a vector is written for the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Codec {
    /// As it is: 4 bytes for each number.
    #[default]
    Float32,
    /// IEEE 754 half precision: 2 bytes for each number, to the nearest, ties to even; what is beyond
    /// 65504 becomes 65504. Relative error at most 2^-11 above 6.1e-5.
    Float16,
    /// A few equally spaced levels between the smallest and the largest number of each layer.
    Uniform(Uniform),
    /// Only the largest numbers.
    TopK(TopK),
    /// As few levels for each layer as its numbers need, placed where they are.
    Codebook(Codebook),
}

/// How many bytes an encoding has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodedLen {
    /// So many, whatever the values.
    Exactly(u64),
    /// As the values want it, but never more than this.
    AtMost(u64),
}

impl EncodedLen {
    /// The largest length that is possible.
    pub fn most(self) -> u64 {
        match self {
            Self::Exactly(bytes) | Self::AtMost(bytes) => bytes,
        }
    }
}

impl Codec {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] naming the setting and its range.
    pub fn check(&self) -> Result<(), LearnError> {
        match self {
            Self::Float32 | Self::Float16 => Ok(()),
            Self::Uniform(uniform) => uniform.check(),
            Self::TopK(top_k) => top_k.check(),
            Self::Codebook(codebook) => codebook.check(),
        }
    }

    /// Whether decoding gives back the very bits.
    pub fn is_lossless(&self) -> bool {
        matches!(self, Self::Float32)
    }

    /// Whether what was left out must be added to the next vector ([`Feedback`]).
    pub fn keeps_errors(&self) -> bool {
        matches!(self, Self::TopK(TopK { error_feedback: true, .. }))
    }

    /// Encodes `values`, whose layers have the lengths `layers`. Only stochastic rounding draws from `stream`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the settings make no sense, when a value is not finite, or when the layers
    /// do not add up to the values.
    pub fn encode(
        &self,
        values: &[f32],
        layers: &[usize],
        stream: &mut Stream,
    ) -> Result<Vec<u8>, LearnError> {
        self.check()?;
        check_layers(values.len(), layers)?;
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            return Err(LearnError::Invalid(format!(
                "number {place} of the vector is {}, which cannot be encoded: lower the learning rate",
                values[place]
            )));
        }
        let mut bytes = Vec::with_capacity(self.encoded_len(layers).most() as usize);
        match self {
            Self::Float32 => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            Self::Float16 => float16::encode(values, &mut bytes),
            Self::TopK(top_k) => top_k.encode(values, &mut bytes),
            Self::Uniform(uniform) => {
                for layer in split(values, layers) {
                    uniform.encode(layer, stream, &mut bytes);
                }
            }
            Self::Codebook(codebook) => {
                for layer in split(values, layers) {
                    codebook.encode(layer, &mut bytes);
                }
            }
        }
        Ok(bytes)
    }

    /// The vector that [`Codec::encode`] wrote with the same layers.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the bytes are not such an encoding.
    pub fn decode(&self, bytes: &[u8], layers: &[usize]) -> Result<Vec<f32>, LearnError> {
        self.check()?;
        let count: usize = layers.iter().sum();
        let mut reader = Reader::new(bytes);
        let mut values = Vec::with_capacity(count);
        match self {
            Self::Float32 => values.extend(reader.floats(count)?),
            Self::Float16 => float16::decode(&mut reader, count, &mut values)?,
            Self::TopK(top_k) => top_k.decode(&mut reader, count, &mut values)?,
            Self::Uniform(uniform) => {
                for layer in layers {
                    uniform.decode(&mut reader, *layer, &mut values)?;
                }
            }
            Self::Codebook(_) => {
                for layer in layers {
                    Codebook::decode(&mut reader, *layer, &mut values)?;
                }
            }
        }
        reader.end()?;
        Ok(values)
    }

    /// Bytes of the encoding of a vector with these layers, without looking at values.
    pub fn encoded_len(&self, layers: &[usize]) -> EncodedLen {
        let count: usize = layers.iter().sum();
        let sum = |of: &dyn Fn(usize) -> usize| layers.iter().map(|layer| of(*layer) as u64).sum();
        match self {
            Self::Float32 => EncodedLen::Exactly(4 * count as u64),
            Self::Float16 => EncodedLen::Exactly(2 * count as u64),
            Self::Uniform(uniform) => EncodedLen::Exactly(sum(&|layer| uniform.len(layer))),
            Self::TopK(top_k) => EncodedLen::Exactly(top_k.len(count) as u64),
            Self::Codebook(_) => EncodedLen::AtMost(sum(&Codebook::most)),
        }
    }
}

/// Lengths of the tensors of `layout` inside `range`, in order: the layers of that part of the vector.
pub fn layers(layout: &Layout, range: Range<usize>) -> Vec<usize> {
    let within =
        |entry: Range<usize>| entry.end.min(range.end).saturating_sub(entry.start.max(range.start));
    let lengths = layout.entries().iter().map(|entry| within(entry.range()));
    lengths.filter(|length| *length > 0).collect()
}

fn check_layers(count: usize, layers: &[usize]) -> Result<(), LearnError> {
    let sum: usize = layers.iter().sum();
    if sum == count {
        return Ok(());
    }
    Err(LearnError::Invalid(format!(
        "the layers hold {sum} numbers, but the vector has {count}: name the layers of this very vector"
    )))
}

/// The layers of a vector, by their lengths.
fn split<'a>(values: &'a [f32], layers: &'a [usize]) -> impl Iterator<Item = &'a [f32]> {
    layers.iter().scan(values, |rest, layer| {
        let (own, later) = rest.split_at(*layer);
        *rest = later;
        Some(own)
    })
}

#[cfg(test)]
mod tests;
