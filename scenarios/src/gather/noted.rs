//! Figures of versions, of which those that are evaluated are shown.

use offbeat_kernel::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A figure for every version that may still be evaluated, and for those that were. Evaluations come in the order
/// of versions, so that what lies before one of them is never asked for again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Noted<T> {
    waiting: BTreeMap<Version, T>,
    shown: BTreeMap<Version, T>,
}

impl<T> Default for Noted<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), shown: BTreeMap::new() }
    }
}

impl<T: Copy> Noted<T> {
    /// The figure of a version that was published.
    pub(super) fn note(&mut self, version: Version, figure: T) {
        self.waiting.insert(version, figure);
    }

    /// The version is shown: its figure is kept, and those of earlier ones are forgotten.
    pub(super) fn shown(&mut self, version: Version) -> Option<T> {
        if let Some(figure) = self.waiting.get(&version) {
            self.shown.insert(version, *figure);
        }
        self.waiting = self.waiting.split_off(&version);
        self.get(version)
    }

    /// The figure of a version that is shown.
    pub(super) fn get(&self, version: Version) -> Option<T> {
        self.shown.get(&version).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_forgotten() {
        let mut noted = Noted::default();
        for version in 1..=100_000 {
            noted.note(Version(version), version as f64);
            if version % 1000 == 0 {
                // The evaluation of a version ends some versions later.
                assert_eq!(noted.shown(Version(version - 5)), Some((version - 5) as f64));
                assert!(noted.waiting.len() <= 6 && noted.shown.len() as u64 == version / 1000);
            }
        }
        assert_eq!((noted.get(Version(995)), noted.get(Version(996))), (Some(995.0), None));
        assert_eq!(noted.shown(Version(200_000)), None);
    }
}
