//! What the compute pool does: local trainings and evaluations.

use crate::adversary::Adversaries;
use crate::coded::{Coded, Draw};
use crate::retrieval::{ReIdBench, RetrieveJob};
use offbeat_kernel::{ClientId, Purpose, Runner, SeedTree, TaskId, Time, Version};
use offbeat_learning::codec::Feedback;
use offbeat_learning::data::{Shard, turn_labels};
use offbeat_learning::evaluate::{Evaluation, evaluate_rows};
use offbeat_learning::reid::{COSINE_DISTANCE, Retrieval, moved};
use offbeat_learning::{Flat, LearnError, LocalPlan, TrainRequest, Trainer};
use offbeat_strategies::composed::Reply;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// Name of the vector that carries SCAFFOLD's control variates: the server's on the way down, the
/// change of the client's on the way up.
pub const CONTROL: &str = "control";

/// Gives the samples of a client.
pub trait Shards: Debug + Send + Sync {
    /// The samples that `client` trains on, as they are at the start of the run.
    fn train(&self, client: ClientId) -> Arc<Shard>;

    /// The samples that `client` keeps for evaluation, if it keeps any, as they are at the start.
    fn test(&self, client: ClientId) -> Option<Arc<Shard>>;

    /// How many classes the client tells apart: the width of its head. `None` for the usual width.
    fn classes(&self, _client: ClientId) -> Option<usize> {
        None
    }

    /// What `shard` is like at the virtual time `at`. It is the whole or a part of what `client` holds,
    /// or the common test set where there is no client. By default nothing ever changes.
    fn at(&self, _client: Option<ClientId>, shard: Arc<Shard>, _at: Time) -> Arc<Shard> {
        shard
    }
}

/// What belongs to one client alone and never travels. It has no place in any message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Private {
    /// The part of the parameters that does not travel; empty before the first training.
    pub kept: Option<Flat>,
    /// The client's control variate, when the objective has one.
    pub control: Option<Flat>,
    /// What travels as its last training left it, when local models are evaluated.
    pub local: Option<Flat>,
    /// What its codec has left out so far.
    pub left: Feedback,
}

/// One piece of real compute, as plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Job {
    /// A client's local training.
    Train(Box<TrainJob>),
    /// The evaluation of a model on some rows of a shard.
    Evaluate(EvaluateJob),
    /// The trial of a model on the persons of a domain.
    Retrieve(RetrieveJob),
}

/// A client's local training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainJob {
    /// The task it belongs to.
    pub task: TaskId,
    /// Names its random stream among those of the client.
    pub draw: u64,
    /// Whose data.
    pub client: ClientId,
    /// Version of the shared parameters it received.
    pub base: Version,
    /// When the client began: data that drift are those of this time.
    pub at: Time,
    /// By how much the labels had turned then, beyond what the data say of themselves.
    pub label_turn: u32,
    /// The shared parameters it received.
    pub shared: Flat,
    /// Further vectors it received.
    pub extras: BTreeMap<String, Flat>,
    /// What it has kept from before.
    pub private: Private,
    /// Local steps, if not the plan's.
    pub steps: Option<u32>,
    /// Stop after this many steps.
    pub step_limit: Option<usize>,
}

/// An evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// The shared parameters.
    pub shared: Flat,
    /// Whose samples and private part; `None` for the common test set.
    pub client: Option<(ClientId, Private)>,
    /// Not the common test set, but the samples on which an attack's success is measured.
    pub aim: bool,
    /// Which rows of it.
    pub rows: Range<usize>,
    /// By how much the labels had turned then, beyond what the data say of themselves.
    pub label_turn: u32,
    /// When the version was published: data that drift are those of this time.
    pub at: Time,
}

/// What a job gives.
#[derive(Clone, Debug)]
pub enum Output {
    /// A training's reply to the server, and what the client keeps.
    Trained(Box<(Reply, Private)>),
    /// An evaluation's figures.
    Evaluated(Evaluation),
    /// A trial's figures.
    Retrieved(Retrieval),
}

