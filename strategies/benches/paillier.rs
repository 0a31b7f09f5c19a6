//! Cost of Paillier encryption by the size of the key, and what that means for an update of 100,000 parameters.
//!
//! `cargo bench --workspace --bench paillier`. One ciphertext is timed; an update is so many of them.

use criterion::{Criterion, criterion_group, criterion_main};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_strategies::paillier::{KeyPair, Paillier, Sealed};
use std::time::Instant;

const PARAMS: usize = 100_000;

fn paillier(c: &mut Criterion) {
    for bits in [2048, 3072, 4096] {
        let settings = Paillier { key_bits: bits, ..Paillier::default() };
        let (Ok(size), Ok(sealing)) = (settings.key_size(), settings.sealing(PARAMS)) else {
            return;
        };
        let mut stream = SeedTree::new(1).stream(Purpose::Privacy, 0, 0);
        let begun = Instant::now();
        let KeyPair { public, secret } = KeyPair::generate(size, &mut stream);
        println!("{bits} bits: keys in {:.2} s", begun.elapsed().as_secs_f64());
        let packing = settings.packing();
        let Ok(slots) = packing.slots(&public) else { return };
        println!(
            "{PARAMS} parameters: {slots} in a ciphertext, {} ciphertexts, {} bytes ({:.2} of plain)",
            PARAMS.div_ceil(slots),
            sealing.bytes,
            sealing.bytes as f64 / (4 * PARAMS) as f64
        );
        let values = vec![0.125f32; slots];
        let Ok(sealed) = Sealed::new(&values, packing, &public, &mut stream) else { return };
        let mut group = c.benchmark_group(format!("one ciphertext at {bits} bits"));
        group.sample_size(10);
        group.bench_function("encrypt", |b| {
            b.iter(|| Sealed::new(&values, packing, &public, &mut stream).is_ok());
        });
        group.bench_function("decrypt", |b| b.iter(|| sealed.open(&secret)));
        group.bench_function("scale and add", |b| {
            b.iter(|| sealed.scaled(1000, &public).map(|mut scaled| scaled.add(&sealed, &public)));
        });
        group.finish();
    }
}

criterion_group!(benches, paillier);
criterion_main!(benches);
