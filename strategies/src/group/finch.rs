//! FINCH: everybody joins the nearest neighbour.
//!
//! Sources: Sarfraz et al., "Efficient Parameter-free Clustering Using First Neighbor Relations", CVPR 2019,
//! equation 1; one step of it on clients: Zhuang et al., "Optimizing Performance of Federated Person
//! Re-identification", TOMM 2022, section 5.1.

use super::changes::{Links, by_first_member};
use super::clustered::{Clustered, Clustering};
use super::levels::best_level;
use super::vectors::On;
use offbeat_learning::reid::similarity::{products, unit_rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that are compared with all others together, and the most columns of their products at a time.
const BLOCK: usize = 64;

/// The nearest other row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which row.
    pub row: usize,
    /// The cosine distance to it, 0 to 2.
    pub distance: f32,
}

/// The first neighbour of every row by cosine distance; of equal ones the first. `vectors` is row-major with
/// `dims` columns. A row that is zero or not finite is at distance 1 from all. Empty below two rows. Time is
/// rows^2 x dims / 2, memory one copy of the vectors.
///
/// # Panics
/// When `vectors` does not hold whole rows.
pub fn first_neighbours(vectors: &[f32], dims: usize) -> Vec<Neighbour> {
    assert!(dims > 0 && vectors.len().is_multiple_of(dims), "whole rows of {dims} numbers");
    let rows = vectors.len() / dims;
    if rows < 2 {
        return Vec::new();
    }
    let unit = unit_rows(vectors, dims);
    let mut best = Best { distances: vec![f32::INFINITY; rows], rows: vec![u32::MAX; rows] };
    let mut similar = vec![0.0; BLOCK * BLOCK];
    // Each pair of blocks once: a product serves both its rows.
    for (i, a) in unit.chunks(BLOCK * dims).enumerate() {
        for (j, b) in unit.chunks(BLOCK * dims).enumerate().skip(i) {
            let (m, n) = (a.len() / dims, b.len() / dims);
            let similar = &mut similar[..m * n];
            products(a, b, dims, similar);
            similar.iter_mut().for_each(|value| *value = (1.0 - *value).clamp(0.0, 2.0));
            if i == j {
                best.meet_among(i * BLOCK, n, similar);
            } else {
                best.meet(i * BLOCK, j * BLOCK, n, similar);
            }
        }
    }
    let found = best.rows.into_iter().zip(best.distances);
    found.map(|(row, distance)| Neighbour { row: row as usize, distance }).collect()
}

/// The nearest row so far of each row, apart from its distance, so that many are looked at side by side.
struct Best {
    distances: Vec<f32>,
    rows: Vec<u32>,
}

impl Best {
    /// The rows from `first` on meet the `n` rows from `second` on, which come after all that these have met.
    fn meet(&mut self, first: usize, second: usize, n: usize, distances: &[f32]) {
        for (row, distances) in distances.chunks_exact(n).enumerate() {
            let x = first + row;
            let least = distances.iter().fold(f32::INFINITY, |a, b| if *b < a { *b } else { a });
            if least < self.distances[x] {
                let place = distances.iter().position(|distance| *distance == least);
                let place = place.unwrap_or_default();
                (self.distances[x], self.rows[x]) = (least, (second + place) as u32);
            }
            let others = self.distances[second..].iter_mut().zip(&mut self.rows[second..]);
            for ((best, row), distance) in others.zip(distances) {
                // Of equal ones the first stays. No branch, so that it is done in vectors.
                let nearer = *distance < *best;
                *best = if nearer { *distance } else { *best };
                *row = if nearer { x as u32 } else { *row };
            }
        }
    }

    /// The `n` rows from `first` on meet each other.
    fn meet_among(&mut self, first: usize, n: usize, distances: &[f32]) {
        for (place, distance) in distances.iter().enumerate() {
            let (x, y) = (first + place / n, first + place % n);
            if x != y && (*distance, y as u32) < (self.distances[x], self.rows[x]) {
                (self.distances[x], self.rows[x]) = (*distance, y as u32);
            }
        }
    }
}

/// The cosine distance of every pair of rows, row-major `rows x rows`, 0 on the diagonal; rows as in
/// [`first_neighbours`].
///
/// # Panics
/// As [`first_neighbours`].
pub fn pairwise_distances(vectors: &[f32], dims: usize) -> Vec<f64> {
    assert!(dims > 0 && vectors.len().is_multiple_of(dims), "whole rows of {dims} numbers");
    let rows = vectors.len() / dims;
    let unit = unit_rows(vectors, dims);
    let mut similar = vec![0.0; rows * rows];
    products(&unit, &unit, dims, &mut similar);
    let distance = |(place, similar): (usize, f32)| {
        let same = place / rows == place % rows;
        if same { 0.0 } else { f64::from((1.0 - similar).clamp(0.0, 2.0)) }
    };
    similar.into_iter().enumerate().map(distance).collect()
}

