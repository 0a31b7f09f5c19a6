//! `offbeat resume`.

use super::check::show;
use super::run::{all_cores, conclude, told};
use super::{Failure, ResumeArgs};
use crate::complaint::{complain, remark};
use crate::files::shown;
use crate::interrupt;
use crate::load::{Overrides, load};
use crate::run::{self, Options};
use std::path::Path;

/// Goes on with the run in a directory and prints what it came to.
pub(super) fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    directory(&args.dir)?;
    // Where its files are was judged when the run began; its paths are absolute since.
    let overrides = Overrides { allow_outside: true, ..Overrides::default() };
    let loaded = load(&args.dir.join("scenario.toml"), &overrides).map_err(|problems| {
        show(&problems);
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
            remark(text);
        }
    };
    let summary =
        run::resume(&args.dir, &loaded, &options, say).map_err(|failure| told(failure, &loaded))?;
    if !args.quiet && shown(&args.dir) != shown(Path::new(&summary.run_dir)) {
        remark(&format!("{} is now {}", args.dir.display(), summary.run_dir));
    }
    conclude(&summary, args.json, args.quiet)
}

/// Refuses what is not the directory of a run.
pub(super) fn directory(dir: &Path) -> Result<(), Failure> {
    let place = dir.display();
    let what = match (dir.is_dir(), dir.join("scenario.toml").is_file()) {
        (true, true) => return Ok(()),
        (true, false) => {
            format!("`{place}` is no run directory: there is no `scenario.toml` in it")
        }
        (false, _) => format!("there is no run directory `{place}`"),
    };
    let runs = dir.parent().filter(|runs| runs.is_dir() && !runs.as_os_str().is_empty());
    let runs = runs.unwrap_or(Path::new("runs")).display();
    complain(&format!("{what}\nhelp: `ls {runs}` shows them"));
    Err(Failure::Wrong)
}
