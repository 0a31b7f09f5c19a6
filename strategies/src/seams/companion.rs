//! The seam of what travels beside the model.

use super::View;
use crate::companion::Budget;
use crate::update::Update;
use offbeat_kernel::ClientId;
use offbeat_kernel::codec::CodecError;
use offbeat_learning::Flat;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The server's side of an objective: vectors that travel beside the model.
pub trait Companion: Debug + Send {
    /// What the client is given beside the model.
    fn outfit(&mut self, client: ClientId, model: &Flat) -> BTreeMap<String, Flat>;

    /// Told of every merged update.
    fn absorb(&mut self, update: &Update, view: &View<'_>);

    /// Told when all updates of an aggregation were absorbed, before their version is published.
    fn merged(&mut self, _view: &View<'_>) {}

    /// What clients have released of their identities so far, where they do.
    fn budget(&self) -> Option<Budget> {
        None
    }

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
