//! Small federations to test with.

use offbeat_actors::client::Samples;
use offbeat_actors::coded::Coded;
use offbeat_actors::network::ServerLink;
use offbeat_actors::retrieval::ReIdBench;
use offbeat_actors::rules::RetrievalRules;
use offbeat_actors::tap::TapRules;
use offbeat_actors::work::{Devices, Shards, Workbench};
use offbeat_actors::{
    EvaluationRules, Federation, Ideal, Memory, Record, RunResult, StopRules, Topology,
};
use offbeat_kernel::pool::PoolConfig;
use offbeat_kernel::{ClientId, Purpose, SeedTree};
use offbeat_learning::codec::Codec;
use offbeat_learning::data::{Dataset, Shard, digits};
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::{DirectTrainer, Trainer};
use offbeat_learning::{Flat, LastBatch, LocalPlan, Sgd, Work};
use offbeat_strategies::companion::FirstHeads;
use offbeat_strategies::composed::Seams;
use offbeat_strategies::fediod::Duties;
use offbeat_strategies::guard::Guard;
use offbeat_strategies::registry::{GuardPart, PacePart, guards};
use offbeat_strategies::resources::Resources;
use offbeat_strategies::{Parts, Registry};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Digits, dealt to clients in turn, with client `i` holding every `clients`-th sample from `i` on.
#[derive(Debug)]
pub(crate) struct Dealt(pub(crate) Vec<Arc<Shard>>);

impl Shards for Dealt {
    fn train(&self, client: ClientId) -> Arc<Shard> {
        self.0[client.index()].clone()
    }

    fn test(&self, client: ClientId) -> Option<Arc<Shard>> {
        Some(self.0[client.index()].clone())
    }
}

/// What a test varies.
pub(crate) struct World {
    pub(crate) clients: usize,
    pub(crate) parts: Parts,
    pub(crate) plan: LocalPlan,
    pub(crate) ideal: Ideal,
    pub(crate) versions: u64,
    pub(crate) workers: usize,
    /// Most trainings that are computed together.
    pub(crate) cohort: usize,
    pub(crate) seed: u64,
    pub(crate) network: NetworkSpec,
    pub(crate) shared: Shared,
    pub(crate) controls: bool,
    pub(crate) data: Arc<Dataset>,
    pub(crate) blocks: Option<Vec<usize>>,
    pub(crate) codecs: [Codec; 2],
    pub(crate) reid: ReIdBench,
    pub(crate) tap: Option<TapRules>,
    pub(crate) topology: Topology,
    /// What edge servers ask about their clients' answers.
    pub(crate) edge_guard: Vec<GuardPart>,
    /// Heads that the server keeps, if it does.
    pub(crate) heads: Option<Arc<FirstHeads>>,
}

/// How much of the parameters travels.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shared {
    All,
    Body,
}

impl World {
    /// `clients` equally fast clients, softmax regression, one local epoch.
    pub(crate) fn new(clients: usize, parts: Parts) -> Self {
        let data = Arc::new(digits().train);
        let samples = (0..clients).map(|c| (data.len() - c).div_ceil(clients)).collect();
        Self {
            clients,
            parts,
            plan: LocalPlan {
                work: Work::Epochs(1),
                batch: 16,
                last_batch: LastBatch::Keep,
                sgd: Sgd { rate: 0.05, ..Sgd::default() },
                ..LocalPlan::default()
            },
            ideal: Ideal::equal(samples, 0.01),
            versions: 5,
            workers: 2,
            cohort: 1,
            seed: 7,
            network: NetworkSpec::Softmax,
            shared: Shared::All,
            controls: false,
            data,
            blocks: None,
            codecs: [Codec::Float32; 2],
            reid: ReIdBench::default(),
            tap: None,
            topology: Topology::Star,
            edge_guard: Vec::new(),
            heads: None,
        }
    }

    /// Gives client `i` the next `samples[i]` samples instead of every `clients`-th.
    pub(crate) fn uneven(&mut self, samples: &[usize]) {
        self.blocks = Some(samples.to_vec());
        self.ideal.samples = samples.to_vec();
    }

    pub(crate) fn shards(&self) -> Vec<Arc<Shard>> {
        if let Some(blocks) = &self.blocks {
            return self.in_blocks(blocks);
        }
        (0..self.clients)
            .map(|client| {
                let rows = (client..self.data.len()).step_by(self.clients).map(|row| row as u32);
                Arc::new(Shard { data: self.data.clone(), rows: rows.collect() })
            })
            .collect()
    }

