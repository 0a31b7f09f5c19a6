//! What a scenario will do, before it does it.
//!
//! Times and bytes are not estimated by formula: the scenario's own world is played through without
//! training (the same events, times and bytes as the real run), up to a number of updates. Only the
//! real time is an estimate: the real trainer trains one client for a moment.

mod forecast;
mod sentences;

pub use forecast::{Forecast, Machine, forecast};
pub use sentences::sentences;
