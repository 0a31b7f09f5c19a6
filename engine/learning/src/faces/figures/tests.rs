use super::*;
use crate::reid::{Mark, Who};
use proptest::prelude::*;

fn pairs(genuine: &[f32], impostor: &[f32]) -> FaceFigures {
    Pairs { genuine: genuine.to_vec(), impostor: impostor.to_vec() }.figures()
}

fn marks(persons: &[u32]) -> Vec<Mark> {
    let mark = |(camera, person): (u32, &u32)| Mark { who: Who::Person(*person), camera };
    (0..).zip(persons).map(mark).collect()
}

/// A feature at an angle, in degrees.
fn at(degrees: &[f32]) -> Vec<f32> {
    degrees.iter().flat_map(|d| [d.to_radians().cos(), d.to_radians().sin()]).collect()
}

#[test]
fn rates_by_hand() {
    // 100 others at 0.00 ... 0.99; ten may be accepted at 0.1, so that all above 0.89 pass.
    let impostor: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
    let found = pairs(&[0.95, 0.9, 0.89, 0.1], &impostor);
    assert_eq!((found.genuine, found.impostor), (4, 100));
    assert_eq!(found.tar, [Some(0.5), None, None, None]);
    // Above 0.74 lie a quarter of the others, and all but one genuine pair.
    let eer = found.eer.expect("pairs of both kinds");
    assert!((eer - 0.25).abs() < 0.011, "{eer}");
    let last = found.roc.last().expect("a curve");
    assert_eq!(*last, [1.0, 1.0]);
    assert!(found.roc.windows(2).all(|w| w[0][0] < w[1][0] && w[0][1] <= w[1][1]));
}

#[test]
fn perfect_and_useless_features() {
    let high = pairs(&[0.9; 20], &[0.1; 200]);
    assert_eq!((high.eer, high.tar[0], high.tar[1]), (Some(0.0), Some(1.0), None));
    let low = pairs(&[0.1; 20], &[0.9; 200]);
    assert_eq!((low.eer, low.tar[0]), (Some(1.0), Some(0.0)));
    assert_eq!(pairs(&[], &[0.5]).eer, None);
    assert_eq!(FaceFigures::mean([&high, &pairs(&[0.9], &[])]).and_then(|mean| mean.eer), None);
    assert_eq!(pairs(&[], &[0.5]), FaceFigures { impostor: 1, ..FaceFigures::default() });
}

#[test]
fn strangers_set_the_threshold() {
    // Persons 1 and 3 are enrolled, 2 and 4 are not.
    let gallery = marks(&[1, 2, 3, 4]);
    let query = marks(&[1, 2, 3, 4]);
    let found = FaceFigures::new(
        Features { values: &at(&[5.0, 32.0, 88.0, 120.0]), dims: 2, marks: &query },
        Features { values: &at(&[0.0, 30.0, 90.0, 170.0]), dims: 2, marks: &gallery },
    )
    .expect("it fits");
    assert_eq!((found.genuine, found.impostor), (4, 12));
    assert_eq!((found.known, found.strangers, found.known_rank_1), (2, 2, 1.0));
    // Two strangers cannot say what one in ten does.
    assert_eq!(found.identified, [None, None]);
    let open = OpenSet {
        enrolled: BTreeSet::new(),
        strangers: (0..100).map(|i| i as f32 / 100.0).collect(),
        right: vec![0.95, 0.5],
        known: 4,
    };
    let mut figures = FaceFigures::default();
    open.into_figures(&mut figures);
    assert_eq!((figures.known_rank_1, figures.identified), (0.5, [Some(0.25), None]));
}

#[test]
fn what_is_nobody_is_left_out_and_odd_numbers_are_refused() {
    let mut of = marks(&[1, 1, 2]);
    of[1].who = Who::Junk;
    let values = at(&[0.0, 45.0, 90.0]);
    let all = Features { values: &values, dims: 2, marks: &of };
    let found = FaceFigures::new(all, all).expect("it fits");
    assert_eq!((found.genuine, found.impostor), (2, 2));
    let short = Features { values: &values[..4], ..all };
    assert!(FaceFigures::new(short, all).is_err());
    let bad = [f32::NAN; 6];
    let error = FaceFigures::new(all, Features { values: &bad, ..all }).expect_err("not a number");
    assert!(matches!(error, LearnError::NotFinite { what: "gallery", step: 0 }), "{error}");
}

#[test]
fn means_count_every_model() {
    let (a, b) = (pairs(&[0.9; 20], &[0.1; 200]), pairs(&[0.1; 20], &[0.9; 200]));
    let mean = FaceFigures::mean([&a, &b]).expect("two");
    assert_eq!((mean.eer, mean.tar[0], mean.tar[1]), (Some(0.5), Some(0.5), None));
    assert_eq!(FaceFigures::mean([]), None);
}

proptest! {
    /// The rates by their definition: no threshold between two scores does better.
    #[test]
    fn agrees_with_counting(
        genuine in proptest::collection::vec(-1.0f32..1.0, 1..40),
        impostor in proptest::collection::vec(-1.0f32..1.0, 100..200),
    ) {
        let found = pairs(&genuine, &impostor);
        let share = |scores: &[f32], least: f32| {
            scores.iter().filter(|score| **score > least).count() as f64 / scores.len() as f64
        };
        let thresholds = || genuine.iter().chain(&impostor).copied().chain([-2.0]);
        let best = thresholds()
            .filter(|least| share(&impostor, *least) <= 0.1)
            .map(|least| share(&genuine, least))
            .fold(0.0, f64::max);
        prop_assert!((found.tar[0].expect("enough pairs") - best).abs() < 1e-12);
        let gap = thresholds()
            .map(|least| (share(&impostor, least) - (1.0 - share(&genuine, least))).abs())
            .fold(1.0, f64::min);
        let eer = found.eer.expect("pairs of both kinds");
        // The error lies between the two rates where they are nearest, give or take one step of either.
        let step = 1.0 / genuine.len() as f64 + 1.0 / impostor.len() as f64;
        let near = thresholds().any(|least| {
            let (a, r) = (share(&impostor, least), 1.0 - share(&genuine, least));
            (a - r).abs() <= gap + step && eer >= a.min(r) - step && eer <= a.max(r) + step
        });
        prop_assert!(near, "eer {eer}");
    }
}
