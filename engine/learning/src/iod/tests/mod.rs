//! Losses against finite differences, weights and sizes.

mod ensemble;
mod whole;

use super::terms::{balance, consensus, distil, entropy};
use super::{ClassWeights, CriticSize, Generator, shares};
use burn::tensor::Device;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand_distr::{Distribution, StandardNormal};

const CLASSES: usize = 4;

fn stream(id: u64) -> Stream {
    SeedTree::new(5).stream(Purpose::Refinement, id, 0)
}

fn drawn(len: usize, id: u64) -> Vec<f32> {
    let mut stream = stream(id);
    (0..len).map(|_| 1.5 * Distribution::<f32>::sample(&StandardNormal, &mut stream)).collect()
}

/// The derivative of `value` by each of `logits`, from both sides.
fn differences(logits: &[f32], value: impl Fn(&[f32]) -> f64) -> Vec<f64> {
    let shifted = |place: usize, by: f32| {
        let mut moved = logits.to_vec();
        moved[place] += by;
        (f64::from(moved[place]), value(&moved))
    };
    let slope = |place| {
        let ((right, above), (left, below)) = (shifted(place, 1e-3), shifted(place, -1e-3));
        (above - below) / (right - left)
    };
    (0..logits.len()).map(slope).collect()
}

fn near(have: &[f64], want: &[f64]) {
    assert_eq!(have.len(), want.len());
    for (have, want) in have.iter().zip(want) {
        assert!((have - want).abs() < 1e-6 + 1e-5 * want.abs(), "{have} {want}");
    }
}

#[test]
fn each_term_has_the_slope_of_its_value() {
    let (logits, other) = (drawn(3 * CLASSES, 1), drawn(3 * CLASSES, 2));
    let found = distil(&logits, &other, CLASSES);
    near(&found.gradient, &differences(&logits, |l| distil(l, &other, CLASSES).value));
    let by_teacher: Vec<f64> = found.gradient.iter().map(|g| -g).collect();
    near(&by_teacher, &differences(&other, |o| distil(&logits, o, CLASSES).value));
    near(&entropy(&logits, CLASSES).gradient, &differences(&logits, |l| entropy(l, CLASSES).value));
    near(&balance(&logits, CLASSES).gradient, &differences(&logits, |l| balance(l, CLASSES).value));
    let third = drawn(3 * CLASSES, 3);
    let (_, gradients) = consensus(&[&logits, &other, &third], CLASSES);
    near(&gradients[0], &differences(&logits, |l| consensus(&[l, &other, &third], CLASSES).0));
    near(&gradients[2], &differences(&third, |l| consensus(&[&logits, &other, l], CLASSES).0));
}

#[test]
fn the_distance_is_the_limit_of_high_temperatures() {
    let (student, teacher) = (drawn(2 * CLASSES, 4), drawn(2 * CLASSES, 5));
    let at = |temperature: f64| {
        let odds = |row: &[f32]| {
            let odds: Vec<f64> = row.iter().map(|v| (f64::from(*v) / temperature).exp()).collect();
            let sum: f64 = odds.iter().sum();
            odds.into_iter().map(|o| o / sum).collect::<Vec<_>>()
        };
        let rows = student.chunks(CLASSES).zip(teacher.chunks(CLASSES));
        let each = rows.map(|(s, t)| {
            let (s, t) = (odds(s), odds(t));
            t.iter().zip(&s).map(|(t, s)| t * (t / s).ln()).sum::<f64>()
        });
        temperature * temperature * each.sum::<f64>() / 2.0
    };
    let limit = distil(&student, &teacher, CLASSES).value;
    assert!((at(100.0) / limit - 1.0).abs() < 0.03, "{} {limit}", at(100.0));
    assert!((at(1000.0) / limit - 1.0).abs() < 0.003, "{} {limit}", at(1000.0));
    // A constant added to all logits of a sample says nothing.
    let moved: Vec<f32> = student.iter().map(|s| s + 64.0).collect();
    assert!((distil(&moved, &teacher, CLASSES).value - limit).abs() < 1e-4);
    assert_eq!(distil(&teacher, &teacher, CLASSES).value, 0.0);
}

