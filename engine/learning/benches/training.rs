//! Speed of local training: both trainers on one thread, and two threads against one.
//!
//! `cargo bench -p offbeat-learning`. Throughput is in samples for the networks with large batches and
//! in steps for softmax regression.

use burn::tensor::Device;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::{Dataset, Shard};
use offbeat_learning::network::{Backbone, Network, NetworkSpec, Normalisation, ReidSpec};
use offbeat_learning::train::{TrainerKind, trainer};
use offbeat_learning::{LastBatch, LocalPlan, Sgd, TrainRequest, Trainer, Work};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// One workload: a name, a network, and how one client trains it.
struct Load {
    name: &'static str,
    spec: NetworkSpec,
    shape: &'static [usize],
    samples: usize,
    batch: usize,
    steps: u32,
}

fn loads() -> Vec<Load> {
    let mlp = NetworkSpec::Mlp { hidden: vec![200] };
    let resnet = NetworkSpec::Resnet { depth: 20, width: 16 };
    vec![
        Load {
            name: "softmax",
            spec: NetworkSpec::Softmax,
            shape: &[60],
            samples: 200,
            batch: 10,
            steps: 400,
        },
        Load { name: "mlp", spec: mlp, shape: &[784], samples: 600, batch: 32, steps: 40 },
        Load {
            name: "cnn",
            spec: NetworkSpec::Cnn,
            shape: &[1, 28, 28],
            samples: 128,
            batch: 32,
            steps: 4,
        },
        Load {
            name: "reid",
            spec: NetworkSpec::Reid(ReidSpec::new(Backbone::Resnet {
                depth: 8,
                width: 16,
                norm: Normalisation::Batch,
            })),
            shape: &[3, 64, 32],
            samples: 64,
            batch: 32,
            steps: 2,
        },
        Load {
            name: "resnet-20",
            spec: resnet,
            shape: &[3, 32, 32],
            samples: 64,
            batch: 32,
            steps: 2,
        },
    ]
}

impl Load {
    fn request(&self, network: &Network) -> TrainRequest {
        let tree = SeedTree::new(1);
        let inputs: usize = self.shape.iter().product();
        let features =
            (0..self.samples * inputs).map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect();
        let labels = (0..self.samples as u32).map(|i| i % 10).collect();
        let data =
            Dataset { features, shape: self.shape.to_vec(), labels, classes: 10, groups: None };
        let plan = LocalPlan {
            work: Work::Steps(self.steps),
            batch: self.batch,
            last_batch: LastBatch::Drop,
            sgd: Sgd { rate: 0.01, ..Sgd::default() },
            ..LocalPlan::default()
        };
        let start = network.init(&mut tree.stream(Purpose::ModelInit, 0, 0));
        TrainRequest {
            received: start.len(),
            start,
            shard: Arc::new(Shard::whole(Arc::new(data))),
            plan: Arc::new(plan),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: tree.stream(Purpose::Training, 0, 0),
        }
    }

    fn prepare(&self, kind: TrainerKind) -> (Arc<dyn Trainer>, TrainRequest) {
        let network = Arc::new(Network::new(&self.spec, self.shape, 10).expect("a valid network"));
        let request = self.request(&network);
        (trainer(kind, network, &Device::flex()), request)
    }

    fn throughput(&self) -> Throughput {
        let per_step = if self.name == "softmax" { 1 } else { self.batch as u64 };
        Throughput::Elements(u64::from(self.steps) * per_step)
    }
}

fn one_thread(criterion: &mut Criterion) {
    for load in loads() {
        let mut group = criterion.benchmark_group(load.name);
        group.throughput(load.throughput());
        for kind in [TrainerKind::Direct, TrainerKind::Autodiff] {
            let (trainer, request) = load.prepare(kind);
            group.bench_function(
                BenchmarkId::from_parameter(format!("{kind:?}").to_lowercase()),
                |bencher| {
                    bencher.iter(|| {
                        trainer.train(request.clone()).expect("a training that goes well")
                    });
                },
            );
        }
        group.finish();
    }
}

/// Time for `jobs` jobs on each of `threads` threads: the longest time that a thread has spent on a core,
/// so that other programs on the machine do not count, but shared locks, caches and memory do.
fn timed(trainer: &dyn Trainer, request: &TrainRequest, threads: usize, jobs: u64) -> Duration {
    let work = || {
        let (start, wall) = (on_core(), Instant::now());
        for _ in 0..jobs {
            trainer.train(request.clone()).expect("a training that goes well");
        }
        on_core().zip(start).map_or(wall.elapsed(), |(end, start)| end - start)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or_default()
    })
}

/// Time that this thread has spent on a core; known on Linux only.
fn on_core() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn scaling(criterion: &mut Criterion) {
    for load in loads() {
        let mut group = criterion.benchmark_group(format!("{}-threads", load.name));
        let (trainer, request) = load.prepare(TrainerKind::Direct);
        for threads in [1, 2] {
            let Throughput::Elements(each) = load.throughput() else { continue };
            group.throughput(Throughput::Elements(each * threads as u64));
            group.bench_function(BenchmarkId::from_parameter(threads), |bencher| {
                bencher.iter_custom(|jobs| timed(trainer.as_ref(), &request, threads, jobs));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = one_thread, scaling
}
criterion_main!(benches);
