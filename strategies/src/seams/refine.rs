//! The seam between merging and publishing.

use super::View;
use crate::update::Update;
use offbeat_kernel::codec::CodecError;
use offbeat_learning::Flat;
use std::fmt::Debug;

/// What does the server learn after merging?
pub trait Refine: Debug + Send {
    /// The refined model.
    fn refine(&mut self, model: Flat, updates: &[Update], view: &View<'_>) -> Flat;

    /// The part's state as bytes, for a snapshot. A part without state keeps the default.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError> {
        Ok(Vec::new())
    }

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::LeftOver(bytes.len())) }
    }
}
