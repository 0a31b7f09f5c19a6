//! Poisson sampling: who is drawn depends on nobody else.

use crate::seams::{Select, View, state_in_bytes};
use crate::select::draw::unit;
use offbeat_kernel::{ClientId, Stream};
use serde::{Deserialize, Serialize};

/// Every free client with probability `want / clients`, independently of all others: what the sampled
/// Gaussian mechanism assumes, so that sampling makes every release say less of a client (McMahan et al.
/// 2018, algorithm 1). How many are drawn varies around `want`. Costs `O(want)`, whatever the population.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poisson;

impl Poisson {
    /// The probability of each client.
    fn chance(want: usize, count: u32) -> f64 {
        (want as f64 / f64::from(count.max(1))).min(1.0)
    }
}

impl Select for Poisson {
    fn select(&mut self, want: usize, view: &View<'_>, stream: &mut Stream) -> Vec<ClientId> {
        let count = view.roster.count();
        let chance = Self::chance(want, count);
        let mut chosen = Vec::new();
        if chance <= 0.0 {
            return chosen;
        }
        let mut next = 0u64;
        loop {
            // The gap between two that are drawn is geometric.
            let gap = match chance {
                chance if chance >= 1.0 => 0.0,
                chance => (unit(stream).ln() / (-chance).ln_1p()).floor(),
            };
            next = next.saturating_add(gap as u64);
            match u32::try_from(next) {
                Ok(id) if id < count => {
                    let client = ClientId(id);
                    chosen.extend(view.free(client).then_some(client));
                }
                _ => return chosen,
            }
            next += 1;
        }
    }

    fn chance_of_each(&self, want: usize, view: &View<'_>) -> Option<f64> {
        Some(Self::chance(want, view.roster.count()))
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, stream};

    /// 10,000 draws of 3 of 20: each client is in a share of 0.15 (standard deviation 0.0036), and two of them
    /// together in 0.0225 (0.0015): nothing ties them.
    #[test]
    fn clients_are_drawn_independently() {
        let world = World::new(20);
        let (mut alone, mut together) = ([0u32; 20], 0);
        for seed in 0..10_000 {
            let chosen = Poisson.select(3, &world.view(), &mut stream(seed));
            chosen.iter().for_each(|client| alone[client.index()] += 1);
            together += u32::from(chosen.contains(&ClientId(4)) && chosen.contains(&ClientId(17)));
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(alone.iter().all(|count| (1_350..1_650).contains(count)), "{alone:?}");
        assert!((165..285).contains(&together), "{together}");
    }

    #[test]
    fn only_free_clients_and_all_of_them_when_all_are_wanted() {
        let mut world = World::new(6);
        world.away = [2, 5].into();
        let all = Poisson.select(9, &world.view(), &mut stream(1));
        assert_eq!(all, [0, 1, 3, 4].map(ClientId));
        assert!(Poisson.select(0, &world.view(), &mut stream(1)).is_empty());
        assert_eq!(Poisson.chance_of_each(3, &world.view()), Some(0.5));
    }

    #[test]
    fn a_million_clients_cost_no_more_looks_than_the_draws() {
        let world = World::new(1_000_000);
        let chosen = Poisson.select(100, &world.view(), &mut stream(9)).len();
        assert!((60..140).contains(&chosen) && world.looks.get() == chosen as u64);
    }
}
