//! Exactness, bounds and bytes.

use super::*;
use crate::weigh::fedboost::whole_shares;
use num_bigint::BigInt;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Keys of a size for tests: made once.
static KEYS: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::toy(256, &mut stream(0)));

fn stream(counter: u64) -> Stream {
    SeedTree::new(9).stream(Purpose::Privacy, 0, counter)
}

#[test]
fn short_keys_cannot_be_had() {
    for bits in [0, 128, 1024, 2047, 8192] {
        assert_eq!(KeySize::new(bits), Err(PaillierError::KeySize(bits)));
        assert!(serde_json::from_str::<KeySize>(&bits.to_string()).is_err());
    }
    assert_eq!(KeySize::default().bits(), 2048);
}

#[test]
fn keys_have_their_bits_and_follow_the_seed() {
    for bits in [64, 128, 256] {
        let pair = KeyPair::toy(bits, &mut stream(bits));
        assert_eq!(pair.public.bits(), bits);
        assert_eq!(pair.public, KeyPair::toy(bits, &mut stream(bits)).public);
        assert_ne!(pair.public, KeyPair::toy(bits, &mut stream(1)).public);
    }
}

#[test]
fn the_same_number_never_looks_the_same() {
    let (key, mut stream) = (&KEYS.public, stream(1));
    let number = BigInt::from(42);
    let one = key.encrypt(&number, &mut stream).expect("small");
    let other = key.encrypt(&number, &mut stream).expect("small");
    assert_ne!(one, other);
    assert_eq!(KEYS.secret.decrypt(&one), KEYS.secret.decrypt(&other));
    let large = BigInt::from(1) << 255;
    assert!(matches!(key.encrypt(&large, &mut stream), Err(PaillierError::TooLarge { .. })));
}

#[test]
fn slots_and_bytes_by_hand() {
    let packing = Packing { fraction_bits: 16, integer_bits: 4, most_weight: 1000 };
    assert_eq!(packing.slot_bits(), 16 + 4 + 10 + 1);
    assert_eq!(packing.slots(&KEYS.public), Ok(8));
    assert_eq!(Sealed::encoded_len(17, packing, &KEYS.public), Ok(3 * 64));
    let long = Packing { fraction_bits: 30, integer_bits: 20, most_weight: u64::MAX };
    assert_eq!(long.slots(&KEYS.public), Ok(2));
    let none = Packing { fraction_bits: 0, integer_bits: 0, most_weight: 1 };
    assert!(none.slots(&KEYS.public).is_err());
}

#[test]
fn what_might_run_over_is_refused() {
    let packing = Packing { fraction_bits: 10, integer_bits: 2, most_weight: 10 };
    let seal = |values: &[f32]| Sealed::new(values, packing, &KEYS.public, &mut stream(2));
    let error = seal(&[0.0, -4.5]).expect_err("beyond 4").to_string();
    assert!(error.starts_with("number 1 is -4.5, outside of +-4"), "{error}");
    assert!(seal(&[f32::NAN]).is_err());
    let one = seal(&[3.9, -3.9]).expect("in range");
    let ten = one.scaled(10, &KEYS.public).expect("just fits");
    let opened = ten.open(&KEYS.secret);
    assert!((opened[0] - 39.0).abs() < 0.01 && (opened[1] + 39.0).abs() < 0.01, "{opened:?}");
    assert_eq!(one.scaled(11, &KEYS.public), Err(PaillierError::Overflow { sum: 11, most: 10 }));
    let mut sum = ten.clone();
    assert_eq!(sum.add(&one, &KEYS.public), Err(PaillierError::Overflow { sum: 11, most: 10 }));
    assert_eq!(sum, ten);
    assert_eq!(sum.add(&seal(&[1.0]).expect("small"), &KEYS.public), Err(PaillierError::Mismatch));
}

#[test]
fn a_sum_refuses_what_its_slots_cannot_hold() {
    let packing = Packing { fraction_bits: 8, integer_bits: 2, most_weight: 100 };
    for mut sum in
        [WeightedSum::open(packing, 2), WeightedSum::encrypted(packing, 2, &KEYS, stream(5))]
    {
        sum.add(&[1.0, -3.5], 60).expect("fits");
        assert!(matches!(sum.add(&[4.0, 0.0], 1), Err(PaillierError::OutOfRange { place: 0, .. })));
        assert_eq!(sum.add(&[0.0; 3], 1), Err(PaillierError::Mismatch));
        assert_eq!(sum.add(&[1.0, 1.0], 41), Err(PaillierError::Overflow { sum: 101, most: 100 }));
        sum.add(&[3.0, 0.5], 20).expect("fits");
        assert_eq!(sum.mean(), [1.5, -2.5], "(60 + 60) / 80 and (-210 + 10) / 80");
    }
    assert_eq!(WeightedSum::open(packing, 1).mean(), [0.0]);
}

