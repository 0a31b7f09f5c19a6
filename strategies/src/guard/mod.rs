//! Which updates are let in, and how far: every update passes the guards after its values are taken and
//! before it is grouped, weighed and merged.
//!
//! A guard looks at one update at a time, so that large rounds are still merged in constant memory. What
//! it says of an update is counted and reported; nothing is mended in silence. [`plausible()`] is asked
//! first and always: what is not a number, has another shape than was asked for, or is too large for
//! the arithmetic is refused whatever the scenario says.

mod norm;
mod outlying;
mod plausible;
mod relative;
mod scalars;
mod watch;

pub use norm::{Excess, Norm};
pub use outlying::{RelativeScalars, RelativeScalarsSettings};
pub use plausible::{ENORMOUS, plausible};
pub use relative::{RelativeNorm, RelativeNormSettings};
pub use scalars::Scalars;
pub use watch::Watch;

use self::plausible::plausible_arrival;
use crate::seams::View;
use crate::update::{Arrival, Update};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, TaskId};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug};

/// What can be wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A vector has another length than what was sent.
    Shape,
    /// A value is infinite or not a number.
    NotFinite,
    /// The change is larger than allowed.
    Norm,
    /// A reported scalar lies outside its range.
    Scalar,
    /// The number of samples is not the one that was registered, or above the cap.
    Samples,
    /// The answer is to a task that was never given, or given to somebody else.
    Unasked,
    /// The task had been answered, lost or taken back before.
    Repeated,
    /// The merged model would not be finite.
    Overflow,
}

impl Fault {
    /// The name in metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::NotFinite => "not-finite",
            Self::Norm => "norm",
            Self::Scalar => "scalar",
            Self::Samples => "samples",
            Self::Unasked => "unasked",
            Self::Repeated => "repeated",
            Self::Overflow => "overflow",
        }
    }
}

/// What becomes of an answer with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// It is left out.
    Refused,
    /// It is cut to what is allowed, and merged.
    Clipped,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Clipped => "clipped",
        })
    }
}

/// What a guard found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub fault: Fault,
    /// What becomes of it.
    pub measure: Measure,
    /// In words, with the figures.
    pub reason: String,
}

impl Finding {
    /// A reason to leave an answer out.
    pub fn refuse(fault: Fault, reason: impl Into<String>) -> Self {
        Self { fault, measure: Measure::Refused, reason: reason.into() }
    }

    /// A reason for which an answer was cut.
    pub fn clip(fault: Fault, reason: impl Into<String>) -> Self {
        Self { fault, measure: Measure::Clipped, reason: reason.into() }
    }
}

/// A finding about one answer, for the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The task that was answered.
    pub task: TaskId,
    /// Who answered.
    pub client: ClientId,
    /// What was wrong.
    pub fault: Fault,
    /// What became of the answer.
    pub measure: Measure,
}

/// Is this update let in?
pub trait Guard: Debug + Send {
    /// Told of all that is about to be merged, before any of it is judged.
    fn arrivals(&mut self, _arrivals: &[Arrival], _view: &View<'_>) {}

    /// Judges what is known at arrival, before the weights are computed from it. May change it.
    fn arrival(&mut self, _arrival: &mut Arrival, _view: &View<'_>) -> Option<Finding> {
        None
    }

    /// Judges an update with its values. May change it.
    fn update(&mut self, _update: &mut Update, _view: &View<'_>) -> Option<Finding> {
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

/// Asks the guards in order until one refuses, after what is always asked; what they cut is handed to `note`. The
/// answer says whether the arrival is let in.
pub(crate) fn admit_arrival(
    guards: &mut [Box<dyn Guard>],
    arrival: &mut Arrival,
    view: &View<'_>,
    note: &mut dyn FnMut(Finding),
) -> bool {
    if let Some(finding) = plausible_arrival(arrival) {
        note(finding);
        return false;
    }
    pass(guards.iter_mut().filter_map(|guard| guard.arrival(arrival, view)), note)
}

/// The same for an update with its values, after [`plausible()`].
pub(crate) fn admit(
    guards: &mut [Box<dyn Guard>],
    update: &mut Update,
    view: &View<'_>,
    note: &mut dyn FnMut(Finding),
) -> bool {
    if let Some(finding) = plausible(update) {
        note(finding);
        return false;
    }
    pass(guards.iter_mut().filter_map(|guard| guard.update(update, view)), note)
}

/// Notes findings until one refuses.
fn pass(findings: impl Iterator<Item = Finding>, note: &mut dyn FnMut(Finding)) -> bool {
    for finding in findings {
        let refused = finding.measure == Measure::Refused;
        note(finding);
        if refused {
            return false;
        }
    }
    true
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::select::testing::{World, update};

    /// What the guards say of a change, and the change that is let in.
    pub(crate) fn judge(part: &mut dyn Guard, change: &[f32]) -> (Option<Finding>, Vec<f32>) {
        let world = World::new(9);
        let mut update = update(0, &vec![1.0; change.len()], change);
        update.params.add_scaled(1.0, &update.base);
        let found = part.update(&mut update, &world.view());
        (found, update.delta().to_vec())
    }
}
