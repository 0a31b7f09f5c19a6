//! Cost of Paillier encryption at 2048 bits, and what that means for an update of 100,000 parameters.
//!
//! `cargo bench -p offbeat-strategies --bench paillier`. One ciphertext is timed; an update is so many of them.

use criterion::{Criterion, criterion_group, criterion_main};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_strategies::paillier::{KeyPair, KeySize, Packing, Sealed};
use std::time::Instant;

const PARAMS: usize = 100_000;

fn paillier(c: &mut Criterion) {
    let mut stream = SeedTree::new(1).stream(Purpose::Privacy, 0, 0);
    let begun = Instant::now();
    let KeyPair { public, secret } = KeyPair::generate(KeySize::default(), &mut stream);
    println!("key generation: {:.2} s", begun.elapsed().as_secs_f64());
    let packing = Packing::default();
    let (Ok(slots), Ok(bytes)) =
        (packing.slots(&public), Sealed::encoded_len(PARAMS, packing, &public))
    else {
        return;
    };
    println!(
        "{PARAMS} parameters: {slots} in a ciphertext, {} ciphertexts, {bytes} bytes ({:.2} of plain)",
        PARAMS.div_ceil(slots),
        bytes as f64 / (4 * PARAMS) as f64
    );
    let values = vec![0.125f32; slots];
    let Ok(sealed) = Sealed::new(&values, packing, &public, &mut stream) else { return };
    let mut group = c.benchmark_group("one ciphertext at 2048 bits");
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

criterion_group!(benches, paillier);
criterion_main!(benches);