/// How the workers work: the network, the data and the plan, the same for all jobs of a run.
#[derive(Clone)]
pub struct Workbench {
    /// Trains and evaluates.
    pub trainer: Arc<dyn Trainer>,
    /// The clients' samples.
    pub shards: Arc<dyn Shards>,
    /// The common test set.
    pub test: Arc<Shard>,
    /// Test samples that an attack wants misread, labelled as it wants them read.
    pub aim: Option<Arc<Shard>>,
    /// Who is hostile.
    pub adversaries: Arc<Adversaries>,
    /// How clients train.
    pub plan: Arc<LocalPlan>,
    /// Root of all randomness.
    pub seeds: SeedTree,
    /// Whether clients keep control variates.
    pub controls: bool,
    /// Give "no change" instead of training.
    pub timing_only: bool,
    /// How models and updates are written for the links.
    pub coded: Arc<Coded>,
    /// What re-identification adds.
    pub reid: ReIdBench,
}

impl Debug for Workbench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbench").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Runner for Workbench {
    type Job = Job;
    type Output = Output;

    fn run(&self, _worker: usize, job: Job) -> Result<Output, String> {
        match job {
            Job::Train(job) if self.timing_only => Ok(unchanged(*job)),
            Job::Train(job) => self.work(*job),
            Job::Evaluate(job) => self.evaluate(job),
            Job::Retrieve(_) if self.timing_only => Ok(Output::Retrieved(Retrieval::default())),
            Job::Retrieve(job) => {
                self.reid.retrieve(self.trainer.as_ref(), &job).map(Output::Retrieved)
            }
        }
    }
}

impl Workbench {
    /// All parameters: what was received, followed by what the client has kept, or by fresh ones of
    /// its own when it trains for the first time.
    pub fn assemble(&self, shared: &Flat, client: ClientId, private: &Private) -> Flat {
        let trainer = self.trainer_of(client);
        let total = trainer.network().layout().len();
        if shared.len() == total {
            return shared.clone();
        }
        match &private.kept {
            Some(kept) => shared.concat(kept),
            None => {
                let id = u64::from(client.0);
                let mut stream = self.seeds.stream(Purpose::PrivateInit, id, 0);
                let fresh = trainer.network().init(&mut stream);
                shared.concat(&fresh.slice(shared.len()..total))
            }
        }
    }

    /// The trainer for a client: the usual one, or the one with a head of the client's own width.
    fn trainer_of(&self, client: ClientId) -> &Arc<dyn Trainer> {
        let own = self.shards.classes(client).and_then(|width| self.reid.trainers.get(&width));
        own.unwrap_or(&self.trainer)
    }

    /// Trains on what came over the link, and gives what the server reads of the answer.
    fn work(&self, mut job: TrainJob) -> Result<Output, String> {
        let draw = Draw { seeds: &self.seeds, client: job.client, draw: job.draw };
        let sent = job.shared.clone();
        let words = |error: LearnError| error.to_string();
        job.shared = self.coded.received(&sent, draw).map_err(words)?;
        let received = job.shared.clone();
        let mut left = std::mem::take(&mut job.private.left);
        let output = match self.adversaries.band(job.client, job.base) {
            Some(band) => self.act(job, band),
            None => self.train(job),
        }?;
        let Output::Trained(mut both) = output else { return Ok(output) };
        let (reply, private) = &mut *both;
        let vectors = [&sent, &received, &reply.params];
        let (params, payload) = self.coded.answered(vectors, &mut left, draw).map_err(words)?;
        (reply.params, reply.payload) = (params, Some(payload));
        private.left = left;
        Ok(Output::Trained(both))
    }

    fn train(&self, job: TrainJob) -> Result<Output, String> {
        let shard = self.shards.at(Some(job.client), self.shards.train(job.client), job.at);
        let counter = job.draw;
        self.train_on(job, shard, counter)
    }

