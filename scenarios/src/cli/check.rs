//! `offbeat check`: everything that is wrong with a scenario.

use super::{CheckArgs, Failure, colour, print};
use crate::check::{Checked, check as check_file};
use crate::complaint::hung;
use crate::diagnose::{PlainProblem, Problems};
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'a> {
    scenario: String,
    valid: bool,
    runs: usize,
    problems: Vec<PlainProblem<'a>>,
}

/// Loads the scenario, its data, partition and network, and prints what is wrong.
pub(super) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let path = &args.scenario.scenario;
    let Checked { problems, report, runs, sweep } = check_file(path, &args.scenario.overrides());
    if args.scenario.json {
        let scenario = path.display().to_string();
        let (valid, problems) = (!problems.has_errors(), problems.plain());
        let answer = Answer { scenario, valid, runs, problems };
        print(&(serde_json::to_string(&answer).unwrap_or_default() + "\n"))?;
    } else {
        show(&problems);
        if let Some(report) = report {
            let sweep = match sweep.is_empty() {
                true => sweep,
                false => hung("sweep     ", &format!("{sweep}; `offbeat sweep` does them all")),
            };
            print(&format!("{}: valid\n\n{sweep}{}\n", path.display(), report.trim_end()))?;
        }
    }
    if problems.has_errors() { Err(Failure::Wrong) } else { Ok(()) }
}

/// Prints problems, if there are any, on standard error.
pub(super) fn show(problems: &Problems) {
    if !problems.is_empty() {
        eprint!("{}", problems.render(colour()));
    }
}
