//! One client's training: from what came over the link to what goes back.

use super::{CONTROL, Output, Private, TrainJob, Workbench, unchanged};
use crate::beside::put;
use crate::coded::Draw;
use offbeat_kernel::{ClientId, Purpose};
use offbeat_learning::codec::Feedback;
use offbeat_learning::data::{Shard, turn_labels};
use offbeat_learning::reid::{COSINE_DISTANCE, moved};
use offbeat_learning::{Flat, LearnError, LocalPlan, TrainRequest, Trained};
use offbeat_strategies::companion::{CLUSTERS, EMBEDDINGS};
use offbeat_strategies::composed::Reply;
use offbeat_strategies::privacy::perturb;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a client's answer is written with.
#[derive(Debug)]
pub(super) struct Link {
    client: ClientId,
    honest: bool,
    draw: u64,
    /// The parameters as the server sent them, and as the client read them.
    sent: Flat,
    received: Flat,
    /// What the codec has left out so far.
    left: Feedback,
}

/// A training between its request and its result.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) job: TrainJob,
    start: Flat,
    shard: Arc<Shard>,
    /// The server's and the client's control variates.
    control: Option<(Flat, Flat)>,
    rate: f32,
}

impl Workbench {
    /// Trains on what came over the link, and gives what the server reads of the answer.
    pub(crate) fn work(&self, job: TrainJob) -> Result<Output, String> {
        if self.timing_only {
            return Ok(unchanged(job));
        }
        let (job, link) = self.unpack(job)?;
        let output = match self.adversaries.band(job.client, job.base) {
            Some(band) => self.act(job, band)?,
            None => self.protect(self.train(job)?, &link),
        };
        self.pack(output, link)
    }

    /// What local differential privacy lets go of an honest client's output: losses stay with the client.
    pub(super) fn protect(&self, mut output: Output, link: &Link) -> Output {
        if let (Some(local), Output::Trained(both)) = (self.local_privacy, &mut output) {
            let reply = &mut both.0;
            let client = u64::from(link.client.0);
            let mut stream = self.seeds.stream(Purpose::Privacy, client, link.draw);
            reply.params = perturb(&link.received, &reply.params, local, &mut stream);
            (reply.loss, reply.loss_squared) = (0.0, 0.0);
        }
        output
    }

    /// The job as the client reads it, and what its answer is written with.
    pub(super) fn unpack(&self, mut job: TrainJob) -> Result<(TrainJob, Link), String> {
        let (client, draw) = (job.client, job.draw);
        let sent = job.shared.clone();
        let with = Draw { seeds: &self.seeds, client, draw };
        job.shared = self.coded.received(&sent, with).map_err(|error| error.to_string())?;
        let left = std::mem::take(&mut job.private.left);
        let honest = self.adversaries.band(client, job.base).is_none();
        let link = Link { client, honest, draw, sent, received: job.shared.clone(), left };
        Ok((job, link))
    }

    /// The output as the server reads it.
    pub(super) fn pack(&self, output: Output, mut link: Link) -> Result<Output, String> {
        let Output::Trained(mut both) = output else { return Ok(output) };
        let draw = Draw { seeds: &self.seeds, client: link.client, draw: link.draw };
        let (reply, private) = &mut *both;
        let vectors = [&link.sent, &link.received, &reply.params];
        let answered = self.coded.answered(vectors, link.honest, &mut link.left, draw);
        let (params, payload) = answered.map_err(|error: LearnError| error.to_string())?;
        (reply.params, reply.payload) = (params, Some(payload));
        private.left = link.left;
        Ok(Output::Trained(both))
    }

    pub(super) fn train(&self, job: TrainJob) -> Result<Output, String> {
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
        let (request, begun) = self.begin(job, shard, counter)?;
        let trained = self.trainer_of(begun.job.client).train(request);
        self.conclude(begun, trained.map_err(|error| error.to_string())?)
    }

    /// What the trainer is asked for, and what is needed to make a reply of its answer.
    pub(super) fn begin(
        &self,
        job: TrainJob,
        shard: Arc<Shard>,
        counter: u64,
    ) -> Result<(TrainRequest, Begun), String> {
        // A head that the server keeps comes with the invitation; any other stays with the client.
        let start = match job.extras.get(EMBEDDINGS) {
            Some(head) => job.shared.concat(head),
            None => self.assemble(&job.shared, job.client, &job.private),
        };
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
            foreign: self.foreign(&job)?,
            stream: self.seeds.stream(Purpose::Training, u64::from(job.client.0), counter),
        };
        let rate = request.plan.sgd.rate;
        Ok((request, Begun { job, start, shard, control, rate }))
    }

    /// The reply to the server and what the client keeps.
    pub(super) fn conclude(&self, begun: Begun, trained: Trained) -> Result<Output, String> {
        let Begun { job, start, shard, control, rate } = begun;
        let received = job.shared.len();
        let mut extras = BTreeMap::new();
        let mut private = Private::default();
        if let Some((server, own)) = control {
            let renewed =
                renew_control(&server, &own, &start, &trained.params, trained.steps, rate);
            extras.insert(CONTROL.to_string(), renewed.minus(&own).slice(0..received));
            private.control = Some(renewed);
        }
        if let Some(head) = job.extras.get(EMBEDDINGS) {
            let end = trained.params.slice(received..trained.params.len());
            extras.insert(EMBEDDINGS.to_string(), end.minus(head));
        } else if received < trained.params.len() {
            private.kept = Some(trained.params.slice(received..trained.params.len()));
        }
        let trainer = self.trainer_of(job.client);
        put(&mut extras, CLUSTERS, self.release(&job, &**trainer, &trained.params));
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
