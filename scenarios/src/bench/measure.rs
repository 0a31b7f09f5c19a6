//! One measurement, in this process.

use super::figures::Figures;
use super::given::given;
use super::process::{cpu_seconds, peak_bytes};
use super::workload::Case;
use crate::assemble::{Settings, assemble};
use crate::device::DeviceList;
use crate::load::{Loaded, Overrides, load_text};
use crate::prepare::{Prepared, prepare};
use crate::progress::Display;
use crate::run::Options;
use crate::sink::CsvSink;
use offbeat_actors::record::TaskEnd;
use offbeat_actors::{Progress, Record, RunResult, Sink};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How a case is measured.
#[derive(Clone, Debug)]
pub struct How {
    /// Worker threads.
    pub workers: usize,
    /// What computes.
    pub device: DeviceList,
    /// Where data sets are looked for, instead of the scenario's place.
    pub data_dir: Option<PathBuf>,
    /// Samples, partition, schedule and weights made elsewhere; see [`given()`].
    pub given: Option<PathBuf>,
    /// Further keys to set.
    pub set: Vec<String>,
}

/// Runs `case` in this process, which should do nothing else, and says what it took. The time is that of
/// the run alone, from the first event to the last evaluation: reading data and building the federation come
/// before. Its rows are written to a file, as those of every run.
///
/// # Errors
/// When the scenario cannot be run as asked, in words.
pub fn measure(case: &Case, how: &How) -> Result<Figures, String> {
    let (path, text) = case.scenario();
    let mut set = case.set();
    if let Some(dir) = &how.given {
        set.extend(given(case.workload.name, dir)?);
    }
    set.extend(how.set.iter().cloned());
    let data_dir = how.data_dir.clone();
    let overrides = Overrides { set, seed: None, data_dir, allow_outside: true };
    let loaded =
        load_text(Path::new(path), text, &overrides).map_err(|problems| problems.render(false))?;
    let prepared =
        prepare(&loaded.scenario, &loaded.document).map_err(|problem| words(&problem))?;
    let options = Options {
        workers: how.workers,
        device: Some(how.device.clone()),
        timing_only: case.timing_only(),
        ..Options::default()
    };
    let ran = run(&loaded, &prepared, &options)?;
    Ok(figures(case, how, &prepared, ran))
}

/// A run's result, the samples that it trained on, and the processor time it took.
struct Ran {
    result: RunResult,
    samples: u64,
    cpu: Option<f64>,
}

fn run(loaded: &Loaded, prepared: &Prepared, options: &Options) -> Result<Ran, String> {
    let settings = Settings::of(options, false);
    let federation = assemble(loaded, prepared, &settings).map_err(|problem| words(&problem))?;
    let sections = loaded.scenario.sections();
    let plan = sections.training.plan();
    let each = prepared.sizes().into_iter().map(|size| {
        let held = size as usize;
        plan.samples_seen(held, plan.steps(held)) as u64
    });
    let each = if options.timing_only { vec![0] } else { each.collect() };
    let rows = std::env::temp_dir().join(format!("offbeat-bench-{}.csv", std::process::id()));
    let sink = CsvSink::create(&rows, sections.output.tasks, Display::new(false))
        .map_err(|error| format!("{}: {error}", rows.display()))?;
    let samples = Rc::<Cell<u64>>::default();
    let counting = Counting { inner: sink.clone(), each, samples: samples.clone() };
    let before = cpu_seconds();
    let result = federation.run(Box::new(counting));
    let cpu = cpu_seconds().zip(before).map(|(after, before)| after - before);
    let closed = sink.close().map_err(|error| format!("{}: {error}", rows.display()));
    let _ = std::fs::remove_file(&rows);
    let result = result.map_err(|error| error.to_string())?;
    closed?;
    Ok(Ran { result, samples: samples.get(), cpu })
}

fn figures(
    case: &Case,
    how: &How,
    prepared: &Prepared,
    Ran { result, samples, cpu }: Ran,
) -> Figures {
    Figures {
        name: case.name(),
        clients: prepared.population.clients(),
        workers: result.workers,
        device: how.device.to_string(),
        wall_seconds: result.wall_seconds,
        cpu_seconds: cpu,
        tasks: result.counts.updates,
        samples,
        peak_bytes: peak_bytes(),
        utilisation: result.pool.utilisation,
        waited_seconds: result.pool.waited_seconds,
        jobs_computed: result.pool.computed,
        jobs_spared: result.pool.cancelled_unstarted,
        jobs_wasted: result.pool.cancelled_started,
        accuracy: result.test.map(|test| test.accuracy).filter(|_| !case.timing_only()),
        digest: result.digest.to_string(),
    }
}

fn words(problem: &crate::diagnose::Problem) -> String {
    problem.message().to_string()
}

/// Counts the samples behind the updates that arrive.
struct Counting {
    inner: CsvSink,
    /// Samples that a client of each part trains on when it does all its work.
    each: Vec<u64>,
    samples: Rc<Cell<u64>>,
}

impl Sink for Counting {
    fn record(&mut self, record: &Record) -> Result<(), String> {
        if let Record::Task(row) = record
            && row.end == TaskEnd::Arrived
        {
            let seen = self.each[row.client.index() % self.each.len()];
            self.samples.set(self.samples.get() + seen);
        }
        self.inner.record(record)
    }

    fn progress(&mut self, progress: &Progress) {
        self.inner.progress(progress);
    }
}
