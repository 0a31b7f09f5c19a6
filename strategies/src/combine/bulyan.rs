//! Bulyan (El Mhamdi, Guerraoui and Rouault 2018).

use crate::combine::Krum;
use crate::combine::krum::distances;
use crate::combine::median::by_coordinate;
use crate::combine::sums::all_changes;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};

/// Krum picks `theta = n - 2 f` of the `n` changes one after the other, each among those that are left;
/// then, in every coordinate, the mean of the `theta - 2 f` of them that are nearest to their median is
/// added to `x`. The paper's guarantee needs `n >= 4 f + 3`; with fewer updates both numbers are at least
/// one. Weights are not used. Holds all updates at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulyan {
    /// How many clients may be hostile (f).
    pub byzantine: usize,
}

impl Bulyan {
    /// The changes that Krum picks.
    fn picked(&self, changes: &[Flat]) -> Vec<Flat> {
        let theta = changes.len().saturating_sub(2 * self.byzantine).max(1);
        let krum = Krum { byzantine: self.byzantine, keep: 1 };
        // A distance does not depend on who is left: all of them are computed once.
        let distances = distances(changes);
        let mut left: Vec<usize> = (0..changes.len()).collect();
        let mut picked = Vec::with_capacity(theta);
        while picked.len() < theta
            && let Some(best) = krum.ranking_among(&left, &distances).first().copied()
        {
            left.retain(|position| *position != best);
            picked.push(changes[best].clone());
        }
        picked
    }
}

/// The mean of the `keep` values of a sorted column that are nearest to its median; of equally near ones
/// the smaller counts.
fn near_median(column: &[f32], keep: usize) -> f32 {
    let middle = column.len() / 2;
    let median = match column.len() % 2 {
        1 => f64::from(column[middle]),
        _ => 0.5 * (f64::from(column[middle - 1]) + f64::from(column[middle])),
    };
    let mut near: Vec<f64> = column.iter().map(|value| f64::from(*value)).collect();
    near.sort_by(|a, b| (a - median).abs().total_cmp(&(b - median).abs()));
    near.truncate(keep);
    (near.iter().sum::<f64>() / near.len() as f64) as f32
}

impl Combine for Bulyan {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let picked = self.picked(&all_changes(batch));
        let keep = picked.len().saturating_sub(2 * self.byzantine).max(1);
        let mut model = batch.model.clone();
        let len = model.len();
        model.add_scaled(1.0, &by_coordinate(&picked, len, |column| near_median(column, keep)));
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};
    use crate::update::Update;
    use rand::RngExt;

    fn updates(values: &[f32]) -> Vec<Update> {
        values.iter().enumerate().map(|(c, value)| update(c as u32, &[0.0], &[*value])).collect()
    }

    /// n = 7, f = 1: Krum picks five of 0, 1, 2, 3, 4, 5 and 1000. By its scores (squared distances to the
    /// nearest 4, 3, 2, 1 and 1 others; of equals the first): 2 (1 + 1 + 4 + 4, as has 3), 3 (1 + 4 + 4),
    /// 1 (1 + 9, as has 4), 4 (1, as has 5), 0 (25, as has 5). Their median is 2, and the three nearest
    /// are 1, 2 and 3.
    #[test]
    fn by_hand() {
        let changes = || updates(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1000.0]);
        let part = Bulyan { byzantine: 1 };
        let picked = part.picked(&changes().iter().map(Update::delta).collect::<Vec<_>>());
        let picked: Vec<f32> = picked.iter().map(|change| change.to_vec()[0]).collect();
        assert_eq!(picked, [2.0, 3.0, 1.0, 4.0, 0.0]);
        close(&combine(&mut { part }, &[10.0], &changes(), &[1.0; 7], &World::new(7)), &[12.0]);
    }

    /// The picks are those of the rule as it is written: Krum asked again of those that are left.
    #[test]
    fn distances_are_computed_once_and_the_picks_are_the_same() {
        let mut stream =
            offbeat_kernel::SeedTree::new(3).stream(offbeat_kernel::Purpose::Custom, 0, 0);
        for (clients, byzantine) in [(7usize, 1), (12, 2), (20, 4), (5, 3)] {
            let mut change = || (0..6).map(|_| stream.random_range(-1.0f32..1.0)).collect();
            let changes: Vec<Flat> = (0..clients).map(|_| Flat::new(change())).collect();
            let (mut left, mut slowly) = (changes.clone(), Vec::new());
            while slowly.len() < clients.saturating_sub(2 * byzantine).max(1) {
                let best = Krum { byzantine, keep: 1 }.ranking(&left)[0];
                slowly.push(left.remove(best));
            }
            assert_eq!(Bulyan { byzantine }.picked(&changes), slowly);
        }
    }

    #[test]
    fn columns_by_hand() {
        assert_eq!(near_median(&[0.0, 1.0, 2.0, 9.0], 2), 1.5);
        assert_eq!(near_median(&[-5.0, 1.0, 2.0], 1), 1.0);
    }

    #[test]
    fn few_updates_do_not_break_it() {
        let mut part = Bulyan { byzantine: 3 };
        let world = World::new(2);
        close(&combine(&mut part, &[1.0], &updates(&[2.0]), &[1.0], &world), &[3.0]);
        close(&combine(&mut part, &[1.0], &[], &[], &world), &[1.0]);
    }
}
