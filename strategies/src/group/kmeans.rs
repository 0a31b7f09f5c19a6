//! k-means on directions, with a number of clusters that is given, or that the validity index chooses.
//!
//! Sources: spherical k-means (Dhillon and Modha 2001), begun by farthest-first traversal (Gonzalez 1985), so that
//! nothing is left to chance; k-means on clients is the ablation of Zhuang et al., TOMM 2022; the index is the extended
//! form of DCVI (Xie et al. 2020), see [`super::levels`].

use super::changes::by_first_member;
use super::clustered::{Clustered, Clustering};
use super::finch::{pairwise_distances, sums};
use super::levels::best_level;
use super::vectors::On;
use offbeat_learning::reid::similarity::{products, unit_rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most rounds of assigning and averaging.
const ROUNDS: usize = 100;

/// A cluster for each row of `vectors` (row-major with `dims` columns), numbered by first members: rows belong to the
/// centre with the largest cosine, of equal ones the first, and centres are the mean directions of their rows, until
/// nothing changes. At most as many clusters as there are different directions; fewer than `clusters` when some stay
/// empty. The first centre is the row that is farthest from the mean direction, each further one the row that is
/// farthest from all centres. Time is rows x clusters x dims for each of at most 100 rounds.
///
/// # Panics
/// When `vectors` does not hold whole rows.
pub fn k_means(vectors: &[f32], dims: usize, clusters: usize) -> Vec<u32> {
    assert!(dims > 0 && vectors.len().is_multiple_of(dims), "whole rows of {dims} numbers");
    let unit = unit_rows(vectors, dims);
    let count = unit.len() / dims;
    let mut centres = farthest_first(&unit, dims, clusters.clamp(1, count.max(1)));
    let mut labels = vec![0; count];
    for round in 0..ROUNDS {
        let next = nearest(&unit, &centres, dims);
        if next == labels && round > 0 {
            break;
        }
        labels = next;
        recentre(&unit, dims, &labels, &mut centres);
    }
    by_first_member(&labels)
}

/// The rows that begin.
fn farthest_first(unit: &[f32], dims: usize, clusters: usize) -> Vec<f32> {
    let mean = sums(unit, dims, std::iter::repeat(0), 1);
    let mut closest = cosines(unit, &unit_rows(&mean, dims), dims);
    // A row without a direction is near to nobody, not even to itself, and begins nothing.
    let nowhere: Vec<usize> = (0..closest.len())
        .filter(|row| unit[row * dims..][..dims].iter().all(|x| *x == 0.0))
        .collect();
    nowhere.iter().for_each(|row| closest[*row] = f32::INFINITY);
    let mut centres = Vec::with_capacity(clusters * dims);
    while centres.len() < clusters * dims {
        let order = |a: &usize, b: &usize| closest[*a].total_cmp(&closest[*b]).then(a.cmp(b));
        let Some(next) = (0..closest.len()).min_by(order) else { break };
        let centre = &unit[next * dims..][..dims];
        let near = cosines(unit, centre, dims);
        match centres.is_empty() {
            true => {
                closest = near;
                nowhere.iter().for_each(|row| closest[*row] = f32::INFINITY);
            }
            // What is left lies where a centre is already.
            false if closest[next] > 1.0 - 1e-6 => break,
            false => closest.iter_mut().zip(near).for_each(|(own, new)| *own = own.max(new)),
        }
        centres.extend_from_slice(centre);
    }
    centres
}

/// The cosine of each row with one direction.
fn cosines(unit: &[f32], direction: &[f32], dims: usize) -> Vec<f32> {
    let mut found = vec![0.0; unit.len() / dims];
    products(direction, unit, dims, &mut found);
    found
}

/// The centre of each row.
fn nearest(unit: &[f32], centres: &[f32], dims: usize) -> Vec<usize> {
    let mut best = vec![(f32::NEG_INFINITY, 0); unit.len() / dims];
    for (place, centre) in centres.chunks_exact(dims).enumerate() {
        for (best, cosine) in best.iter_mut().zip(cosines(unit, centre, dims)) {
            if cosine > best.0 {
                *best = (cosine, place);
            }
        }
    }
    best.into_iter().map(|(_, place)| place).collect()
}

/// Moves each centre to the mean direction of its rows; one without rows stays.
fn recentre(unit: &[f32], dims: usize, labels: &[usize], centres: &mut [f32]) {
    let sums = sums(unit, dims, labels.iter().copied(), centres.len() / dims);
    let moved = unit_rows(&sums, dims);
    for (centre, moved) in centres.chunks_exact_mut(dims).zip(moved.chunks_exact(dims)) {
        if moved.iter().any(|x| *x != 0.0) {
            centre.copy_from_slice(moved);
        }
    }
}

/// The settings of [`KMeans`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansSettings {
    /// How many clusters, at least 1. When left out, the number from 2 to the root of the clients, rounded up, whose
    /// clusters have the smallest validity index; one group of all when no index is below `accept_below`.
    #[schemars(range(min = 1))]
    pub clusters: Option<u32>,
    /// Clusters whose number was not given are accepted only when their index is below this, above 0 and at most 1.
    pub accept_below: f64,
    /// Whether the latest change of every client is clustered along, so that updates that arrive one by one
    /// find their groups. Keeps one vector for each client that was ever merged.
    pub remember: bool,
    /// What stands for a client.
    pub on: On,
}

impl Default for KMeansSettings {
    fn default() -> Self {
        Self { clusters: None, accept_below: 0.5, remember: false, on: On::Changes }
    }
}

/// Groups updates by k-means on the vectors that stand for their clients ([`On`]).
pub type KMeans = Clustered<KMeansSettings>;

/// As many clusters as the index finds.
fn indexed(rows: &[f32], dims: usize, accept_below: f64) -> Vec<u32> {
    let count = rows.len() / dims;
    let most = (count as f64).sqrt().ceil() as usize;
    if most < 2 {
        return vec![0; count];
    }
    let levels: Vec<Vec<u32>> = (2..=most).map(|clusters| k_means(rows, dims, clusters)).collect();
    best_level(&levels, &pairwise_distances(rows, dims), accept_below).labels
}

impl Clustering for KMeansSettings {
    const KEY: &str = "strategy.group.k-means";

    fn on(&self) -> On {
        self.on
    }

    fn remembers(&self) -> bool {
        self.remember
    }

    fn clusters(&self, rows: &[f32], dims: usize) -> Vec<u32> {
        match self.clusters {
            Some(clusters) => k_means(rows, dims, clusters as usize),
            None => indexed(rows, dims, self.accept_below),
        }
    }
}

#[cfg(test)]
#[path = "kmeans_tests.rs"]
mod tests;