    /// Trains on `shard`; `counter` names the random stream among those of the client.
    pub(crate) fn train_on(
        &self,
        job: TrainJob,
        shard: Arc<Shard>,
        counter: u64,
    ) -> Result<Output, String> {
        let trainer = self.trainer_of(job.client);
        let start = self.assemble(&job.shared, job.client, &job.private);
        let shard = turn_labels(&shard, job.label_turn);
        let received = job.shared.len();
        let plan = match job.steps {
            Some(steps) => {
                let work = offbeat_learning::Work::Steps(steps);
                Arc::new(LocalPlan { work, ..(*self.plan).clone() })
            }
            None => self.plan.clone(),
        };
        let control = self.controls.then(|| self.control(&job, start.len()));
        let correction = control.as_ref().map(|(server, own)| server.minus(own));
        let request = TrainRequest {
            start: start.clone(),
            received,
            shard: shard.clone(),
            plan,
            step_limit: job.step_limit,
            correction,
            targets: None,
            stream: self.seeds.stream(Purpose::Training, u64::from(job.client.0), counter),
        };
        let rate = request.plan.sgd.rate;
        let trained = trainer.train(request).map_err(|error| error.to_string())?;
        let mut extras = BTreeMap::new();
        let mut private = Private::default();
        if let Some((server, own)) = control {
            let renewed =
                renew_control(&server, &own, &start, &trained.params, trained.steps, rate);
            extras.insert(CONTROL.to_string(), renewed.minus(&own).slice(0..received));
            private.control = Some(renewed);
        }
        if received < trained.params.len() {
            private.kept = Some(trained.params.slice(received..trained.params.len()));
        }
        let mut scalars = BTreeMap::new();
        if self.reid.cosine_distance {
            // The batch is the task's own, so that it does not depend on what else was drawn.
            let id = u64::from(job.client.0);
            let mut stream = self.seeds.stream(Purpose::Evaluation, id, job.draw);
            let (before, after) = (&start, &trained.params);
            let moved = moved(&**trainer, before, after, &shard, self.plan.batch, &mut stream)
                .map_err(|error| error.to_string())?;
            scalars.insert(COSINE_DISTANCE.to_string(), moved);
        }
        let params = trained.params.slice(0..received);
        private.local = self.reid.local_models.then(|| params.clone());
        let reply = Reply {
            params,
            steps: trained.steps as u64,
            loss: trained.loss,
            loss_squared: trained.loss_squared,
            scalars,
            extras,
            payload: None,
        };
        Ok(Output::Trained(Box::new((reply, private))))
    }

    /// The server's and the client's control variates over all parameters; zero where nothing was
    /// received and nothing is kept yet.
    fn control(&self, job: &TrainJob, len: usize) -> (Flat, Flat) {
        let server = match job.extras.get(CONTROL) {
            Some(server) => server.concat(&Flat::zeros(len - server.len())),
            None => Flat::zeros(len),
        };
        let own = job.private.control.clone().unwrap_or_else(|| Flat::zeros(len));
        (server, own)
    }

    fn evaluate(&self, job: EvaluateJob) -> Result<Output, String> {
        let client = job.client.as_ref().map(|(client, _)| *client);
        let (params, shard) = match job.client {
            None if job.aim => (job.shared, self.aim.clone().ok_or("no attack has an aim")?),
            None => (job.shared, self.shards.at(None, self.test.clone(), job.at)),
            Some((client, private)) => {
                let shard = self.shards.test(client).ok_or("the client keeps no test samples")?;
                let shard = self.shards.at(Some(client), shard, job.at);
                (self.assemble(&job.shared, client, &private), shard)
            }
        };
        let trainer = client.map_or(&self.trainer, |client| self.trainer_of(client));
        let (shard, rows) = turned_rows(shard, job.rows, job.label_turn);
        evaluate_rows(&**trainer, &params, &shard, rows)
            .map(Output::Evaluated)
            .map_err(|error| error.to_string())
    }
}

/// The rows of a shard with turned labels. Only those rows are copied.
fn turned_rows(shard: Arc<Shard>, rows: Range<usize>, by: u32) -> (Arc<Shard>, Range<usize>) {
    if by == 0 {
        return (shard, rows);
    }
    let some = Arc::new(Shard { data: shard.data.clone(), rows: shard.rows[rows].into() });
    let count = some.len();
    (turn_labels(&some, by), 0..count)
}

/// SCAFFOLD (Karimireddy et al., 2020), option II: `c_i + (x - y) / (steps * rate) - c`.
fn renew_control(
    server: &Flat,
    own: &Flat,
    start: &Flat,
    end: &Flat,
    steps: usize,
    rate: f32,
) -> Flat {
    let mut renewed = own.minus(server);
    if steps > 0 {
        renewed.add_scaled_difference(1.0 / (steps as f32 * rate), start, end);
    }
    renewed
}

/// The output of a timing-only run: nothing changes.
fn unchanged(job: TrainJob) -> Output {
    let reply = Reply {
        params: job.shared,
        steps: 0,
        loss: 0.0,
        loss_squared: 0.0,
        scalars: BTreeMap::new(),
        extras: job.extras.into_iter().map(|(name, v)| (name, Flat::zeros(v.len()))).collect(),
        payload: None,
    };
    Output::Trained(Box::new((reply, job.private)))
}
