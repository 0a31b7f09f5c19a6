//! From a scenario file to a validated scenario.

use crate::catalogue::LIBRARY;
use crate::diagnose::{Problem, Problems};
use crate::document::{Document, Value};
use crate::layers::{self, layers};
use crate::outside::{self, Fence};
use crate::scenario::Scenario;
use crate::spec::ScenarioFile;
use crate::sweep::{self, Grid};
use crate::{giants, hints, script, suggest, validate};
use std::path::Path;

/// What the command line says on top of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `path.to.key=value`, in order.
    pub set: Vec<String>,
    /// The seed, instead of the file's.
    pub seed: Option<u64>,
    /// The data directory, instead of the file's.
    pub data_dir: Option<std::path::PathBuf>,
    /// Whether the scenario may name files outside its own folder and the data folder.
    pub allow_outside: bool,
}

/// Keys that stand for the same thing.
const SAME: [(&str, &str); 4] = [
    ("run.rounds", "run.versions"),
    ("training.epochs", "training.steps"),
    ("population.speed_file", "population.device.speed"),
    ("population.availability_file", "population.availability"),
];

/// A valid scenario, its document and the warnings about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// Its text, for errors that are found later.
    pub document: Document,
    /// What is legal but surely not meant.
    pub warnings: Problems,
}

/// Reads, overrides and validates the scenario at `path`, its sweep included.
///
/// # Errors
/// All that is wrong with it, with warnings among the errors.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Loaded, Problems> {
    load_text(path, &text(path)?, overrides)
}

/// As [`load`], with the file's content at hand. `path` is what messages call it, and its folder is
/// where relative paths in it begin.
///
/// # Errors
/// As [`load`].
pub fn load_text(path: &Path, text: &str, overrides: &Overrides) -> Result<Loaded, Problems> {
    let (document, grid, problems) = read_text(path, text, overrides)?;
    let base = settle(path, document.clone(), problems, overrides);
    let known = base.as_ref().map_or_else(|problems| problems, |loaded| &loaded.warnings);
    let mut all: Vec<Problem> = known.iter().cloned().collect();
    let before = all.len();
    for point in grid.points().iter().filter(|point| !point.set.is_empty()) {
        let found = settle(path, point.lay_over(&document), Vec::new(), overrides);
        let found = found.map_or_else(|problems| problems, |loaded| loaded.warnings);
        all.extend(new_to(&all, found.iter()));
    }
    if all.len() == before {
        return base;
    }
    let problems = Problems::new(&document, all);
    match base {
        Ok(loaded) if !problems.has_errors() => Ok(Loaded { warnings: problems, ..loaded }),
        _ => Err(problems),
    }
}

/// Reads and overrides the scenario at `path`: the document without its sweep, the sweep's grid, and
/// what is wrong so far.
///
/// # Errors
/// When the file cannot be read as TOML.
pub(crate) fn read(
    path: &Path,
    overrides: &Overrides,
) -> Result<(Document, Grid, Vec<Problem>), Problems> {
    read_text(path, &text(path)?, overrides)
}

fn read_text(
    path: &Path,
    text: &str,
    overrides: &Overrides,
) -> Result<(Document, Grid, Vec<Problem>), Problems> {
    let mut problems = Vec::new();
    let mut document = whole(path, text, overrides, &mut problems);
    if problems.iter().any(|problem| problem.code() == "syntax" && !problem.is_warning()) {
        return Err(Problems::new(&document, problems));
    }
    // Without a file that it builds on, most of what would be said of a scenario is not true.
    let of_base = |problem: &&Problem| matches!(problem.path(), "extends" | "include");
    let bases: Vec<Problem> = problems.iter().filter(of_base).cloned().collect();
    if bases.iter().any(|problem| !problem.is_warning()) {
        return Err(Problems::new(&document, bases));
    }
    SAME.iter().for_each(|(first, second)| document.keep_latest(first, second));
    let section = document.take("sweep");
    let grid = section.map(|section| sweep::read(&section, &document, &mut problems));
    let mut grid = grid.unwrap_or_default();
    if overrides.seed.is_some() {
        grid = grid.without_seeds();
    }
    Ok((document, grid, problems))
}

/// The file and all that it builds on, as one document.
fn whole(path: &Path, text: &str, overrides: &Overrides, problems: &mut Vec<Problem>) -> Document {
    let fence = Fence::new(path, overrides.data_dir.as_deref(), overrides.allow_outside);
    let files = layers(path, text, &fence, problems);
    let mut document = Document::layered(layers::sources(&files), &overrides.set, problems);
    for key in ["extends", "include"] {
        document.take(key);
    }
    let main = files.len() - 1;
    // What a scenario is called is not handed down.
    for key in ["name", "description"] {
        if document.find(key).is_some_and(|node| node.place.source < main) {
            document.take(key);
        }
    }
    // A relative path counts from the file that it was written in.
    for key in outside::files(&document) {
        let Some(node) = document.find(&key) else { continue };
        let Value::Text(named) = &node.value else { continue };
        if node.place.source < main {
            let folder = files[node.place.source].path.parent().unwrap_or(Path::new(""));
            let whole = folder.join(named);
            let whole = std::path::absolute(&whole).unwrap_or(whole);
            document.reword(&key, whole.display().to_string());
        }
    }
    document
}

