//! Warnings: what is legal, but surely not meant.

use super::Checks;
use crate::spec::{Condition, EvaluateOn, Metric, RunSection, ScenarioFile};
use offbeat_strategies::registry::{CombinePart, PacePart};

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    // Somebody who shortens a run for a trial knows that it ends early.
    if !checks.overridden(&["run.rounds", "run.versions", "run.updates", "run.virtual_hours"]) {
        evaluations(file, checks);
        timeline(file, checks);
    }
    target(file, checks);
    robust(file, checks);
}

/// Evaluations that never come before the end.
fn evaluations(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let evaluation = &file.evaluation;
    let only = "only the last version is evaluated";
    if let (Some(every), Some(last)) = (evaluation.every_versions, file.run.last_version())
        && every > last
        && evaluation.every_virtual_minutes.is_none()
    {
        checks.warn(
            "evaluation.every_versions",
            format!("the run ends after {last} versions, before the first evaluation"),
            only,
            format!("write at most `every_versions = {last}`"),
        );
    }
    if let (Some(minutes), Some(hours)) = (evaluation.every_virtual_minutes, file.run.virtual_hours)
        && minutes > 60.0 * hours
        && evaluation.every_versions.is_none()
    {
        checks.warn(
            "evaluation.every_virtual_minutes",
            format!("the run ends after {hours} virtual hours, before the first evaluation"),
            only,
            format!("write less than `every_virtual_minutes = {}`", 60.0 * hours),
        );
    }
}

/// A target that the metric cannot reach, or that nothing measures.
fn target(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let Some(target) = file.run.target else { return };
    if target.metric == Metric::Loss && target.value <= 0.0 {
        checks.warn(
            "run.target.value",
            "a loss of 0 is never reached",
            "the run goes on to its other end",
            "the loss comes near 0, but stays above: write for example `value = 0.1`",
        );
    }
    if target.metric == Metric::Accuracy && target.value == 1.0 {
        checks.warn(
            "run.target.value",
            "an accuracy of 1 needs every test sample to be right",
            "the run most likely goes on to its other end",
            "write for example `value = 0.9`",
        );
    }
    let on = &file.evaluation.on;
    let classified = matches!(target.metric, Metric::Accuracy | Metric::Loss);
    let retrieved = on.iter().all(|on| !matches!(on, EvaluateOn::Test | EvaluateOn::Clients));
    if classified && retrieved && !on.is_empty() {
        checks.warn(
            "run.target",
            "nothing measures what the run aims for",
            "never met",
            "aim for `metric = \"rank-1\"` or `\"map\"`, or add `\"test\"` to `evaluation.on`",
        );
    }
}

/// Entries of the timeline that come after the end.
fn timeline(file: &ScenarioFile, checks: &mut Checks<'_>) {
    for (index, entry) in file.timeline.iter().enumerate() {
        let late = |key: &str| format!("timeline.{index}.{key}");
        if let (Some(at), Some(hours)) = (entry.at_minutes, file.run.virtual_hours)
            && at > 60.0 * hours
        {
            checks.warn(
                &late("at_minutes"),
                format!("the run ends after {hours} virtual hours, before this"),
                "never happens",
                format!("write less than {}, or raise `virtual_hours`", 60.0 * hours),
            );
        }
        match (entry.when, ends(&file.run)) {
            (Some(Condition::Version(count)), (Some(last), _)) if count > last => checks.warn(
                &late("when"),
                format!("the run ends after {last} versions, before this"),
                "never happens",
                format!("write at most `version = {last}`"),
            ),
            (Some(Condition::Updates(count)), (_, Some(last))) if count > last => checks.warn(
                &late("when"),
                format!("the run ends after {last} updates, before this"),
                "never happens",
                format!("write at most `updates = {last}`"),
            ),
            _ => {}
        }
    }
}

/// Versions and updates after which the run ends.
fn ends(run: &RunSection) -> (Option<u64>, Option<u64>) {
    (run.last_version(), run.updates)
}

/// Robust rules that meet more attackers than they are made for.
fn robust(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let clients = file.population.clients;
    let hostile: u64 = file.adversary.iter().map(|group| u64::from(group.size(clients))).sum();
    let share = hostile as f64 / f64::from(clients.max(1));
    let merged = merged(&file.strategy.pace);
    let expected = merged.map(|merged| share * merged as f64);
    match &file.strategy.combine {
        CombinePart::Krum { byzantine }
        | CombinePart::MultiKrum { byzantine, .. }
        | CombinePart::Bulyan { byzantine } => {
            let (name, times): (_, usize) = match file.strategy.combine {
                CombinePart::Bulyan { .. } => ("bulyan", 4),
                CombinePart::MultiKrum { .. } => ("multi-krum", 2),
                _ => ("krum", 2),
            };
            let key = format!("strategy.combine.{name}.byzantine");
            if let Some(merged) = merged
                && merged < byzantine.saturating_mul(times).saturating_add(3)
            {
                checks.warn(
                    &key,
                    format!("{merged} updates in an aggregation are too few for this"),
                    format!("the guarantee needs {times} x {byzantine} + 3"),
                    "lower `byzantine`, or let the pace merge more updates at once",
                );
            }
            if let Some(expected) = expected.filter(|expected| *expected > *byzantine as f64) {
                too_many(&key, expected, checks);
            }
        }
        CombinePart::TrimmedMean(part) if share > part.trim => {
            let key = "strategy.combine.trimmed-mean.trim";
            let percent = 100.0 * share;
            checks.warn(
                key,
                format!("{percent:.0} % of the clients are hostile, more than is cut off"),
                "at each end of every coordinate",
                "raise `trim` (below 0.5), or lower the number of hostile clients",
            );
        }
        CombinePart::Median if share >= 0.5 => checks.warn(
            "strategy.combine",
            "half of the clients or more are hostile: the median follows them",
            "stands fewer than half",
            "lower the number of hostile clients",
        ),
        _ => {}
    }
}

fn too_many(key: &str, expected: f64, checks: &mut Checks<'_>) {
    checks.warn(
        key,
        format!("on average {expected:.1} of the updates in an aggregation are hostile"),
        "more than the rule is told to stand",
        "raise `byzantine`, or lower the number of hostile clients",
    );
}

/// Updates in an aggregation, where the pace says how many.
fn merged(pace: &PacePart) -> Option<usize> {
    match pace {
        PacePart::Synchronous(pace) => Some(pace.clients),
        PacePart::OverSelection(pace) => Some(pace.clients),
        PacePart::FedBoost(pace) => Some(pace.clients),
        PacePart::Buffered(pace) => Some(pace.buffer),
        PacePart::Port(pace) => Some(pace.buffer),
        PacePart::Immediate(_) => Some(1),
        _ => None,
    }
}
