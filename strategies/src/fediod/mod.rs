//! Data-free collaborative distillation (FedIOD).
//!
//! Source: Gong et al., "Federated Learning via Input-Output Collaborative Distillation", AAAI 2024 (arXiv 2312.14478),
//! in the form of the authors' code; the paper's tables could not be read. There one process holds everything. Here it
//! is a protocol: no model ever travels, and what a round sends is
//!
//! 1. down to each client: synthetic inputs, `1 + student_batches` batches; up: its frozen teacher's logits;
//! 2. down: the slope of the generator's loss by the logits of the first batch; up: the gradient by these inputs, pulled
//!    back through teacher and discriminator.
//!
//! Before the first round each client trains its teacher alone and says how many samples of each class it has. Its
//! discriminator takes a step each time it is asked, on the first batch and as many samples of its own.
//! [`part`] is the server's side; the client's is done by whoever runs clients, as [`Duties`] says.

pub mod part;
#[cfg(test)]
mod tests;

pub use part::FedIod;

use crate::signal::Duty;
use offbeat_kernel::Version;
use offbeat_learning::LearnError;
use offbeat_learning::device::Device;
use offbeat_learning::iod::{Aim, CriticSize, Generator, Probe};
use offbeat_learning::network::{Network, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Name of the vector of synthetic inputs, on the way down.
pub const INPUTS: &str = "inputs";
/// Name of the vector of a teacher's logits, on the way up.
pub const LOGITS: &str = "logits";
/// Name of the vector of samples of each class, on the way up.
pub const COUNTS: &str = "class-counts";
/// Name of the vector of slopes by a teacher's logits, on the way down.
pub const SLOPES: &str = "slopes";
/// Name of the number with which a discriminator's gradient is weighted, on the way down.
pub const SHARE: &str = "share";
/// Name of the vector of gradients by the inputs, on the way up.
pub const GRADIENT: &str = "gradient";

/// The settings; the defaults are those of the authors' code for CIFAR-10, with rates that do not fall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedIodSettings {
    /// Clients that take part, at least 1: chosen once, before the first teacher is trained, among those who are there
    /// then. Where fewer are there, these are all that take part, and the run says so.
    pub clients: usize,
    /// Synthetic inputs in a batch, at least 2.
    pub batch: usize,
    /// Batches from which the student learns for each step of the generator, at least 1.
    pub student_batches: usize,
    /// Numbers of noise from which an input is made, at least 1.
    pub noise: usize,
    /// Channels of the generator's last layer but one, at least 1; the first has four times as many.
    pub generator_width: usize,
    /// Channels of a discriminator's first layer, at least 1; the second has twice as many.
    pub critic_width: usize,
    /// Smallest and largest value of a pixel, as the clients' data have it.
    pub pixels: [f64; 2],
    /// Learning rate of the student (SGD with momentum 0.9 and weight decay 3e-5), above 0.
    pub student_rate: f64,
    /// Learning rate of the generator (Adam), above 0.
    pub generator_rate: f64,
    /// Learning rate of the discriminators (Adam), above 0.
    pub critic_rate: f64,
    /// All three rates fall to nothing along half a cosine over so many rounds, at least 1; left out: they stay.
    pub cosine_rounds: Option<u64>,
    /// How the teachers' answers are weighted.
    pub ensemble: Ensemble,
    /// Weights of the generator's terms.
    pub terms: Aim,
}

/// How the teachers' answers are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ensemble {
    /// Every class by its samples at each client; one that nobody has counts at all clients alike.
    #[default]
    ByClass,
    /// All classes by the samples of each client.
    BySamples,
}

impl Default for FedIodSettings {
    fn default() -> Self {
        Self {
            clients: 20,
            batch: 64,
            student_batches: 5,
            noise: 100,
            generator_width: 64,
            critic_width: 128,
            pixels: [0.0, 1.0],
            student_rate: 5e-3,
            generator_rate: 1e-4,
            critic_rate: 1e-4,
            cosine_rounds: None,
            ensemble: Ensemble::default(),
            terms: Aim::default(),
        }
    }
}

