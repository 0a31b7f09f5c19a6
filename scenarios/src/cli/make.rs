//! `offbeat init` and `offbeat new-strategy`: files to start from.

use super::{Failure, print};
use crate::complaint::complain;
use crate::starter::{self, Crate};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(default_value = "scenario.toml")]
    pub file: PathBuf,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `new-strategy`.
#[derive(Clone, Debug, Args)]
pub struct NewStrategyArgs {
    /// What the part is called, such as near-the-median; also the folder that is made
    pub name: String,
    /// The folder of Offbeat's source, which the crate depends on
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub offbeat: PathBuf,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// The files that were written.
#[derive(Serialize)]
struct Written {
    written: Vec<String>,
}

fn written(paths: Vec<String>) -> Result<(), Failure> {
    print(&(serde_json::to_string(&Written { written: paths }).unwrap_or_default() + "\n"))
}

/// Writes a scenario to start from.
pub(super) fn init(args: &InitArgs) -> Result<(), Failure> {
    write_new(&args.file, starter::SCENARIO)?;
    let file = args.file.display();
    if args.json {
        return written(vec![file.to_string()]);
    }
    print(&format!(
        "{file} is written. Next:\n\n  offbeat check {file}\n  offbeat explain {file}\n  offbeat run {file}\n"
    ))
}

/// Writes a crate with a part of a strategy.
pub(super) fn new_strategy(args: &NewStrategyArgs) -> Result<(), Failure> {
    let refuse = |message: String| {
        complain(&message);
        Failure::Wrong
    };
    let found = Crate::new(&args.name, &args.offbeat).map_err(refuse)?;
    let folder = Path::new(&args.name);
    if folder.exists() {
        return Err(refuse(format!(
            "`{}` is there already\nhelp: choose another name, or move it away",
            args.name
        )));
    }
    let mut paths = Vec::new();
    for (path, text) in found.files() {
        let path = folder.join(path);
        write_new(&path, &text)?;
        paths.push(path.display().to_string());
    }
    if args.json {
        return written(paths);
    }
    let name = &args.name;
    print(&format!(
        "{name}/ is written:\n\n  src/part.rs        has the part\n  src/scenario.toml  uses it\n\nNext:\n\n  \
         cd {name}\n  cargo test --release\n  cargo run --release\n"
    ))
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let place = path.display();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Failed(format!("cannot make `{}`: {error}", folder.display()))
        })?;
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match file {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .map_err(|error| Failure::Failed(format!("cannot write `{place}`: {error}"))),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            complain(&format!(
                "`{place}` is there already, and nothing was written\nhelp: give another name, such as `offbeat \
                 init mine.toml`"
            ));
            Err(Failure::Wrong)
        }
        Err(error) => Err(Failure::Failed(format!("cannot write `{place}`: {error}"))),
    }
}
