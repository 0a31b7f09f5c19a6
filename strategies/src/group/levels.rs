//! Which of several clusterings is the best, by the validity index; none is an answer.
//!
//! Source: the extended form of DCVI (Xie et al. 2020) for clusters that any method found: `com_i` is the longest edge
//! of the minimum spanning tree inside cluster `i`, `sep_i` its smallest distance to another cluster, and the index
//! is the mean of `com_i / sep_i`.

use super::validity::{Validity, spanning_tree};

/// The index of clusters, small for compact ones that lie far apart; infinite when there is only one, or when
/// clusters touch or all are single elements. A cluster without extent counts as the most compact of the others.
/// `distances` is row-major, symmetric, with a row for each label.
///
/// # Panics
/// When `distances` is not of that length.
pub fn clustering_index(distances: &[f64], labels: &[u32]) -> f64 {
    let count = labels.len();
    assert_eq!(distances.len(), count * count, "a distance for each pair");
    let clusters = labels.iter().max().map_or(0, |most| *most + 1);
    if clusters < 2 {
        return f64::INFINITY;
    }
    let pairs: Vec<(f64, f64)> = (0..clusters)
        .map(|cluster| (extent(distances, labels, cluster), gap(distances, labels, cluster)))
        .collect();
    let positive = pairs.iter().map(|pair| pair.0).filter(|extent| *extent > 0.0);
    let Some(smallest) = positive.reduce(f64::min) else { return f64::INFINITY };
    let ratio = |(extent, gap): &(f64, f64)| {
        let extent = if *extent > 0.0 { *extent } else { smallest };
        if *gap > 0.0 { extent / gap } else { f64::INFINITY }
    };
    pairs.iter().map(ratio).sum::<f64>() / pairs.len() as f64
}

/// The longest edge of the spanning tree inside a cluster.
fn extent(distances: &[f64], labels: &[u32], cluster: u32) -> f64 {
    let count = labels.len();
    let own: Vec<usize> = (0..count).filter(|place| labels[*place] == cluster).collect();
    let inside = own.iter().flat_map(|a| own.iter().map(move |b| distances[a * count + b]));
    let tree = spanning_tree(&inside.collect::<Vec<_>>(), own.len());
    tree.iter().map(|edge| edge.length).fold(0.0, f64::max)
}

/// The smallest distance from a cluster to another.
fn gap(distances: &[f64], labels: &[u32], cluster: u32) -> f64 {
    let count = labels.len();
    let across = (0..count * count)
        .filter(|at| labels[at / count] == cluster && labels[at % count] != cluster)
        .map(|at| distances[at]);
    across.fold(f64::INFINITY, f64::min)
}

/// Of `levels` the one with the smallest index, of equal ones the first; one cluster of all when none is below
/// `accept_below`, with the smallest index met.
///
/// # Panics
/// As [`clustering_index`].
pub fn best_level(levels: &[Vec<u32>], distances: &[f64], accept_below: f64) -> Validity {
    let count = levels.first().map_or(0, Vec::len);
    let mut best = Validity { labels: vec![0; count], index: f64::INFINITY };
    for labels in levels {
        let index = clustering_index(distances, labels);
        if index < best.index {
            best = Validity { labels: labels.clone(), index };
        }
    }
    if best.index >= accept_below {
        best.labels = vec![0; count];
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::finch::{finch_levels, pairwise_distances};
    use crate::select::testing::stream;
    use rand::RngExt;

    /// Distances of places on a line.
    fn line(places: &[f64]) -> Vec<f64> {
        places.iter().flat_map(|a| places.iter().map(move |b| (a - b).abs())).collect()
    }

    #[test]
    fn indices_by_hand() {
        let distances = line(&[0.0, 1.0, 3.0, 10.0, 14.0]);
        // Longest edges 2 and 4, gap 7.
        let index = clustering_index(&distances, &[0, 0, 0, 1, 1]);
        assert!((index - (2.0 / 7.0 + 4.0 / 7.0) / 2.0).abs() < 1e-12);
        // The single one counts as 1, the smallest extent, over its gap of 4; the others 1 over 2, 7 over 2.
        let index = clustering_index(&distances, &[0, 0, 1, 1, 2]);
        assert!((index - (1.0 / 2.0 + 7.0 / 2.0 + 1.0 / 4.0) / 3.0).abs() < 1e-12);
        assert_eq!(clustering_index(&distances, &[0; 5]), f64::INFINITY);
        assert_eq!(clustering_index(&distances, &[0, 1, 2, 3, 4]), f64::INFINITY);
        assert_eq!(clustering_index(&line(&[1.0, 1.0, 2.0]), &[0, 1, 0]), f64::INFINITY);
    }

    /// `groups` directions in 16 dimensions, `each` vectors around each.
    fn planted(groups: usize, each: usize, spread: f32, seed: u64) -> Vec<f32> {
        let mut stream = stream(seed);
        let mut draw = |scale: f32| -> Vec<f32> {
            (0..16).map(|_| scale * stream.random_range(-1.0f32..1.0)).collect()
        };
        let centres: Vec<Vec<f32>> = (0..groups).map(|_| draw(1.0)).collect();
        let around = |place: usize| {
            let noise = draw(spread);
            centres[place % groups].iter().zip(noise).map(|(c, n)| c + n).collect::<Vec<_>>()
        };
        (0..groups * each).flat_map(around).collect()
    }

    /// Where the planted groups are among FINCH's levels, the index takes them. They need not be: a group that is
    /// complete before the others joins one of their parts in the next step.
    #[test]
    fn the_index_finds_how_many_steps_are_right() {
        let (mut met, mut deeper) = (0, 0);
        for (groups, seed) in (0..30).map(|case| (2 + case % 3, case as u64)) {
            let vectors = planted(groups, 12, 0.1, seed);
            let levels = finch_levels(&vectors, 16, 9, None);
            let expected: Vec<u32> = (0..12 * groups).map(|i| (i % groups) as u32).collect();
            if let Some(level) = levels.iter().position(|labels| *labels == expected) {
                let found = best_level(&levels, &pairwise_distances(&vectors, 16), 0.5);
                assert_eq!(found.labels, expected, "{groups} groups: {}", found.index);
                (met, deeper) = (met + 1, deeper + usize::from(level > 0));
            }
        }
        assert!(met >= 15 && deeper >= 15, "{met} {deeper}");
    }

    #[test]
    fn without_groups_there_is_one() {
        for seed in 0..20 {
            let vectors = planted(1, 40, 30.0, seed);
            let levels = finch_levels(&vectors, 16, 9, None);
            let found = best_level(&levels, &pairwise_distances(&vectors, 16), 0.5);
            assert_eq!(
                (found.labels.iter().max(), found.index > 0.5),
                (Some(&0), true),
                "{}",
                found.index
            );
        }
        assert!(best_level(&[], &[], 0.5).labels.is_empty());
    }
}
