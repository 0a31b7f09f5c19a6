//! Krum and Multi-Krum (Blanchard et al. 2017).

use crate::combine::sums::all_changes;
use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};

/// `x` plus the mean of the `keep` changes with the lowest scores; the score of a change is the sum of
/// its squared distances to its `n - byzantine - 2` nearest others, at least one. One change is Krum,
/// more are Multi-Krum. The paper's guarantee needs `n >= 2 byzantine + 3`. Weights are not used. Holds
/// all updates at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Krum {
    /// How many clients may be hostile (f).
    pub byzantine: usize,
    /// How many changes are averaged, at least 1.
    pub keep: usize,
}

/// Squared Euclidean distances between all pairs.
pub(crate) fn distances(changes: &[Flat]) -> Vec<Vec<f64>> {
    let mut distances = vec![vec![0.0; changes.len()]; changes.len()];
    for (i, a) in changes.iter().enumerate() {
        for (j, b) in changes.iter().enumerate().skip(i + 1) {
            let gap = a.minus(b);
            let squared = gap.dot(&gap);
            (distances[i][j], distances[j][i]) = (squared, squared);
        }
    }
    distances
}

impl Krum {
    /// Positions by rising score, equal scores by position. A score that is not a number comes last.
    pub(crate) fn ranking(&self, changes: &[Flat]) -> Vec<usize> {
        let all: Vec<usize> = (0..changes.len()).collect();
        self.ranking_among(&all, &distances(changes))
    }

    /// The same for those at the positions `left`, as if there were no others; distances are between all.
    pub(crate) fn ranking_among(&self, left: &[usize], distances: &[Vec<f64>]) -> Vec<usize> {
        let nearest = left.len().saturating_sub(self.byzantine + 2).max(1);
        let score = |own: &usize| {
            let others = left.iter().filter(|other| *other != own);
            let mut others: Vec<f64> = others.map(|other| distances[*own][*other]).collect();
            others.sort_by(f64::total_cmp);
            others.iter().take(nearest).sum::<f64>()
        };
        let mut order: Vec<(f64, usize)> = left.iter().map(|own| (score(own), *own)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        order.into_iter().map(|(_, position)| position).collect()
    }
}

impl Combine for Krum {
    fn combine(&mut self, batch: &mut Batch<'_>, _: &View<'_>) -> Flat {
        let changes = all_changes(batch);
        let mut chosen = self.ranking(&changes);
        chosen.truncate(self.keep.max(1));
        chosen.sort_unstable();
        let mut model = batch.model.clone();
        for position in &chosen {
            model.add_scaled(1.0 / chosen.len() as f32, &changes[*position]);
        }
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

    fn updates(values: &[f32]) -> Vec<Update> {
        values.iter().enumerate().map(|(c, value)| update(c as u32, &[0.0], &[*value])).collect()
    }

    /// n = 5, f = 1: two nearest others. Scores of 0, 1, 2.5, 4.5 and 100:
    /// 0: 1 + 6.25; 1: 1 + 2.25; 2.5: 2.25 + 4; 4.5: 4 + 12.25; so 1 wins, then 2.5, then 0.
    #[test]
    fn scores_by_hand() {
        let updates = updates(&[0.0, 100.0, 1.0, 4.5, 2.5]);
        let changes: Vec<Flat> = updates.iter().map(Update::delta).collect();
        let part = Krum { byzantine: 1, keep: 1 };
        assert_eq!(part.ranking(&changes), [2, 4, 0, 3, 1]);
        let world = World::new(5);
        close(&combine(&mut { part }, &[10.0], &updates, &[1.0; 5], &world), &[11.0]);
        let mut multi = Krum { byzantine: 1, keep: 3 };
        close(&combine(&mut multi, &[10.0], &updates, &[1.0; 5], &world), &[10.0 + 3.5 / 3.0]);
    }

    #[test]
    fn few_updates_do_not_break_it() {
        let mut part = Krum { byzantine: 5, keep: 2 };
        let world = World::new(2);
        close(&combine(&mut part, &[1.0], &updates(&[2.0]), &[1.0], &world), &[3.0]);
        close(&combine(&mut part, &[1.0], &[], &[], &world), &[1.0]);
    }
}
