//! `offbeat resume`.

use super::check::show;
use super::run::{all_cores, conclude, told};
use super::{Failure, ResumeArgs};
use crate::interrupt;
use crate::load::{Overrides, load};
use crate::run::{self, Options};

/// Goes on with the run in a directory and prints what it came to.
pub(super) fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    // Where its files are was judged when the run began; its paths are absolute since.
    let overrides = Overrides { allow_outside: true, ..Overrides::default() };
    let loaded = load(&args.dir.join("scenario.toml"), &overrides).map_err(|problems| {
        show(&problems);
        eprintln!("help: {} must be the directory of a run", args.dir.display());
        Failure::Wrong
    })?;
    let flag = interrupt::flag()
        .map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))?;
    let options = Options {
        workers: args.workers.map_or_else(all_cores, usize::from),
        memory_bytes: args.memory_mb.map(|mebibytes| mebibytes << 20),
        progress: !args.quiet && !args.json,
        interrupt: flag,
        ..Options::default()
    };
    let say = |text: &str| {
        if !args.quiet {
            eprintln!("{text}");
        }
    };
    let summary =
        run::resume(&args.dir, &loaded, &options, say).map_err(|failure| told(failure, &loaded))?;
    conclude(&summary, args.json, args.quiet)
}
