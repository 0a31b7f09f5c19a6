//! Latency tiers and order statistics, shared by the rules that sort clients by speed.

use crate::seams::View;
use offbeat_kernel::ClientId;
use serde::{Deserialize, Serialize};

/// The clients in tiers of equal size by expected response time, fastest first (the profiling of
/// TiFL, Chai et al. 2020, section 4.2, and of FedAT, Chai et al. 2021).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyTiers {
    members: Vec<Vec<ClientId>>,
    tier_of: Vec<Option<u32>>,
}

impl LatencyTiers {
    /// Sorts the clients that have samples by expected seconds, equal ones by id, into `tiers` tiers whose
    /// sizes differ by at most one. With fewer such clients than tiers some tiers stay empty. Who has
    /// nothing to train on is in no tier: it would look like the fastest of all.
    pub fn of(view: &View<'_>, tiers: usize) -> Self {
        let (count, tiers) = (view.roster.count(), tiers.max(1));
        let mut ranked: Vec<(f64, ClientId)> = (0..count)
            .map(ClientId)
            .filter(|client| view.roster.samples(*client) > 0)
            .map(|client| (view.roster.expected_seconds(client), client))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut members, mut tier_of) = (vec![Vec::new(); tiers], vec![None; count as usize]);
        let ranks = ranked.len();
        for (rank, (_, client)) in ranked.into_iter().enumerate() {
            let tier = rank * tiers / ranks;
            members[tier].push(client);
            tier_of[client.index()] = Some(tier as u32);
        }
        Self { members, tier_of }
    }

    /// Makes the tiers on first use and when clients have joined.
    pub fn refresh(&mut self, view: &View<'_>, tiers: usize) {
        if self.tier_of.len() != view.roster.count() as usize || self.members.len() != tiers.max(1)
        {
            *self = Self::of(view, tiers);
        }
    }

    /// The clients of a tier; nobody where there is no such tier.
    pub fn members(&self, tier: usize) -> &[ClientId] {
        self.members.get(tier).map_or(&[], Vec::as_slice)
    }

    /// The tier of a client, if it is in one.
    pub fn tier_of(&self, client: ClientId) -> Option<usize> {
        self.tier_of.get(client.index()).copied().flatten().map(|tier| tier as usize)
    }

    /// How many tiers there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether the tiers were not made yet.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// The value below which a share `q` in [0, 1] of the values lies: the element of rank
/// `floor(q * (n - 1))` in ascending order; `None` without values.
pub fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let rank = (q.clamp(0.0, 1.0) * last as f64).floor() as usize;
    values.get(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::World;

    #[test]
    fn tiers_are_sorted_by_seconds_and_of_equal_size() {
        let mut world = World::new(5);
        world.seconds = vec![9.0, 1.0, 5.0, 1.0, 7.0];
        let tiers = LatencyTiers::of(&world.view(), 2);
        assert_eq!(tiers.members(0), [ClientId(1), ClientId(3), ClientId(2)]);
        assert_eq!(tiers.members(1), [ClientId(4), ClientId(0)]);
        assert_eq!((tiers.tier_of(ClientId(4)), tiers.tier_of(ClientId(9))), (Some(1), None));
        assert!(tiers.members(2).is_empty());
    }

    #[test]
    fn who_has_no_samples_is_in_no_tier() {
        let mut world = World::new(4);
        world.seconds = vec![0.0, 2.0, 1.0, 0.0];
        world.samples = vec![0, 5, 5, 0];
        let tiers = LatencyTiers::of(&world.view(), 2);
        assert_eq!((tiers.members(0), tiers.members(1)), (&[ClientId(2)][..], &[ClientId(1)][..]));
        assert_eq!(tiers.tier_of(ClientId(0)), None);
    }

    #[test]
    fn quantiles_by_hand() {
        let values = vec![4.0, 1.0, 3.0, 2.0, 5.0];
        assert_eq!(quantile(values.clone(), 0.0), Some(1.0));
        assert_eq!(quantile(values.clone(), 0.3), Some(2.0));
        assert_eq!(quantile(values, 1.0), Some(5.0));
        assert_eq!(quantile(Vec::new(), 0.5), None);
    }
}
