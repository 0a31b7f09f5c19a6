//! Oort (Lai et al. 2021): guided selection by statistical and system utility.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::draw;
use crate::select::latency::quantile;
use crate::update::Feedback;
use offbeat_kernel::{ClientId, Stream, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of [`Oort`], named after the paper's Algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OortSettings {
    /// Share of a cohort that is explored at first, in [0, 1] (epsilon).
    pub explore: f64,
    /// Factor on that share with every round, in (0, 1].
    pub decay: f64,
    /// The share never falls below this.
    pub least: f64,
    /// Exponent of the penalty on slow clients (alpha), at least 0.
    pub penalty: f64,
    /// Utilities are clipped at this quantile, in (0, 1].
    pub clip: f64,
    /// Exploited are clients whose utility reaches this share of the K-th best (c), in (0, 1].
    pub cut_off: f64,
    /// Preferred duration T of a round at first, as a quantile of the known durations, in (0, 1].
    pub duration: f64,
    /// The pacer's step on that quantile, in [0, 1].
    pub step: f64,
    /// Rounds between two looks of the pacer (W), at least 1.
    pub window: usize,
    /// Clients invited more often than this are left out; 0 for no limit.
    pub blacklist: u64,
    /// At most this share of the known clients is left out, in [0, 1].
    pub blacklist_share: f64,
}

impl Default for OortSettings {
    fn default() -> Self {
        Self {
            explore: 0.9,
            decay: 0.98,
            least: 0.2,
            penalty: 2.0,
            clip: 0.95,
            cut_off: 0.95,
            duration: 0.3,
            step: 0.05,
            window: 20,
            blacklist: 0,
            blacklist_share: 0.3,
        }
    }
}

/// Oort's training selector (the paper's Algorithm 1).
///
/// Utility of a known client: `min(U, clip) + sqrt(0.1 ln R / L)`, times `(T / t)^alpha` when its duration
/// `t` exceeds `T`; `U = samples * sqrt(mean squared loss)`, `R` the round, `L` the round of its last
/// update. The pacer raises `T` when the utility gained in the last W rounds is below that of the W
/// rounds before; `T` is kept as a quantile of the known durations, so that it needs no unit. Unknown
/// clients are explored by speed, from a random pool five times as large as needed, so that the
/// cost does not grow with the number of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oort {
    settings: OortSettings,
    explore: f64,
    duration: f64,
    version: Version,
    /// Utility merged in each round since the pacer last looked twice back.
    gains: Vec<f64>,
    gain: f64,
}

/// A client's part of the score.
struct Candidate {
    client: ClientId,
    utility: f64,
    seconds: f64,
    last: u64,
}

impl Oort {
    /// A selector with these settings.
    pub fn new(settings: OortSettings) -> Self {
        let (explore, duration) = (settings.explore, settings.duration);
        Self { settings, explore, duration, version: Version(0), gains: Vec::new(), gain: 0.0 }
    }

    fn next_rounds(&mut self, version: Version) {
        let rounds = version.since(self.version);
        if rounds == 0 {
            return;
        }
        self.version = version;
        let share = self.explore * self.settings.decay.powf(rounds as f64);
        self.explore = share.max(self.settings.least);
        self.gains.push(std::mem::take(&mut self.gain));
        let window = self.settings.window.max(1);
        if self.gains.len() >= 2 * window {
            let before: f64 = self.gains[..window].iter().sum();
            let after: f64 = self.gains[window..].iter().sum();
            if before > after {
                self.duration = (self.duration + self.settings.step).min(1.0);
            }
            self.gains.drain(..window);
        }
    }

    fn blacklisted(&self, view: &View<'_>) -> BTreeSet<ClientId> {
        if self.settings.blacklist == 0 {
            return BTreeSet::new();
        }
        let known = view.ledger.iter().filter(|(_, record)| record.merged > 0).count();
        let limit = (self.settings.blacklist_share * known as f64).floor() as usize;
        let mut often: Vec<(u64, ClientId)> = view
            .ledger
            .iter()
            .filter(|(_, record)| record.invited > self.settings.blacklist)
            .map(|(client, record)| (record.invited, client))
            .collect();
        often.sort_by(|a, b| b.cmp(a));
        often.into_iter().take(limit).map(|(_, client)| client).collect()
    }

    /// Scores of the free clients with a known loss.
    fn scores(&self, view: &View<'_>, left_out: &BTreeSet<ClientId>) -> Vec<(ClientId, f64)> {
        let mut known = Vec::new();
        let mut durations = Vec::new();
        for (client, record) in view.ledger.iter() {
            let Some(squared) = record.last_loss_squared else { continue };
            let seconds = record.last_duration.seconds();
            durations.push(seconds);
            if view.free(client) && !left_out.contains(&client) {
                let utility = view.roster.samples(client) as f64 * squared.sqrt();
                let last = record.last_merged.0.max(1);
                known.push(Candidate { client, utility, seconds, last });
            }
        }
        let clip = quantile(known.iter().map(|c| c.utility).collect(), self.settings.clip);
        let preferred = quantile(durations, self.duration);
        let (clip, preferred) = (clip.unwrap_or(0.0), preferred.unwrap_or(0.0));
        let round = (view.version.0 + 1) as f64;
        let score = |c: &Candidate| {
            let bonus = (0.1 * round.ln() / c.last as f64).sqrt();
            let slow = c.seconds > preferred;
            let factor =
                if slow { (preferred / c.seconds).powf(self.settings.penalty) } else { 1.0 };
            (c.utility.min(clip) + bonus) * factor
        };
        known.iter().map(|c| (c.client, score(c))).collect()
    }

    fn exploit(
        &self,
        mut scores: Vec<(ClientId, f64)>,
        want: usize,
        stream: &mut Stream,
    ) -> Vec<ClientId> {
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let Some((_, kth)) =
            want.min(scores.len()).checked_sub(1).and_then(|last| scores.get(last))
        else {
            return Vec::new();
        };
        let bar = self.settings.cut_off * kth;
        scores.retain(|(_, score)| *score >= bar);
        draw::weighted(&scores, want, stream)
    }
}

impl Select for Oort {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        self.next_rounds(view.version);
        let left_out = self.blacklisted(view);
        let scores = self.scores(view, &left_out);
        let wish = self.explore * want as f64;
        let explore = wish.floor() as usize + usize::from(draw::unit(stream) <= wish.fract());
        let explore = explore.max(want.saturating_sub(scores.len())).min(want);
        let unknown = |client| {
            view.ledger.get(client).is_none_or(|record| record.last_loss_squared.is_none())
        };
        let accept = |client| unknown(client) && !left_out.contains(&client);
        let pool: Vec<(ClientId, f64)> = draw::free_uniform(5 * explore, view, stream, accept)
            .into_iter()
            .map(|client| (client, 1.0 / view.roster.expected_seconds(client).max(1e-6)))
            .collect();
        let mut chosen = draw::weighted(&pool, explore, stream);
        chosen.extend(self.exploit(scores, want - chosen.len(), stream));
        chosen
    }

    fn merged(&mut self, feedback: &Feedback) {
        self.gain += feedback.arrival.samples as f64 * feedback.loss_squared.sqrt();
    }

    state_in_bytes!();
}

#[cfg(test)]
#[path = "oort_tests.rs"]
mod tests;
