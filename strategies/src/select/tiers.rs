//! Latency tiers: every call invites from one tier only, so that a round waits for equals.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::draw;
use crate::select::latency::LatencyTiers;
use offbeat_kernel::{ClientId, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TiersSettings {
    /// Number of latency tiers, at least 1.
    pub tiers: usize,
}

impl Default for TiersSettings {
    fn default() -> Self {
        Self { tiers: 5 }
    }
}

/// Draws one of the tiers that have a free client, then clients of that tier uniformly (TiFL's
/// "vanilla" selection, Chai et al. 2020, section 4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    settings: TiersSettings,
    latency: LatencyTiers,
}

impl Tiers {
    /// A selector with these settings.
    pub fn new(settings: TiersSettings) -> Self {
        Self { settings, latency: LatencyTiers::default() }
    }
}

impl Select for Tiers {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        self.latency.refresh(view, self.settings.tiers);
        let mut order: Vec<usize> = (0..self.latency.len()).collect();
        let all = order.len();
        draw::shuffle_front(&mut order, all, stream);
        for tier in order {
            let chosen = draw::free_among(self.latency.members(tier), want, view, stream);
            if !chosen.is_empty() {
                return chosen;
            }
        }
        Vec::new()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, stream};

    #[test]
    fn a_call_stays_in_one_tier_and_all_tiers_have_their_turn() {
        let mut world = World::new(9);
        world.seconds = (0..9).map(|client| f64::from(client % 3)).collect();
        world.away = [2, 5, 8].into();
        let mut part = Tiers::new(TiersSettings { tiers: 3 });
        let mut turns = [0; 3];
        for seed in 0..300 {
            let chosen = part.select(2, &world.view(), &mut stream(seed));
            assert_eq!(chosen.len(), 2);
            assert_eq!(chosen[0].0 % 3, chosen[1].0 % 3);
            turns[(chosen[0].0 % 3) as usize] += 1;
        }
        assert!(turns[0] > 100 && turns[1] > 100 && turns[2] == 0, "{turns:?}");
    }
}
