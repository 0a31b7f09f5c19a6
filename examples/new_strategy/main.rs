//! Runs `scenario.toml` with a strategy part of one's own; see `part.rs`.

mod part;

use offbeat::run::{Options, run};
use offbeat::{Overrides, load_text};
use std::path::Path;
use std::process::ExitCode;

const SCENARIO: &str = include_str!("scenario.toml");

fn main() -> ExitCode {
    let options = Options { registry: part::registry(), ..Options::default() };
    let loaded = match load_text(Path::new("scenario.toml"), SCENARIO, &Overrides::default()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprint!("{problems}");
            return ExitCode::from(2);
        }
    };
    match run(&loaded, &options) {
        Ok(summary) => {
            print!("{}", summary.text());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure:?}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_runs_in_a_federation() {
        let folder = std::env::temp_dir().join(format!("near-the-median-{}", std::process::id()));
        let options =
            Options { registry: part::registry(), out: Some(folder.clone()), ..Options::default() };
        let set = vec!["run.rounds=2".to_string()];
        let overrides = Overrides { set, ..Overrides::default() };
        let loaded = load_text(Path::new("scenario.toml"), SCENARIO, &overrides).expect("valid");
        let summary = run(&loaded, &options).expect("it runs");
        assert_eq!(summary.versions, 2);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
