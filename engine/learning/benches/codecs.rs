//! Speed of the codecs on the update of a model of a million parameters.
//!
//! `cargo bench -p offbeat-learning --bench codecs`. Throughput is in bytes of plain `f32`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::codec::{Codebook, Codec, Rounding, TopK, Uniform};
use rand_distr::{Distribution, StandardNormal};

const LAYERS: [usize; 4] = [784_000, 1_000, 214_990, 10];

fn codecs(c: &mut Criterion) {
    let mut stream = SeedTree::new(1).stream(Purpose::Custom, 0, 0);
    let count = LAYERS.iter().sum();
    let values: Vec<f32> = (0..count).map(|_| StandardNormal.sample(&mut stream)).collect();
    let all = [
        ("float16", Codec::Float16),
        ("uniform-8", Codec::Uniform(Uniform::default())),
        ("uniform-4", Codec::Uniform(Uniform { bits: 4, rounding: Rounding::Nearest })),
        ("top-k", Codec::TopK(TopK::default())),
        ("codebook", Codec::Codebook(Codebook::default())),
    ];
    for way in ["encode", "decode"] {
        let mut group = c.benchmark_group(way);
        group.throughput(Throughput::Bytes(4 * count as u64)).sample_size(10);
        for (name, codec) in all {
            let Ok(bytes) = codec.encode(&values, &LAYERS, &mut stream) else { return };
            group.bench_function(BenchmarkId::from_parameter(name), |b| match way {
                "encode" => b.iter(|| codec.encode(&values, &LAYERS, &mut stream).is_ok()),
                _ => b.iter(|| codec.decode(&bytes, &LAYERS).is_ok()),
            });
        }
        group.finish();
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
