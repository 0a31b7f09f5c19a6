//! Counts what was released about each client.

use super::{Accountant, Local, Privacy};
use offbeat_kernel::ClientId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run has revealed of its clients so far, of the worst-off client.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// The delta at which both figures hold.
    pub delta: f64,
    /// What the published models reveal of a client; where noise is central.
    pub central: Option<f64>,
    /// What a client's updates reveal to the server; where noise is local.
    pub local: Option<f64>,
}

impl Spent {
    /// The larger of the two; nothing where nobody adds noise, which says nothing about privacy.
    pub fn most(&self) -> Option<f64> {
        self.central.into_iter().chain(self.local).reduce(f64::max)
    }
}

/// The books. They survive a crash of the server: what was published stays known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Meter {
    /// Releases into which clients were drawn by chance.
    sampled: Accountant,
    /// For each client, the sum over other releases of the square of its updates in them.
    squares: BTreeMap<ClientId, u64>,
    /// How many updates each client was asked for, each of which reveals something to the server.
    sent: BTreeMap<ClientId, u64>,
}

impl Meter {
    /// A release into which each client was drawn with probability `rate`.
    pub fn drew(&mut self, rate: f64, noise: f64) {
        self.sampled.add(rate, noise, 1.0);
    }

    /// A release of these clients' updates, one entry for each update.
    pub fn released(&mut self, clients: &[ClientId]) {
        let mut counts: BTreeMap<ClientId, u64> = BTreeMap::new();
        clients.iter().for_each(|client| *counts.entry(*client).or_default() += 1);
        for (client, count) in counts {
            *self.squares.entry(client).or_default() += count * count;
        }
    }

    /// A client is asked for an update.
    pub fn asked(&mut self, client: ClientId) {
        *self.sent.entry(client).or_default() += 1;
    }

    /// What all this comes to.
    pub fn spent(&self, privacy: &Privacy) -> Spent {
        let delta = privacy.delta;
        let central = privacy.central.map(|central| {
            let most = self.squares.values().copied().max().unwrap_or(0);
            let mut all = self.sampled.clone();
            all.add(1.0, central.noise_multiplier, most as f64);
            all.epsilon(delta)
        });
        let most = self.sent.values().copied().max().unwrap_or(0);
        let local = privacy.local.map(|local| Self::of_updates(local, most, delta));
        Spent { delta, central, local }
    }

    /// What `count` updates of one client reveal: each moves by up to two clip norms.
    fn of_updates(local: Local, count: u64, delta: f64) -> f64 {
        let mut all = Accountant::default();
        all.add(1.0, local.noise_multiplier / 2.0, count as f64);
        all.epsilon(delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::Central;

    fn privacy(noise: f64) -> Privacy {
        let central = Central { clip_norm: 1.0, noise_multiplier: noise, adaptive: None };
        let local = Local { clip_norm: 1.0, noise_multiplier: noise };
        Privacy { central: Some(central), local: Some(local), ..Privacy::default() }
    }

    fn unsampled(noise: f64, steps: f64) -> f64 {
        let mut one = Accountant::default();
        one.add(1.0, noise, steps);
        one.epsilon(1e-5)
    }

    /// Client 1 is in the first release twice and in the second once: 4 + 1; client 2 in both once: 2.
    #[test]
    fn the_client_with_the_most_contributions_decides() {
        let mut meter = Meter::default();
        let [a, b] = [ClientId(1), ClientId(2)];
        meter.released(&[a, b, a]);
        meter.released(&[b, a]);
        let spent = meter.spent(&privacy(8.0));
        assert_eq!(spent.central, Some(unsampled(8.0, 5.0)));
        assert_eq!((spent.local, spent.delta), (Some(0.0), 1e-5));
    }

    #[test]
    fn sampled_and_other_releases_add_up() {
        let mut meter = Meter::default();
        meter.drew(1.0, 4.0);
        meter.released(&[ClientId(3)]);
        assert_eq!(meter.spent(&privacy(4.0)).central, Some(unsampled(4.0, 2.0)));
    }

    /// Three updates at two clip norms' distance: noise 6 counts as noise 3.
    #[test]
    fn local_noise_protects_a_whole_change() {
        let mut meter = Meter::default();
        [1, 2, 1, 1].iter().for_each(|client| meter.asked(ClientId(*client)));
        let spent = meter.spent(&privacy(6.0));
        assert_eq!(spent.local, Some(unsampled(3.0, 3.0)));
        assert_eq!(spent.most(), Some(unsampled(3.0, 3.0)));
        // Masks alone add no noise, and no epsilon speaks of them.
        assert_eq!(meter.spent(&Privacy::default()).most(), None);
    }
}
