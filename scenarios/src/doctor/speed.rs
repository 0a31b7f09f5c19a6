//! How fast a trainer is, and how far its result is from that of the hand-written one.

use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::{Shard, SyntheticSpec};
use offbeat_learning::device::Device;
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::{TrainRequest, Trainer, TrainerKind, trainer};
use offbeat_learning::{Flat, LearnError, LocalPlan, Sgd, Work as Steps};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Clients whose trainings make up one measurement.
const CLIENTS: u64 = 32;

/// How fast a trainer is on one network.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    /// The network.
    pub network: &'static str,
    /// Samples a second on one thread, forward and backward.
    pub samples_per_second: f64,
    /// `|a - b| / |b - start|` of the trained parameters against those of the hand-written trainer.
    pub difference: f64,
    /// Why it could not train.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A network with clients to train.
#[derive(Debug)]
pub struct Work {
    name: &'static str,
    network: Arc<Network>,
    requests: Vec<TrainRequest>,
    /// What the hand-written trainer makes of the first client.
    expected: Flat,
}

/// The networks that are timed.
pub(super) fn works() -> Vec<Work> {
    let mlp = NetworkSpec::Mlp { hidden: vec![200] };
    [
        Work::new("softmax", &NetworkSpec::Softmax, &[60], 100, 10),
        Work::new("mlp", &mlp, &[784], 160, 32),
        Work::new("cnn", &NetworkSpec::Cnn, &[1, 28, 28], 32, 32),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Work {
    fn new(
        name: &'static str,
        spec: &NetworkSpec,
        shape: &[usize],
        samples: u32,
        batch: usize,
    ) -> Result<Self, LearnError> {
        let seeds = SeedTree::new(1);
        let inputs = shape.iter().product::<usize>() as u32;
        let (classes, separation) = (10, 3.0);
        let shape = Some(shape.to_vec());
        let data = SyntheticSpec { classes, inputs, train: samples, test: 1, separation, shape };
        let data = data.load(seeds)?.train;
        let network = Arc::new(Network::new(spec, &data.shape, data.classes)?);
        let shard = Arc::new(Shard::whole(Arc::new(data)));
        let plan = LocalPlan {
            work: Steps::Epochs(1),
            batch,
            sgd: Sgd { rate: 0.05, ..Sgd::default() },
            ..LocalPlan::default()
        };
        let start = network.init(&mut seeds.stream(Purpose::ModelInit, 0, 0));
        let plan = Arc::new(plan);
        let request = |client| TrainRequest {
            start: start.clone(),
            received: start.len(),
            shard: shard.clone(),
            plan: plan.clone(),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: seeds.stream(Purpose::Training, client, 0),
        };
        let requests: Vec<TrainRequest> = (0..CLIENTS).map(request).collect();
        let direct = trainer(TrainerKind::Direct, network.clone(), &Device::flex());
        let expected = direct.train(request(0))?.params;
        Ok(Self { name, network, requests, expected })
    }

    /// Trains for about `each`, at least once, on the calling thread.
    pub fn time(
        &self,
        kind: TrainerKind,
        device: &Device,
        together: bool,
        each: Duration,
    ) -> Speed {
        let trainer = trainer(kind, self.network.clone(), device);
        let found = self.rate(trainer.as_ref(), together, each);
        let (network, failed) = (self.name, found.as_ref().err().map(LearnError::to_string));
        let (samples_per_second, params) = found.unwrap_or((0.0, self.expected.clone()));
        Speed { network, samples_per_second, difference: self.difference(&params), failed }
    }

    /// Samples a second, and what the first client's parameters became.
    fn rate(
        &self,
        trainer: &dyn Trainer,
        together: bool,
        each: Duration,
    ) -> Result<(f64, Flat), LearnError> {
        let size = if together { trainer.cohort().max(2) } else { 1 };
        let cohorts: Vec<&[TrainRequest]> = self.requests.chunks(size).collect();
        // The first training of a process pays for what is set up once.
        let first = self.train(trainer, together, cohorts[0])?;
        let (mut samples, start) = (0, Instant::now());
        for cohort in cohorts.iter().cycle() {
            self.train(trainer, together, cohort)?;
            samples += cohort.iter().map(|request| request.shard.len()).sum::<usize>();
            if start.elapsed() >= each {
                break;
            }
        }
        Ok((samples as f64 / start.elapsed().as_secs_f64().max(1e-9), first))
    }

    fn train(
        &self,
        trainer: &dyn Trainer,
        together: bool,
        cohort: &[TrainRequest],
    ) -> Result<Flat, LearnError> {
        let mut trained = match together {
            true => trainer.train_together(cohort.to_vec()),
            false => cohort.iter().map(|request| trainer.train(request.clone())).collect(),
        };
        // Read, so that a device has really finished.
        trained.swap_remove(0).map(|trained| Flat::new(trained.params.to_vec()))
    }

    fn difference(&self, params: &Flat) -> f64 {
        let moved = self.expected.minus(&self.requests[0].start).norm();
        params.minus(&self.expected).norm() / moved.max(f64::MIN_POSITIVE)
    }
}
