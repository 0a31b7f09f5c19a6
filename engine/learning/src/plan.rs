//! How one client trains: how long, in which batches, with which optimizer.

use crate::objective::Objective;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The plan of one local training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalPlan {
    /// How long.
    pub work: Work,
    /// Samples in a batch, at least 1.
    pub batch: usize,
    /// What happens to the samples that do not fill the last batch of an epoch.
    pub last_batch: LastBatch,
    /// The optimizer.
    pub sgd: Sgd,
    /// What is minimised.
    pub objective: Objective,
    /// Random changes of the images.
    #[serde(default)]
    pub augment: Augment,
    /// Samples of each identity in a batch (K of P x K): batches are then `batch / instances` random
    /// labels with so many random samples of each, and a label with too few repeats its samples. 0: plain
    /// shuffled batches.
    #[serde(default)]
    pub instances: usize,
}

/// Random changes of each image each time it is used, in this order. All zero: none. Only for data with
/// the shape `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Probability of exchanging left and right.
    pub mirror: f32,
    /// Pixels of zeros that are added on each side before a window of the image's size is cut out at
    /// a random place.
    pub pad_crop: usize,
    /// Probability of filling a random rectangle with random values (random erasing; Zhong et al. 2020):
    /// 2 to 40 % of the area, aspect 0.3 to 1/0.3, values from the range of the image's channel.
    pub erase: f32,
}

impl Augment {
    /// Whether nothing is changed.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for LocalPlan {
    /// One epoch of plain SGD in batches of 32.
    fn default() -> Self {
        Self {
            work: Work::Epochs(1),
            batch: 32,
            last_batch: LastBatch::Keep,
            sgd: Sgd::default(),
            objective: Objective::default(),
            augment: Augment::default(),
            instances: 0,
        }
    }
}

/// How long a client trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Passes over the client's data, each in a new order.
    Epochs(u32),
    /// Steps of one batch each; a new pass starts when the data run out.
    Steps(u32),
}

/// The rule for the last, incomplete batch of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LastBatch {
    /// Train on the smaller batch.
    #[default]
    Keep,
    /// Skip it, except when it would be the only batch of the epoch.
    Drop,
}

/// Stochastic gradient descent in PyTorch's convention: `g += weight_decay * w`,
/// `v = momentum * v + g`, `w -= rate * (nesterov ? g + momentum * v : v)`; the first step starts with
/// `v = g`. The velocity starts anew with every local training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// Learning rate.
    pub rate: f32,
    /// Momentum, 0 for none.
    pub momentum: f32,
    /// Nesterov's form of momentum.
    pub nesterov: bool,
    /// Weight decay, added to the gradient.
    pub weight_decay: f32,
    /// Factors on the rate by name prefix, such as `("c1.", 0.1)`; the longest matching prefix wins.
    pub groups: Vec<(String, f32)>,
}

impl LocalPlan {
    /// Batches in one epoch over `samples` samples.
    pub fn batches(&self, samples: usize) -> usize {
        match self.last_batch {
            LastBatch::Keep => samples.div_ceil(self.batch),
            LastBatch::Drop => (samples / self.batch).max(usize::from(samples > 0)),
        }
    }

    /// Optimizer steps for a client that holds `samples` samples.
    pub fn steps(&self, samples: usize) -> usize {
        match self.work {
            Work::Epochs(epochs) => epochs as usize * self.batches(samples),
            Work::Steps(steps) if samples > 0 => steps as usize,
            Work::Steps(_) => 0,
        }
    }

    /// Samples in the largest batch of a client that holds `samples` samples.
    pub fn largest_batch(&self, samples: usize) -> usize {
        match self.instances {
            0 => self.batch.min(samples),
            instances => self.batch / instances * instances,
        }
    }

    /// Samples that pass through the network in the first `steps` steps: what the work costs.
    pub fn samples_seen(&self, samples: usize, steps: usize) -> usize {
        let batches = self.batches(samples);
        if batches == 0 {
            return 0;
        }
        if self.instances > 0 {
            return steps * self.largest_batch(samples);
        }
        let per_epoch = match self.last_batch {
            LastBatch::Keep => samples,
            LastBatch::Drop => (batches * self.batch).min(samples),
        };
        let (epochs, rest) = (steps / batches, steps % batches);
        epochs * per_epoch + (rest * self.batch).min(per_epoch)
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self { rate: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0, groups: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(work: Work, batch: usize, last_batch: LastBatch) -> LocalPlan {
        LocalPlan { work, batch, last_batch, ..LocalPlan::default() }
    }

    #[test]
    fn steps_and_samples_by_hand() {
        let keep = plan(Work::Epochs(2), 32, LastBatch::Keep);
        assert_eq!((keep.batches(100), keep.steps(100)), (4, 8));
        assert_eq!((keep.samples_seen(100, 8), keep.samples_seen(100, 5)), (200, 132));
        let drop = plan(Work::Epochs(2), 32, LastBatch::Drop);
        assert_eq!((drop.batches(100), drop.steps(100), drop.samples_seen(100, 6)), (3, 6, 192));
        assert_eq!((drop.batches(5), drop.steps(5), drop.samples_seen(5, 2)), (1, 2, 10));
        let steps = plan(Work::Steps(7), 10, LastBatch::Keep);
        assert_eq!((steps.steps(25), steps.samples_seen(25, 7), steps.steps(0)), (7, 60, 0));
        let balanced = LocalPlan { instances: 4, ..keep };
        assert_eq!((balanced.steps(100), balanced.samples_seen(100, 5)), (8, 160));
        let odd = LocalPlan { batch: 10, instances: 4, ..drop };
        assert_eq!((odd.largest_batch(3), odd.samples_seen(3, 2)), (8, 16));
    }
}
