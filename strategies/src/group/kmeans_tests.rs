//! k-means by hand, on planted groups, and on none.

use super::*;
use crate::resources::Resources;
use crate::seams::Group;
use crate::select::testing::{World, stream, update};
use proptest::prelude::*;
use rand::RngExt;

/// `each` vectors around every one of the first `groups` axes of 12.
fn planted(groups: usize, each: usize, spread: f32, seed: u64) -> Vec<f32> {
    let mut stream = stream(seed);
    let mut rows = Vec::new();
    for place in 0..groups * each {
        rows.extend((0..12).map(|axis| {
            let centre = if axis == place % groups { 1.0 } else { 0.0 };
            centre + spread * stream.random_range(-1.0f32..1.0)
        }));
    }
    rows
}

fn expected(groups: usize, each: usize) -> Vec<u32> {
    (0..groups * each).map(|place| (place % groups) as u32).collect()
}

/// An update that moved nothing has no direction: it takes no centre from those that have one.
#[test]
fn a_row_without_direction_begins_no_cluster() {
    let rows = [[0.0, 0.0], [1.0, 0.1], [0.1, 1.0], [1.0, 0.0], [0.0, 1.0]].concat();
    let labels = k_means(&rows, 2, 2);
    assert_eq!((labels[1], labels[2]), (labels[3], labels[4]));
    assert_ne!(labels[1], labels[2]);
    assert_eq!(k_means(&[0.0; 6], 2, 3), [0; 3]);
}

#[test]
fn clusters_by_hand() {
    // Angles 0, 10, 80 and 90 degrees: two and two; three centres part the farther pair as well.
    let at = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
    let rows = [at(0.0), at(90.0), at(10.0), at(80.0)].concat();
    assert_eq!(k_means(&rows, 2, 2), [0, 1, 0, 1]);
    assert_eq!(k_means(&rows, 2, 1), [0; 4]);
    assert_eq!(k_means(&rows, 2, 9), [0, 1, 2, 3]);
    // Lengths do not matter, and equal directions are one cluster whatever is asked for.
    let same: Vec<f32> = (1..=5).flat_map(|scale| [scale as f32, 2.0 * scale as f32]).collect();
    assert_eq!(k_means(&same, 2, 3), [0; 5]);
    assert!(k_means(&[], 2, 3).is_empty());
}

#[test]
fn planted_groups_are_recovered_with_their_number() {
    for groups in 2..=4 {
        for seed in 0..20 {
            let rows = planted(groups, 8, 0.25, seed);
            assert_eq!(k_means(&rows, 12, groups), expected(groups, 8), "{groups}, seed {seed}");
            assert_eq!(indexed(&rows, 12, 0.5), expected(groups, 8), "{groups}, seed {seed}");
        }
    }
}

#[test]
fn without_groups_the_index_answers_one() {
    let mut one = 0;
    for seed in 0..50 {
        let mut stream = stream(seed);
        let rows: Vec<f32> = (0..20 * 12).map(|_| stream.random_range(-1.0..1.0)).collect();
        one += u32::from(indexed(&rows, 12, 0.5) == [0; 20]);
    }
    assert!(one >= 48, "{one} of 50");
    assert_eq!(indexed(&[1.0, 0.0], 2, 0.5), [0]);
}

#[test]
fn updates_are_grouped_by_their_changes() {
    let world = World::new(6);
    let turned = |id: u32| if id < 2 { [1.0, 0.1 * id as f32] } else { [0.05 * id as f32, 1.0] };
    let updates: Vec<_> = (0..6).map(|id| update(id, &[0.0; 2], &turned(id))).collect();
    for clusters in [None, Some(2)] {
        let settings = KMeansSettings { clusters, ..KMeansSettings::default() };
        let mut part = KMeans::new(settings, &Resources::default()).expect("no features wanted");
        assert_eq!(part.group(&updates, &world.view()), [0, 0, 1, 1, 1, 1], "{clusters:?}");
        let bytes = part.save().expect("plain data");
        let mut back = KMeans::new(settings, &Resources::default()).expect("no features wanted");
        back.restore(&bytes).expect("what was saved");
        assert_eq!(back.memory, part.memory);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_lie_with_their_nearest_centre(count in 1usize..30, clusters in 1usize..6, seed: u64) {
        let mut stream = stream(seed);
        let rows: Vec<f32> = (0..count * 3).map(|_| stream.random_range(-1.0..1.0)).collect();
        let labels = k_means(&rows, 3, clusters);
        let unit = unit_rows(&rows, 3);
        let found = *labels.iter().max().expect("rows") as usize + 1;
        prop_assert!(found <= clusters);
        let places: Vec<usize> = labels.iter().map(|label| *label as usize).collect();
        let mut centres = vec![0.0; found * 3];
        recentre(&unit, 3, &places, &mut centres);
        for (row, label) in unit.chunks_exact(3).zip(&places) {
            let cosine = |centre: &[f32]| centre.iter().zip(row).map(|(a, b)| a * b).sum::<f32>();
            let own = cosine(&centres[label * 3..][..3]);
            prop_assert!(centres.chunks_exact(3).all(|centre| cosine(centre) <= own + 1e-5));
        }
    }
}
