//! All that is wrong with a scenario, found without running it.

use crate::assemble::{Settings, assemble};
use crate::diagnose::{Problem, Problems};
use crate::document::Document;
use crate::load::{Loaded, Overrides, load_text, text};
use crate::prepare::prepare;
use crate::run::Options;
use crate::sweep::Grid;
use offbeat_actors::Federation;
use offbeat_kernel::{ClientId, TaskId, Time};
use offbeat_strategies::registry::PacePart;
use std::path::Path;

/// Clients that are asked for their speed, at most.
const ASKED: u32 = 10_000;

/// What is known of a scenario without running it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What is wrong, and what is surely not meant.
    pub problems: Problems,
    /// Who holds which data, in words; nothing when that cannot be said.
    pub report: Option<String>,
    /// The runs of its sweep: variants times values; 1 without a sweep.
    pub runs: usize,
    /// The same in words; empty without a sweep.
    pub sweep: String,
}

/// Checks the scenario at `path` as [`check_text`] does.
pub fn check(path: &Path, overrides: &Overrides) -> Checked {
    match text(path) {
        Ok(text) => check_text(path, &text, overrides),
        Err(problems) => Checked { problems, report: None, runs: 1, sweep: String::new() },
    }
}

/// Loads the scenario that `text` is, called `path`, with its data, and puts its federation together.
pub fn check_text(path: &Path, text: &str, overrides: &Overrides) -> Checked {
    let grid = grid(path, text);
    let (runs, sweep) = (grid.len(), grid.in_words());
    let loaded = match load_text(path, text, overrides) {
        Ok(loaded) => loaded,
        Err(problems) => return Checked { problems, report: None, runs, sweep },
    };
    match whole(&loaded) {
        Ok((report, surprises)) => {
            let problems = surprises.into_iter().fold(loaded.warnings, Problems::and);
            Checked { problems, report: Some(report), runs, sweep }
        }
        Err(problem) => {
            Checked { problems: loaded.warnings.and(*problem), report: None, runs, sweep }
        }
    }
}

/// The sweep of the file alone; what is wrong with it is told by loading.
fn grid(path: &Path, text: &str) -> Grid {
    let mut unheard = Vec::new();
    let mut document = Document::parse(&path.display().to_string(), text, &[], &mut unheard);
    let section = document.take("sweep");
    section.map(|section| crate::sweep::read(&section, &document, &mut unheard)).unwrap_or_default()
}

/// Who holds what, and warnings that need the whole federation.
fn whole(loaded: &Loaded) -> Result<(String, Vec<Problem>), Box<Problem>> {
    let prepared = prepare(&loaded.scenario, &loaded.document)?;
    let options = Options { workers: 1, timing_only: true, ..Options::default() };
    let federation = assemble(loaded, &prepared, &Settings::of(&options, false))?;
    if let Some(problem) = too_large_for_all(loaded, &federation) {
        return Err(Box::new(problem));
    }
    let surprises = hopeless_deadline(loaded, &federation).into_iter().collect();
    Ok((prepared.report.to_string(), surprises))
}

/// A model that no client's memory holds.
fn too_large_for_all(loaded: &Loaded, federation: &Federation) -> Option<Problem> {
    let population = &loaded.scenario.sections().population;
    let clients = population.clients.min(ASKED);
    let declines =
        |client| federation.conditions.accepts(ClientId(client), TaskId(0), Time::ZERO).is_err();
    (clients > 0 && (0..clients).all(declines)).then(|| {
        let key = "population.device.memory_bytes";
        Problem::new("impossible", "no client has the memory that training needs")
            .at(loaded.document.place(key), "every client would decline every task")
            .help("raise the numbers: they are bytes, so 4 GiB is `4294967296.0`")
            .about(key)
    })
}

/// A deadline before which even the fastest client cannot answer.
fn hopeless_deadline(loaded: &Loaded, federation: &Federation) -> Option<Problem> {
    let sections = loaded.scenario.sections();
    let (key, seconds) = match &sections.strategy.pace {
        PacePart::Deadline(pace) => ("strategy.pace.deadline", pace.seconds),
        PacePart::Safa(pace) => ("strategy.pace.safa", pace.seconds),
        _ => return None,
    };
    if sections.topology.tree().is_some() {
        return None;
    }
    let clients = (0..sections.population.clients.min(ASKED)).map(ClientId);
    let times = clients.filter(|client| federation.roster.samples(*client) > 0);
    let times = times.map(|client| federation.roster.expected_seconds(client));
    let fastest = times.min_by(f64::total_cmp)?;
    (seconds < fastest).then(|| {
        let key = format!("{key}.seconds");
        Problem::new("unlikely", "nobody can answer before the deadline")
            .at(loaded.document.place(&key), format!("the fastest client takes {fastest:.3} s"))
            .help("raise `seconds`; `offbeat explain FILE` tells how long rounds take")
            .about(&key)
            .as_warning()
    })
}
