//! Differential privacy: what a model, or an update, tells of one client.
//!
//! The unit is the client with all its samples, and two federations are neighbours when they differ in one
//! client. [`Central`] noise is added by a trusted server to the sum of clipped updates (DP-FedAvg, McMahan
//! et al. 2018); [`Local`] noise by each client before its update leaves it. [`Meter`] counts what was
//! released and says it as (epsilon, delta).
//!
//! How a release counts depends on who is in it:
//! - clients drawn by `select = "poisson"` in synchronous rounds: the sampled Gaussian mechanism, whose
//!   sampling makes each release say less. A draw of nobody is released as well, as noise alone;
//! - anything else, asynchronous paces among it: nothing is gained by sampling. A client that is in a
//!   release with `c` updates counts as `c^2` Gaussian mechanisms, and the client with the highest count
//!   decides. Who takes part when must not depend on what clients learnt, so selectors that look at losses
//!   are refused.
//!
//! What is simulated is the mechanism, not its defence against attacks on floating-point noise (Mironov
//! 2012): noise is a normal value in `f32`, from the run's seed.

mod accountant;
mod adaptive;
mod meter;
mod noise;
mod protect;
mod rdp;
mod settings;
mod special;
#[cfg(test)]
mod tests;

pub use accountant::{Accountant, orders};
pub use meter::{Meter, Spent};
pub use noise::perturb;
pub use protect::{Plan, Protection};
pub use rdp::sampled_gaussian;
pub use settings::{Adaptive, Central, Local, Privacy};
