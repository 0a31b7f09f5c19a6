//! What travels beside the model, as clients handle it: heads that the server keeps, clusters of class centres.

use crate::message::Invite;
use crate::work::{CONTROL, TrainJob, Workbench};
use offbeat_kernel::Purpose;
use offbeat_learning::caps::Caps;
use offbeat_learning::layout::Part;
use offbeat_learning::{Flat, Trainer};
use offbeat_strategies::companion::{CLUSTERS, EMBEDDINGS, Mechanism, RELEASE};
use offbeat_strategies::fediod::{Duties, INPUTS, SLOPES};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Id of the public stream of pivots: no client's.
const PUBLIC: u64 = u64::MAX;

/// Counters of the streams of secret noise lie above those of tasks.
const RELEASES: u64 = 1 << 62;

/// Names and lengths of the vectors that a client returns beside the parameters: the change of its control variate, that
/// of the class embeddings that it was sent, and the `clusters` numbers of a release that it was asked for.
pub(crate) fn returned(controls: bool, clusters: usize, invite: &Invite) -> Vec<(String, usize)> {
    let control = controls.then(|| (CONTROL, invite.model.len()));
    let embeddings = invite.extras.get(EMBEDDINGS).map(|head| (EMBEDDINGS, head.len()));
    let release = invite.extras.contains_key(RELEASE).then_some((CLUSTERS, clusters));
    let all = control.into_iter().chain(embeddings).chain(release);
    all.map(|(name, len)| (name.to_string(), len)).collect()
}

/// Name and length of the vector that answers a question.
pub(crate) fn told(duties: Option<&Duties>, invite: &Invite) -> Option<(String, usize)> {
    let len = |name: &str| invite.extras.get(name).map_or(0, Flat::len);
    let found = duties?.returned(invite.assignment.duty(), len(INPUTS), len(SLOPES));
    found.map(|(name, len)| (name.to_string(), len))
}

impl Workbench {
    /// The clusters of others that a client was sent, as its loss takes them.
    pub(crate) fn foreign(&self, job: &TrainJob) -> Result<Option<Arc<Caps>>, String> {
        let Some(rows) = job.extras.get(CLUSTERS) else { return Ok(None) };
        let width = self.trainer.network().feature_width();
        Caps::from_rows(rows, width).map(|caps| Some(Arc::new(caps))).map_err(|e| e.to_string())
    }

    /// The clusters of a client's class centres after training, when it was asked for them.
    pub(crate) fn release(
        &self,
        job: &TrainJob,
        trainer: &dyn Trainer,
        params: &Flat,
    ) -> Option<Flat> {
        let number = job.extras.get(RELEASE)?.host().first().copied()? as u64;
        let mechanism: Mechanism = self.reid.clustering?;
        let network = trainer.network();
        let width = network.feature_width();
        let head = params.slice(network.layout().range(Part::Head));
        // Behind the weights a linear head has biases, which are no centres.
        let centres = head.slice(0..network.classes() * width);
        let pivots = mechanism.pivots(width, &mut self.seeds.stream(Purpose::Privacy, PUBLIC, 0));
        let id = u64::from(job.client.0);
        let mut secret = self.seeds.stream(Purpose::Privacy, id, RELEASES + number);
        Some(Flat::new(mechanism.release(&centres.host(), width, &pivots, &mut secret)))
    }
}

/// Puts what a training returns beside the parameters into `extras`.
pub(crate) fn put(extras: &mut BTreeMap<String, Flat>, name: &str, vector: Option<Flat>) {
    if let Some(vector) = vector {
        extras.insert(name.to_string(), vector);
    }
}
