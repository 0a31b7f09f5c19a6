//! What the machinery costs without learning: events through actix, registered clients, no-op tasks.

use actix::{Actor, Context, Handler, MessageResult};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use offbeat_actors::client::Samples;
use offbeat_actors::effect::{Deliver, Effect};
use offbeat_actors::message::{Address, Event, Message};
use offbeat_actors::network::ServerLink;
use offbeat_actors::retrieval::ReIdBench;
use offbeat_actors::rules::RetrievalRules;
use offbeat_actors::work::{Devices, Shards, Workbench};
use offbeat_actors::{EvaluationRules, Federation, Ideal, Memory, StopRules};
use offbeat_kernel::pool::PoolConfig;
use offbeat_kernel::{Calendar, ClientId, Journal, Purpose, SeedTree, Span, TaskId, Time};
use offbeat_learning::data::{Shard, digits};
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::DirectTrainer;
use offbeat_learning::{LastBatch, LocalPlan, Sgd, Work};
use offbeat_strategies::composed::Seams;
use offbeat_strategies::{Roster, combine, group, pace, select, weigh};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Answers every event with one event a little later.
struct Echo;

impl Actor for Echo {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Echo {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        let at = deliver.now + Span::from_micros(1_000);
        let to = Address::Client(ClientId(0));
        MessageResult(vec![Effect::Schedule { at, to, message: deliver.message }])
    }
}

/// Delivers `count` events through calendar, journal and actor, as the driver does.
fn deliver(count: u64) -> Duration {
    actix::System::new().block_on(async move {
        let echo = Echo.start();
        let mut calendar = Calendar::new();
        let mut journal = Journal::new();
        for client in 0..1_000u64 {
            let to = Address::Client(ClientId(client as u32));
            let event = Event { to, message: Message::Finished(TaskId(client)) };
            calendar.schedule(Time::from_micros(client), event);
        }
        let start = Instant::now();
        for _ in 0..count {
            let Some((now, _, event)) = calendar.pop() else { break };
            let [a, b] = event.message.about();
            journal.write(&[now.micros(), 16, event.message.kind(), a, b]);
            let Ok(effects) = echo.send(Deliver { now, message: event.message }).await else {
                break;
            };
            for effect in effects {
                if let Effect::Schedule { at, to, message } = effect {
                    calendar.schedule(at, Event { to, message });
                }
            }
        }
        start.elapsed()
    })
}

fn events(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernel");
    group.throughput(Throughput::Elements(1));
    group.bench_function("event through actix", |b| b.iter_custom(deliver));
    group.finish();
}

/// A world of `clients` alike clients that takes no memory for each of them.
#[derive(Debug)]
struct Alike(u32);

impl Roster for Alike {
    fn count(&self) -> u32 {
        self.0
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

impl Samples for Alike {
    fn count(&self, _: ClientId) -> usize {
        100
    }
}

#[derive(Debug)]
struct OneShard(Arc<Shard>);

impl Shards for OneShard {
    fn train(&self, _: ClientId) -> Arc<Shard> {
        self.0.clone()
    }
    fn test(&self, _: ClientId) -> Option<Arc<Shard>> {
        None
    }
}

/// A synchronous federation of `clients` registered clients whose jobs do nothing, for `tasks` tasks.
fn federation(clients: u32, tasks: u64) -> Federation {
    let data = Arc::new(digits().train);
    let network = Network::new(&NetworkSpec::Softmax, &data.shape, data.classes);
    let network = Arc::new(network.expect("a valid network"));
    let seeds = SeedTree::new(1);
    let shard = Arc::new(Shard::whole(data));
    let roster = Rc::new(Alike(clients));
    let plan = LocalPlan {
        work: Work::Epochs(1),
        batch: 10,
        last_batch: LastBatch::Keep,
        sgd: Sgd::default(),
        ..LocalPlan::default()
    };
    Federation {
        workbench: Workbench {
            trainer: Arc::new(DirectTrainer::new(network.clone())),
            shards: Arc::new(OneShard(shard.clone())),
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
            timing_only: true,
        },
        pool: PoolConfig { workers: 1, budget_bytes: 1 << 30 },
        devices: Devices::default(),
        registry: offbeat_strategies::Registry::default(),
        seams: Seams {
            select: Box::new(select::Uniform),
            pace: Box::new(pace::Synchronous { clients: 100 }),
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
        conditions: Rc::new(Ideal::equal(vec![100; 1], 0.001)),
        edge_guards: Vec::new(),
        topology: offbeat_actors::Topology::Star,
        roster: roster.clone(),
        samples: roster,
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
        stop: StopRules { versions: Some(tasks.div_ceil(100)), ..StopRules::default() },
        interrupt: Arc::default(),
        director: None,
        trace: false,
    }
}

fn tasks(c: &mut Criterion) {
    let mut group = c.benchmark_group("no-op client task");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for clients in [1_000, 100_000, 10_000_000] {
        group.bench_function(format!("{clients} registered"), |b| {
            b.iter_custom(|count| {
                let federation = federation(clients, count.max(100));
                let result = federation.run(Box::new(Memory::default())).expect("runs");
                Duration::from_secs_f64(result.wall_seconds / result.counts.updates as f64)
                    * count as u32
            });
        });
    }
    group.finish();
}

criterion_group!(benches, events, tasks);
criterion_main!(benches);
