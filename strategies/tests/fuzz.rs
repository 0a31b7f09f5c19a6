//! Ten million unexpected bytes for what members of hidden and encrypted sums send, and for the state of a strategy.

#[path = "../../engine/kernel/tests/common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use offbeat_kernel::codec::{decode, encode};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::Flat;
use offbeat_strategies::composed::{self, Composed};
use offbeat_strategies::paillier::{KeyPair, KeySize, Packing, Paillier, Sealed};
use offbeat_strategies::secure::{Collector, FixedPoint, Share, join, public, split};
use offbeat_strategies::{Parts, Registry};
use std::collections::BTreeMap;

#[test]
fn shares() {
    let mut stream = SeedTree::new(3).stream(Purpose::Privacy, 0, 0);
    let secret = [7; 32];
    let shares = split(&secret, 3, 5, &mut stream);
    let valid = encode(&shares[..3].to_vec()).expect("plain data");
    fuzz("secret shares", &[valid], TEN_MILLION, |input| {
        let Ok(shares) = decode::<Vec<Share>>(input) else { return false };
        join(&shares).is_some()
    });
}

/// Masked vectors of strange lengths, from strange members, twice.
#[test]
fn masked_vectors() {
    let publics: BTreeMap<u32, _> =
        (0..3).map(|number| (number, public(&[number as u8; 32]))).collect();
    let point = FixedPoint { fraction_bits: 16, range: 8.0 };
    let vector = point.encode(&[0.5, -1.0, 2.0, 0.0]).expect("in range");
    let valid = encode(&vec![(0u32, vector.clone()), (1, vector.clone()), (2, vector)]);
    fuzz("masked vectors", &[valid.expect("plain data")], TEN_MILLION, |input| {
        let Ok(sent) = decode::<Vec<(u32, Vec<_>)>>(input) else { return false };
        let mut collector = Collector::new(publics.clone(), 2, 4);
        let received = sent.iter().filter(|(number, masked)| collector.receive(*number, masked));
        let received = received.count();
        assert!(received <= 3, "one answer of each member");
        received >= 2 && collector.request().is_ok()
    });
}

/// Ciphertexts that nobody made: multiples of the factors, beyond the modulus, cut short. What is taken is added and
/// multiplied; reading takes longer, so that only every sixteenth is read.
#[test]
fn ciphertexts() {
    let mut stream = SeedTree::new(4).stream(Purpose::Privacy, 0, 0);
    let keys = KeyPair::generate(KeySize::default(), &mut stream);
    let (packing, key) = (Packing::default(), &keys.public);
    let values: Vec<f32> = (0..50).map(|n| (n as f32 - 20.0) / 8.0).collect();
    let sealed = Sealed::new(&values, packing, key, &mut stream).expect("in range");
    let valid = sealed.to_bytes(key);
    assert_eq!(valid.len(), 1024, "two ciphertexts");
    let mut taken = 0u64;
    fuzz("Paillier ciphertexts", &[valid], TEN_MILLION, |input| {
        let Ok(read) = Sealed::from_bytes(input, 50, 1, packing, key) else { return false };
        assert_eq!(input.len(), 1024);
        taken += 1;
        if taken % 16 == 1 {
            let mut sum = read.scaled(3, key).expect("room for three");
            sum.add(&sealed, key).expect("room for four");
            assert_eq!(read.open(&keys.secret).len(), 50);
            assert_eq!(sum.open_whole(&keys.secret).len(), 50);
        }
        true
    });
}

/// Messages whose length, weight and packing are what somebody says: nothing is taken that slots cannot hold, and
/// nothing is allocated that was not sent.
#[test]
fn encrypted_messages() {
    type Message = (u64, u64, Packing, Vec<u8>);
    let mut stream = SeedTree::new(5).stream(Purpose::Privacy, 0, 0);
    let keys = KeyPair::generate(KeySize::default(), &mut stream);
    let (packing, key) = (Packing::default(), &keys.public);
    let sealed = Sealed::new(&[0.5, -1.0, 2.0], packing, key, &mut stream).expect("in range");
    let message: Message = (3, 1, packing, sealed.to_bytes(key));
    let valid = encode(&message).expect("plain data");
    let mut taken = 0u64;
    fuzz("encrypted messages", &[valid], TEN_MILLION, |input| {
        let Ok((len, weight, packing, bytes)) = decode::<Message>(input) else { return false };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let Ok(read) = Sealed::from_bytes(&bytes, len, weight, packing, key) else { return false };
        assert!(read.weight() <= packing.most_weight);
        taken += 1;
        if taken % 16 == 1 {
            assert_eq!(read.open(&keys.secret).len(), len);
        }
        true
    });
}

/// Settings of encryption, as a scenario has them: what is taken can be reckoned with.
#[test]
fn settings_of_encryption() {
    let valid = toml::to_string(&Paillier::default()).expect("plain data");
    fuzz("settings of Paillier", &[valid.into_bytes()], TEN_MILLION, |input| {
        let Some(settings) =
            std::str::from_utf8(input).ok().and_then(|text| toml::from_str(text).ok())
        else {
            return false;
        };
        let parts = Parts::default();
        let privacy = offbeat_strategies::privacy::Privacy {
            paillier: Some(settings),
            ..parts.privacy.clone()
        };
        let parts = Parts { privacy, ..parts };
        // Out of range or not: either is said without a panic.
        let fits = parts.check().is_empty();
        assert!(!fits || settings.sealing(100_000).is_ok(), "{settings:?}");
        fits
    });
}

#[test]
fn state() {
    let strategy = |text: &str| {
        let parts: Parts = toml::from_str(text).expect("a valid strategy");
        let seams = parts.build(&Registry::default()).expect("built in");
        Composed::new(seams, Flat::new(vec![0.25; 6]))
    };
    let texts = [
        "combine = { fedadam = {} }\nselect = { oort = {} }\nguard = [{ relative-norm = {} }]",
        "pace = { buffered = { buffer = 3, concurrency = 9 } }\nguard = [{ relative-scalars = {} }]",
    ];
    let states: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| encode(&strategy(text).save().expect("plain data")).expect("plain data"))
        .collect();
    fuzz("state of a strategy", &states[..1], TEN_MILLION, |input| {
        let Ok(state) = decode::<composed::State>(input) else { return false };
        strategy(texts[0]).restore(state, &Registry::default()).is_ok()
    });
    fuzz("state of an asynchronous strategy", &states[1..], TEN_MILLION, |input| {
        let Ok(state) = decode::<composed::State>(input) else { return false };
        strategy(texts[1]).restore(state, &Registry::default()).is_ok()
    });
}
