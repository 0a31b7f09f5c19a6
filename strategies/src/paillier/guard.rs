//! A client's own check before it encrypts: what does not fit a slot is not sent.

use crate::guard::{Fault, Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::Update;
use serde::{Deserialize, Serialize};

/// Refuses parameters and changes outside of the range of the fixed-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitting {
    /// Numbers stay below this magnitude.
    pub limit: f64,
}

impl Guard for Fitting {
    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let change = update.delta();
        for (what, numbers) in [("moved by", change.host()), ("is", update.params.host())] {
            let too_far = |value: &f32| f64::from(value.abs()) >= self.limit;
            if let Some(place) = numbers.iter().position(too_far) {
                let reason = format!(
                    "parameter {place} {what} {:.3e}, beyond the {} that Paillier's slots hold",
                    numbers[place], self.limit
                );
                return Some(Finding::refuse(Fault::Norm, reason));
            }
        }
        None
    }

    state_in_bytes!();
}
