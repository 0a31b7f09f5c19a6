//! A bound on the norm of a change, relative to what is usual.

use super::norm::{Excess, hold};
use super::{Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::Update;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The norm of a change is at most `factor` times the median norm of the last `window` changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelativeNormSettings {
    /// How many medians a change may measure, above 0.
    pub factor: f64,
    /// How many changes the median looks back, at least 1.
    pub window: usize,
    /// So many changes have to be known before any is judged, at most `window`.
    pub warm_up: usize,
    /// What becomes of larger changes.
    pub excess: Excess,
}

impl Default for RelativeNormSettings {
    fn default() -> Self {
        Self { factor: 3.0, window: 100, warm_up: 5, excess: Excess::Clip }
    }
}

/// [`RelativeNormSettings`] at work. The median is over the norms that clients sent, before they were
/// cut: it follows the training, and as long as fewer than half of the window are hostile it stays
/// between the norms of honest clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RelativeNorm {
    settings: RelativeNormSettings,
    norms: VecDeque<f64>,
}

impl RelativeNorm {
    /// A guard that knows no norms yet.
    pub fn new(settings: RelativeNormSettings) -> Self {
        Self { settings, norms: VecDeque::new() }
    }

    fn median(&self) -> f64 {
        let mut sorted: Vec<f64> = self.norms.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            0.5 * (sorted[middle - 1] + sorted[middle])
        }
    }
}

impl Guard for RelativeNorm {
    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let RelativeNormSettings { factor, window, warm_up, excess } = self.settings;
        let norm = update.delta().norm();
        let most = (self.norms.len() >= warm_up.max(1)).then(|| factor * self.median());
        if self.norms.len() >= window.max(1) {
            self.norms.pop_front();
        }
        self.norms.push_back(norm);
        hold(update, norm, most?, excess)
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::judge;

    /// Norms 1, 2, 6: the median is 2, twice it 4; then of 2, 6, 100 it is 6, twice it 12.
    #[test]
    fn the_running_median_by_hand() {
        let settings =
            RelativeNormSettings { factor: 2.0, window: 3, warm_up: 3, excess: Excess::Clip };
        let mut part = RelativeNorm::new(settings);
        for early in [1.0, 2.0, 6.0] {
            assert_eq!(judge(&mut part, &[early]), (None, vec![early]));
        }
        assert_eq!(judge(&mut part, &[100.0]).1, [4.0]);
        assert_eq!(judge(&mut part, &[-30.0]).1, [-12.0]);
        assert_eq!(judge(&mut part, &[3.0]).0, None);
    }

    #[test]
    fn its_state_survives_a_snapshot() {
        let settings = RelativeNormSettings { warm_up: 1, ..RelativeNormSettings::default() };
        let mut part = RelativeNorm::new(settings);
        judge(&mut part, &[2.0]);
        let mut restored = RelativeNorm::new(RelativeNormSettings::default());
        restored.restore(&part.save().expect("plain data")).expect("what was saved");
        assert_eq!(judge(&mut restored, &[9.0]).1, [6.0]);
    }
}
