//! What a scenario may write under `[strategy.privacy]`.

use crate::paillier::{Paillier, Sealing};
use crate::secure::Secure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What protects the clients' data; nothing by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Noise that the server adds to the sum of clipped updates.
    pub central: Option<Central>,
    /// Noise that every client adds to its clipped update before it leaves.
    pub local: Option<Local>,
    /// The server learns the sum of the updates alone.
    pub secure: Option<Secure>,
    /// Models and updates travel encrypted, and the server adds up what it cannot read.
    pub paillier: Option<Paillier>,
    /// The delta at which epsilon is reported, above 0 and below 1; usually below one over the number of
    /// clients.
    pub delta: f64,
    /// The run ends before epsilon exceeds this.
    pub epsilon_budget: Option<f64>,
}

impl Default for Privacy {
    fn default() -> Self {
        let (central, local, secure, paillier) = (None, None, None, None);
        Self { central, local, secure, paillier, delta: 1e-5, epsilon_budget: None }
    }
}

impl Privacy {
    /// Whether nothing is protected.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether models and updates are encrypted, and nothing else protects them.
    pub fn is_encryption_alone(&self) -> bool {
        let others = self.central.is_some() || self.local.is_some() || self.secure.is_some();
        self.paillier.is_some() && !others
    }

    /// What encrypting vectors of `len` numbers costs, where they are; with settings that were checked.
    pub fn sealing(&self, len: usize) -> Option<Sealing> {
        self.paillier?.sealing(len).ok()
    }
}

/// DP-FedAvg (McMahan et al. 2018, algorithm 1, with the fixed denominator): the server clips every change
/// to a norm, adds Gaussian noise to their sum and divides by the number of updates that it expects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Central {
    /// The largest norm of a change, above 0; where it starts when it adapts.
    pub clip_norm: f64,
    /// Standard deviation of the noise on each parameter of the sum, in clip norms; at least 0.
    pub noise_multiplier: f64,
    /// Lets the clip norm follow the norms of the changes.
    #[serde(default)]
    pub adaptive: Option<Adaptive>,
}

/// Adaptive clipping (Andrew et al. 2021, algorithm 1): the clip norm moves towards a quantile of the norms,
/// by a count that is noisy too and costs a part of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adaptive {
    /// The share of changes that is not to be clipped, between 0 and 1.
    pub quantile: f64,
    /// How fast the norm moves: the learning rate on its logarithm, above 0.
    pub rate: f64,
    /// Standard deviation of the noise on the count of changes that were not clipped, above half of the
    /// noise multiplier; a twentieth of the expected updates when left out, or the noise multiplier if that is
    /// more.
    pub count_noise: Option<f64>,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { quantile: 0.5, rate: 0.2, count_noise: None }
    }
}

/// Local differential privacy: every client clips its change and adds Gaussian noise before it sends it. Its
/// losses are not sent. Neighbours differ in all that one client holds, so that two clipped changes lie up to
/// two clip norms apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// The largest norm of a change, above 0.
    pub clip_norm: f64,
    /// Standard deviation of the noise on each parameter, in clip norms; at least 0.
    pub noise_multiplier: f64,
}
