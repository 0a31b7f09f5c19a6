//! PrivacyFace (Meng et al., ICLR 2022): clients tell each other where their faces lie, in differentially private
//! clusters of class centres, and keep their features away from those of others.
//!
//! | tensor | its client | the server | other clients |
//! |---|---|---|---|
//! | body of the network | yes | yes | yes |
//! | class centres (the head) | yes | no | no |
//! | noisy clusters of a client's centres | yes | yes | **yes** |
//!
//! The unit of privacy is one class centre, that is one identity of a client: the budget holds for what the clusters
//! say of it, over the whole run. The body of the network, which is trained on all pictures and travels too, is not
//! covered by it.
//!
//! The exact clustering, constants and loss of the paper could not be verified; what is here is a form that can be
//! proven ([`mechanism`]), with the loss of [`offbeat_learning::caps`].

pub mod budget;
pub mod mechanism;

use super::Budget;
use crate::seams::{Companion, View, state_in_bytes};
use crate::update::Update;
use budget::{noise_for, spent};
use mechanism::Mechanism;
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, Version};
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name under which clusters travel: those of all others to a client, a client's own back.
pub const CLUSTERS: &str = "clusters";

/// Name of the vector, one number long, that asks a client for its clusters: the number of the release, from 0.
pub const RELEASE: &str = "release";

/// What is released, when, and within which budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrivacyFaceSettings {
    /// Most clusters of a client, `Q`.
    #[schemars(range(min = 1, max = 1000))]
    pub clusters: u32,
    /// Angular radius of a cluster in radians, above 0 and at most pi / 2.
    pub radius: f64,
    /// Least number of class centres in a cluster, `T`.
    #[schemars(range(min = 1))]
    pub minimum: u32,
    /// Public directions around which clusters are looked for.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub pivots: u32,
    /// Budget of one identity over the whole run, above 0.
    pub epsilon: f64,
    /// The delta at which it holds, above 0 and below 1.
    pub delta: f64,
    /// Whether noise is added; without it there is no privacy, whatever `epsilon` says: for comparison.
    pub noise: bool,
    /// Release caps in random directions in place of clusters, which say nothing of anybody: what clusters gain beyond
    /// that is information, the rest is a harder loss. For comparison.
    pub random: bool,
    /// How often a client is asked for clusters in a run, at most; later ones replace earlier ones.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub releases: u32,
    /// The version from which clients are asked: centres mean little before they are learnt.
    pub from_version: u64,
    /// Versions between two releases of a client, at least 1.
    pub every_versions: u64,
}

impl Default for PrivacyFaceSettings {
    fn default() -> Self {
        Self {
            clusters: 4,
            radius: 1.2,
            minimum: 32,
            pivots: 128,
            epsilon: 8.0,
            delta: 1e-5,
            noise: true,
            random: false,
            releases: 1,
            from_version: 5,
            every_versions: 5,
        }
    }
}

impl PrivacyFaceSettings {
    /// What clients run: the noise is the least that keeps all releases within the budget.
    pub fn mechanism(&self) -> Mechanism {
        let noise = || noise_for(self.epsilon, self.delta, self.clusters, self.releases);
        Mechanism {
            clusters: self.clusters as usize,
            radius: self.radius,
            minimum: self.minimum as usize,
            pivots: self.pivots as usize,
            noise: self.noise.then(noise),
            random: self.random,
        }
    }
}

/// The server's side: it asks for clusters, keeps the latest of every client, and sends each client those of all others.
#[derive(Clone, Debug)]
pub struct PrivacyFace {
    settings: PrivacyFaceSettings,
    mechanism: Mechanism,
    state: State,
}

/// What changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    version: Version,
    /// How often each client was asked, and at which version last. Asking spends the budget, whether the answer
    /// arrives or not.
    asked: BTreeMap<ClientId, (u32, Version)>,
    /// Rows of a mean and a radius.
    clusters: BTreeMap<ClientId, Flat>,
}

impl State {
    state_in_bytes!();
}

impl PrivacyFace {
    /// The part with these settings.
    pub fn new(settings: PrivacyFaceSettings) -> Self {
        Self { settings, mechanism: settings.mechanism(), state: State::default() }
    }

    fn due(&mut self, client: ClientId) -> Option<u32> {
        let PrivacyFaceSettings { releases, from_version, every_versions, .. } = self.settings;
        let now = self.state.version;
        let (times, last) = self.state.asked.get(&client).copied().unwrap_or((0, Version(0)));
        let rested = times == 0 || now.since(last) >= every_versions;
        let due = times < releases && now.0 >= from_version && rested;
        due.then(|| {
            self.state.asked.insert(client, (times + 1, now));
            times
        })
    }

    /// All others' clusters, in the order of their ids.
    fn foreign(&self, client: ClientId) -> Vec<f32> {
        let others = self.state.clusters.iter().filter(|(of, _)| **of != client);
        others.flat_map(|(_, rows)| rows.to_vec()).collect()
    }
}

impl Companion for PrivacyFace {
    fn outfit(&mut self, client: ClientId, _: &Flat) -> BTreeMap<String, Flat> {
        let mut extras = BTreeMap::new();
        if let Some(number) = self.due(client) {
            extras.insert(RELEASE.to_string(), Flat::new(vec![number as f32]));
        }
        let foreign = self.foreign(client);
        if !foreign.is_empty() {
            extras.insert(CLUSTERS.to_string(), Flat::new(foreign));
        }
        extras
    }

    /// Keeps what has the shape of a release; rows of zeros say that there is no further cluster.
    fn absorb(&mut self, update: &Update, _: &View<'_>) {
        let Some(rows) = update.extras.get(CLUSTERS) else { return };
        let clusters = self.mechanism.clusters;
        if rows.is_empty() || !rows.len().is_multiple_of(clusters) {
            return;
        }
        let width = rows.len() / clusters;
        let radius = self.settings.radius as f32;
        let all = rows.to_vec();
        let valid = all.chunks_exact(width).filter(|row| row.last() == Some(&radius));
        let kept: Vec<f32> = valid.flatten().copied().collect();
        self.state.clusters.insert(update.arrival.client, Flat::new(kept));
    }

    fn merged(&mut self, view: &View<'_>) {
        self.state.version = view.version.next();
    }

    fn budget(&self) -> Option<Budget> {
        let releases = self.state.asked.values().map(|(times, _)| *times).max().unwrap_or(0);
        let PrivacyFaceSettings { clusters, delta, .. } = self.settings;
        if self.mechanism.random {
            return Some(Budget { epsilon: Some(0.0), delta, releases });
        }
        let epsilon = spent(self.mechanism.noise, clusters, releases, delta);
        let epsilon = epsilon.is_finite().then_some(epsilon);
        Some(Budget { epsilon, delta, releases })
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { settings: _, mechanism: _, state } = self;
        state.save()
    }

    /// What was asked stays asked: a crash of the server does not take back what clients released, and no noise
    /// is drawn twice.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        let asked = std::mem::take(&mut self.state.asked);
        self.state.restore(bytes)?;
        for (client, (times, last)) in asked {
            let held = self.state.asked.entry(client).or_insert((times, last));
            if held.0 < times {
                *held = (times, last.min(self.state.version));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod utility;
