//! Whom to invite: one file per rule.

pub mod all;
pub mod draw;
pub mod latency;
pub mod oort;
pub mod outlier;
pub mod pisces;
pub mod poisson;
pub mod power_of_choice;
pub mod refl;
pub mod samples;
pub mod schedule;
#[cfg(test)]
pub(crate) mod testing;
pub mod tiers;
pub mod tifl;
pub mod uniform;

pub use all::All;
pub use oort::{Oort, OortSettings};
pub use pisces::{Pisces, PiscesSettings};
pub use poisson::Poisson;
pub use power_of_choice::PowerOfChoice;
pub use refl::{Refl, ReflSettings};
pub use samples::BySamples;
pub use schedule::Schedule;
pub use tiers::{Tiers, TiersSettings};
pub use tifl::{Tifl, TiflSettings};
pub use uniform::Uniform;
