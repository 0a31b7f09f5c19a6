//! Carrying out a sweep: independent runs on all cores, each with one worker.

use super::ledger::{Ledger, Run, Status};
use super::plan::{Plan, Planned};
use crate::device::DeviceList;
use crate::diagnose::Problems;
use crate::progress::{Board, Part};
use crate::run::{self, Failure};
use crate::rundir::WriteError;
use offbeat_strategies::Registry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the progress is drawn.
const LOOK: Duration = Duration::from_millis(100);

/// How a sweep is carried out. Nothing of it changes a result.
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs at the same time.
    pub workers: usize,
    /// Most bytes of results that all runs together hold before they are taken.
    pub memory_bytes: u64,
    /// What computes, instead of what the scenario says.
    pub device: Option<DeviceList>,
    /// Whether to show progress.
    pub progress: bool,
    /// Set from outside to end the sweep.
    pub interrupt: Arc<AtomicBool>,
    /// Parts of strategies beyond the built-in ones.
    pub registry: Registry,
}

/// What a sweep came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// Runs that were carried out now.
    pub ran: usize,
    /// Runs that had been finished before.
    pub kept: usize,
    /// All runs.
    pub ledger: Ledger,
}

/// Carries out what is not finished yet of `plan`, in the directory `dir`. A run that fails is noted in
/// the ledger, and the others go on. After an interruption the rest stays open.
///
/// # Errors
/// When the ledger can be neither read nor written.
pub fn sweep(plan: &Plan, dir: &Path, options: &Options) -> Result<Done, String> {
    let text = |error: WriteError| error.to_string();
    std::fs::create_dir_all(dir).map_err(|error| {
        format!("{}\nhelp: `--out DIR` takes another folder", WriteError::new(dir, error))
    })?;
    let ledger = renewed(Ledger::load(dir)?, plan, dir);
    ledger.save(dir).map_err(text)?;
    let open = ledger.runs.iter().enumerate().filter(|(_, run)| run.status == Status::Open);
    let open: Vec<usize> = open.map(|(index, _)| index).collect();
    let kept = plan.runs.len() - open.len();
    let team = Team {
        plan,
        dir,
        options,
        next: AtomicUsize::new(0),
        parts: open.iter().map(|_| Part::default()).collect(),
        open,
        state: Mutex::new(State { ledger, unwritten: None, done: 0 }),
    };
    team.work();
    let state = team.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.unwritten {
        Some(error) => Err(text(error)),
        None => Ok(Done { ran: state.done, kept, ledger: state.ledger }),
    }
}

/// The ledger for the present grid, with what earlier sweeps in this place have finished.
fn renewed(before: Ledger, plan: &Plan, dir: &Path) -> Ledger {
    let run = |planned: &Planned| Run {
        label: planned.label.clone(),
        seed: planned.seed,
        id: planned.id.clone(),
        in_grid: true,
        status: before.finished(dir, &planned.id).map_or(Status::Open, Status::Done),
    };
    let mut runs: Vec<Run> = plan.runs.iter().map(run).collect();
    let gone = |run: &&Run| !plan.runs.iter().any(|planned| planned.id == run.id);
    let earlier =
        before.runs.iter().filter(gone).filter(|run| matches!(run.status, Status::Done(_)));
    runs.extend(earlier.map(|run| Run { in_grid: false, ..run.clone() }));
    Ledger { scenario: plan.name.clone(), target: plan.target, runs }
}

struct Team<'a> {
    plan: &'a Plan,
    dir: &'a Path,
    options: &'a Options,
    /// Runs to carry out, as places in the plan and in the ledger.
    open: Vec<usize>,
    next: AtomicUsize,
    parts: Vec<Part>,
    state: Mutex<State>,
}

struct State {
    ledger: Ledger,
    unwritten: Option<WriteError>,
    done: usize,
}

impl Team<'_> {
    fn work(&self) {
        let board = Board::new(self.options.progress, self.open.len());
        std::thread::scope(|scope| {
            let count = self.options.workers.clamp(1, self.open.len().max(1));
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(|| self.labour())).collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                let done = self.state().done;
                board.show(done, self.parts.iter().map(Part::done).sum());
                std::thread::sleep(LOOK);
            }
        });
        board.clear();
    }

    /// Takes runs until there are no more.
    fn labour(&self) {
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&place) = self.open.get(turn) else { return };
            if self.options.interrupt.load(Ordering::Relaxed) {
                return;
            }
            let planned = &self.plan.runs[place];
            let status = catch_unwind(AssertUnwindSafe(|| self.run(planned, &self.parts[turn])));
            let status = status.unwrap_or_else(|_| Status::Failed("the run panicked".into()));
            self.note(place, status);
        }
    }

    fn run(&self, planned: &Planned, part: &Part) -> Status {
        let options = run::Options {
            workers: 1,
            device: self.options.device.clone(),
            out: Some(self.dir.to_path_buf()),
            memory_bytes: Some(self.options.memory_bytes / self.options.workers.max(1) as u64),
            progress: false,
            part: Some(part.clone()),
            label: Some(planned.label.clone()),
            folder: Some(planned.folder.clone()),
            interrupt: self.options.interrupt.clone(),
            registry: self.options.registry.clone(),
            ..run::Options::default()
        };
        match run::run(&planned.loaded, &options) {
            Ok(summary) if summary.ended == "interrupted" => Status::Open,
            Ok(summary) => {
                let name = Path::new(&summary.run_dir).file_name().unwrap_or_default();
                Status::Done(name.into())
            }
            Err(Failure::Run { message, .. } | Failure::Panicked { message, .. }) => {
                Status::Failed(message)
            }
            Err(Failure::Scenario(problem)) => {
                let problems = Problems::new(&planned.loaded.document, vec![problem]);
                Status::Failed(problems.render(false))
            }
        }
    }

    fn note(&self, place: usize, status: Status) {
        let mut state = self.state();
        state.done += usize::from(status != Status::Open);
        state.ledger.runs[place].status = status;
        // An older failure to write is as good as a newer one: the sweep has failed either way.
        if let Err(error) = state.ledger.save(self.dir) {
            state.unwritten = Some(error);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
