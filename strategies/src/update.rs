//! What a client returns.

use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of an update when its message arrives. The values themselves are a promise: they
/// are taken only when the update is aggregated, so that work nobody uses is never computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The task it answers.
    pub task: TaskId,
    /// Who sent it.
    pub client: ClientId,
    /// Version of the model that the client started from, counted at its download.
    pub base_version: Version,
    /// Number of samples the client says it holds.
    pub samples: u64,
    /// Share of the planned steps that the client did, in (0, 1]; below 1 is partial work.
    pub completeness: f64,
    /// When the client was invited.
    pub invited: Time,
    /// When the update arrived.
    pub arrived: Time,
    /// What [`crate::seams::Pace`] wrote on the invitation (a tier, a group).
    pub tag: u64,
}

/// An update with its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// What was known at arrival.
    pub arrival: Arrival,
    /// The shared parameters that the client started from.
    pub base: Flat,
    /// The shared parameters that it returns; same length as `base`.
    pub params: Flat,
    /// Optimizer steps done.
    pub steps: u64,
    /// Mean training loss.
    pub loss: f64,
    /// Mean of the squared per-sample training losses.
    pub loss_squared: f64,
    /// Further scalars by name, such as a cosine distance.
    pub scalars: BTreeMap<String, f64>,
    /// Further vectors by name, such as the change of a control variate.
    pub extras: BTreeMap<String, Flat>,
}

/// What remains known of an update after it was merged: everything but its vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// What was known at arrival.
    pub arrival: Arrival,
    /// Versions between its base and the model it was merged into.
    pub staleness: u64,
    /// Optimizer steps done.
    pub steps: u64,
    /// Mean training loss.
    pub loss: f64,
    /// Mean of the squared per-sample training losses.
    pub loss_squared: f64,
    /// Further scalars by name.
    pub scalars: BTreeMap<String, f64>,
}

impl Update {
    /// The change of the shared parameters.
    pub fn delta(&self) -> Flat {
        self.params.minus(&self.base)
    }

    /// Multiplies the change by `factor`, in `[0, 1]`.
    pub fn shrink(&mut self, factor: f64) {
        let mut params = self.base.clone();
        params.add_scaled_difference(factor as f32, &self.params, &self.base);
        self.params = params;
    }

    /// What is kept of this update once it was merged into a model at `version`.
    pub fn feedback(&self, version: Version) -> Feedback {
        Feedback {
            arrival: self.arrival.clone(),
            staleness: self.staleness(version),
            steps: self.steps,
            loss: self.loss,
            loss_squared: self.loss_squared,
            scalars: self.scalars.clone(),
        }
    }

    /// How many versions the model at `version` is ahead of the one that this update started from.
    pub fn staleness(&self, version: Version) -> u64 {
        version.since(self.arrival.base_version)
    }
}
