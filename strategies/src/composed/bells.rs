//! The timers that a pace has set, and those that a pace had set that is no more.

use offbeat_kernel::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Timers that have not rung yet, by time and token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bells {
    live: BTreeMap<(Time, u64), u64>,
    void: BTreeMap<(Time, u64), u64>,
}

impl Bells {
    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    pub(super) fn set(&mut self, at: Time, token: u64) {
        *self.live.entry((at, token)).or_default() += 1;
    }

    /// A timer rang: whether the present pace had set it.
    pub(super) fn rung(&mut self, now: Time, token: u64) -> bool {
        !take(&mut self.void, (now, token)) && take(&mut self.live, (now, token))
    }

    /// The timers so far mean nothing any more.
    pub(super) fn silence(&mut self) {
        for (bell, count) in std::mem::take(&mut self.live) {
            *self.void.entry(bell).or_default() += count;
        }
    }
}

fn take(bells: &mut BTreeMap<(Time, u64), u64>, bell: (Time, u64)) -> bool {
    let Some(count) = bells.get_mut(&bell) else { return false };
    *count -= 1;
    if *count == 0 {
        bells.remove(&bell);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silenced_bells_ring_in_vain() {
        let at = Time::from_micros;
        let mut bells = Bells::default();
        bells.set(at(5), 1);
        bells.set(at(9), 1);
        assert!(bells.rung(at(5), 1) && !bells.is_empty());
        bells.silence();
        bells.set(at(9), 1);
        assert!(!bells.rung(at(9), 1), "the old one");
        assert!(bells.rung(at(9), 1), "the new one");
        assert!(bells.is_empty() && !bells.rung(at(9), 1));
    }
}
