//! What the compute pool does: local trainings and evaluations.

mod cohort;
mod dialogue;
mod shop;
mod training;

pub use self::shop::{Devices, Retry, Traffic, Workshop};

use crate::adversary::Adversaries;
use crate::coded::Coded;
use crate::retrieval::{ReIdBench, RetrieveJob};
use crate::tap::{Leak, TapRules};
use crate::teachers::{TeacherFigures, TeachersJob};
use offbeat_kernel::{ClientId, Purpose, SeedTree, TaskId, Time, Version};
use offbeat_learning::codec::Feedback;
use offbeat_learning::data::{Shard, turn_labels};
use offbeat_learning::evaluate::{Evaluation, evaluate_rows};
use offbeat_learning::iod::Critic;
use offbeat_learning::masked::trial::{painted, painted_and_probed};
use offbeat_learning::reid::Found;
use offbeat_learning::{Flat, LocalPlan, Trainer};
use offbeat_strategies::composed::Reply;
use offbeat_strategies::fediod::Duties;
use offbeat_strategies::privacy::Local;
use offbeat_strategies::signal::Duty;
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
    /// Its discriminator, where it answers questions; its teacher is what it has kept.
    pub critic: Option<Critic>,
    /// The inputs that it was asked about last, as far as it may be asked how they should change.
    pub asked: Option<Flat>,
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
    /// Local trainings that are computed together.
    Cohort(Vec<TrainJob>),
    /// The attack of a tap on the update of a training.
    Attack(Box<TrainJob>),
    /// The trial of teachers that stay with their clients.
    Teachers(TeachersJob),
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
    /// What it is about.
    pub duty: Duty,
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
    Retrieved(Found),
    /// What each training of a cohort gave.
    Cohort(Vec<Result<Output, String>>),
    /// What an attack found.
    Attacked(Box<Leak>),
    /// What a job gave after its own device failed.
    Retried(Box<(Output, Retry)>),
    /// How good teachers are.
    Taught(TeacherFigures),
}

/// How the workers of one device work: the network, the data and the plan, the same for all jobs of a run.
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
    /// Most trainings that are computed together; 1 for one by one.
    pub cohort: usize,
    /// The noise that honest clients add before they answer.
    pub local_privacy: Option<Local>,
    /// Give "no change" instead of training.
    pub timing_only: bool,
    /// How models and updates are written for the links.
    pub coded: Arc<Coded>,
    /// What re-identification adds.
    pub reid: ReIdBench,
    /// Who listens to the clients' links, if anybody.
    pub tap: Option<TapRules>,
    /// What clients do with questions, where they are asked some.
    pub duties: Option<Duties>,
}

impl Debug for Workbench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbench").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Workbench {
    /// Does a job on the calling thread.
    ///
    /// # Errors
    /// In words.
    pub fn run(&self, job: Job) -> Result<Output, String> {
        match job {
            Job::Train(job) => match job.duty {
                Duty::Judge if !self.timing_only => self.judge(&job),
                Duty::Train | Duty::Judge => self.work(*job),
                Duty::Teach | Duty::Answer | Duty::PullBack => self.attend(*job),
            },
            Job::Teachers(_) if self.timing_only => Ok(Output::Taught(TeacherFigures::default())),
            Job::Teachers(job) => self.compare_teachers(&job).map(Output::Taught),
            Job::Cohort(jobs) => Ok(Output::Cohort(self.train_or_part(jobs))),
            Job::Evaluate(job) => self.evaluate(job),
            Job::Retrieve(_) if self.timing_only => Ok(Output::Retrieved(Found::default())),
            Job::Attack(job) => self.attack(*job).map(|leak| Output::Attacked(Box::new(leak))),
            Job::Retrieve(job) => {
                self.reid.retrieve(self.trainer.as_ref(), &job).map(Output::Retrieved)
            }
        }
    }

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
    pub(crate) fn trainer_of(&self, client: ClientId) -> &Arc<dyn Trainer> {
        let own = self.shards.classes(client).and_then(|width| self.reid.trainers.get(&width));
        own.unwrap_or(&self.trainer)
    }

    /// The losses of the models that were sent, on the samples that the client holds back.
    fn judge(&self, job: &TrainJob) -> Result<Output, String> {
        let client = job.client;
        let shard = self.shards.test(client).ok_or("the client holds no samples back")?;
        let shard = self.shards.at(Some(client), shard, job.at);
        let all = 0..shard.len();
        let (shard, rows) = turned_rows(shard, all, job.label_turn);
        let mut scalars = BTreeMap::new();
        for (name, model) in &job.extras {
            let params = self.assemble(model, client, &job.private);
            let model = (&**self.trainer_of(client), &params);
            let found = match self.plan.objective.loss.masked() {
                Some(masked) => painted(model, &shard, rows.clone(), masked, &self.seeds),
                None => evaluate_rows(model.0, model.1, &shard, rows.clone()),
            };
            scalars.insert(name.clone(), found.map_err(|error| error.to_string())?.loss);
        }
        let reply = Reply {
            params: job.shared.clone(),
            steps: 0,
            loss: 0.0,
            loss_squared: 0.0,
            scalars,
            extras: BTreeMap::new(),
            payload: None,
        };
        Ok(Output::Trained(Box::new((reply, job.private.clone()))))
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
        let found = match self.plan.objective.loss.masked() {
            Some(masked) => {
                let (model, shard) = ((&**trainer, &params), turn_labels(&shard, job.label_turn));
                painted_and_probed(model, &shard, job.rows, masked, &self.seeds)
            }
            None => {
                let (shard, rows) = turned_rows(shard, job.rows, job.label_turn);
                evaluate_rows(&**trainer, &params, &shard, rows)
            }
        };
        found.map(Output::Evaluated).map_err(|error| error.to_string())
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
