//! The runs of a sweep, checked and named.

use super::ledger::identity;
use crate::diagnose::{Problem, Problems};
use crate::load::{self, Loaded, Overrides};
use crate::report::Target;
use crate::spec::Metric;
use crate::validate::folder_name;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the scenario.
    pub name: String,
    /// Where the sweep's directory is made when nothing else is said.
    pub parent: PathBuf,
    /// What the runs race for: the sweep's target, or the runs'.
    pub target: Option<Target>,
    /// The runs.
    pub runs: Vec<Planned>,
    /// What is legal but surely not meant.
    pub warnings: Problems,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What it is called; runs with the same label differ in their seed only.
    pub label: String,
    /// The name that its directory begins with.
    pub folder: String,
    /// The seed.
    pub seed: u64,
    /// Stands for all that decides its result.
    pub id: String,
    /// Its scenario.
    pub loaded: Loaded,
}

/// Reads the scenario at `path` and plans its sweep.
///
/// # Errors
/// All that is wrong with any of its runs, each thing once.
pub fn plan(path: &Path, overrides: &Overrides) -> Result<Plan, Problems> {
    let (document, grid, mut problems) = load::read(path, overrides)?;
    let mut runs = Vec::new();
    for point in grid.points() {
        match load::settle(path, point.lay_over(&document), Vec::new(), overrides) {
            Ok(loaded) => {
                problems.extend(load::new_to(&problems, loaded.warnings.iter()));
                runs.push((point.label, loaded));
            }
            Err(found) => problems.extend(load::new_to(&problems, found.iter())),
        }
    }
    if grid.is_empty() && overrides.seed.is_none() {
        problems.push(
            Problem::new("unlikely", "no `[sweep]` in this scenario: one run")
                .help("`offbeat run` does one run; to sweep, write `[sweep]` and `seed = [1, 2, 3]` below it")
                .as_warning(),
        );
    }
    let warnings = Problems::new(&document, problems);
    if warnings.has_errors() {
        return Err(warnings);
    }
    let first = runs.first().map(|(_, loaded)| loaded.scenario.sections().clone());
    let (name, parent) =
        first.as_ref().map(|s| (s.name.clone(), s.output.dir.clone())).unwrap_or_default();
    let target = grid.target.or_else(|| of_runs(first.as_ref()?.run.target));
    Ok(Plan { runs: named(&name, runs), name, parent, target, warnings })
}

fn of_runs(target: Option<crate::spec::Target>) -> Option<Target> {
    target.and_then(|target| match target.metric {
        Metric::Accuracy => Some(Target::Accuracy(target.value)),
        Metric::Loss => Some(Target::Loss(target.value)),
        Metric::Rank1 | Metric::Map => None,
    })
}

/// Gives every run its label and a folder that no other label has.
fn named(name: &str, runs: Vec<(String, Loaded)>) -> Vec<Planned> {
    let mut folders: Vec<(String, String)> = Vec::new();
    let mut taken = BTreeSet::new();
    let planned = runs.into_iter().map(|(label, loaded)| {
        let label = if label.is_empty() { name.to_string() } else { label };
        let known = folders.iter().find(|(other, _)| *other == label);
        let folder = match known {
            Some((_, folder)) => folder.clone(),
            None => {
                let wanted = folder_name(&label);
                let further = (2..).map(|number| format!("{wanted}-{number}"));
                let mut names = std::iter::once(wanted.clone()).chain(further);
                let free = names.find(|name| taken.insert(name.clone())).unwrap_or_default();
                folders.push((label.clone(), free.clone()));
                free
            }
        };
        let (seed, id) = (loaded.scenario.seed(), identity(&loaded.scenario));
        Planned { label, folder, seed, id, loaded }
    });
    planned.collect()
}