/// Validates a document, in which `problems` were found already.
///
/// # Errors
/// As [`load`].
pub(crate) fn settle(
    path: &Path,
    mut document: Document,
    mut problems: Vec<Problem>,
    overrides: &Overrides,
) -> Result<Loaded, Problems> {
    let file: Option<ScenarioFile> = document.read(&mut problems);
    let (data, allow) = (overrides.data_dir.as_deref(), overrides.allow_outside);
    problems.extend(outside::check(&document, path, data, allow));
    let giants = giants::check(&document);
    problems.retain(|problem| !giants.iter().any(|giant| giant.path() == problem.path()));
    problems.extend(giants);
    let mut scenario = None;
    if let Some(file) = file {
        let found = validate::check(&file, overrides, &document);
        // A key that could not be read holds a filler: what the checks say of it is not true.
        let reported: Vec<String> =
            problems.iter().map(|problem| problem.path().to_string()).collect();
        let new = found
            .into_iter()
            .filter(|problem| !reported.iter().any(|path| covers(path, problem.path())));
        problems.extend(new);
        // What may not be read, or is no path, is not read.
        let readable = !problems.iter().any(|problem| problem.path().starts_with("script"));
        if let Some(section) = file.script.as_ref().filter(|_| readable) {
            let folder = path.parent().unwrap_or(Path::new(""));
            problems
                .extend(script::check(section, folder, &mut document).err().unwrap_or_default());
        }
        scenario = Some(Scenario::resolve(file, path, overrides));
    }
    let problems = hints::improve(unique(problems), &document);
    let problems = Problems::new(&document, problems);
    match scenario {
        Some(scenario) if !problems.has_errors() => {
            Ok(Loaded { scenario, document, warnings: problems })
        }
        _ => Err(problems),
    }
}

/// Those of `found` that are not among `known`.
pub(crate) fn new_to<'a>(
    known: &[Problem],
    found: impl Iterator<Item = &'a Problem>,
) -> Vec<Problem> {
    found.filter(|problem| !known.contains(problem)).cloned().collect()
}

fn unique(problems: Vec<Problem>) -> Vec<Problem> {
    let mut kept = Vec::new();
    for problem in problems {
        if !kept.contains(&problem) {
            kept.push(problem);
        }
    }
    kept
}

pub(crate) fn text(path: &Path) -> Result<String, Problems> {
    let name = path.display().to_string();
    layers::read(path).map_err(|problem| {
        let problem = match (path.exists(), path.is_dir()) {
            (_, true) => folder(path),
            (true, false) => problem,
            (false, _) => missing(path),
        };
        Problems::of_file(&name, problem)
    })
}

/// Whether `path` is `wide` or lies inside it.
fn covers(wide: &str, path: &str) -> bool {
    !wide.is_empty()
        && (path == wide || path.strip_prefix(wide).is_some_and(|rest| rest.starts_with('.')))
}

fn missing(path: &Path) -> Problem {
    let problem = Problem::new(
        "missing_file",
        format!("cannot read `{}`: there is no such file", path.display()),
    );
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = scenarios_in(dir);
    let wanted =
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match suggest::nearest(&wanted, &names).first() {
        Some(near) => problem.help(format!("did you mean `{}`?", dir.join(near).display())),
        None => problem.help(elsewhere(path)),
    }
}

/// What to do about a scenario that is not there, nor one like it.
fn elsewhere(path: &Path) -> String {
    let wanted = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem =
        |path: &str| Path::new(path).file_stem().map(|name| name.to_string_lossy().into_owned());
    let library: Vec<(String, &str)> =
        LIBRARY.iter().filter_map(|(path, _)| Some((stem(path)?, *path))).collect();
    let names: Vec<&str> = library.iter().map(|(name, _)| name.as_str()).collect();
    let near = suggest::nearest(&wanted, &names).into_iter().next();
    let near = library.iter().find(|(name, _)| Some(name.as_str()) == near);
    match near {
        Some((_, path)) if Path::new(path).is_file() => format!("did you mean `{path}`?"),
        Some((_, path)) => format!(
            "`{path}` is in the folder of Offbeat's source; paths count from where the command is called. \
             `offbeat init` writes a scenario anywhere"
        ),
        None => "`offbeat init` writes a scenario to start from; paths count from where the command is called"
            .into(),
    }
}

fn folder(path: &Path) -> Problem {
    let message = format!("`{}` is a folder, not a scenario", path.display());
    let scenario = path.join("scenario.toml");
    Problem::new("unreadable_file", message)
        .help(format!("name the scenario file, such as `{}`", scenario.display()))
}

fn scenarios_in(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    names
}
