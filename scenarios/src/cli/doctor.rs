//! `offbeat doctor`.

use super::{Failure, print};
use crate::doctor::examine;
use clap::Args;
use std::time::Duration;

/// Arguments of `doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Length of each speed test in seconds
    #[arg(long, value_name = "N", default_value_t = 0.5)]
    pub seconds: f64,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Looks and tells.
pub(super) fn doctor(args: &DoctorArgs) -> Result<(), Failure> {
    let findings = examine(Duration::from_secs_f64(if args.seconds.is_nan() {
        0.0
    } else {
        args.seconds.clamp(0.0, 60.0)
    }));
    match args.json {
        true => print(&(serde_json::to_string(&findings).unwrap_or_default() + "\n")),
        false => print(&findings.text()),
    }
}
