//! How updates are merged: one file per rule.
//!
//! All rules work on changes: an update counts by what it changed against the model it started from, so
//! that stale updates do not pull the model back. State is kept for every group.

pub mod buffers;
pub mod bulyan;
pub mod ca2fl;
pub mod fadas;
pub mod fedadagrad;
pub mod fedadam;
pub mod fedat;
pub mod fedavgm;
pub mod fednova;
pub mod fedyogi;
pub mod fltrust;
pub mod krum;
pub mod mean;
pub mod median;
pub mod mifa;
pub mod mix;
pub mod moments;
pub mod safa;
pub mod sums;
#[cfg(test)]
pub(crate) mod testing;
pub mod trimmed;

pub use buffers::{BuffersApart, MergeBuffers};
pub use bulyan::Bulyan;
pub use ca2fl::Ca2fl;
pub use fadas::{Fadas, FadasSettings};
pub use fedadagrad::{FedAdagrad, FedAdagradSettings};
pub use fedadam::{FedAdam, FedAdamSettings};
pub use fedat::FedAt;
pub use fedavgm::{FedAvgM, FedAvgMSettings};
pub use fednova::FedNova;
pub use fedyogi::{FedYogi, FedYogiSettings};
pub use fltrust::{FlTrust, FlTrustSettings};
pub use krum::Krum;
pub use mean::{By, Mean, Of};
pub use median::Median;
pub use mifa::{Mifa, MifaSettings};
pub use mix::Mix;
pub use safa::Safa;
pub use trimmed::TrimmedMean;
