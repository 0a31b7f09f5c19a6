//! TiFL (Chai et al. 2020): latency tiers with credits, favouring tiers that learn badly.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::draw;
use crate::select::latency::LatencyTiers;
use crate::update::Feedback;
use offbeat_kernel::{ClientId, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`Tifl`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TiflSettings {
    /// Number of latency tiers, at least 1.
    pub tiers: usize,
    /// Selections after which the probabilities are looked at again (the paper's `I`).
    pub interval: u64,
    /// How often each tier may be chosen, fastest first; empty for no limit. When all are used up,
    /// all are granted again.
    pub credits: Vec<u64>,
}

impl Default for TiflSettings {
    fn default() -> Self {
        Self { tiers: 5, interval: 10, credits: Vec::new() }
    }
}

/// Adaptive tier selection (the paper's Algorithm 2).
///
/// The paper ranks tiers by test accuracy per tier. A server that cannot test per tier sees only
/// training losses; so this part ranks by the mean of the last training losses of a tier's clients:
/// the higher the loss, the lower the rank and the higher the probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tifl {
    settings: TiflSettings,
    latency: LatencyTiers,
    chances: Vec<f64>,
    credits: Vec<u64>,
    losses: BTreeMap<ClientId, f64>,
    calls: u64,
    current: usize,
    before: Vec<f64>,
}

impl Tifl {
    /// A selector with these settings.
    pub fn new(settings: TiflSettings) -> Self {
        let (tiers, credits) = (settings.tiers.max(1), settings.credits.clone());
        Self {
            settings,
            latency: LatencyTiers::default(),
            chances: vec![1.0 / tiers as f64; tiers],
            credits,
            losses: BTreeMap::new(),
            calls: 0,
            current: 0,
            before: Vec::new(),
        }
    }

    /// Mean of the last training losses by tier; NaN where nothing is known.
    fn tier_losses(&self) -> Vec<f64> {
        let mut sums = vec![(0.0, 0u64); self.latency.len()];
        for (client, loss) in &self.losses {
            if let Some(tier) = self.latency.tier_of(*client) {
                sums[tier] = (sums[tier].0 + loss, sums[tier].1 + 1);
            }
        }
        sums.into_iter().map(|(sum, count)| sum / count as f64).collect()
    }

    /// Every `interval` selections: when the current tier did not improve, the tier of rank `r` (0 for
    /// the highest loss) gets the probability `(n - r) / (n (n + 1) / 2)`.
    fn adapt(&mut self) {
        if self.calls == 0 || !self.calls.is_multiple_of(self.settings.interval.max(1)) {
            return;
        }
        let losses = self.tier_losses();
        let improved = match (self.before.get(self.current), losses.get(self.current)) {
            (Some(before), Some(now)) => now < before,
            _ => true,
        };
        if !improved {
            self.chances = chances(&losses);
        }
        self.before = losses;
    }

    fn has_credit(&self, tier: usize) -> bool {
        self.credits.get(tier).is_none_or(|credit| *credit > 0)
    }
}

/// Probabilities by rank of loss. Tiers of which nothing is known count as the worst.
fn chances(losses: &[f64]) -> Vec<f64> {
    let n = losses.len();
    let known = |loss: f64| if loss.is_nan() { f64::INFINITY } else { loss };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| known(losses[*b]).total_cmp(&known(losses[*a])).then(a.cmp(b)));
    let mut chances = vec![0.0; n];
    for (rank, tier) in order.into_iter().enumerate() {
        chances[tier] = (n - rank) as f64 / (n * (n + 1) / 2) as f64;
    }
    chances
}

impl Select for Tifl {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        self.latency.refresh(view, self.settings.tiers);
        self.adapt();
        self.calls += 1;
        if (0..self.latency.len()).all(|tier| !self.has_credit(tier)) {
            self.credits = self.settings.credits.clone();
        }
        let open: Vec<(usize, f64)> = (0..self.latency.len())
            .map(|tier| (tier, if self.has_credit(tier) { self.chances[tier] } else { 0.0 }))
            .collect();
        for tier in draw::weighted(&open, open.len(), stream) {
            let chosen = draw::free_among(self.latency.members(tier), want, view, stream);
            if !chosen.is_empty() {
                self.current = tier;
                if let Some(credit) = self.credits.get_mut(tier) {
                    *credit -= 1;
                }
                return chosen;
            }
        }
        Vec::new()
    }

    fn merged(&mut self, feedback: &Feedback) {
        self.losses.insert(feedback.arrival.client, feedback.loss);
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, feedback, stream};

    #[test]
    fn the_worst_tier_gets_the_highest_probability() {
        // n = 3: 3/6 for loss 2, 2/6 for loss 1, 1/6 for loss 0.5.
        assert_eq!(chances(&[1.0, 2.0, 0.5]), [2.0 / 6.0, 3.0 / 6.0, 1.0 / 6.0]);
        assert_eq!(chances(&[1.0, f64::NAN]), [1.0 / 3.0, 2.0 / 3.0]);
    }

    #[test]
    fn credits_limit_a_tier_and_are_granted_again() {
        let mut world = World::new(2);
        world.seconds = vec![1.0, 2.0];
        let settings = TiflSettings { tiers: 2, interval: 100, credits: vec![3, 1] };
        let mut part = Tifl::new(settings);
        for _ in 0..3 {
            let mut counts = [0; 2];
            for seed in 0..4 {
                counts[part.select(1, &world.view(), &mut stream(seed))[0].index()] += 1;
            }
            assert_eq!(counts, [3, 1]);
        }
    }

    #[test]
    fn probabilities_change_only_when_the_current_tier_does_not_improve() {
        let mut world = World::new(2);
        world.seconds = vec![1.0, 2.0];
        world.away = [1].into();
        let mut part = Tifl::new(TiflSettings { tiers: 2, interval: 1, credits: Vec::new() });
        let round = |part: &mut Tifl, loss| {
            part.merged(&feedback(0, 1, loss));
            part.merged(&feedback(1, 1, 9.0));
            part.select(1, &world.view(), &mut stream(0));
        };
        round(&mut part, 3.0);
        round(&mut part, 2.0);
        round(&mut part, 1.0);
        assert_eq!(part.chances, [0.5, 0.5]);
        round(&mut part, 1.5);
        assert_eq!(part.chances, [1.0 / 3.0, 2.0 / 3.0]);
    }
}
