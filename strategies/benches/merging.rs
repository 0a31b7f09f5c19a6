//! What merging costs: the mean of many updates of a million parameters, against the speed of the memory, and
//! one step of FINCH on 10,000 clients.
//!
//! `cargo bench -p offbeat-strategies --bench merging`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use offbeat_kernel::{ClientId, Purpose, SeedTree, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::combine::Mean;
use offbeat_strategies::group::finch::finch;
use offbeat_strategies::seams::{Batch, Combine, View};
use offbeat_strategies::{Arrival, Ledger, Roster, Update};
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

/// Updates in an aggregation.
const UPDATES: usize = 1000;
/// Parameters of each.
const PARAMETERS: usize = 1_000_000;
/// Different updates that take turns: together larger than a processor's caches.
const DIFFERENT: usize = 64;

#[derive(Debug)]
struct Everybody;

impl Roster for Everybody {
    fn count(&self) -> u32 {
        UPDATES as u32
    }
    fn present(&self, _: ClientId, _: Time) -> bool {
        true
    }
    fn next_change(&self, _: ClientId, _: Time) -> Time {
        Time::NEVER
    }
    fn samples(&self, _: ClientId) -> u64 {
        100
    }
    fn expected_seconds(&self, _: ClientId) -> f64 {
        1.0
    }
}

fn update(client: usize, base: &Flat, params: &Flat) -> Update {
    let arrival = Arrival {
        task: TaskId(client as u64),
        client: ClientId(client as u32),
        base_version: Version(0),
        samples: 100,
        completeness: 1.0,
        invited: Time::ZERO,
        arrived: Time::ZERO,
        tag: 0,
    };
    Update {
        arrival,
        base: base.clone(),
        params: params.clone(),
        steps: 1,
        loss: 1.0,
        loss_squared: 1.0,
        scalars: BTreeMap::new(),
        extras: BTreeMap::new(),
    }
}

fn aggregation(c: &mut Criterion) {
    let mut stream = SeedTree::new(1).stream(Purpose::Custom, 0, 0);
    let mut draw =
        || -> Vec<f32> { (0..PARAMETERS).map(|_| stream.random::<f32>() - 0.5).collect() };
    let model = Flat::new(draw());
    let vectors: Vec<Vec<f32>> = (0..DIFFERENT).map(|_| draw()).collect();
    let updates: Vec<Flat> = vectors.iter().map(|vector| Flat::new(vector.clone())).collect();
    let weights: Vec<f64> = (0..UPDATES).map(|client| 1.0 + (client % 7) as f64).collect();
    let (ledger, busy) = (Ledger::default(), BTreeSet::new());
    let view = View {
        now: Time::ZERO,
        version: Version(0),
        seeds: SeedTree::new(1),
        roster: &Everybody,
        ledger: &ledger,
        busy: &busy,
    };
    let mut group = c.benchmark_group("1,000 updates of 1,000,000 parameters");
    // Each update is read once; model and sum may stay in the cache.
    group.throughput(Throughput::Bytes((UPDATES * PARAMETERS * 4) as u64)).sample_size(10);
    group.bench_function("weighted mean", |b| {
        b.iter(|| {
            let mut all = (0..UPDATES).map(|i| (i, update(i, &model, &updates[i % DIFFERENT])));
            let mut batch =
                Batch { model: &model, group: 0, tag: 0, weights: &weights, updates: &mut all };
            Mean::default().combine(&mut batch, &view)
        });
    });
    group.bench_function("reading them", |b| {
        b.iter(|| {
            let read = |i: usize| {
                let lanes = black_box(&vectors[i % DIFFERENT]).as_chunks::<16>().0.iter();
                lanes.fold([0.0f32; 16], |mut sums, chunk| {
                    sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
                    sums
                })
            };
            (0..UPDATES).map(|i| read(i)[0]).sum::<f32>()
        });
    });
    group.finish();
}

fn clustering(c: &mut Criterion) {
    const CLIENTS: usize = 10_000;
    let mut group = c.benchmark_group("FINCH on 10,000 clients");
    group.throughput(Throughput::Elements(CLIENTS as u64)).sample_size(10);
    for dims in [64, 610] {
        let mut stream = SeedTree::new(2).stream(Purpose::Custom, 0, 0);
        let vectors: Vec<f32> = (0..CLIENTS * dims).map(|_| stream.random::<f32>() - 0.5).collect();
        group.bench_function(format!("{dims} numbers each"), |b| {
            b.iter(|| finch(&vectors, dims, 1, None));
        });
    }
    group.finish();
}

criterion_group!(benches, aggregation, clustering);
criterion_main!(benches);
