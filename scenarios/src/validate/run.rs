//! Checks of `[run]`.

use super::Checks;
use crate::load::Overrides;
use crate::spec::{Metric, RunSection};

/// A run cannot last longer than this, in hours: microseconds must fit 64 bits with room to spare.
const MOST_HOURS: f64 = 1e6;

pub(super) fn check(run: &RunSection, overrides: &Overrides, checks: &mut Checks<'_>) {
    if run.seed.is_none() && overrides.seed.is_none() {
        checks.add(
            "run.seed",
            "no seed: without one a run cannot be repeated",
            "`seed` is missing here",
            "add `seed = 1` to `[run]`, or give `--seed 1`",
        );
    }
    if let Some(seed) = run.seed.or(overrides.seed)
        && i64::try_from(seed).is_err()
    {
        checks.within("run.seed", seed, 0..=i64::MAX as u64);
    }
    if run.rounds.is_some() && run.versions.is_some() {
        checks.conflict(
            "run.rounds",
            "run.versions",
            "`rounds` and `versions` are two names for the same limit",
            "keep one of the two",
        );
    }
    if run.last_version().is_none() && run.updates.is_none() && run.virtual_hours.is_none() {
        checks.add(
            "run",
            "the run has no end",
            "needs one of `rounds`, `versions`, `updates`, `virtual_hours`",
            "add `rounds = 50` to `[run]`; `target` and `patience` alone may never be met",
        );
    }
    let counts =
        [("run.rounds", run.rounds), ("run.versions", run.versions), ("run.updates", run.updates)];
    for (path, count) in counts {
        count.inspect(|count| checks.within(path, *count, 1..=1_000_000_000));
    }
    run.patience.inspect(|patience| checks.within("run.patience", *patience, 1..=1_000_000));
    if let Some(hours) = run.virtual_hours
        && !(hours > 0.0 && hours <= MOST_HOURS)
    {
        checks.add(
            "run.virtual_hours",
            format!("`run.virtual_hours` cannot be {hours}"),
            format!("must be above 0 and at most {MOST_HOURS}"),
            "a day is `virtual_hours = 24`",
        );
    }
    if let Some(target) = run.target {
        match target.metric {
            Metric::Accuracy | Metric::Rank1 | Metric::Map => share(target.value, checks),
            Metric::Loss => checks.within("run.target.value", target.value, 0.0..=1e6),
        }
    }
}

/// A target that is a share.
fn share(value: f64, checks: &mut Checks<'_>) {
    if !(0.0..=1.0).contains(&value) {
        let help = match value {
            percent if percent > 1.0 && percent <= 100.0 => {
                format!("{percent} % is `value = {}`", percent / 100.0)
            }
            _ => "nine of ten right are `value = 0.9`".into(),
        };
        let message = format!("`run.target.value` cannot be {value}");
        checks.add("run.target.value", message, "must be from 0 to 1", help);
    }
}
