use super::*;
use crate::reid::{Features, RetrievalOptions, Trial};

fn small() -> SyntheticFaces {
    SyntheticFaces {
        sites: 3,
        identities: 4,
        pictures: 3,
        unseen_identities: 8,
        unseen_pictures: 4,
        ..SyntheticFaces::default()
    }
}

fn drawn(spec: &SyntheticFaces, seed: u64) -> Sets {
    spec.load(SeedTree::new(seed)).expect("valid settings")
}

#[test]
fn the_seed_gives_the_bytes() {
    let digests =
        |seed| drawn(&small(), seed).domains.iter().map(ReIdSet::digest).collect::<Vec<_>>();
    assert_eq!(digests(4), digests(4));
    assert_ne!(digests(4), digests(5));
}

#[test]
fn everybody_is_where_they_should_be() {
    let sets = drawn(&small(), 4);
    assert_eq!(sets.domains.len(), 3);
    let mut learnt = Vec::new();
    for set in &sets.domains {
        assert_eq!((set.train.len(), set.train.persons().len()), (12, 4));
        learnt.extend(set.train.persons());
    }
    let tried = sets.together.expect("persons to find");
    assert_eq!((tried.query.len(), tried.gallery.len()), (48, 48));
    assert_eq!(tried.query.persons(), tried.gallery.persons());
    assert!(tried.query.persons().iter().all(|person| !learnt.contains(person)));
    let all: std::collections::BTreeSet<u32> = learnt.iter().copied().collect();
    assert_eq!(all.len(), 12);
}

/// More sites or identities move nobody else.
#[test]
fn sizes_do_not_move_what_is_there() {
    let (few, many) = (drawn(&small(), 4), drawn(&SyntheticFaces { sites: 4, ..small() }, 4));
    assert_eq!(few.domains[2], many.domains[2]);
}

/// Pictures of one identity are more alike than those of two at the same site, though pixels alone do not solve
/// the task.
#[test]
fn identities_are_recognisable_across_pictures() {
    let spec = SyntheticFaces { unseen_identities: 30, ..small() };
    let sets = drawn(&spec, 1);
    let trial = Trial::new(sets.together.expect("persons to find"), true, sets.colours);
    let found = trial.raw_pixels(RetrievalOptions::default()).expect("it fits");
    assert!(found.cmc[0] > 0.2 && found.cmc[0] < 0.95, "{found:?}");
    let pixels = |pictures: &Pictures| -> Vec<f32> {
        let mut all = Vec::new();
        (0..pictures.len()).for_each(|at| sets.colours.push(pictures, at, &mut all));
        all
    };
    let (query, gallery) = (pixels(&trial.query), pixels(&trial.gallery));
    let dims = spec.size.bytes();
    let figures = crate::faces::FaceFigures::new(
        Features { values: &query, dims, marks: trial.query.marks() },
        Features { values: &gallery, dims, marks: trial.gallery.marks() },
    )
    .expect("it fits");
    assert_eq!(figures.genuine, 3 * 30 * 4);
    assert!(figures.eer.is_some_and(|eer| eer > 0.05 && eer < 0.45), "{figures:?}");
}

/// Sites that do not differ, moments that do not differ: then only identities do.
#[test]
fn difference_and_variety_are_what_they_say() {
    let still = SyntheticFaces { difference: 0.0, variety: 0.0, ..small() };
    let sets = drawn(&still, 2);
    let train = &sets.domains[0].train;
    let apart = |a: usize, b: usize| -> u32 {
        let pairs = train.pixels(a).iter().zip(train.pixels(b));
        pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
    };
    // Grain remains.
    assert!(apart(0, 1) * 4 < apart(0, 3), "{} {}", apart(0, 1), apart(0, 3));
    let kin = drawn(&SyntheticFaces { kinship: 0.9, ..still }, 2);
    let kin = &kin.domains[0].train;
    let pairs = kin.pixels(0).iter().zip(kin.pixels(3));
    let nearer: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    assert!(nearer < apart(0, 3), "{nearer}");
}

#[test]
fn impossible_settings_are_refused() {
    let refused =
        |spec: SyntheticFaces| spec.load(SeedTree::new(1)).expect_err("impossible").to_string();
    assert!(refused(SyntheticFaces { sites: 0, ..small() }).contains("sites"));
    assert!(refused(SyntheticFaces { pictures: 1, ..small() }).contains("pictures"));
    assert!(refused(SyntheticFaces { variety: f64::NAN, ..small() }).contains("variety"));
    assert!(refused(SyntheticFaces { kinship: 1.0, ..small() }).contains("kinship"));
    let huge = SyntheticFaces { sites: 10_000, identities: 100_000, ..small() };
    assert!(refused(huge).contains("4 GiB"));
}
