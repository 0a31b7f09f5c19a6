//! FINCH by hand, its properties, and its part.

use super::*;
use crate::resources::Resources;
use crate::seams::Group;
use crate::select::testing::{World, stream, update};
use proptest::prelude::*;
use rand::RngExt;
use std::collections::BTreeMap;

/// Unit vectors at angles in degrees.
fn at(degrees: &[f32]) -> Vec<f32> {
    degrees.iter().flat_map(|d| [d.to_radians().cos(), d.to_radians().sin()]).collect()
}

fn random(count: usize, seed: u64) -> Vec<f32> {
    let mut stream = stream(seed);
    (0..count).map(|_| stream.random_range(-1.0f32..1.0)).collect()
}

#[test]
fn first_neighbours_by_hand() {
    // 0 <-> 10; 25 -> 10; 100 <-> 104.
    let found = first_neighbours(&at(&[0.0, 10.0, 25.0, 100.0, 104.0]), 2);
    assert_eq!(found.iter().map(|n| n.row).collect::<Vec<_>>(), [1, 0, 1, 4, 3]);
    let expected = 1.0 - 15f32.to_radians().cos();
    assert!((found[2].distance - expected).abs() < 1e-6);
}

#[test]
fn links_of_first_neighbours_are_clusters() {
    let vectors = at(&[0.0, 100.0, 10.0, 104.0, 25.0, 180.0]);
    // 180 goes to 104, so that {100, 104, 180} is one; the second step joins both.
    assert_eq!(finch(&vectors, 2, 1, None), [0, 1, 0, 1, 0, 1]);
    assert_eq!(finch(&vectors, 2, 2, None), [0; 6]);
    assert_eq!(finch(&vectors, 2, 9, None), [0; 6]);
    // 1 - cos 76 degrees = 0.758: cut there, 180 stays alone.
    assert_eq!(finch(&vectors, 2, 1, Some(0.7)), [0, 1, 0, 1, 0, 2]);
    assert_eq!(finch(&vectors, 2, 1, Some(0.8)), [0, 1, 0, 1, 0, 1]);
    assert_eq!(finch(&vectors, 2, 5, Some(1e-9)), [0, 1, 2, 3, 4, 5]);
}

/// Two clients that share a first neighbour are together, though neither is the other's.
#[test]
fn a_shared_neighbour_joins() {
    assert_eq!(finch(&at(&[0.0, -20.0, 19.0]), 2, 1, None), [0, 0, 0]);
}

#[test]
fn edges_of_the_input() {
    assert_eq!(finch(&[], 3, 1, None), Vec::<u32>::new());
    assert_eq!(finch(&[1.0, 2.0, 3.0], 3, 1, None), [0]);
    // A vector without direction is at distance 1 from all: it joins the first.
    let found = first_neighbours(&[1.0, 0.0, 0.0, 0.0, f32::NAN, 1.0, 1.0, 0.1], 2);
    assert_eq!(found[1], Neighbour { row: 0, distance: 1.0 });
    assert_eq!(found[2], Neighbour { row: 0, distance: 1.0 });
    assert_eq!(found[0].row, 3);
}

/// Identical vectors in two planted groups.
#[test]
fn planted_groups_are_recovered_exactly() {
    let (a, b) = ([1.0f32, 2.0, -1.0], [-2.0f32, 0.5, 3.0]);
    let planted = [0u32, 1, 1, 0, 0, 1, 0, 1, 1];
    let vectors: Vec<f32> = planted.iter().flat_map(|g| if *g == 0 { a } else { b }).collect();
    assert_eq!(finch(&vectors, 3, 1, None), planted);
}

