//! Bytes that nobody expects, always the same: mutations of what is valid, and noise. Included by the fuzz tests of all
//! crates, since each crate reads formats of its own.

use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand::{Rng, RngExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Bytes that every format is given.
pub(crate) const TEN_MILLION: u64 = 10_000_000;

/// Longest time for one input, on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

/// Values that lengths, counts and numbers are replaced by.
const ODD: [u64; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, u64::MAX];

/// Gives `read` about `bytes` bytes of inputs; `read` says whether it took one. Every one of `valid` has to be taken as
/// it is.
pub(crate) fn fuzz(name: &str, valid: &[Vec<u8>], bytes: u64, mut read: impl FnMut(&[u8]) -> bool) {
    for (index, input) in valid.iter().enumerate() {
        assert!(read(input), "{name}: the valid input {index} is refused");
    }
    let mut stream = SeedTree::new(bytes).stream(Purpose::Synthesis, 0, 0);
    let (mut sent, mut inputs, mut taken) = (0, 0u64, 0u64);
    while sent < bytes {
        let input = match stream.random_range(0..4) {
            0 => noise(&mut stream),
            _ if valid.is_empty() => noise(&mut stream),
            _ => mutated(valid, &mut stream),
        };
        let start = Instant::now();
        let took = catch_unwind(AssertUnwindSafe(|| read(&input)));
        let took = took.unwrap_or_else(|_| panic!("{name}: input {inputs} panics: {input:02x?}"));
        assert!(start.elapsed() < SOON, "{name}: input {inputs} takes too long: {input:02x?}");
        sent += input.len() as u64 + 1;
        inputs += 1;
        taken += u64::from(took);
    }
    println!(
        "fuzz {name}: {sent} bytes in {inputs} inputs, {taken} taken, {} refused",
        inputs - taken
    );
    assert!(taken < inputs, "{name}: nothing is refused");
}

fn noise(stream: &mut Stream) -> Vec<u8> {
    let mut input = vec![0; stream.random_range(0..512)];
    stream.fill_bytes(&mut input);
    input
}

/// One of the valid inputs after one to four changes.
fn mutated(valid: &[Vec<u8>], stream: &mut Stream) -> Vec<u8> {
    let mut input = valid[stream.random_range(0..valid.len())].clone();
    for _ in 0..stream.random_range(1..5) {
        change(&mut input, valid, stream);
    }
    input
}

fn change(input: &mut Vec<u8>, valid: &[Vec<u8>], stream: &mut Stream) {
    if input.is_empty() {
        input.push(stream.random());
        return;
    }
    let at = stream.random_range(0..input.len());
    match stream.random_range(0..8) {
        0 => input[at] ^= 1 << stream.random_range(0..8),
        1 => input[at] = stream.random(),
        2 => input.truncate(at),
        3 => drop(input.remove(at)),
        4 => {
            let other = &valid[stream.random_range(0..valid.len())];
            let from = stream.random_range(0..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        5 => {
            let end = (at + stream.random_range(1..16)).min(input.len());
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        _ => {
            let odd = ODD[stream.random_range(0..ODD.len())];
            let width = [1, 2, 4, 8][stream.random_range(0..4)];
            let little = odd.to_le_bytes();
            let big = odd.to_be_bytes();
            let word = if stream.random() { &little[..width] } else { &big[8 - width..] };
            for (byte, new) in input[at..].iter_mut().zip(word) {
                *byte = *new;
            }
        }
    }
}