#[test]
fn terms_have_their_extremes_where_they_should() {
    let flat = vec![0.0; 2 * CLASSES];
    assert!((entropy(&flat, CLASSES).value - (CLASSES as f64).ln()).abs() < 1e-12);
    assert!((balance(&flat, CLASSES).value + 2.0).abs() < 1e-12, "- log2 of 4 classes");
    let sure: Vec<f32> = (0..CLASSES * CLASSES)
        .map(|at| if at / CLASSES == at % CLASSES { 90.0 } else { 0.0 })
        .collect();
    assert!(entropy(&sure, CLASSES).value < 1e-12);
    assert!((balance(&sure, CLASSES).value + 2.0).abs() < 1e-12);
    let same: Vec<f32> = [90.0, 0.0, 0.0, 0.0].repeat(5);
    assert!(balance(&same, CLASSES).value.abs() < 1e-12);
    for terms in [entropy(&sure, CLASSES), balance(&same, CLASSES), distil(&sure, &same, CLASSES)] {
        assert!(terms.gradient.iter().all(|slope| slope.is_finite()));
    }
}

#[test]
fn identical_teachers_agree_and_are_their_ensemble() {
    let logits = drawn(3 * CLASSES, 6);
    let (apart, gradients) = consensus(&[&logits, &logits, &logits], CLASSES);
    assert!(apart.abs() < 1e-15);
    assert!(gradients.iter().flatten().all(|slope| slope.abs() < 1e-12));
    let counts = vec![vec![5.0, 0.0, 1.0, 0.0], vec![1.0, 7.0, 0.0, 0.0], vec![2.0, 3.0, 3.0, 0.0]];
    let weights = ClassWeights::by_class(&counts, CLASSES);
    let ensemble = weights.combine(&[&logits, &logits, &logits]);
    for (have, want) in ensemble.iter().zip(&logits) {
        assert!((have - want).abs() < 1e-6);
    }
}

#[test]
fn weights_of_a_class_sum_to_one_whoever_holds_it() {
    let counts = vec![vec![5.0, 0.0, 1.0, 0.0], vec![1.0, 7.0, -3.0, 0.0], vec![2.0, 3.0]];
    for weights in
        [ClassWeights::by_class(&counts, CLASSES), ClassWeights::by_volume(&counts, CLASSES)]
    {
        for class in 0..CLASSES {
            let sum: f64 = weights.spread(&[1.0; CLASSES]).iter().map(|own| own[class]).sum();
            assert!((sum - 1.0).abs() < 1e-12, "class {class}: {sum}");
        }
    }
    let weights = ClassWeights::by_class(&counts, CLASSES);
    let each = weights.spread(&[1.0; CLASSES]);
    let column = |class: usize| each.iter().map(|own| own[class]).collect::<Vec<_>>();
    assert_eq!(column(0), [0.625, 0.125, 0.25]);
    assert_eq!(column(2), [1.0, 0.0, 0.0], "a negative count is none");
    assert_eq!(column(3), [1.0 / 3.0; 3], "nobody holds it: all alike");
    assert_eq!(shares(&[vec![1.0, 2.0], vec![9.0]]), [0.25, 0.75]);
    assert_eq!(shares(&[vec![0.0], vec![]]), [0.5, 0.5]);
}

#[test]
fn networks_have_the_published_sizes() {
    let device = Device::flex();
    let generator = Generator::new([3, 32, 32], (100, 64), [0.0, 1.0], &device).expect("fits");
    let linear = 100 * 256 * 64 + 256 * 64 + 512;
    let convolutions = 9 * 256 * 128 + 128 + 256 + 9 * 128 * 64 + 64 + 128 + 9 * 64 * 3 + 3;
    assert_eq!(generator.params(), linear + convolutions);
    assert!((2_020_000..2_035_000).contains(&generator.params()));
    let critic = CriticSize::new([3, 32, 32], 128).expect("fits");
    assert_eq!(critic.params(), 3 * 128 * 16 + 128 + 128 * 256 * 16 + 256 + 512 + 257);
    assert!(Generator::new([1, 9, 8], (10, 4), [0.0, 1.0], &device).is_err());
    assert!(CriticSize::new([1, 3, 8], 4).is_err());
}