    fn in_blocks(&self, blocks: &[usize]) -> Vec<Arc<Shard>> {
        let mut next = 0;
        let rows = blocks.iter().map(|samples| {
            next += *samples as u32;
            next - *samples as u32..next
        });
        rows.map(|rows| Arc::new(Shard { data: self.data.clone(), rows: rows.collect() })).collect()
    }

    pub(crate) fn trainer(&self) -> Arc<dyn Trainer> {
        let network = Network::new(&self.network, &self.data.shape, self.data.classes);
        Arc::new(DirectTrainer::new(Arc::new(network.expect("a valid network"))))
    }

    pub(crate) fn seeds(&self) -> SeedTree {
        SeedTree::new(self.seed)
    }

    /// The shared parameters of version 0.
    pub(crate) fn initial(&self) -> Flat {
        let network = self.trainer().network().clone();
        let all = network.init(&mut self.seeds().stream(Purpose::ModelInit, 0, 0));
        match self.shared {
            Shared::All => all,
            Shared::Body => all.slice(network.layout().body()),
        }
    }

    /// What clients do with questions under the pace `fediod`.
    fn duties(&self) -> Option<Duties> {
        let PacePart::FedIod(settings) = &self.parts.pace else { return None };
        Some(settings.duties(self.trainer().network()).expect("pictures"))
    }

    fn edge_guards(&self) -> Vec<Vec<Box<dyn Guard>>> {
        let Topology::Tree(tree) = &self.topology else { return Vec::new() };
        let own = || guards("topology.tree.guard", &self.edge_guard, &Registry::default());
        (0..tree.edges()).map(|_| own().expect("valid guards")).collect()
    }

    pub(crate) fn federation(&self) -> Federation {
        self.assembled(false)
    }

    /// The same with a strategy that learns nothing at the server.
    pub(crate) fn idle(&self) -> Federation {
        self.assembled(true)
    }

    fn assembled(&self, timing_only: bool) -> Federation {
        let trainer = Some(self.trainer());
        let heads = self.heads.clone();
        let resources = Resources { heads, trainer, timing_only, ..Resources::default() };
        let registry = Registry { resources, ..Registry::default() };
        let seams: Seams = self.parts.build(&registry).expect("valid parts");
        let ideal = Rc::new(self.ideal.clone());
        let samples: Rc<dyn Samples> = ideal.clone();
        Federation {
            workbench: Workbench {
                trainer: self.trainer(),
                shards: Arc::new(Dealt(self.shards())),
                test: Arc::new(Shard::whole(Arc::new(digits().test))),
                aim: None,
                adversaries: Arc::default(),
                plan: Arc::new(self.plan.clone()),
                seeds: self.seeds(),
                controls: self.controls,
                cohort: self.cohort,
                local_privacy: self.parts.privacy.local,
                timing_only: false,
                coded: Arc::new(Coded::new(
                    self.codecs[0],
                    self.codecs[1],
                    self.trainer().network().layout(),
                    self.initial().len(),
                )),
                reid: self.reid.clone(),
                tap: self.tap.clone(),
                duties: self.duties(),
            },
            pool: PoolConfig { workers: self.workers, budget_bytes: 1 << 30 },
            devices: Devices::default(),
            registry: Registry::default(),
            seams,
            initial: self.initial(),
            conditions: ideal.clone(),
            topology: self.topology.clone(),
            edge_guards: self.edge_guards(),
            roster: ideal,
            samples,
            test_clients: Vec::new(),
            server_link: ServerLink::default(),
            evaluation: EvaluationRules {
                every_versions: 1,
                every: None,
                test: self.shared == Shared::All,
                clients: false,
                retrieval: RetrievalRules::default(),
                teachers: self.duties().is_some(),
            },
            stop: StopRules { versions: Some(self.versions), ..StopRules::default() },
            interrupt: Arc::new(AtomicBool::new(false)),
            director: None,
            trace: true,
        }
    }

    pub(crate) fn run(&self) -> (RunResult, Vec<Record>) {
        let memory = Memory::default();
        let records = memory.records.clone();
        let result = self.federation().run(Box::new(memory)).expect("the run succeeds");
        let records = records.borrow().clone();
        (result, records)
    }
}
