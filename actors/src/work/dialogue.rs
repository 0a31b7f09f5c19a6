//! A client that has a teacher of its own and answers questions (FedIOD).

use super::{Output, Private, TrainJob, Workbench};
use offbeat_kernel::{ClientId, Purpose, Stream};
use offbeat_learning::data::{Dataset, Shard};
use offbeat_learning::iod::Probe;
use offbeat_learning::{Flat, LearnError};
use offbeat_strategies::composed::Reply;
use offbeat_strategies::fediod::{Duties, INPUTS, SHARE, SLOPES};
use offbeat_strategies::signal::Duty;
use rand::seq::index;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The counter of the stream of a discriminator's first weights; the teacher's are drawn from that of 0.
const CRITIC: u64 = 1;

impl Workbench {
    /// What a client does with a question.
    pub(super) fn attend(&self, job: TrainJob) -> Result<Output, String> {
        let duties = self.duties.ok_or("there is no dialogue")?;
        let len = |name: &str| job.extras.get(name).map_or(0, Flat::len);
        let (inputs, slopes) = (len(INPUTS), len(SLOPES));
        let (name, len) = duties.returned(job.duty, inputs, slopes).ok_or("this is no question")?;
        if job.duty == Duty::Teach {
            let counts = self.class_counts(job.client, job.at, job.label_turn);
            let told = Flat::new(counts.into_iter().map(|count| count as f32).collect());
            let (trained, private) = self.teach(job)?;
            return Ok(answer(trained, (name, told), private));
        }
        if self.timing_only {
            let private = job.private;
            return Ok(answer((0, 0.0, 0.0), (name, Flat::zeros(len)), private));
        }
        let mut private = job.private.clone();
        let told = match job.duty {
            Duty::Answer => self.answers(&job, duties, &mut private),
            _ => self.pulls_back(&job, duties, &private),
        };
        let told = told.map_err(|error| error.to_string())?;
        Ok(answer((0, 0.0, 0.0), (name, Flat::new(told)), private))
    }

    /// Steps, loss and squared loss of the teacher's training, and what is kept of it. A teacher is trained once.
    fn teach(&self, job: TrainJob) -> Result<((u64, f64, f64), Private), String> {
        if job.private.kept.is_some() {
            return Ok(((0, 0.0, 0.0), job.private));
        }
        if self.timing_only {
            // Nothing is learnt, but the client knows that it has been taught.
            let kept = Some(Flat::zeros(0));
            return Ok(((0, 0.0, 0.0), Private { kept, ..job.private }));
        }
        let Output::Trained(both) = self.train(job)? else { return Err("no training".into()) };
        let (reply, private) = *both;
        Ok(((reply.steps, reply.loss, reply.loss_squared), private))
    }

    /// The discriminator learns on the first batch and as many samples of the client's own; the teacher answers.
    fn answers(
        &self,
        job: &TrainJob,
        duties: Duties,
        private: &mut Private,
    ) -> Result<Vec<f32>, LearnError> {
        let (teacher, inputs) = (teacher(private)?, vector(job, INPUTS)?);
        let width = self.trainer.network().input().len();
        let first = &inputs[..(duties.batch * width).min(inputs.len())];
        let id = u64::from(job.client.0);
        let mut critic = private.critic.take().unwrap_or_else(|| {
            duties.critic.init(&mut self.seeds.stream(Purpose::PrivateInit, id, CRITIC))
        });
        let mut stream = self.seeds.stream(Purpose::Training, id, job.draw);
        let real = self.own_samples(job, duties.batch, &mut stream);
        let rate = duties.rate(job.base);
        let before = critic.clone();
        duties.critic.learn(&mut critic, (first, &real), rate, &self.trainer.device());
        let sound = critic.params.is_finite() && critic.adam.is_finite();
        private.critic = Some(if sound { critic } else { before });
        private.asked = Some(Flat::new(first.to_vec()));
        let data = Arc::new(Dataset {
            labels: vec![0; inputs.len() / width],
            features: inputs.to_vec(),
            shape: self.test.data.shape.clone(),
            classes: self.trainer.network().classes(),
            groups: None,
        });
        let shard = Shard::whole(data);
        self.trainer.logits(&teacher, &shard, 0..shard.len())
    }

    /// The gradient by the inputs that were sent last, through teacher and discriminator.
    fn pulls_back(
        &self,
        job: &TrainJob,
        duties: Duties,
        private: &Private,
    ) -> Result<Vec<f32>, LearnError> {
        let (teacher, slopes, share) =
            (teacher(private)?, vector(job, SLOPES)?, vector(job, SHARE)?);
        let missing = || LearnError::Invalid("nothing was asked before".into());
        let inputs = private.asked.as_ref().ok_or_else(missing)?.host();
        let critic = private.critic.as_ref().ok_or_else(missing)?;
        let device = self.trainer.device();
        let probe = Probe::new(self.trainer.network().clone(), &device)?;
        let slopes = slopes.iter().map(|slope| f64::from(*slope)).collect();
        let pulled = probe.pull_back(&teacher, &inputs, |_| slopes);
        let (_, looks) = duties.critic.wish(critic, &inputs, &device);
        let share = share.first().copied().unwrap_or(0.0);
        Ok(pulled.inputs.iter().zip(&looks).map(|(own, looks)| own + share * looks).collect())
    }

    /// Up to `count` random samples of the client's own.
    fn own_samples(&self, job: &TrainJob, count: usize, stream: &mut Stream) -> Vec<f32> {
        let client: ClientId = job.client;
        let shard = self.shards.at(Some(client), self.shards.train(client), job.at);
        let chosen = index::sample(stream, shard.len(), count.min(shard.len()));
        chosen.into_iter().flat_map(|at| shard.data.row(shard.rows[at] as usize).to_vec()).collect()
    }
}

fn teacher(private: &Private) -> Result<Flat, LearnError> {
    let missing = || LearnError::Invalid("the client has no teacher yet".into());
    private.kept.clone().ok_or_else(missing)
}

fn vector(job: &TrainJob, name: &str) -> Result<Arc<Vec<f32>>, LearnError> {
    let missing = || LearnError::Invalid(format!("the question has no vector `{name}`"));
    job.extras.get(name).map(Flat::host).ok_or_else(missing)
}

fn answer(
    (steps, loss, loss_squared): (u64, f64, f64),
    (name, told): (&str, Flat),
    private: Private,
) -> Output {
    let reply = Reply {
        params: Flat::zeros(0),
        steps,
        loss,
        loss_squared,
        scalars: BTreeMap::new(),
        extras: BTreeMap::from([(name.to_string(), told)]),
        payload: None,
    };
    Output::Trained(Box::new((reply, private)))
}
