//! `offbeat run`.

use super::check::show;
use super::{Failure, RunArgs, print};
use crate::complaint::{complain, remark};
use crate::device::{DeviceList, devices};
use crate::diagnose::Problems;
use crate::load::{Loaded, load};
use crate::run::{self, Options};
use crate::summary::Summary;
use crate::units::count;
use crate::{interrupt, prometheus};
use offbeat_actors::federation::INTERRUPTED;
use std::num::NonZero;

pub(super) use run::shortest;

/// Runs the scenario and prints what it came to.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let loaded = match load(&args.scenario.scenario, &args.scenario.overrides()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            show(&problems);
            return Err(Failure::Wrong);
        }
    };
    show(&loaded.warnings);
    if let Some(address) = args.prometheus {
        prometheus::serve(address).map_err(|message| {
            complain(&format!(
                "{message}\nhelp: choose a free port, such as --prometheus 127.0.0.1:9100"
            ));
            Failure::Wrong
        })?;
    }
    let flag = interrupt::flag()
        .map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))?;
    let run = &loaded.scenario.sections().run;
    let options = Options {
        workers: workers(args.workers, &devices(args.device.as_ref(), run))?,
        memory_bytes: args.memory_mb.map(|mebibytes| mebibytes << 20),
        device: args.device.clone(),
        out: args.out.clone(),
        progress: !args.quiet && !args.scenario.json,
        timing_only: args.timing_only,
        interrupt: flag,
        ..Options::default()
    };
    if args.check_determinism {
        compare(&loaded, &options)?;
    }
    let summary = run::run(&loaded, &options).map_err(|failure| told(failure, &loaded))?;
    conclude(&summary, args.scenario.json, args.quiet)
}

/// Prints what a run came to. An interrupted one says how to go on.
pub(super) fn conclude(summary: &Summary, json: bool, quiet: bool) -> Result<(), Failure> {
    if json {
        print(&(summary.json_line() + "\n"))?;
    } else if !quiet {
        print(&summary.text())?;
    }
    if summary.ended != INTERRUPTED {
        return Ok(());
    }
    let dir = &summary.run_dir;
    Err(Failure::Interrupted(match &summary.snapshots.failure {
        None => format!("interrupted: `offbeat resume {dir}` goes on"),
        Some(reason) => format!("interrupted, and no snapshot could be kept ({reason}); see {dir}"),
    }))
}

/// Runs twice, with one worker and with several, and compares event by event.
fn compare(loaded: &Loaded, options: &Options) -> Result<(), Failure> {
    let with = |workers| Options { workers, progress: false, ..options.clone() };
    let list = devices(options.device.as_ref(), &loaded.scenario.sections().run);
    let more = options.workers.max(2);
    let how = match list.says_workers() {
        true => format!("in two runs on {list}"),
        false => format!("with 1 and {more} workers"),
    };
    let first = run::trace(loaded, &with(1)).map_err(|failure| told(failure, loaded))?;
    let second = run::trace(loaded, &with(more)).map_err(|failure| told(failure, loaded))?;
    if first.digest == second.digest {
        let events = count(first.events);
        remark(&format!("determinism: {events} events and the final model are the same {how}"));
        return Ok(());
    }
    let differs = first.trace.iter().zip(&second.trace).position(|(a, b)| a != b);
    let shorter = first.trace.len().min(second.trace.len());
    let where_ = match differs {
        Some(event) => {
            let (a, b) = (first.trace[event], second.trace[event]);
            format!(
                "event {event} differs: at {} us to actor {} (kind {}) against {} us to actor {} (kind {})",
                a[0], a[1], a[2], b[0], b[1], b[2]
            )
        }
        None if first.trace.len() != second.trace.len() => {
            format!("one run ends after {shorter} events, the other goes on")
        }
        None => "all events are the same, but the final models differ".to_string(),
    };
    Err(Failure::Failed(format!("not deterministic {how}: {where_}")))
}

/// Tells the user about a failure in full, where that takes more than a line.
pub(super) fn told(failure: run::Failure, loaded: &Loaded) -> Failure {
    match failure {
        run::Failure::Scenario(problem) => {
            show(&Problems::new(&loaded.document, vec![problem]));
            Failure::Wrong
        }
        run::Failure::Run { message, kept: Some(kept) }
        | run::Failure::Panicked { message, kept, .. } => {
            let (what, help) = message.split_once("\nhelp: ").unwrap_or((&message, ""));
            let help = if help.is_empty() { String::new() } else { format!("\nhelp: {help}") };
            let kept = kept.display();
            Failure::Failed(format!("{what}\nwhat the run had is kept in {kept}{help}"))
        }
        run::Failure::Run { message, kept: None } => Failure::Failed(message),
    }
}

/// How many workers there are where `list` leaves it open.
///
/// # Errors
/// When a number was asked for and the list says another way.
fn workers(asked: Option<u16>, list: &DeviceList) -> Result<usize, Failure> {
    if asked.is_some() && list.says_workers() {
        complain(&format!(
            "`--workers` and `{list}` both say how many workers there are\nhelp: leave `--workers` out; two \
             workers of one device are `{}*2`",
            list.first()
        ));
        return Err(Failure::Wrong);
    }
    Ok(asked.map_or_else(all_cores, usize::from))
}

pub(super) fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
