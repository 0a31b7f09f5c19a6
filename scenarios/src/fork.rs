//! What if: a run that goes on from a snapshot of another, in another way.
//!
//! What the snapshot holds stays as it is: data, model, clients, what is under way. What may change is how
//! things go on from there. Trainings under way at the snapshot are computed with the new settings.

use crate::assemble::{Settings, assemble, parts};
use crate::load::{self, Loaded, Overrides};
use crate::prepare::prepare_going_on;
use crate::run::{Failure, Options, Start, carry_out, display};
use crate::rundir::{ROWS, RunDir, WriteError};
use crate::sink::CsvSink;
use crate::snapshot::{Fingerprint, Found, Vault};
use crate::spec::ScenarioFile;
use crate::summary::Summary;
use offbeat_actors::{Branch, Continuation};
use offbeat_kernel::Time;
use offbeat_strategies::registry::Switch;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Keys that may change, with all below them.
const FREE: [&str; 20] = [
    "name",
    "description",
    "run.versions",
    "run.updates",
    "run.virtual_hours",
    "run.target",
    "run.patience",
    "evaluation.every_versions",
    "output",
    "server.up_mbps",
    "server.down_mbps",
    "strategy.select",
    "strategy.schedule_file",
    "strategy.pace",
    "strategy.group",
    "strategy.weigh",
    "strategy.combine",
    "training.sgd",
    "adversary",
    "timeline",
];

/// Times of snapshots that a message names, at most.
const SHOWN: usize = 6;

/// Keys of `[population]`, and of its groups, that may change.
const FREE_OF_CLIENTS: [&str; 6] =
    ["device", "link", "availability", "delivery", "interruption", "completeness"];

/// Goes on from the last snapshot of the run in `dir` that is not later than `at`, or from the last of all, as
/// `branch` says; `trunk` is the scenario of that run. `told` is given words about where that is.
///
/// # Errors
/// When there is no such snapshot, when it is that of another build, or when `branch` changes what a
/// snapshot has settled; and as a run.
pub fn fork(
    (dir, trunk): (&Path, &Loaded),
    branch: &Loaded,
    at: Option<Time>,
    options: &Options,
    told: impl Fn(&str),
) -> Result<Summary, Failure> {
    let failed = |message: String| Failure::Run { message, kept: None };
    let (old, new) = (trunk.scenario.sections(), branch.scenario.sections());
    let settled = settled(old, new);
    if !settled.is_empty() {
        return Err(failed(settled.join("\n")));
    }
    let found = find(dir, at).map_err(failed)?;
    let settings = &found.header.settings;
    let device = settings.device.parse().map_err(failed)?;
    let folder = options.folder.clone().unwrap_or_else(|| format!("{}-fork", old.name));
    let options = &Options {
        device: Some(device),
        timing_only: settings.timing_only,
        folder: Some(folder),
        ..options.clone()
    };
    let prepared = prepare_going_on(&branch.scenario, &branch.document, Some(&old.strategy));
    let prepared = prepared.map_err(Failure::Scenario)?;
    let fingerprint = Fingerprint::of(&branch.scenario, &prepared);
    let there = found.header.fingerprint.without_scenario();
    let differences = fingerprint.without_scenario().differences(&there);
    if !differences.is_empty() {
        return Err(failed(format!("the snapshot does not fit: {}", differences.join("; "))));
    }
    let before = parts(&old.strategy, trunk).map_err(Failure::Scenario)?;
    let after = parts(&new.strategy, branch).map_err(Failure::Scenario)?;
    let switches = Switch::between(&before, &after).map_err(failed)?;
    let settings = Settings::of(options, false).begun_with(old.strategy.clone());
    let federation = assemble(branch, &prepared, &settings).map_err(Failure::Scenario)?;
    let parent = options.out.clone().unwrap_or_else(|| beside(dir));
    let target = RunDir::create(&parent, &branch.scenario, options.folder.as_deref())?;
    let rows = target.file(ROWS);
    let wrong = |error| WriteError::new(&rows, error);
    let past = [dir.join("metrics.csv"), dir.join(ROWS)].into_iter().find(|path| path.exists());
    fs::copy(past.unwrap_or_else(|| dir.join("metrics.csv")), &rows).map_err(wrong)?;
    let sink = CsvSink::go_on(&rows, &found.snapshot.sink, new.output.tasks, display(options));
    let sink = sink.map_err(wrong)?;
    told(&format!("forks at {}, version {}", found.header.now, found.header.version.0));
    let begin = Continuation {
        from: Some(found.snapshot),
        keeper: None,
        branch: Some(Branch { switches }),
    };
    let start = Start { federation, dir: target, sink, begin, fingerprint };
    carry_out(branch, &prepared, options, start)
}

