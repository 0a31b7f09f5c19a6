//! The seam behind which local training happens.
//!
//! Trainers are interchangeable: one lets Burn's autodiff find the gradients on any device, one has
//! its backward pass written by hand for the CPU, one lets LibTorch find them. They are tested against
//! each other.

mod augment;
pub(crate) mod autodiff;
mod balanced;
mod check;
mod direct;
mod gather;
#[cfg(feature = "tch")]
mod libtorch;
mod order;
mod rates;
mod sums;
#[cfg(test)]
mod tests;

pub use autodiff::AutodiffTrainer;
pub use direct::DirectTrainer;
#[cfg(feature = "tch")]
pub use libtorch::LibtorchTrainer;
pub use order::Order;

use crate::caps::Caps;
use crate::data::Shard;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::Network;
use crate::plan::LocalPlan;
use burn::tensor::Device;
use offbeat_kernel::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One local training, as plain data.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// All parameters to start from (shared part and head), in the network's layout.
    pub start: Flat,
    /// Length of the prefix of `start` that came from the server; the proximal term covers it.
    pub received: usize,
    /// The client's data.
    pub shard: Arc<Shard>,
    /// How to train.
    pub plan: Arc<LocalPlan>,
    /// Stop after this many steps although the plan goes on: partial work.
    pub step_limit: Option<usize>,
    /// A vector that is added to every gradient (control variates), in the network's layout.
    pub correction: Option<Flat>,
    /// What the features shall be, row-major `[samples of the shard, feature width]`, by position in the
    /// shard. Needed by [`crate::objective::Loss::FeatureMse`] alone.
    pub targets: Option<Arc<Vec<f32>>>,
    /// Clusters of other clients, extra negatives of a margin loss on features; as wide as these.
    pub foreign: Option<Arc<Caps>>,
    /// Where the order of samples and all other draws come from.
    pub stream: Stream,
}

/// What a local training gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// All parameters after the training, in the network's layout.
    pub params: Flat,
    /// Optimizer steps done.
    pub steps: usize,
    /// Samples that passed through the network.
    pub samples_seen: usize,
    /// Mean loss over these samples, each before the step that used it.
    pub loss: f64,
    /// Mean of the squared per-sample losses, as Oort's utility needs it.
    pub loss_squared: f64,
}

/// Trains and evaluates one network on one kind of device.
pub trait Trainer: Send + Sync {
    /// The network that is trained.
    fn network(&self) -> &Arc<Network>;

    /// Trains. A pure function of the request: the same on every thread, bit for bit on a CPU.
    ///
    /// # Errors
    /// [`LearnError::NotFinite`] when the loss is no longer a number; [`LearnError::Invalid`] when
    /// request and network do not fit.
    fn train(&self, request: TrainRequest) -> Result<Trained, LearnError>;

    /// Trains several requests, as one batched program where the trainer has one. Each result is a function of
    /// its own request alone, whatever it is trained together with: the same bits on the CPU. Against
    /// [`Trainer::train`] it may differ in rounding. By default one after another.
    ///
    /// # Errors
    /// Each result has its own, as [`Trainer::train`].
    fn train_together(&self, requests: Vec<TrainRequest>) -> Vec<Result<Trained, LearnError>> {
        requests.into_iter().map(|request| self.train(request)).collect()
    }

    /// How many trainings are worth computing together: a function of the network alone, so that results do
    /// not depend on how fast anything is. 1 where nothing is gained.
    fn cohort(&self) -> usize {
        1
    }

    /// Where it computes.
    fn device(&self) -> Device {
        Device::flex()
    }

    /// The network's outputs for the rows `rows` of the shard, row-major `[rows, outputs]`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when parameters, data and network do not fit.
    fn logits(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: std::ops::Range<usize>,
    ) -> Result<Vec<f32>, LearnError>;

    /// The features of the rows `rows` of the shard, row-major `[rows, width]`: what goes into the head,
    /// in evaluation mode. `mirrored` exchanges left and right of the images first. `params` may be the
    /// body alone, and labels need not fit the network.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when parameters, data and network do not fit, or vectors are to be mirrored.
    fn features(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: std::ops::Range<usize>,
        mirrored: bool,
    ) -> Result<Vec<f32>, LearnError>;

    /// A trainer of the same kind for the same network with another number of classes
    /// ([`Network::with_classes`]): clients with identities of their own have heads of their own size.
    ///
    /// # Errors
    /// As [`Network::new`].
    fn with_classes(&self, classes: usize) -> Result<Arc<dyn Trainer>, LearnError>;
}

/// Which trainer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrainerKind {
    /// What a processor does fastest: on `flex` forward and backward passes written by hand for one core, on
    /// `tch` LibTorch's own gradients.
    #[default]
    Direct,
    /// Burn's autodiff on any device.
    Autodiff,
}

/// A trainer for `network`. [`TrainerKind::Direct`] computes on a processor: on LibTorch's if that is `device`,
/// else on that of pure Rust.
pub fn trainer(kind: TrainerKind, network: Arc<Network>, device: &Device) -> Arc<dyn Trainer> {
    match kind {
        #[cfg(feature = "tch")]
        TrainerKind::Direct if crate::device::is_libtorch(device) => {
            Arc::new(LibtorchTrainer::new(network, device))
        }
        TrainerKind::Direct => Arc::new(DirectTrainer::new(network)),
        TrainerKind::Autodiff => Arc::new(AutodiffTrainer::new(network, device)),
    }
}
