//! Look-ahead: an asynchronous federation with staggered starts on one and on two workers.
//!
//! Criterion gives the wall times; the lines before it give the ratio and how busy the workers were.

use criterion::{Criterion, criterion_group, criterion_main};
use offbeat_actors::client::Samples;
use offbeat_actors::network::ServerLink;
use offbeat_actors::retrieval::ReIdBench;
use offbeat_actors::rules::RetrievalRules;
use offbeat_actors::work::{Devices, Shards, Workbench};
use offbeat_actors::{EvaluationRules, Federation, Ideal, Memory, RunResult, StopRules};
use offbeat_kernel::pool::PoolConfig;
use offbeat_kernel::{ClientId, Purpose, SeedTree};
use offbeat_learning::data::{Shard, digits};
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::DirectTrainer;
use offbeat_learning::{LastBatch, LocalPlan, Sgd, Work};
use offbeat_strategies::composed::Seams;
use offbeat_strategies::{Roster, combine, group, pace, select, weigh};
use std::rc::Rc;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clients of the federation; each holds the same samples, so that all jobs cost the same.
const CLIENTS: usize = 20;

#[derive(Debug)]
struct Same(Arc<Shard>);

impl Shards for Same {
    fn train(&self, _: ClientId) -> Arc<Shard> {
        self.0.clone()
    }
    fn test(&self, _: ClientId) -> Option<Arc<Shard>> {
        None
    }
}

/// 200 updates, merged in tens; twenty clients of different speed are always at work.
fn run(network: &NetworkSpec, workers: usize) -> RunResult {
    let data = Arc::new(digits().train);
    let built = Network::new(network, &data.shape, data.classes).expect("a valid network");
    let (network, seeds) = (Arc::new(built), SeedTree::new(1));
    let shard = Arc::new(Shard::whole(data));
    let mut ideal = Ideal::equal(vec![shard.len(); CLIENTS], 0.001);
    ideal.seconds_per_sample = (0..CLIENTS).map(|c| 0.001 + 0.0001 * c as f64).collect();
    let world = Rc::new(ideal);
    let plan = LocalPlan {
        work: Work::Epochs(1),
        batch: 32,
        last_batch: LastBatch::Keep,
        sgd: Sgd { rate: 0.01, ..Sgd::default() },
        ..LocalPlan::default()
    };
    let federation = Federation {
        workbench: Workbench {
            trainer: Arc::new(DirectTrainer::new(network.clone())),
            shards: Arc::new(Same(shard.clone())),
            test: shard,
            aim: None,
            adversaries: Arc::default(),
            plan: Arc::new(plan),
            seeds,
            controls: false,
            coded: std::sync::Arc::default(),
            reid: ReIdBench::default(),
            cohort: 1,
            local_privacy: None,
            tap: None,
            duties: None,
            timing_only: false,
        },
        pool: PoolConfig { workers, budget_bytes: 1 << 30 },
        devices: Devices::default(),
        registry: offbeat_strategies::Registry::default(),
        seams: Seams {
            select: Box::new(select::Uniform),
            pace: Box::new(pace::Buffered {
                buffer: 10,
                concurrency: CLIENTS,
                max_staleness: None,
            }),
            guard: Vec::new(),
            group: Box::new(group::One),
            weigh: Box::new(weigh::Samples),
            combine: Box::new(combine::Mean::default()),
            refine: None,
            companion: None,
            dialogue: None,
            protection: None,
        },
        initial: network.init(&mut seeds.stream(Purpose::ModelInit, 0, 0)),
        conditions: world.clone(),
        edge_guards: Vec::new(),
        topology: offbeat_actors::Topology::Star,
        roster: world.clone() as Rc<dyn Roster>,
        samples: world as Rc<dyn Samples>,
        test_clients: Vec::new(),
        server_link: ServerLink::default(),
        evaluation: EvaluationRules {
            every_versions: 0,
            every: None,
            test: false,
            clients: false,
            retrieval: RetrievalRules::default(),
            teachers: false,
        },
        stop: StopRules { versions: Some(20), ..StopRules::default() },
        interrupt: Arc::default(),
        director: None,
        trace: false,
    };
    federation.run(Box::new(Memory::default())).expect("runs")
}

fn lookahead(c: &mut Criterion) {
    let networks = [("mlp", NetworkSpec::Mlp { hidden: vec![200] }), ("cnn", NetworkSpec::Cnn)];
    for (name, network) in networks {
        let (one, two) = (run(&network, 1), run(&network, 2));
        assert_eq!(one.digest, two.digest);
        println!(
            "{name}: 1 worker {:.2}s, 2 workers {:.2}s, ratio {:.2}, both busy {:.0} %",
            one.wall_seconds,
            two.wall_seconds,
            one.wall_seconds / two.wall_seconds,
            100.0 * two.pool.utilisation,
        );
        let mut group = c.benchmark_group(format!("look-ahead {name}"));
        group.sample_size(10);
        for workers in [1, 2] {
            group.bench_function(format!("{workers} workers"), |b| {
                b.iter(|| run(&network, workers))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, lookahead);
criterion_main!(benches);
