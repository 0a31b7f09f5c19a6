//! Ten million unexpected bytes for what members of hidden sums send, and for the state of a strategy.

#[path = "../../engine/kernel/tests/common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use offbeat_kernel::codec::{decode, encode};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::Flat;
use offbeat_strategies::composed::{self, Composed};
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
