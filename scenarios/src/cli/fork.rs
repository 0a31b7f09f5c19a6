//! `offbeat fork`.

use super::check::show;
use super::resume::directory;
use super::run::{all_cores, conclude, told};
use super::{Failure, ForkArgs};
use crate::complaint::{complain, remark};
use crate::fork::{forbidden, fork};
use crate::interrupt;
use crate::load::{Overrides, load};
use crate::run::Options;
use offbeat_kernel::{Span, Time};
use std::path::Path;

/// Goes on from a snapshot of a run in another way, and prints what it came to.
pub(super) fn run(args: &ForkArgs) -> Result<(), Failure> {
    directory(&args.dir)?;
    let path = args.dir.join("scenario.toml");
    may_change(&path, &args.set)?;
    let read = |set: &[String]| {
        // Where its files are was judged when the run began; its paths are absolute since.
        let overrides =
            Overrides { set: set.to_vec(), allow_outside: true, ..Overrides::default() };
        load(&path, &overrides).map_err(|problems| {
            show(&problems);
            Failure::Wrong
        })
    };
    let trunk = read(&[])?;
    let branch = read(&args.set)?;
    show(&branch.warnings);
    let flag = interrupt::flag()
        .map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))?;
    let options = Options {
        workers: args.workers.map_or_else(all_cores, usize::from),
        memory_bytes: args.memory_mb.map(|mebibytes| mebibytes << 20),
        out: args.out.clone(),
        progress: !args.quiet && !args.json,
        label: args.label.clone(),
        interrupt: flag,
        ..Options::default()
    };
    let say = |text: &str| {
        if !args.quiet {
            remark(text);
        }
    };
    let at = args.at.map(|seconds| Time::ZERO + Span::from_seconds(seconds));
    let summary = fork((&args.dir, &trunk), &branch, at, &options, say)
        .map_err(|failure| told(failure, &branch))?;
    conclude(&summary, args.json, args.quiet)
}

/// Refuses what no fork may change, before anything else is said about it.
fn may_change(path: &Path, set: &[String]) -> Result<(), Failure> {
    let overrides = Overrides { set: set.to_vec(), allow_outside: true, ..Overrides::default() };
    let words = forbidden(path, &overrides);
    if words.is_empty() {
        return Ok(());
    }
    let quoted = |set: &String| match set.contains(['\'', ' ', '"']) {
        true => format!(" --set '{}'", set.replace('\'', "'\\''")),
        false => format!(" --set {set}"),
    };
    complain(&format!(
        "{}\nhelp: a fork may change strategy, links and timeline; start a new run with `offbeat run {}{}`",
        words.join("\n"),
        path.display(),
        set.iter().map(quoted).collect::<String>()
    ));
    Err(Failure::Wrong)
}
