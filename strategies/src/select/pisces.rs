//! Pisces' selection (Jiang et al. 2022): data quality, discounted by expected staleness.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::{draw, outlier};
use crate::update::Feedback;
use offbeat_kernel::{ClientId, Stream, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Settings of [`Pisces`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PiscesSettings {
    /// Exponent of the staleness discount, at least 0.
    pub beta: f64,
    /// Share of clients that are explored at first, in [0, 1].
    pub explore: f64,
    /// Factor on that share with every version, in (0, 1].
    pub decay: f64,
    /// The share never falls below this.
    pub least: f64,
    /// How often a client's loss may be an outlier before it is left out; 0 turns the test off.
    pub credits: u32,
    /// Losses closer than this are neighbours (DBSCAN's eps).
    pub radius: f64,
}

impl Default for PiscesSettings {
    fn default() -> Self {
        Self { beta: 0.5, explore: 0.9, decay: 0.98, least: 0.3, credits: 5, radius: 0.5 }
    }
}

/// Latest reports that an arriving loss is compared with.
const WINDOW: usize = 50;
/// With fewer reports nothing is called an outlier.
const ENOUGH: usize = 8;

/// The clients with the highest `U / (mean staleness + 1)^beta` (the paper's section 4), where
/// `U = samples * sqrt(mean squared loss)` and the mean is over the last five merged updates; a number
/// drawn from Binomial(want, explore) of clients that never took part comes first. A client whose loss
/// is noise among the latest reports (DBSCAN, at least half of them as neighbours) loses a credit; without
/// credits it is not selected again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pisces {
    settings: PiscesSettings,
    explore: f64,
    version: Version,
    reports: VecDeque<f64>,
    debits: BTreeMap<ClientId, u32>,
}

impl Pisces {
    /// A selector with these settings.
    pub fn new(settings: PiscesSettings) -> Self {
        let explore = settings.explore;
        Self {
            settings,
            explore,
            version: Version(0),
            reports: VecDeque::new(),
            debits: BTreeMap::new(),
        }
    }

    fn trusted(&self, client: ClientId) -> bool {
        let debits = self.debits.get(&client).copied().unwrap_or(0);
        self.settings.credits == 0 || debits < self.settings.credits
    }

    /// Free and trusted clients with a known loss, by falling score.
    fn ranked(&self, view: &View<'_>) -> Vec<ClientId> {
        let mut ranked = Vec::new();
        for (client, record) in view.ledger.iter() {
            let Some(squared) = record.last_loss_squared else { continue };
            if view.free(client) && self.trusted(client) {
                let utility = view.roster.samples(client) as f64 * squared.sqrt();
                let stale = &record.recent_staleness;
                let mean = stale.iter().sum::<u64>() as f64 / stale.len().max(1) as f64;
                ranked.push((utility / (mean + 1.0).powf(self.settings.beta), client));
            }
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.into_iter().map(|(_, client)| client).collect()
    }
}

impl Select for Pisces {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        if view.version > self.version {
            let versions = view.version.since(self.version) as f64;
            self.explore =
                (self.explore * self.settings.decay.powf(versions)).max(self.settings.least);
            self.version = view.version;
        }
        let unknown = |client| {
            view.ledger.get(client).is_none_or(|record| record.last_loss_squared.is_none())
        };
        let ranked = self.ranked(view);
        let explore = draw::binomial(want, self.explore, stream);
        let explore = explore.max(want.saturating_sub(ranked.len()));
        let mut chosen =
            draw::free_uniform(explore, view, stream, |c| unknown(c) && self.trusted(c));
        chosen.extend(ranked.into_iter().take(want - chosen.len()));
        chosen
    }

    fn merged(&mut self, feedback: &Feedback) {
        self.reports.push_back(feedback.loss);
        if self.reports.len() > WINDOW {
            self.reports.pop_front();
        }
        if self.settings.credits > 0 && self.reports.len() >= ENOUGH {
            let losses: Vec<f64> = self.reports.iter().copied().collect();
            let noise = outlier::noise(&losses, self.settings.radius, losses.len() / 2);
            if noise.last() == Some(&true) {
                *self.debits.entry(feedback.arrival.client).or_default() += 1;
            }
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, feedback, stream};

    fn known(world: &mut World, client: u32, squared: f64, staleness: &[u64]) {
        let record = world.ledger.entry(ClientId(client));
        record.last_loss_squared = Some(squared);
        record.recent_staleness = staleness.to_vec();
    }

    fn exploiting() -> PiscesSettings {
        PiscesSettings { explore: 0.0, least: 0.0, beta: 1.0, ..Default::default() }
    }

    #[test]
    fn the_score_by_hand() {
        let mut world = World::new(3);
        world.samples = vec![10, 10, 30];
        known(&mut world, 0, 4.0, &[0, 0]); // 10 * 2 / 1 = 20
        known(&mut world, 1, 9.0, &[1, 3]); // 10 * 3 / 3 = 10
        known(&mut world, 2, 1.0, &[0, 1]); // 30 * 1 / 1.5 = 20: equal to client 0, which has the lower id
        let chosen = Pisces::new(exploiting()).select(3, &world.view(), &mut stream(0));
        assert_eq!(chosen, [ClientId(0), ClientId(2), ClientId(1)]);
    }

    #[test]
    fn outliers_lose_their_credits() {
        let mut world = World::new(2);
        (0..2).for_each(|client| known(&mut world, client, 1.0, &[0]));
        let mut part = Pisces::new(PiscesSettings { credits: 2, ..exploiting() });
        (0..10).for_each(|_| part.merged(&feedback(0, 1, 1.0)));
        part.merged(&feedback(1, 1, 50.0));
        assert_eq!(part.select(2, &world.view(), &mut stream(0)).len(), 2);
        part.merged(&feedback(1, 1, 50.0));
        assert_eq!(part.select(2, &world.view(), &mut stream(0)), [ClientId(0)]);
    }

    #[test]
    fn exploration_decays_with_the_versions_down_to_its_least() {
        let mut part = Pisces::new(PiscesSettings { least: 0.5, ..Default::default() });
        let mut world = World::new(2);
        world.version = Version(2);
        part.select(1, &world.view(), &mut stream(0));
        assert!((part.explore - 0.9 * 0.98 * 0.98).abs() < 1e-12);
        world.version = Version(200);
        part.select(1, &world.view(), &mut stream(0));
        assert_eq!(part.explore, 0.5);
    }
}