#[test]
fn bytes_come_back() {
    let (packing, key) = (Packing::default(), &KEYS.public);
    let values = [0.25f32, -1.5, 3.0, 0.0, -0.125];
    let sealed = Sealed::new(&values, packing, key, &mut stream(3)).expect("in range");
    let bytes = sealed.to_bytes(key);
    assert_eq!(bytes.len() as u64, Sealed::encoded_len(5, packing, key).expect("fits"));
    let back = Sealed::from_bytes(&bytes, 5, 1, packing, key).expect("its own bytes");
    assert_eq!(back, sealed);
    let opened: Vec<f32> = back.open(&KEYS.secret).into_iter().map(|v| v as f32).collect();
    assert_eq!(opened, values);
    assert!(Sealed::from_bytes(&bytes[1..], 5, 1, packing, key).is_err());
    assert!(Sealed::from_bytes(&vec![0xff; bytes.len()], 5, 1, packing, key).is_err());
}

/// The encrypted weighted mean is the plain one, within the bounds of rounding: `2^-(fraction_bits + 1)` for the
/// numbers, and `n * max / (2 * total)` for the weights.
#[test]
fn the_encrypted_mean_is_the_plain_one() {
    let (packing, total, key) = (Packing::default(), 1000, &KEYS.public);
    let updates = [[0.5f32, -0.25, 1.75], [-1.0, 0.125, 0.3], [0.01, 0.02, -0.7]];
    let shares = [0.437, 0.2215, 0.3415];
    let whole = whole_shares(&shares, total);
    let mut sum: Option<Sealed> = None;
    for (update, weight) in updates.iter().zip(&whole) {
        let sealed = Sealed::new(update, packing, key, &mut stream(*weight)).expect("in range");
        let scaled = sealed.scaled(*weight, key).expect("room");
        match &mut sum {
            Some(sum) => sum.add(&scaled, key).expect("room"),
            None => sum = Some(scaled),
        }
    }
    let sum = sum.expect("three updates");
    assert_eq!(sum.weight(), total);
    for (place, opened) in sum.open(&KEYS.secret).into_iter().enumerate() {
        let column = updates.iter().map(|update| f64::from(update[place]));
        let with_whole: f64 = column.clone().zip(&whole).map(|(x, w)| x * *w as f64).sum();
        let plain: f64 = column.zip(shares).map(|(x, share)| x * share).sum();
        let rounding = (-25f64).exp2();
        assert!((opened - with_whole).abs() <= total as f64 * rounding);
        let bound = rounding + 3.0 * 1.75 / (2.0 * total as f64);
        assert!((opened / total as f64 - plain).abs() <= bound);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn sums_of_multiples_are_exact(a: i64, b: i64, k in 0u64..1_000_000, seed: u64) {
        let (key, mut stream) = (&KEYS.public, stream(seed));
        let [x, y] = [a, b].map(|n| key.encrypt(&BigInt::from(n), &mut stream).expect("small"));
        let sum = key.add(&key.scale(&x, k), &y);
        prop_assert_eq!(KEYS.secret.decrypt(&sum), BigInt::from(a) * k + b);
    }

    /// The server's sums in the open are those of ciphertexts, bit by bit, whatever the numbers.
    #[test]
    fn sums_in_the_open_are_those_of_ciphertexts(
        rows in proptest::collection::vec(
            (proptest::collection::vec(-31.9f32..31.9, 11), 0u64..1000), 0..5),
        seed: u64,
    ) {
        let packing = Packing { fraction_bits: 20, integer_bits: 5, most_weight: 5000 };
        let mut open = WeightedSum::open(packing, 11);
        let mut encrypted = WeightedSum::encrypted(packing, 11, &KEYS, stream(seed));
        for (values, weight) in &rows {
            open.add(values, *weight).expect("in range");
            encrypted.add(values, *weight).expect("in range");
        }
        prop_assert_eq!(open.mean(), encrypted.mean());
    }

    #[test]
    fn packed_sums_are_exact(
        a in proptest::collection::vec(-31i32 * 1024..31 * 1024, 1..20),
        k in 0u64..500,
        l in 0u64..500,
    ) {
        // Multiples of 2^-10 are exact in fixed point, and so are their sums.
        let packing = Packing { fraction_bits: 10, integer_bits: 5, most_weight: 1000 };
        let (key, mut stream) = (&KEYS.public, stream(k));
        let values: Vec<f32> = a.iter().map(|n| *n as f32 / 1024.0).collect();
        let mirrored: Vec<f32> = values.iter().rev().map(|v| -v).collect();
        let mut sum = Sealed::new(&values, packing, key, &mut stream).expect("in range").scaled(k, key).expect("room");
        let other = Sealed::new(&mirrored, packing, key, &mut stream).expect("in range");
        sum.add(&other.scaled(l, key).expect("room"), key).expect("room");
        for ((opened, x), y) in sum.open(&KEYS.secret).iter().zip(&values).zip(&mirrored) {
            prop_assert_eq!(*opened, k as f64 * f64::from(*x) + l as f64 * f64::from(*y));
        }
    }
}
