//! A client's own check before it masks: what cannot be encoded is not sent.

use crate::guard::{Fault, Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::Update;
use serde::{Deserialize, Serialize};

/// Refuses changes beyond the range of the fixed-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encodable {
    /// The largest size of a number.
    pub range: f64,
}

impl Guard for Encodable {
    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let change = update.delta();
        let host = change.host();
        let too_far = |value: &f32| f64::from(value.abs()) > self.range;
        let place = host.iter().position(too_far)?;
        let reason = format!(
            "parameter {place} moved by {:.3e}, beyond the {} that secure aggregation can encode",
            host[place], self.range
        );
        Some(Finding::refuse(Fault::Norm, reason))
    }

    state_in_bytes!();
}