impl FedIodSettings {
    /// What part of a rate is left at `version`.
    fn left(&self, version: Version) -> f64 {
        left(self.cosine_rounds, version)
    }

    /// What clients do for networks such as `network`.
    ///
    /// # Errors
    /// When the samples are no pictures that a generator can make, or the network's answers are no functions of each
    /// picture alone.
    pub fn duties(&self, network: &Network) -> Result<Duties, LearnError> {
        let Shape::Image(channels, high, wide) = network.input() else {
            return Err(LearnError::Invalid(
                "distillation without data makes pictures, and these data are vectors; use digits, mnist or \
                 fashion-mnist"
                    .into(),
            ));
        };
        let sizes = (self.noise, self.generator_width);
        Generator::new([channels, high, wide], sizes, [0.0, 1.0], &Device::flex())?;
        Probe::new(Arc::new(network.clone()), &Device::flex())?;
        let critic = CriticSize::new([channels, high, wide], self.critic_width)?;
        Ok(Duties {
            critic,
            batch: self.batch,
            rate: self.critic_rate,
            cosine_rounds: self.cosine_rounds,
            classes: network.classes(),
            pixels: network.input().len(),
            flops: network.forward_flops().max(1),
            params: network.layout().len(),
        })
    }
}

fn left(cosine_rounds: Option<u64>, version: Version) -> f64 {
    cosine_rounds.map_or(1.0, |rounds| {
        let part = (version.0 as f64 / rounds as f64).min(1.0);
        (1.0 + (std::f64::consts::PI * part).cos()) / 2.0
    })
}

/// What a client knows of its part in the dialogue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duties {
    /// What its discriminator is like.
    pub critic: CriticSize,
    /// Inputs of the first batch, on which the discriminator learns.
    pub batch: usize,
    rate: f64,
    cosine_rounds: Option<u64>,
    classes: usize,
    pixels: usize,
    /// Floating-point operations of one sample's way through the network.
    flops: u64,
    /// Parameters of the network.
    params: usize,
}

impl Duties {
    /// Numbers of an input.
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Classes that teachers tell apart.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Numbers that a client holds after a task: its teacher; once it was asked, its discriminator with two more for each
    /// parameter, and the first batch of inputs.
    pub fn held(&self, duty: Duty) -> usize {
        match duty {
            Duty::Teach => self.params,
            Duty::Answer | Duty::PullBack => {
                self.params + 3 * self.critic.params() + self.batch * self.pixels
            }
            Duty::Train | Duty::Judge => 0,
        }
    }

    /// Learning rate of the discriminator at `version`.
    pub fn rate(&self, version: Version) -> f32 {
        (self.rate * left(self.cosine_rounds, version)) as f32
    }

    /// Name and length of the vector that answers a question with vectors of these lengths.
    pub fn returned(
        &self,
        duty: Duty,
        inputs: usize,
        slopes: usize,
    ) -> Option<(&'static str, usize)> {
        match duty {
            Duty::Teach => Some((COUNTS, self.classes)),
            Duty::Answer => Some((LOGITS, inputs / self.pixels * self.classes)),
            Duty::PullBack => Some((GRADIENT, slopes / self.classes * self.pixels)),
            Duty::Train | Duty::Judge => None,
        }
    }

    /// The work of a question with `count` inputs, in samples that pass through the network in training: a third for a
    /// forward pass, two thirds for one and the way back to the inputs, and the discriminator's by its operations.
    pub fn effort(&self, duty: Duty, count: usize) -> usize {
        let critic = self.critic.forward_flops() as f64 / self.flops as f64;
        let first = self.batch.min(count) as f64;
        let samples = match duty {
            // A forward and a backward pass over made and real pictures.
            Duty::Answer => count as f64 / 3.0 + 2.0 * first * critic,
            Duty::PullBack => count as f64 * (2.0 + 2.0 * critic) / 3.0,
            Duty::Teach | Duty::Train | Duty::Judge => 0.0,
        };
        samples.ceil() as usize
    }
}
