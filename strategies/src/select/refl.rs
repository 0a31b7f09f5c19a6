//! REFL's selection (Abdelmoniem et al. 2023): least available first, and fewer while stragglers come.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::draw;
use offbeat_kernel::{ClientId, Span, Stream, Time, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Refl`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReflSettings {
    /// Share of the old value in the moving average of the round's duration, in [0, 1].
    pub memory: f64,
    /// Adaptive participant target: invite fewer while stragglers of earlier rounds are expected.
    pub adaptive: bool,
    /// The target never falls below this share of what the pace wants, nor below 1; in [0, 1].
    pub floor: f64,
}

impl Default for ReflSettings {
    fn default() -> Self {
        Self { memory: 0.25, adaptive: false, floor: 0.0 }
    }
}

/// Intelligent participant selection (the paper's section 4.1): among the free clients, those first
/// that will be there the least during the slot `[mu, 2 mu]` from now, where
/// `mu = (1 - memory) * duration + memory * mu` is the moving average of the rounds' durations; equals in
/// random order. Before the first round's duration is known, everybody is equal.
///
/// Adaptive participant target: `N_t = max(floor * N, 1, N - B_t)`, where `B_t` counts the clients at
/// work that are expected to answer within `mu`.
///
/// Looks at every client in every round, as the paper's server asks all that are available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refl {
    settings: ReflSettings,
    mu: Option<f64>,
    round: Option<(Version, Time)>,
}

impl Refl {
    /// A selector with these settings.
    pub fn new(settings: ReflSettings) -> Self {
        Self { settings, mu: None, round: None }
    }

    fn note_round(&mut self, view: &View<'_>) {
        match self.round {
            Some((version, started)) if view.version > version => {
                let rounds = view.version.since(version) as f64;
                let duration = view.now.since(started).seconds() / rounds;
                let memory = self.settings.memory;
                self.mu = Some(match self.mu {
                    Some(mu) => (1.0 - memory) * duration + memory * mu,
                    None => duration,
                });
            }
            Some(_) => return,
            None => {}
        }
        self.round = Some((view.version, view.now));
    }

    fn target(&self, want: usize, view: &View<'_>) -> usize {
        let Some(mu) = self.mu.filter(|_| self.settings.adaptive) else { return want };
        let horizon = view.now + Span::from_seconds(mu);
        let expected = view.busy.iter().filter(|client| {
            let invited = view.ledger.get(**client).map_or(view.now, |record| record.last_invited);
            invited + Span::from_seconds(view.roster.expected_seconds(**client)) <= horizon
        });
        let floor = (self.settings.floor * want as f64).ceil() as usize;
        want.saturating_sub(expected.count()).max(floor).max(1).min(want)
    }
}

/// Seconds between `from` and `to` at which the client is present.
fn presence(client: ClientId, from: Time, to: Time, view: &View<'_>) -> f64 {
    let (mut at, mut seconds) = (from, 0.0);
    while at < to {
        let next = view.roster.next_change(client, at).max(at + Span::TICK).min(to);
        if view.roster.present(client, at) {
            seconds += next.since(at).seconds();
        }
        at = next;
    }
    seconds
}

impl Select for Refl {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        self.note_round(view);
        let want = self.target(want, view);
        let Some(mu) = self.mu else {
            return draw::free_uniform(want, view, stream, |_| true);
        };
        let mut free = view.all_free();
        let all = free.len();
        draw::shuffle_front(&mut free, all, stream);
        let (from, to) =
            (view.now + Span::from_seconds(mu), view.now + Span::from_seconds(2.0 * mu));
        let mut ranked: Vec<(f64, ClientId)> =
            free.into_iter().map(|client| (presence(client, from, to, view), client)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.into_iter().take(want).map(|(_, client)| client).collect()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, stream};

    fn seconds(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_average_duration_by_hand() {
        let mut part = Refl::new(ReflSettings::default());
        let mut world = World::new(3);
        for (version, now) in [(0, 0), (0, 5), (1, 10), (2, 30)] {
            (world.version, world.now) = (Version(version), seconds(now));
            part.select(1, &world.view(), &mut stream(0));
        }
        // First 10 s; then 0.75 * 20 + 0.25 * 10 = 17.5 s.
        assert_eq!(part.mu, Some(17.5));
    }

    #[test]
    fn those_who_leave_soon_come_first() {
        let mut part = Refl::new(ReflSettings::default());
        part.mu = Some(10.0);
        part.round = Some((Version(0), Time::ZERO));
        let mut world = World::new(6);
        // The slot is [10 s, 20 s]: 4 is there for 0 s of it, 2 for 5 s, the others for all of it.
        world.leaves = [(2, seconds(15)), (4, seconds(8))].into();
        for seed in 0..20 {
            let chosen = part.select(3, &world.view(), &mut stream(seed));
            assert_eq!(chosen[..2], [ClientId(4), ClientId(2)]);
        }
        let third = |seed| part.clone().select(3, &world.view(), &mut stream(seed))[2];
        assert!((0..20).any(|seed| third(seed) != third(0)), "equals must be in random order");
    }

    #[test]
    fn the_target_shrinks_by_the_stragglers_that_are_due() {
        let mut part = Refl::new(ReflSettings { adaptive: true, floor: 0.5, ..Default::default() });
        part.mu = Some(10.0);
        let mut world = World::new(20);
        world.seconds = vec![8.0; 20];
        world.seconds[3] = 90.0;
        world.busy = [1, 2, 3].map(ClientId).into();
        assert_eq!(part.target(10, &world.view()), 8);
        world.busy = (4..13).map(ClientId).collect();
        assert_eq!(part.target(10, &world.view()), 5);
        assert_eq!(part.target(1, &world.view()), 1);
    }
}
