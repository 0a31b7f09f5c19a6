//! A bound on the norm of a change (norm clipping: Sun et al. 2019, section 5).

use super::{Fault, Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::Update;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a change that is too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// It keeps its direction and gets the largest norm that is allowed.
    #[default]
    Clip,
    /// It is left out.
    Refuse,
}

/// The Euclidean norm of a change is at most `most`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Norm {
    /// The largest norm, above 0.
    pub most: f64,
    /// What becomes of larger changes.
    #[serde(default)]
    pub excess: Excess,
}

/// Holds the change of `update`, whose norm is `norm`, to `most`.
pub(super) fn hold(update: &mut Update, norm: f64, most: f64, excess: Excess) -> Option<Finding> {
    if norm <= most {
        return None;
    }
    let reason = format!("the change has a norm of {norm:.4e}, above {most:.4e}");
    if excess == Excess::Refuse {
        return Some(Finding::refuse(Fault::Norm, reason));
    }
    update.shrink(most / norm);
    Some(Finding::clip(Fault::Norm, reason))
}

impl Guard for Norm {
    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let norm = update.delta().norm();
        hold(update, norm, self.most, self.excess)
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Measure;
    use crate::guard::testing::judge;
    use proptest::prelude::*;

    #[test]
    fn a_large_change_keeps_its_direction() {
        let mut clip = Norm { most: 2.5, excess: Excess::Clip };
        let (found, change) = judge(&mut clip, &[3.0, 4.0]);
        assert_eq!(found.map(|f| (f.fault, f.measure)), Some((Fault::Norm, Measure::Clipped)));
        assert_eq!(change, [1.5, 2.0]);
        let mut refuse = Norm { most: 2.5, excess: Excess::Refuse };
        let (found, _) = judge(&mut refuse, &[3.0, 4.0]);
        assert_eq!(found.map(|f| f.measure), Some(Measure::Refused));
        assert_eq!(judge(&mut refuse, &[1.5, 2.0]), (None, vec![1.5, 2.0]));
    }

    proptest! {
        #[test]
        fn nothing_is_larger_afterwards(
            change in proptest::collection::vec(-1e3f32..1e3, 1..20), most in 0.01f64..1e3,
        ) {
            let (_, left) = judge(&mut Norm { most, excess: Excess::Clip }, &change);
            // Parameters near 1 end a change at their own rounding.
            let norm = offbeat_learning::Flat::new(left).norm();
            prop_assert!(norm <= most * (1.0 + 1e-5) + 1e-4, "{norm} above {most}");
        }
    }
}
