//! The index by hand, on planted groups, and on none.

use super::*;
use crate::group::finch::pairwise_distances;
use crate::resources::Resources;
use crate::seams::Group;
use crate::select::testing::{World, stream, update};
use offbeat_kernel::Stream;
use proptest::prelude::*;
use rand::RngExt;

/// Euclidean distances of points, row-major with `dims` columns.
fn far(points: &[f64], dims: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = points.chunks(dims).collect();
    let far =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    rows.iter().flat_map(|a| rows.iter().map(|b| far(a, b))).collect()
}

fn cluster(points: &[f64], dims: usize) -> Validity {
    let ValiditySettings { min_size, accept_below, .. } = ValiditySettings::default();
    validity_index(&far(points, dims), points.len() / dims, min_size as usize, accept_below)
}

/// A number about 0, between -6 and 6, nearly normal.
fn about(stream: &mut Stream) -> f64 {
    (0..12).map(|_| stream.random_range(-0.5..0.5)).sum()
}

/// `groups` centres far apart, `each` points about every centre.
fn planted(groups: usize, each: usize, dims: usize, stream: &mut Stream) -> Vec<f64> {
    let centre = |group: usize, d: usize| if d == group { 20.0 } else { 0.0 };
    let mut points = Vec::new();
    for point in 0..groups * each {
        points.extend((0..dims).map(|d| centre(point % groups, d) + about(stream)));
    }
    points
}

#[test]
fn the_index_by_hand() {
    // On a line: 0 1 3 | 13 14. One cut of two: com 2 and 1, sep 10 both; the next cut would leave one alone.
    let found = cluster(&[0.0, 1.0, 3.0, 13.0, 14.0], 1);
    assert_eq!(found.labels, [0, 0, 0, 1, 1]);
    assert!((found.index - 0.15).abs() < 1e-12, "{found:?}");
    // With single clusters allowed: 0 1 | 3 | 13 14 has com 1, (0 -> 1), 1 and sep 2, 2, 10.
    let three = validity_index(&far(&[0.0, 1.0, 3.0, 13.0, 14.0], 1), 5, 1, 1.0);
    assert_eq!(three.labels, [0, 0, 0, 1, 1]);
    assert!((three.index - 0.15).abs() < 1e-12 && 0.15 < (0.5 + 0.5 + 0.1) / 3.0);
}

#[test]
fn planted_groups_are_recovered() {
    for groups in 2..=4 {
        for seed in 0..20 {
            let points = planted(groups, 6, 10, &mut stream(seed));
            let found = cluster(&points, 10);
            let expected: Vec<u32> = (0..groups * 6).map(|p| (p % groups) as u32).collect();
            assert_eq!(found.labels, expected, "{groups} groups, seed {seed}: {}", found.index);
        }
    }
}

#[test]
fn without_groups_the_answer_is_mostly_one() {
    let mut one = 0;
    for seed in 0..100 {
        let mut stream = stream(seed);
        let points: Vec<f64> = (0..20 * 16).map(|_| stream.random_range(-1.0..1.0)).collect();
        one += u32::from(cluster(&points, 16).labels.iter().all(|label| *label == 0));
    }
    assert!(one >= 95, "{one} of 100");
}

#[test]
fn an_outlier_is_no_cluster() {
    for seed in 0..20 {
        let mut stream = stream(seed);
        let mut points = planted(2, 6, 5, &mut stream);
        points.extend([0.0, 0.0, 300.0, 0.0, 0.0]);
        let found = cluster(&points, 5);
        let expected: Vec<u32> = (0..12).map(|p| p % 2).collect();
        assert_eq!(found.labels[..12], expected, "seed {seed}: {}", found.index);
        let alone = cluster(&[&planted(1, 12, 16, &mut stream)[..], &[300.0; 16]].concat(), 16);
        assert_eq!(alone.labels, [0; 13], "seed {seed}: {}", alone.index);
    }
}

/// Arbitrary shapes: two half circles that reach into each other.
#[test]
fn two_moons_are_two() {
    let mut points = Vec::new();
    for i in 0..40 {
        let t = std::f64::consts::PI * f64::from(i) / 39.0;
        points.extend([t.cos(), t.sin(), 1.0 - t.cos(), 0.5 - t.sin()]);
    }
    let found = cluster(&points, 2);
    assert_eq!(found.labels, (0..80).map(|p| p % 2).collect::<Vec<u32>>(), "{}", found.index);
}

#[test]
fn edges_of_the_input() {
    assert!(validity_index(&[], 0, 2, 0.5).labels.is_empty());
    assert_eq!(validity_index(&[0.0], 1, 2, 0.5).labels, [0]);
    assert_eq!(cluster(&[1.0, 9.0], 1).labels, [0, 0]);
    assert_eq!(cluster(&[3.0; 12], 1).labels, [0; 12]);
    // Identical elements in two groups: no extent, and apart.
    let found = cluster(&[1.0, 1.0, 5.0, 5.0, 1.0, 5.0], 1);
    assert_eq!((found.labels, found.index), (vec![0, 0, 1, 1, 0, 1], 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn scale_and_order_do_not_matter(count in 2usize..30, groups in 1usize..4, seed: u64) {
        let mut stream = stream(seed);
        let points: Vec<f64> = (0..count * 3)
            .map(|i| (i / 3 % groups * 4) as f64 + about(&mut stream)).collect();
        let found = cluster(&points, 3);
        let scaled: Vec<f64> = points.iter().map(|x| x * 4.0).collect();
        prop_assert_eq!(&cluster(&scaled, 3).labels, &found.labels);
        let reversed: Vec<f64> = points.chunks(3).rev().flatten().copied().collect();
        let mut back = cluster(&reversed, 3).labels;
        back.reverse();
        let together = |l: &[u32]| -> Vec<bool> {
            (0..count * count).map(|p| l[p / count] == l[p % count]).collect()
        };
        prop_assert_eq!(together(&back), together(&found.labels));
    }
}

#[test]
fn updates_are_grouped_or_stay_together() {
    let world = World::new(8);
    let batch = |of: fn(u32) -> [f32; 3]| {
        (0..8).map(|id| update(id, &[1.0; 3], &of(id).map(|x| x + 1.0))).collect::<Vec<_>>()
    };
    let two =
        batch(
            |id| if id < 3 { [1.0, 0.01 * id as f32, 0.0] } else { [0.0, 0.01 * id as f32, 1.0] },
        );
    let mut part = ValidityIndex::new(ValiditySettings::default(), &Resources::default())
        .expect("no features wanted");
    assert_eq!(part.group(&two, &world.view()), [0, 0, 0, 1, 1, 1, 1, 1]);
    // Evenly round a circle there is nothing to cut: the gaps are equal.
    let none = batch(|id| [(id as f32 * 0.785).cos(), (id as f32 * 0.785).sin(), 0.0]);
    assert_eq!(part.group(&none, &world.view()), [0; 8]);
    let rows: Vec<f32> = two.iter().flat_map(|u| u.delta().to_vec()).collect();
    let distances = pairwise_distances(&rows, 3);
    assert!(distances[0] == 0.0 && (distances[7] - 1.0).abs() < 0.02 && distances[1] < 1e-3);
}