/// What the scenario at `path` with `overrides` changes that no fork may, in words, as far as that can be read;
/// whether the rest makes sense is not looked at.
pub(crate) fn forbidden(path: &Path, overrides: &Overrides) -> Vec<String> {
    let read = |overrides: &Overrides| -> Option<ScenarioFile> {
        let (document, _, mut problems) = load::read(path, overrides).ok()?;
        let file = document.read(&mut problems);
        file.filter(|_| problems.is_empty())
    };
    let plain = Overrides { set: Vec::new(), ..overrides.clone() };
    let files = read(&plain).zip(read(overrides));
    files.map(|(old, new)| settled(&old, &new)).unwrap_or_default()
}

/// The folder that holds the run directory `dir`.
fn beside(dir: &Path) -> std::path::PathBuf {
    let whole = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_path_buf());
    whole.parent().unwrap_or(Path::new(".")).to_path_buf()
}

fn find(dir: &Path, at: Option<Time>) -> Result<Found, String> {
    let limit = at.unwrap_or(Time::NEVER);
    let found = Vault::latest(dir, |header| header.now <= limit).map_err(|damaged| {
        let times: Vec<Time> = Vault::open(dir).headers().map(|header| header.now).collect();
        match (&damaged[..], &times[..]) {
            ([_, ..], _) => format!("no snapshot can be read: {}", damaged.join("; ")),
            ([], []) => "this run kept no snapshot, so there is nothing to fork from\nhelp: run it again \
                         with `--set output.snapshot.every_virtual_minutes=10`"
                .into(),
            ([], [first, ..]) => {
                let shown: Vec<String> =
                    times.iter().take(SHOWN).map(|time| time.to_string()).collect();
                let more = if times.len() > SHOWN { ", ..." } else { "" };
                format!(
                    "no snapshot is as early as {limit}\nhelp: there are {}{more}; give `--at {}s` or later",
                    shown.join(", "),
                    first.seconds().ceil()
                )
            }
        }
    })?;
    for damaged in &found.passed_over {
        tracing::warn!("passed over a snapshot that cannot be read: {damaged}");
    }
    Ok(found)
}

/// What cannot be different in a fork, in words.
fn settled(old: &ScenarioFile, new: &ScenarioFile) -> Vec<String> {
    let json = |file: &ScenarioFile| serde_json::to_value(file).unwrap_or_default();
    let mut found = Vec::new();
    differences("", &json(old), &json(new), &mut found);
    let mut words: Vec<String> = found
        .into_iter()
        .filter(|path| !is_free(path))
        .map(|path| format!("`{path}` cannot change in a fork: it was settled when the run began"))
        .collect();
    if !new.timeline.starts_with(&old.timeline) {
        words.push(
            "`timeline` can only get further entries in a fork: leave the first ones as they are"
                .into(),
        );
    }
    words
}

fn is_free(path: &str) -> bool {
    let below = |key: &str| {
        path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let of_clients = path.strip_prefix("population.").map(|rest| {
        let own = rest.strip_prefix("group.").and_then(|rest| rest.split_once('.'));
        own.map_or(rest, |(_, rest)| rest)
    });
    FREE.into_iter().any(below)
        || of_clients.is_some_and(|rest| {
            FREE_OF_CLIENTS.contains(&rest.split('.').next().unwrap_or_default())
        })
}

/// Paths at which two trees differ; of lists of different length, the list's.
fn differences(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    match (old, new) {
        (old, new) if old == new => {}
        // Another choice.
        (Value::Object(old), Value::Object(new))
            if old.len() == 1 && new.len() == 1 && !old.keys().eq(new.keys()) =>
        {
            found.push(path.to_string());
        }
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let of = |table: &serde_json::Map<String, Value>| {
                    table.get(key).cloned().unwrap_or_default()
                };
                differences(&below(key), &of(old), &of(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(&below(&index.to_string()), old, new, found);
            }
        }
        _ => found.push(path.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_settled_is_named() {
        let file = |text: &str| -> ScenarioFile { toml::from_str(text).expect("a scenario") };
        let base = "version = 1\n[data]\ndataset = \"digits\"\npartition = { iid = {} }\n[population]\nclients = 9\n";
        let old = file(base);
        let free = file(&format!(
            "{base}[run]\nversions = 7\n[server]\nup_mbps = 5.0\n\
             [[timeline]]\nat_minutes = 5\nstop = \"enough\"\n"
        ));
        assert_eq!(settled(&old, &free), Vec::<String>::new());
        let bound = file(
            &base
                .replace("clients = 9", "clients = 8")
                .replace("{ iid = {} }", "{ shards = { per_client = 2 } }"),
        );
        let words = settled(&old, &bound).join("\n");
        assert!(
            words.contains("`data.partition`") && words.contains("`population.clients`"),
            "{words}"
        );
        let words = settled(&free, &old).join("\n");
        assert!(words.contains("`timeline` can only get further entries"), "{words}");
    }
}
