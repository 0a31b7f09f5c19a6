//! Data-free collaborative distillation (FedIOD): what a server and its clients compute when a student learns from
//! frozen private teachers on pictures that a generator makes.
//!
//! Source: Gong et al., "Federated Learning via Input-Output Collaborative Distillation", AAAI 2024 (arXiv 2312.14478),
//! in the form of the authors' code. Nothing here knows who sends what to whom: losses on logits come with their
//! gradients ([`terms`]), so that the chain rule can be cut where a private model begins. A teacher's owner continues
//! it with [`probe`], a discriminator's with [`critic`], the server ends it with [`generator`].

pub mod adam;
pub mod critic;
pub mod ensemble;
pub mod generator;
mod layers;
pub mod probe;
pub mod terms;
#[cfg(test)]
mod tests;

pub use adam::Adam;
pub use critic::{Critic, CriticSize};
pub use ensemble::{ClassWeights, shares};
pub use generator::Generator;
pub use probe::{Probe, Pulled};
pub use terms::{Aim, Graded};
