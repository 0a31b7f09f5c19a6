//! Runs that give no summary: why, what is kept of them, and how they are made again.

use crate::diagnose::Problem;
use crate::gather::{Gather, Name};
use crate::prepare::Prepared;
use crate::report::run_page;
use crate::run::{save_model, shortest};
use crate::rundir::{Ending, RunDir, WriteError, write_file};
use crate::scenario::Scenario;
use crate::snapshot::Vault;
use offbeat_actors::{Panicked, RunError, RunResult};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a panic leaves in the run directory, for programs.
pub const FAILURE: &str = "failure.json";

/// Why a run gave no summary.
#[derive(Debug)]
pub enum Failure {
    /// The scenario asks for something that its data or the build cannot give.
    Scenario(Problem),
    /// The run began and failed.
    Run {
        /// Why.
        message: String,
        /// Where what was recorded until then is kept, if it is.
        kept: Option<PathBuf>,
    },
    /// The run began, and a part of its strategy or an actor panicked.
    Panicked {
        /// Which, and where in the run.
        panicked: Box<Panicked>,
        /// The same in words, with the command that makes it happen again.
        message: String,
        /// Where what was computed until then is kept.
        kept: PathBuf,
    },
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Run { message: error.to_string(), kept: None }
    }
}

impl Failure {
    /// No run directory can be made.
    pub(crate) fn no_place(error: &WriteError) -> Self {
        let message = format!("{error}\nhelp: `--out DIR` takes another folder");
        Self::Run { message, kept: None }
    }
}

/// The content of [`FAILURE`].
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    panicked: &'a Panicked,
    virtual_seconds: f64,
    reproduce: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'a str>,
}

/// The command that runs the scenario in a run directory again. All that was set for the run is in that file;
/// the files that it names may lie anywhere.
pub(crate) fn command(dir: &Path, seed: u64) -> String {
    let file = dir.join("scenario.toml");
    format!("offbeat run {} --seed {seed} --allow-outside", file.display())
}

/// Gives the directory of a run that ended with `error` its name, with all that was computed before.
pub(crate) fn failed(
    scenario: &Scenario,
    prepared: &Prepared,
    dir: RunDir,
    rows: &Path,
    error: RunError,
    so_far: Option<(Name, Gather)>,
) -> Failure {
    if let RunError::NothingLearnt { result, .. } = &error {
        tracing::warn!(failures = ?result.counts.failures, "trainings failed");
    }
    let _ = dir.settle(rows, "metrics.csv");
    if let RunError::Panicked { result, .. } = &error
        && let Err(error) = keep(scenario, prepared, &dir, result, so_far)
    {
        tracing::warn!("not all of the failed run could be kept: {error}");
    }
    let latest = Vault::open(dir.path()).headers().next_back().map(|header| header.now);
    let working = dir.path().to_path_buf();
    let kept = shortest(dir.finish(&Ending::Failed).unwrap_or(working));
    let goes_on = latest.map(|at| (format!("offbeat resume {}", kept.display()), at));
    let mut message = error.to_string();
    let again = command(&kept, scenario.seed());
    match error {
        RunError::Panicked { panicked, .. } => {
            message += &format!("\nto see it again: {again}");
            let resume = goes_on.as_ref().map(|(command, at)| {
                message += &format!("\nonce the part is mended: {command} (goes on at {at})");
                command.as_str()
            });
            message +=
                "\n(a part of your own is known to its own program only: run the file there)";
            let told = Told {
                virtual_seconds: panicked.at.seconds(),
                panicked: &panicked,
                reproduce: &again,
                resume,
            };
            let text = serde_json::to_string_pretty(&told).unwrap_or_default() + "\n";
            if let Err(error) = write_file(&kept, FAILURE, text.as_bytes()) {
                tracing::warn!("{error}");
            }
            Failure::Panicked { panicked, message, kept }
        }
        RunError::Sink(_) => {
            if let Some((command, at)) = goes_on {
                message += &format!("\nwhen that is mended, `{command}` goes on at {at}");
            }
            Failure::Run { message, kept: Some(kept) }
        }
        RunError::NothingLearnt { .. } | RunError::Hopeless(_) => {
            message += &format!("\nto see it again: {again}");
            Failure::Run { message, kept: Some(kept) }
        }
        _ => Failure::Run { message, kept: Some(kept) },
    }
}

/// Keeps the last model and the report of a run that failed. There is no `summary.json` and no `report.json`: it
/// is not to be taken for a run that ended.
fn keep(
    scenario: &Scenario,
    prepared: &Prepared,
    dir: &RunDir,
    result: &RunResult,
    so_far: Option<(Name, Gather)>,
) -> Result<(), WriteError> {
    if scenario.sections().output.model {
        save_model(dir, &result.model, prepared.network.layout())?;
    }
    let Some((name, gather)) = so_far else { return Ok(()) };
    dir.write("report.html", run_page(&gather.into_data(name, result)).as_bytes())
}
