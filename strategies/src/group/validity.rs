//! How many groups there are, by a validity index on the minimum spanning tree; one group is an answer.
//!
//! Source: the index DCVI of Xie et al. 2020, applied to clients instead of density cores: `com_i` is the longest
//! edge inside cluster `i`, `sep_i` the shortest cut edge that touches it, `DCVI(k) = mean_i com_i / sep_i`, and the
//! `k` from 2 to `ceil(sqrt n)` with the smallest index wins. Cutting the longest edges makes `com_i <= sep_i`
//! always, so the published bound of 1 hardly ever answers "one"; ours is a setting.

use super::changes::{Links, by_first_member};
use super::clustered::{Clustered, Clustering};
use super::finch::pairwise_distances;
use super::vectors::On;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings of [`ValidityIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ValiditySettings {
    /// Members that a cluster must have, at least 1: fewer are outliers and stay with their nearest cluster.
    pub min_size: u32,
    /// Clusters are accepted only when the index is below this, above 0 and at most 1. Changes without groups
    /// in 8 or more dimensions stay above 0.5 nineteen times of twenty; planted groups lie below 0.1.
    pub accept_below: f64,
    /// Whether the latest change of every client is clustered along, so that updates that arrive one by one
    /// find their groups. Keeps one vector for each client that was ever merged.
    pub remember: bool,
    /// What stands for a client.
    pub on: On,
}

impl Default for ValiditySettings {
    fn default() -> Self {
        Self { min_size: 2, accept_below: 0.5, remember: false, on: On::Changes }
    }
}

/// An edge of the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) length: f64,
    a: usize,
    b: usize,
}

/// What the index finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Validity {
    /// Cluster of each element, numbered by their first members; all 0 when there are no clusters.
    pub labels: Vec<u32>,
    /// The smallest index over 2, 3, .. clusters; infinite when nothing could be cut.
    pub index: f64,
}

/// Clusters `count` elements by their distances, row-major `count x count`, symmetric, at least 0. Time is
/// `count^2.5` at worst. The clusters do not change when all distances are multiplied, or with the elements' order
/// (where distances differ).
///
/// # Panics
/// When `distances` is not of that length.
pub fn validity_index(
    distances: &[f64],
    count: usize,
    min_size: usize,
    accept_below: f64,
) -> Validity {
    assert_eq!(distances.len(), count * count, "a distance for each pair");
    let mut tree = spanning_tree(distances, count);
    // Longest first; of equal ones the first by its ends.
    tree.sort_by(|x, y| y.length.total_cmp(&x.length).then((x.a, x.b).cmp(&(y.a, y.b))));
    let most = (count as f64).sqrt().ceil() as usize;
    let mut forest = Forest::new(&tree, count);
    let mut best = Validity { labels: vec![0; count], index: f64::INFINITY };
    for (place, edge) in tree.iter().enumerate() {
        if forest.cuts + 1 >= most || edge.length <= 0.0 {
            break;
        }
        if forest.cut(place, min_size) {
            let index = forest.index();
            if index < best.index {
                best = Validity { labels: by_first_member(&forest.labels()), index };
            }
        }
    }
    if best.index >= accept_below {
        best.labels = vec![0; count];
    }
    best
}

/// Prim's tree from element 0; of equal candidates the first. NaN counts as farthest.
pub(super) fn spanning_tree(distances: &[f64], count: usize) -> Vec<Edge> {
    let mut nearest: Vec<(f64, usize)> = vec![(f64::INFINITY, 0); count];
    let mut outside: Vec<usize> = (1..count).collect();
    let mut tree = Vec::with_capacity(count.saturating_sub(1));
    let mut newest = 0;
    while !outside.is_empty() {
        for &element in &outside {
            let distance = distances[newest * count + element];
            if distance < nearest[element].0 {
                nearest[element] = (distance, newest);
            }
        }
        let closer = |x: &usize, y: &usize| nearest[*x].0.total_cmp(&nearest[*y].0).then(x.cmp(y));
        let Some(next) = outside.iter().copied().min_by(closer) else { break };
        outside.retain(|element| *element != next);
        let (length, from) = nearest[next];
        tree.push(Edge { length, a: from.min(next), b: from.max(next) });
        newest = next;
    }
    tree
}

/// What has become of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Cut,
    /// Longer than a later cut, but with too few elements on one side: it holds outliers.
    Outlier,
}

/// The tree with some edges cut.
struct Forest<'a> {
    tree: &'a [Edge],
    fates: Vec<Fate>,
    count: usize,
    cuts: usize,
}

impl<'a> Forest<'a> {
    fn new(tree: &'a [Edge], count: usize) -> Self {
        Self { tree, fates: vec![Fate::Kept; tree.len()], count, cuts: 0 }
    }

    /// Cuts an edge, unless a side would be too small.
    fn cut(&mut self, place: usize, min_size: usize) -> bool {
        self.fates[place] = Fate::Cut;
        let labels = self.labels();
        let size =
            |element: usize| labels.iter().filter(|label| **label == labels[element]).count();
        let Edge { a, b, .. } = self.tree[place];
        if size(a).min(size(b)) < min_size {
            self.fates[place] = Fate::Outlier;
            return false;
        }
        self.cuts += 1;
        true
    }

    fn labels(&self) -> Vec<usize> {
        let mut links = Links::new(self.count);
        for (edge, fate) in self.tree.iter().zip(&self.fates) {
            if *fate != Fate::Cut {
                links.join(edge.a, edge.b);
            }
        }
        links.labels()
    }

    /// DCVI of the clusters.
    fn index(&self) -> f64 {
        let labels = self.labels();
        let edges = || self.tree.iter().zip(&self.fates);
        let longest = |cluster: usize, fate: Fate| {
            let own = edges().filter(|(e, f)| **f == fate && labels[e.a] == cluster);
            own.map(|(edge, _)| edge.length).reduce(f64::max)
        };
        let mut ratios = Vec::new();
        for cluster in (0..self.count).filter(|element| labels[*element] == *element) {
            // A cluster of nothing but outlier edges is as loose as they are.
            let compact = longest(cluster, Fate::Kept).or_else(|| longest(cluster, Fate::Outlier));
            let cut = edges().filter(|(e, f)| {
                **f == Fate::Cut && [e.a, e.b].iter().any(|x| labels[*x] == cluster)
            });
            let apart = cut.map(|(edge, _)| edge.length).fold(f64::INFINITY, f64::min);
            ratios.push((compact.unwrap_or(0.0), apart));
        }
        // A cluster without extent is as compact as the most compact of the others.
        let smallest =
            ratios.iter().map(|r| r.0).filter(|c| *c > 0.0).reduce(f64::min).unwrap_or(0.0);
        let ratio = |(compact, apart): &(f64, f64)| {
            if *compact > 0.0 { compact / apart } else { smallest / apart }
        };
        ratios.iter().map(ratio).sum::<f64>() / ratios.len() as f64
    }
}

/// Groups updates by the validity index on the cosine distances of the vectors that stand for their clients
/// ([`On`]); answers one group when no split is good enough.
pub type ValidityIndex = Clustered<ValiditySettings>;

impl Clustering for ValiditySettings {
    const KEY: &str = "strategy.group.validity-index";

    fn on(&self) -> On {
        self.on
    }

    fn remembers(&self) -> bool {
        self.remember
    }

    fn clusters(&self, rows: &[f32], dims: usize) -> Vec<u32> {
        let distances = pairwise_distances(rows, dims);
        let least = self.min_size as usize;
        validity_index(&distances, rows.len() / dims, least, self.accept_below).labels
    }
}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
