//! The shapes that flow between layers.

use crate::error::LearnError;
use serde::{Deserialize, Serialize};

/// The shape of one sample between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A vector of this length.
    Vector(usize),
    /// Channels, height, width.
    Image(usize, usize, usize),
}

impl Shape {
    /// The shape with these dimensions: `[length]` or `[channels, height, width]`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] for any other number of dimensions, or when one is 0.
    pub fn new(dimensions: &[usize]) -> Result<Self, LearnError> {
        match *dimensions {
            [length] if length > 0 => Ok(Self::Vector(length)),
            [channels, height, width] if channels * height * width > 0 => {
                Ok(Self::Image(channels, height, width))
            }
            _ => Err(LearnError::Invalid(format!(
                "a sample has the shape {dimensions:?}; networks take [length] or \
                 [channels, height, width], none of them 0"
            ))),
        }
    }

    /// Numbers in one sample.
    pub fn len(self) -> usize {
        match self {
            Self::Vector(length) => length,
            Self::Image(channels, height, width) => channels * height * width,
        }
    }

    /// Whether a sample has no numbers.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(super) fn image(self, what: &str) -> Result<(usize, usize, usize), LearnError> {
        match self {
            Self::Image(channels, height, width) => Ok((channels, height, width)),
            Self::Vector(length) => Err(LearnError::Invalid(format!(
                "{what} needs samples of shape [channels, height, width], not [{length}]"
            ))),
        }
    }
}
