//! How long it takes to split four million samples over a million clients.
//!
//! `cargo bench -p offbeat-learning --bench partitioners`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::partition::{
    Dirichlet, Iid, Pathological, Quantity, QuantityLaw, Shards,
};
use offbeat_learning::data::{Dataset, PartitionSpec};
use std::path::Path;

const CLIENTS: u32 = 1_000_000;
const SAMPLES: u32 = 4 * CLIENTS;

fn partitioners(c: &mut Criterion) {
    let labels: Vec<u32> = (0..SAMPLES).map(|sample| sample % 10).collect();
    let features = vec![0.0; SAMPLES as usize];
    let data = Dataset { features, shape: vec![1], labels, classes: 10, groups: None };
    let lognormal = QuantityLaw::Lognormal { sigma: 1.0 };
    let all = [
        ("iid", PartitionSpec::Iid(Iid::default())),
        (
            "dirichlet",
            PartitionSpec::Dirichlet(Dirichlet { allow_empty: true, ..Dirichlet::new(0.3) }),
        ),
        ("shards", PartitionSpec::Shards(Shards { per_client: 2, allow_empty: false })),
        (
            "pathological",
            PartitionSpec::Pathological(Pathological { labels: 2, allow_empty: true }),
        ),
        (
            "quantity",
            PartitionSpec::Quantity(Quantity {
                law: lognormal,
                min_samples: 1,
                allow_empty: false,
            }),
        ),
    ];
    let mut group = c.benchmark_group("4,000,000 samples over 1,000,000 clients");
    group.throughput(Throughput::Elements(u64::from(CLIENTS))).sample_size(10);
    for (name, spec) in all {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut stream = SeedTree::new(1).stream(Purpose::Partition, 0, 0);
                spec.split(&data, CLIENTS, &mut stream, Path::new("")).map(|parts| parts.clients())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, partitioners);
criterion_main!(benches);