proptest! {
    #[test]
    fn without_a_cut_nobody_is_alone(rows in 2usize..140, dims in 1usize..9, seed: u64) {
        let labels = finch(&random(rows * dims, seed), dims, 1, None);
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        labels.iter().for_each(|label| *sizes.entry(*label).or_default() += 1);
        prop_assert!(sizes.values().all(|size| *size >= 2));
        prop_assert!(sizes.len() <= rows / 2);
    }

    #[test]
    fn neighbours_agree_with_two_loops(rows in 2usize..140, seed: u64) {
        let vectors = random(rows * 6, seed);
        let row = |i: usize| vectors[i * 6..(i + 1) * 6].iter().map(|x| f64::from(*x));
        let norm = |i: usize| row(i).map(|x| x * x).sum::<f64>().sqrt();
        let far = |i: usize, j: usize| {
            1.0 - row(i).zip(row(j)).map(|(a, b)| a * b).sum::<f64>() / norm(i) / norm(j)
        };
        for (i, found) in first_neighbours(&vectors, 6).iter().enumerate() {
            let nearest = (0..rows).filter(|j| *j != i).map(|j| far(i, j)).fold(2.0, f64::min);
            prop_assert!((far(i, found.row) - nearest).abs() < 1e-5);
            prop_assert!((f64::from(found.distance) - nearest).abs() < 1e-5);
        }
    }

    #[test]
    fn scale_and_order_do_not_matter(rows in 2usize..60, seed: u64) {
        let vectors = random(rows * 5, seed);
        let labels = finch(&vectors, 5, 1, None);
        let mut turned: Vec<f32> = vectors.chunks(5).rev().flatten().copied().collect();
        turned.iter_mut().for_each(|x| *x *= 4.0);
        let mut back = finch(&turned, 5, 1, None);
        back.reverse();
        let together = |l: &[u32]| -> Vec<bool> {
            (0..rows * rows).map(|p| l[p / rows] == l[p % rows]).collect()
        };
        prop_assert_eq!(together(&labels), together(&back));
    }
}

/// Two kinds of clients: their updates keep their groups, also when they come one by one.
#[test]
fn updates_are_grouped_by_their_changes() {
    let world = World::new(8);
    let change = |client: u32| {
        let tilt = client as f32 * 0.01;
        if client.is_multiple_of(2) { [1.0, tilt, 0.0] } else { [0.0, tilt, 2.0] }
    };
    let batch = |ids: &[u32]| {
        ids.iter()
            .map(|id| update(*id, &[5.0; 3], &change(*id).map(|x| x + 5.0)))
            .collect::<Vec<_>>()
    };
    let mut part =
        Finch::new(FinchSettings::default(), &Resources::default()).expect("no features wanted");
    assert_eq!(part.group(&batch(&[0, 1, 2, 3, 5]), &world.view()), [0, 1, 0, 1, 1]);
    // The same groups by number, though the first update is of the other kind.
    assert_eq!(part.group(&batch(&[3, 5, 2, 4]), &world.view()), [1, 1, 0, 0]);
    let mut alone = Finch::new(
        FinchSettings { remember: true, ..FinchSettings::default() },
        &Resources::default(),
    )
    .expect("no features wanted");
    alone.group(&batch(&[0, 1, 2, 3]), &world.view());
    let saved = alone.save().expect("plain data");
    let mut restored = Finch::new(alone.rule, &Resources::default()).expect("no features wanted");
    restored.restore(&saved).expect("what was saved");
    for part in [&mut alone, &mut restored] {
        assert_eq!(part.group(&batch(&[7]), &world.view()), [1]);
        assert_eq!(part.group(&batch(&[6]), &world.view()), [0]);
    }
    let mut fresh =
        Finch::new(FinchSettings::default(), &Resources::default()).expect("no features wanted");
    assert!(fresh.group(&[], &world.view()).is_empty());
}

/// Ten thousand vectors in a hundred planted groups: no cluster mixes two groups, and steps merge further.
#[test]
fn ten_thousand_vectors() {
    let (rows, dims, groups) = (10_000, 32, 100);
    let (centres, jitter) = (random(groups * dims, 1), random(rows * dims, 2));
    let number = |i: usize| centres[i / dims % groups * dims + i % dims] + 0.1 * jitter[i];
    let vectors: Vec<f32> = (0..rows * dims).map(number).collect();
    let mut before = rows;
    for steps in 1..=2 {
        let labels = finch(&vectors, dims, steps, None);
        let mut group_of: BTreeMap<u32, usize> = BTreeMap::new();
        for (row, label) in labels.iter().enumerate() {
            assert_eq!(*group_of.entry(*label).or_insert(row % groups), row % groups);
        }
        assert!(group_of.len() >= groups && group_of.len() <= before / 2, "{}", group_of.len());
        before = group_of.len();
    }
}
