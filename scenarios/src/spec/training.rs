//! `[training]`: how a client trains.

use offbeat_learning::objective::Loss;
use offbeat_learning::train::TrainerKind;
use offbeat_learning::{Augment, LastBatch, LocalPlan, Objective, Sgd, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a client trains when it is invited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSection {
    /// Passes over the client's data (1 when neither `epochs` nor `steps` is given).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: Option<u32>,
    /// Optimizer steps, instead of `epochs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub steps: Option<u32>,
    /// Samples in a batch.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub batch: usize,
    /// What happens to the samples that do not fill the last batch of an epoch.
    pub last_batch: LastBatch,
    /// The optimizer.
    pub sgd: SgdSection,
    /// What is minimised.
    pub objective: ObjectiveSection,
    /// Random changes of the images; none when left out.
    #[serde(skip_serializing_if = "Augment::is_off")]
    pub augment: Augment,
    /// Samples of each identity in a batch (K of P x K); 0 for plain shuffled batches.
    #[serde(skip_serializing_if = "is_zero")]
    pub instances: usize,
    /// How gradients are found: `direct` (passes written by hand, for the processor) or `autodiff`
    /// (Burn's, for any device). Left out, `direct` on `--device flex` and `autodiff` elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trainer: Option<TrainerKind>,
    /// Most trainings that are computed together as one batched program, 1 for one by one. Left out, a number
    /// that follows from trainer and network: 1 for `direct`, up to 32 for `autodiff` with small networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub cohort: Option<usize>,
}

/// Stochastic gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SgdSection {
    /// Learning rate.
    pub rate: f32,
    /// Momentum, from 0 up to but not including 1.
    pub momentum: f32,
    /// Nesterov's form of momentum.
    pub nesterov: bool,
    /// Weight decay, added to the gradient.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub weight_decay: f32,
    /// Factors on the rate for tensors by the beginning of their name; the longest one wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RateGroup>,
}

/// A factor on the learning rate of some tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateGroup {
    /// How the tensors' names begin, such as `c1.`.
    pub prefix: String,
    /// Factor on the rate; 0 freezes them.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub factor: f32,
}

/// What a client minimises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveSection {
    /// The loss on the data.
    pub loss: Loss,
    /// Weight mu of FedProx's proximal term; 0 for none.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub proximal_mu: f32,
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl Default for TrainingSection {
    fn default() -> Self {
        Self {
            epochs: None,
            steps: None,
            batch: 32,
            last_batch: LastBatch::Keep,
            sgd: SgdSection::default(),
            objective: ObjectiveSection::default(),
            augment: Augment::default(),
            instances: 0,
            trainer: None,
            cohort: None,
        }
    }
}

impl Default for SgdSection {
    fn default() -> Self {
        Self { rate: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0, groups: Vec::new() }
    }
}

impl Default for ObjectiveSection {
    fn default() -> Self {
        Self { loss: Loss::CrossEntropy, proximal_mu: 0.0 }
    }
}

impl TrainingSection {
    /// How long a client trains.
    pub fn work(&self) -> Work {
        match self.steps {
            Some(steps) => Work::Steps(steps),
            None => Work::Epochs(self.epochs.unwrap_or(1)),
        }
    }

    /// The plan that trainers follow.
    pub fn plan(&self) -> LocalPlan {
        LocalPlan {
            work: self.work(),
            batch: self.batch,
            last_batch: self.last_batch,
            sgd: Sgd {
                rate: self.sgd.rate,
                momentum: self.sgd.momentum,
                nesterov: self.sgd.nesterov,
                weight_decay: self.sgd.weight_decay,
                groups: self.sgd.groups.iter().map(|g| (g.prefix.clone(), g.factor)).collect(),
            },
            objective: Objective {
                loss: self.objective.loss,
                proximal: self.objective.proximal_mu,
            },
            augment: self.augment,
            instances: self.instances,
        }
    }
}
