//! `offbeat compare`.

use super::run::shortest;
use super::{CompareArgs, Failure, print};
use crate::compare::{CompareError, Found, load};
use crate::complaint::{complain, remark};
use crate::report::{Comparison, Target, compare_page, table};
use crate::rundir::{WriteError, write_file};
use std::path::{Path, PathBuf};

/// Classes that still fit a table for reading.
const CLASSES: usize = 20;

/// Reads the runs, prints the table and writes the page.
pub(super) fn compare(args: &CompareArgs) -> Result<(), Failure> {
    let found = found(&args.dirs)?;
    for (left_out, same) in &found.twins {
        let (left_out, same) = (left_out.display(), same.display());
        remark(&format!("{left_out} is the same run as {same} and is left out"));
    }
    if found.missing > 0 {
        remark(&format!(
            "{} runs of the sweep are missing: they failed or are not finished",
            found.missing
        ));
    }
    let page = args.out.clone().unwrap_or_else(|| place(&args.dirs));
    let comparison = write(&found, args.target.or(found.target), &page)?;
    if args.json {
        print(&(serde_json::to_string(&comparison).unwrap_or_default() + "\n"))
    } else {
        print(&format!("{}\n{}\n", text(&comparison), shortest(page).display()))
    }
}

/// The page of one sweep stands in its directory, any other where the command is called.
fn place(dirs: &[PathBuf]) -> PathBuf {
    match dirs {
        [dir] if dir.join("sweep.json").is_file() => dir.join("compare.html"),
        _ => "compare.html".into(),
    }
}

/// The runs in `dirs`.
pub(super) fn found(dirs: &[PathBuf]) -> Result<Found, Failure> {
    load(dirs).map_err(|error| match error {
        CompareError::Empty(_) | CompareError::Missing(_) => {
            complain(&error.to_string());
            Failure::Wrong
        }
        error @ CompareError::Unreadable { .. } => Failure::Failed(error.to_string()),
    })
}

/// Compares and writes the page.
pub(super) fn write(
    found: &Found,
    target: Option<Target>,
    page: &Path,
) -> Result<Comparison, Failure> {
    let comparison = Comparison::new(&found.runs, target);
    let html = compare_page(&found.runs, target.as_ref());
    let dir = page.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).map_err(|error| {
        let error = WriteError::new(dir, error);
        Failure::Failed(format!("{error}\nhelp: `--out FILE` takes another place"))
    })?;
    let name = page.file_name().unwrap_or_default().to_string_lossy();
    write_file(dir, &name, html.as_bytes()).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(comparison)
}

/// The table, with accuracy by class where there are few classes.
pub(super) fn text(comparison: &Comparison) -> String {
    let classes = comparison.rows.iter().map(|row| row.per_class.len()).max().unwrap_or(0);
    table::text(comparison, classes <= CLASSES)
}
