//! `offbeat fork`.

use super::check::show;
use super::run::{all_cores, conclude, told};
use super::{Failure, ForkArgs};
use crate::fork::fork;
use crate::interrupt;
use crate::load::{Overrides, load};
use crate::run::Options;
use offbeat_kernel::{Span, Time};

/// Goes on from a snapshot of a run in another way, and prints what it came to.
pub(super) fn run(args: &ForkArgs) -> Result<(), Failure> {
    let path = args.dir.join("scenario.toml");
    let read = |set: &[String]| {
        // Where its files are was judged when the run began; its paths are absolute since.
        let overrides =
            Overrides { set: set.to_vec(), allow_outside: true, ..Overrides::default() };
        load(&path, &overrides).map_err(|problems| {
            show(&problems);
            Failure::Wrong
        })
    };
    let trunk = read(&[]).inspect_err(|_| {
        eprintln!("help: {} must be the directory of a run", args.dir.display());
    })?;
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
            eprintln!("{text}");
        }
    };
    let at = args.at.map(|seconds| Time::ZERO + Span::from_seconds(seconds));
    let summary = fork((&args.dir, &trunk), &branch, at, &options, say)
        .map_err(|failure| told(failure, &branch))?;
    conclude(&summary, args.json, args.quiet)
}
