//! Power-of-choice (Cho, Wang and Joshi 2022): draw candidates, keep those with the largest loss.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::samples::BySamples;
use offbeat_kernel::{ClientId, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Draws `candidates` free clients in proportion to their samples and keeps the wanted number with the
/// largest known loss. This is the paper's variant that asks for no extra work (rpow-d): the loss is
/// the one of the client's last merged update, and a client that never took part counts as infinite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PowerOfChoice {
    /// How many candidates are drawn; never fewer than the pace wants.
    pub candidates: usize,
    #[serde(skip)]
    by_samples: BySamples,
}

impl PowerOfChoice {
    /// Draws `candidates` before choosing.
    pub fn new(candidates: usize) -> Self {
        Self { candidates, by_samples: BySamples::default() }
    }
}

impl Default for PowerOfChoice {
    fn default() -> Self {
        Self::new(30)
    }
}

impl Select for PowerOfChoice {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        let candidates = self.by_samples.select(self.candidates.max(want), view, stream);
        let loss = |client| {
            let known = view.ledger.get(client).and_then(|record| record.last_loss);
            known.unwrap_or(f64::INFINITY)
        };
        let mut ranked: Vec<(ClientId, f64)> =
            candidates.into_iter().map(|client| (client, loss(client))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.into_iter().take(want).map(|(client, _)| client).collect()
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, stream};
    use std::collections::BTreeSet;

    fn world(losses: &[Option<f64>]) -> World {
        let mut world = World::new(losses.len() as u32);
        for (client, loss) in losses.iter().enumerate() {
            world.ledger.entry(ClientId(client as u32)).last_loss = *loss;
        }
        world
    }

    #[test]
    fn keeps_the_largest_losses_of_the_candidates_and_the_unknown_first() {
        let world = world(&[Some(0.5), Some(2.0), None, Some(1.0)]);
        let chosen = PowerOfChoice::new(4).select(3, &world.view(), &mut stream(1));
        assert_eq!(chosen, [ClientId(2), ClientId(1), ClientId(3)]);
    }

    /// With fewer candidates than clients the ranking must be of the candidates, not of everybody.
    #[test]
    fn only_candidates_are_ranked() {
        let losses: Vec<_> = (0..40).map(|client| Some(f64::from(client))).collect();
        let world = world(&losses);
        for seed in 0..200 {
            let drawn = BySamples::default().select(5, &world.view(), &mut stream(seed));
            let chosen = PowerOfChoice::new(5).select(2, &world.view(), &mut stream(seed));
            let mut by_loss: Vec<_> = drawn.iter().map(|client| client.0).collect();
            by_loss.sort();
            let best: BTreeSet<_> = by_loss[3..].iter().copied().collect();
            assert_eq!(chosen.iter().map(|client| client.0).collect::<BTreeSet<_>>(), best);
        }
    }
}
