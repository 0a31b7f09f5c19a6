//! From bytes to what a network takes.

use super::images::Pictures;
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Mean and standard deviation of each colour, red first, of pixels in [0, 1]: inputs are
/// `(pixel - mean) / std`. The default is that of ImageNet, on which backbones are pretrained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Colours {
    /// Means.
    pub mean: [f32; 3],
    /// Standard deviations, above 0.
    pub std: [f32; 3],
}

impl Default for Colours {
    fn default() -> Self {
        Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
    }
}

impl Colours {
    /// Whether every number can be worked with.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when a mean is not finite or a standard deviation is not above 0.
    pub fn check(&self) -> Result<(), LearnError> {
        let deviations = self.std.iter().all(|s| *s > 0.0 && s.is_finite());
        if deviations && self.mean.iter().all(|m| m.is_finite()) {
            return Ok(());
        }
        Err(LearnError::Invalid(format!(
            "colours: mean {:?} and std {:?} must be finite, std above 0",
            self.mean, self.std
        )))
    }

    /// Appends one picture as `3 x height x width` normalised numbers.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn push(&self, pictures: &Pictures, index: usize, out: &mut Vec<f32>) {
        let pixels = pictures.pixels(index);
        for channel in 0..3 {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let scaled: [f32; 256] = std::array::from_fn(|v| (v as f32 / 255.0 - mean) / std);
            out.extend(pixels.iter().skip(channel).step_by(3).map(|&v| scaled[usize::from(v)]));
        }
    }
}
