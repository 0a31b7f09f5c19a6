//! Hostile clients: who they are, what they do, and how their success is measured.
//!
//! A behaviour changes what a client trains on, what it returns, or what it says. All of it is a
//! function of the client's job and of streams of the seed tree, so that a run with hostile clients
//! gives the same bits again like any other.

mod act;
mod colluders;
mod data;
#[cfg(test)]
mod tests;

pub use data::{Trigger, flip_labels};

use offbeat_kernel::{ClientId, TaskId, Version};
use offbeat_learning::data::Shard;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a hostile client does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Behaviour {
    /// Trains on wrong labels (Tolpegin et al. 2020): class `source` is called `target`; without
    /// both, class `c` of `n` is called `n - 1 - c`.
    LabelFlip {
        /// The class that is renamed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<u32>,
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<u32>,
    },
    /// Trains honestly and returns the opposite of the change, `scale` times as large.
    SignFlip {
        /// Factor, above 0.
        #[serde(default = "one")]
        scale: f64,
    },
    /// Returns the received parameters with Gaussian noise on each (Blanchard et al. 2017, section 5).
    Noise {
        /// Standard deviation, above 0.
        #[serde(default = "one")]
        sigma: f64,
    },
    /// A backdoor by model replacement (Bagdasaryan et al. 2020, equation 3): trains on data of which a
    /// share carries a trigger and the target's label, and returns the change `boost` times as large.
    ModelReplacement {
        /// What the triggered samples are to be taken for.
        #[serde(default)]
        target: u32,
        /// The pattern.
        #[serde(default)]
        trigger: Trigger,
        /// Share of the client's samples that carry it, above 0 and at most 1.
        #[serde(default = "half")]
        poisoned: f64,
        /// Factor on the change, above 0. Clients per hostile client when left out: then the mean over
        /// all clients moves to the hostile model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boost: Option<f64>,
    },
    /// A little is enough (Baruch et al. 2019, algorithm 3): the colluders compute mean and standard
    /// deviation of their honest changes and return the mean less `z` deviations, all the same.
    LittleIsEnough {
        /// Deviations. By the paper's formula for all clients when left out: the most that a majority rule
        /// cannot tell from honest changes, which with a fifth of hostile clients is little (0.16 for 4 of
        /// 20, 0.29 for 20 of 100) and hardly moves a model; with almost half of them it is 1.4.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        z: Option<f64>,
        /// Of how many colluders' honest changes the statistics are, at least 2. Each costs a training.
        #[serde(default = "eight")]
        witnesses: u32,
    },
    /// Returns what it received without training (Lin et al. 2019), with noise in disguise if asked.
    FreeRider {
        /// Standard deviation of the noise on each parameter, at least 0.
        #[serde(default)]
        disguise: f64,
    },
    /// Trains honestly and claims that its answers moved by this cosine distance.
    InflateCosineDistance {
        /// What it claims; honest ones lie between 0 and 2.
        #[serde(default = "two")]
        claim: f64,
    },
    /// Trains honestly and claims more samples than it registered.
    FalseSamples {
        /// Factor on the number of samples, above 0.
        #[serde(default = "hundred")]
        factor: f64,
    },
    /// Returns what is no update.
    Malformed(Malformation),
    /// Answers every task twice.
    Repeat,
    /// Beside its own tasks, answers one that it was never given.
    Unasked,
}

/// How an answer is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Malformation {
    /// Every parameter is no number.
    Nan,
    /// Every parameter is infinite.
    Infinite,
    /// There is one parameter too few.
    Shape,
    /// Every parameter is 1e20.
    Enormous,
    /// The loss is no number.
    Loss,
}

fn one() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

fn two() -> f64 {
    2.0
}

fn hundred() -> f64 {
    100.0
}

fn eight() -> u32 {
    8
}

/// Some hostile clients that do the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// What they do; factors that depend on the number of clients are filled in.
    pub behaviour: Behaviour,
    /// Who they are, in rising order; not empty.
    pub members: Vec<ClientId>,
    /// They are one attacker under many names: all train as the first of them does, and return the same.
    pub sybil: bool,
    /// They are honest before this version.
    pub from_version: Version,
}

/// The hostile clients of a run; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Adversaries {
    bands: Vec<Band>,
    band_of: BTreeMap<ClientId, usize>,
}

impl Adversaries {
    /// The clients of `bands`; a client in several belongs to the first. `clients` is how many there are
    /// in all.
    pub fn new(mut bands: Vec<Band>, clients: usize) -> Self {
        bands.iter_mut().for_each(|band| band.fill_in(clients));
        let mut band_of = BTreeMap::new();
        for (index, band) in bands.iter().enumerate() {
            for member in &band.members {
                band_of.entry(*member).or_insert(index);
            }
        }
        Self { bands, band_of }
    }

    /// The band of `client` when it is hostile to a model of version `base`.
    pub fn band(&self, client: ClientId, base: Version) -> Option<&Band> {
        let band = &self.bands[*self.band_of.get(&client)?];
        (base >= band.from_version).then_some(band)
    }

    /// How many hostile clients there are.
    pub fn len(&self) -> usize {
        self.band_of.len()
    }

    /// Whether all clients are honest.
    pub fn is_empty(&self) -> bool {
        self.band_of.is_empty()
    }

    /// What the first attack with a target aims at: samples of `test` that it wants misread, with their
    /// trigger if there is one, labelled as it wants them read. Accuracy on them is the attack's success
    /// rate. `None` when no attack has a target, or no sample is to be misread.
    pub fn aim(&self, test: &Shard) -> Option<Arc<Shard>> {
        let aim =
            self.bands.iter().filter(|band| !band.members.is_empty()).find_map(
                |band| match band.behaviour {
                    Behaviour::LabelFlip { source: Some(source), target: Some(target) } => {
                        Some(data::aimed(test, target, |label| label == source, None))
                    }
                    Behaviour::ModelReplacement { target, trigger, .. } => {
                        Some(data::aimed(test, target, |label| label != target, Some(trigger)))
                    }
                    _ => None,
                },
            )?;
        (!aim.is_empty()).then(|| Arc::new(aim))
    }
}

impl Band {
    fn fill_in(&mut self, clients: usize) {
        let members = self.members.len();
        match &mut self.behaviour {
            Behaviour::ModelReplacement { boost: boost @ None, .. } => {
                *boost = Some(clients as f64 / members.max(1) as f64);
            }
            Behaviour::LittleIsEnough { z: z @ None, .. } => {
                *z = Some(colluders::most_deviations(clients, members));
            }
            _ => {}
        }
    }

    /// Who does the work of `client`, and the counter of its random stream: of Sybils always the first,
    /// once for each version.
    fn worker(&self, client: ClientId, task: TaskId, base: Version) -> (ClientId, u64) {
        match self.sybil {
            true => (self.members[0], base.0),
            false => (client, task.0),
        }
    }

    /// Samples that a member claims to hold when it holds `held`.
    pub fn claimed_samples(&self, held: u64) -> u64 {
        match self.behaviour {
            Behaviour::FalseSamples { factor } => (held as f64 * factor).round().max(1.0) as u64,
            _ => held,
        }
    }
}
