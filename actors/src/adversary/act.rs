//! What a hostile client returns.

use super::{Band, Behaviour, Malformation, colluders, data};
use crate::work::{Output, Private, TrainJob, Workbench};
use offbeat_kernel::{ClientId, Purpose, Stream, TaskId};
use offbeat_learning::Flat;
use offbeat_learning::data::Shard;
use offbeat_learning::reid::COSINE_DISTANCE;
use offbeat_strategies::composed::Reply;
use rand_distr::{Distribution, StandardNormal};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Workbench {
    /// The output of a hostile client's job.
    pub(crate) fn act(&self, mut job: TrainJob, band: &Band) -> Result<Output, String> {
        let client = job.client;
        let (worker, counter) = band.worker(client, TaskId(job.draw), job.base);
        job.client = worker;
        let shard = self.shard_of(&job);
        let mut noise = self.seeds.stream(Purpose::Adversary, u64::from(worker.0), counter);
        let received = job.shared.clone();
        match band.behaviour {
            Behaviour::LabelFlip { source, target } => {
                let shard = Arc::new(data::flip_labels(&shard, source, target));
                self.train_on(job, shard, counter)
            }
            Behaviour::SignFlip { scale } => {
                let trained = self.train_on(job, shard, counter)?;
                Ok(map(trained, |reply| stretch(reply, &received, -scale)))
            }
            Behaviour::ModelReplacement { target, trigger, poisoned, boost } => {
                let shard = Arc::new(data::backdoored(&shard, target, trigger, poisoned));
                let trained = self.train_on(job, shard, counter)?;
                Ok(map(trained, |reply| stretch(reply, &received, boost.unwrap_or(1.0))))
            }
            Behaviour::LittleIsEnough { z, witnesses } => {
                let change = self.collusion(&job, band, z.unwrap_or(0.0), witnesses)?;
                Ok(self.made_up(job, &shard, |params| params.add_scaled(1.0, &change)))
            }
            Behaviour::Noise { sigma } | Behaviour::FreeRider { disguise: sigma } => {
                Ok(self.made_up(job, &shard, |params| add_noise(params, sigma, &mut noise)))
            }
            Behaviour::InflateCosineDistance { claim } => {
                let trained = self.train_on(job, shard, counter)?;
                Ok(map(trained, |reply| {
                    reply.scalars.insert(COSINE_DISTANCE.into(), claim);
                }))
            }
            Behaviour::Malformed(how) => {
                Ok(map(self.made_up(job, &shard, |_| ()), |reply| spoil(reply, how)))
            }
            Behaviour::FalseSamples { .. } | Behaviour::Repeat | Behaviour::Unasked => {
                self.train_on(job, shard, counter)
            }
        }
    }

    /// The change on which colluders agree: from the honest changes of the first of them, trained on the
    /// model that this one received.
    fn collusion(
        &self,
        job: &TrainJob,
        band: &Band,
        z: f64,
        witnesses: u32,
    ) -> Result<Flat, String> {
        let mut changes = Vec::new();
        for member in band.members.iter().take(witnesses as usize) {
            let own = TrainJob { client: *member, private: Private::default(), ..job.clone() };
            let shard = self.shard_of(&own);
            if let Output::Trained(trained) = self.train_on(own, shard, job.base.0)? {
                changes.push(trained.0.params.minus(&job.shared));
            }
        }
        Ok(colluders::shifted_mean(&changes, z))
    }

    /// A reply without training: the received parameters after `change`, and figures of which no check
    /// of ranges would be suspicious.
    fn made_up(&self, job: TrainJob, shard: &Shard, change: impl FnOnce(&mut Flat)) -> Output {
        let mut params = job.shared;
        change(&mut params);
        // What a guess among all classes would cost.
        let loss = (shard.data.classes.max(1) as f64).ln();
        let reply = Reply {
            params,
            steps: job.steps.map_or_else(|| self.plan.steps(shard.len()) as u64, u64::from),
            loss,
            loss_squared: loss * loss,
            scalars: BTreeMap::new(),
            extras: job.extras.iter().map(|(n, v)| (n.clone(), Flat::zeros(v.len()))).collect(),
            payload: None,
        };
        Output::Trained(Box::new((reply, job.private)))
    }

    fn shard_of(&self, job: &TrainJob) -> Arc<Shard> {
        let client: ClientId = job.client;
        self.shards.at(Some(client), self.shards.train(client), job.at)
    }
}

fn map(output: Output, change: impl FnOnce(&mut Reply)) -> Output {
    match output {
        Output::Trained(mut trained) => {
            change(&mut trained.0);
            Output::Trained(trained)
        }
        evaluated => evaluated,
    }
}

/// Multiplies the change by `factor`.
fn stretch(reply: &mut Reply, received: &Flat, factor: f64) {
    let mut params = received.clone();
    params.add_scaled_difference(factor as f32, &reply.params, received);
    reply.params = params;
}

fn add_noise(params: &mut Flat, sigma: f64, stream: &mut Stream) {
    if sigma > 0.0 {
        let mut draw = || -> f64 { StandardNormal.sample(stream) };
        let noise = (0..params.len()).map(|_| (sigma * draw()) as f32).collect();
        params.add_scaled(1.0, &Flat::new(noise));
    }
}

fn spoil(reply: &mut Reply, how: Malformation) {
    let len = reply.params.len();
    match how {
        Malformation::Nan => reply.params = Flat::new(vec![f32::NAN; len]),
        Malformation::Infinite => reply.params = Flat::new(vec![f32::INFINITY; len]),
        Malformation::Enormous => reply.params = Flat::new(vec![1e20; len]),
        Malformation::Shape => reply.params = Flat::zeros(len.saturating_sub(1)),
        Malformation::Loss => reply.loss = f64::NAN,
    }
}
