//! Differential privacy: what a model, or an update, tells of one client.

mod accountant;
mod rdp;
mod special;

pub use accountant::{Accountant, orders};
pub use rdp::sampled_gaussian;