/// A cluster for each row, numbered by their first members. In each of up to `steps` steps every cluster (a row
/// at first, then the mean of the unit rows of a cluster) is linked to its first neighbour, and what is linked is
/// one cluster; with `max_distance`, only over a distance below it. Without it no cluster of a step has fewer
/// than two members. Steps end early when one cluster is left or nothing more is linked.
///
/// # Panics
/// As [`first_neighbours`].
pub fn finch(vectors: &[f32], dims: usize, steps: u32, max_distance: Option<f64>) -> Vec<u32> {
    let rows = vectors.len() / dims.max(1);
    let last = finch_levels(vectors, dims, steps, max_distance).pop();
    last.unwrap_or_else(|| (0..rows as u32).collect())
}

/// The clusters after each step of [`finch`], coarser and coarser.
///
/// # Panics
/// As [`first_neighbours`].
pub fn finch_levels(
    vectors: &[f32],
    dims: usize,
    steps: u32,
    max_distance: Option<f64>,
) -> Vec<Vec<u32>> {
    let rows = vectors.len() / dims.max(1);
    let unit = unit_rows(vectors, dims);
    let mut labels: Vec<u32> = (0..rows as u32).collect();
    let mut levels = Vec::new();
    for step in 0..steps {
        let count = labels.iter().max().map_or(0, |most| *most as usize + 1);
        let centres = if step == 0 {
            unit.clone()
        } else {
            sums(&unit, dims, labels.iter().map(|label| *label as usize), count)
        };
        let mut links = Links::new(count);
        for (row, nearest) in first_neighbours(&centres, dims).into_iter().enumerate() {
            if max_distance.is_none_or(|most| f64::from(nearest.distance) < most) {
                links.join(row, nearest.row);
            }
        }
        let joined = by_first_member(&links.labels());
        labels.iter_mut().for_each(|label| *label = joined[*label as usize]);
        levels.push(labels.clone());
        let left = joined.iter().max().map_or(0, |most| *most as usize + 1);
        if left == count || left <= 1 {
            break;
        }
    }
    levels
}

/// The sum of the rows of each label below `count`: it points where their mean does, and only directions count.
pub(super) fn sums(
    unit: &[f32],
    dims: usize,
    labels: impl IntoIterator<Item = usize>,
    count: usize,
) -> Vec<f32> {
    let mut sums = vec![0.0f32; count * dims];
    for (row, label) in unit.chunks_exact(dims).zip(labels) {
        let sum = &mut sums[label * dims..][..dims];
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    sums
}

/// The settings of [`Finch`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FinchSettings {
    /// Steps, at least 1. One step leaves about a quarter as many clusters as clients.
    pub steps: u32,
    /// When set, above 0 and at most 1: of the clusters after 1, 2, .. `steps` steps those with the smallest validity
    /// index are taken, and one group of all when no index is below this. The right groups need not be among them:
    /// a group that is complete early joins another in the next step.
    pub accept_below: Option<f64>,
    /// Clients are linked only below this cosine distance, above 0 and at most 2; never cut when not set.
    pub max_distance: Option<f64>,
    /// Whether the latest change of every client is clustered along, so that updates that arrive one by one
    /// find their groups. Keeps one vector for each client that was ever merged.
    pub remember: bool,
    /// What stands for a client.
    pub on: On,
}

impl Default for FinchSettings {
    fn default() -> Self {
        let on = On::Changes;
        Self { steps: 1, accept_below: None, max_distance: None, remember: false, on }
    }
}

/// Groups updates by FINCH on the vectors that stand for their clients ([`On`]), at unit length.
pub type Finch = Clustered<FinchSettings>;

impl Clustering for FinchSettings {
    const KEY: &str = "strategy.group.finch";

    fn on(&self) -> On {
        self.on
    }

    fn remembers(&self) -> bool {
        self.remember
    }

    fn clusters(&self, rows: &[f32], dims: usize) -> Vec<u32> {
        let Self { steps, accept_below, max_distance, .. } = *self;
        match accept_below {
            None => finch(rows, dims, steps, max_distance),
            Some(below) => {
                let levels = finch_levels(rows, dims, steps, max_distance);
                best_level(&levels, &pairwise_distances(rows, dims), below).labels
            }
        }
    }
}

#[cfg(test)]
#[path = "finch_tests.rs"]
mod tests;
