//! What a lossy codec left out, kept for the next time.
//!
//! Source: Seide et al., "1-Bit Stochastic Gradient Descent", Interspeech 2014; Karimireddy et al., "Error Feedback
//! Fixes SignSGD and other Gradient Compression Schemes", ICML 2019, algorithm 2.

use super::Codec;
use crate::LearnError;
use offbeat_kernel::Stream;
use serde::{Deserialize, Serialize};

/// The memory of one sender. It is private to it: what it holds was never sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    residual: Vec<f32>,
}

impl Feedback {
    /// What has not been sent yet; empty before the first vector.
    pub fn residual(&self) -> &[f32] {
        &self.residual
    }

    /// Encodes `values` plus what was left out before, and keeps what is left out now. After any number of vectors
    /// the sum of all decoded ones and of the residual is the sum of all vectors, but for rounding.
    ///
    /// # Errors
    /// As [`Codec::encode`]; and when this vector has another length than the one before.
    pub fn encode(
        &mut self,
        codec: &Codec,
        values: &[f32],
        layers: &[usize],
        stream: &mut Stream,
    ) -> Result<Vec<u8>, LearnError> {
        if self.residual.is_empty() {
            self.residual = vec![0.0; values.len()];
        }
        if self.residual.len() != values.len() {
            return Err(LearnError::Invalid(format!(
                "a vector of {} numbers cannot take up what was left of one of {}",
                values.len(),
                self.residual.len()
            )));
        }
        let whole: Vec<f32> = values.iter().zip(&self.residual).map(|(a, b)| a + b).collect();
        let bytes = codec.encode(&whole, layers, stream)?;
        let sent = codec.decode(&bytes, layers)?;
        self.residual = whole.iter().zip(&sent).map(|(whole, sent)| whole - sent).collect();
        Ok(bytes)
    }
}
