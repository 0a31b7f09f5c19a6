//! `offbeat sweep`.

use super::check::show;
use super::run::{all_cores, shortest};
use super::{Failure, SweepArgs, compare, print};
use crate::complaint::remark;
use crate::interrupt;
use crate::memory;
use crate::sweep::{self, Done, Options, Plan, Status};
use crate::validate::folder_name;
use offbeat_strategies::Registry;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

#[derive(Serialize)]
struct Answer<'a> {
    dir: String,
    ran: usize,
    kept: usize,
    failed: usize,
    comparison: &'a crate::report::Comparison,
}

/// Runs what is not finished of the sweep, and compares.
pub(super) fn sweep(args: &SweepArgs) -> Result<(), Failure> {
    let plan =
        sweep::plan(&args.scenario.scenario, &args.scenario.overrides()).map_err(|problems| {
            show(&problems);
            Failure::Wrong
        })?;
    show(&plan.warnings);
    let dir = place(args, &plan);
    let flag = interrupt::flag()
        .map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))?;
    let options = Options {
        // Runs at the same time would wait for each other's cards.
        workers: match (args.workers, &args.device) {
            (Some(workers), _) => usize::from(workers),
            (None, Some(list)) if list.says_workers() => 1,
            (None, _) => all_cores(),
        },
        memory_bytes: args.memory_mb.map_or_else(memory::half, |mebibytes| mebibytes << 20),
        device: args.device.clone(),
        progress: !args.quiet && !args.scenario.json,
        interrupt: flag.clone(),
        registry: Registry::default(),
    };
    let done = sweep::sweep(&plan, &dir, &options).map_err(Failure::Failed)?;
    let failed = tell(&done);
    if flag.load(Ordering::Relaxed) {
        return Err(Failure::Failed(format!(
            "interrupted: what is finished is kept in {}; the same command goes on from there",
            shortest(dir).display()
        )));
    }
    if failed < plan.runs.len() {
        let found = compare::found(std::slice::from_ref(&dir))?;
        let page = dir.join("compare.html");
        let comparison = compare::write(&found, plan.target, &page)?;
        if args.scenario.json {
            let dir = shortest(dir).display().to_string();
            let answer =
                Answer { dir, ran: done.ran, kept: done.kept, failed, comparison: &comparison };
            print(&(serde_json::to_string(&answer).unwrap_or_default() + "\n"))?;
        } else if !args.quiet {
            let again = format!("{} run now, {} finished before", done.ran, done.kept);
            let text = compare::text(&comparison);
            print(&format!("{}: {again}\n\n{text}\n{}\n", plan.name, shortest(page).display()))?;
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} runs failed", plan.runs.len()))),
    }
}

fn place(args: &SweepArgs, plan: &Plan) -> PathBuf {
    let parent = args.out.clone().unwrap_or_else(|| plan.parent.clone());
    parent.join(format!("sweep-{}", folder_name(&plan.name)))
}

/// Tells about the runs that failed, each reason once, and counts them.
fn tell(done: &Done) -> usize {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for run in done.ledger.runs.iter().filter(|run| run.in_grid) {
        let Status::Failed(message) = &run.status else { continue };
        let name = format!("{}, seed {}", run.label, run.seed);
        match reasons.iter_mut().find(|(reason, _)| reason == message) {
            Some((_, names)) => names.push(name),
            None => reasons.push((message, vec![name])),
        }
    }
    for (reason, names) in &reasons {
        let more = match names.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        remark(&format!("{}{more}:\n{}", names[0], reason.trim_end()));
    }
    reasons.iter().map(|(_, names)| names.len()).sum()
}
