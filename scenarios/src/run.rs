//! One run of a scenario, from the files to the run directory.

pub use crate::failure::Failure;

use crate::assemble::{Settings, assemble};
use crate::device::{DeviceList, devices};
use crate::failure::{FAILURE, failed};
use crate::gather::{Gather, Name};
use crate::load::Loaded;
use crate::prepare::{Prepared, prepare};
use crate::progress::{Display, Part};
use crate::report::{Alone, run_page};
use crate::rundir::{Ending, ROWS, RunDir, WriteError};
use crate::sink::CsvSink;
use crate::snapshot::{self, Cost, FileKeeper, Fingerprint, Vault};
use crate::summary::{DevicesUsed, Summary};
use crate::words;
use offbeat_actors::federation::INTERRUPTED;
use offbeat_actors::{Continuation, Federation, Occasion, RunResult};
use offbeat_learning::network::save_weights;
use offbeat_learning::{Flat, Layout};
use offbeat_strategies::Registry;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a run is carried out. Nothing of it but the devices changes the result, and these in rounding alone.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads, where the devices leave it open.
    pub workers: usize,
    /// Most bytes of results that are held before they are taken; half of the machine's memory without it. With
    /// less, workers wait longer before they begin with what nobody waits for yet.
    pub memory_bytes: Option<u64>,
    /// What computes, instead of what the scenario says.
    pub device: Option<DeviceList>,
    /// Where the run directory is made, instead of the scenario's place.
    pub out: Option<PathBuf>,
    /// Whether to show progress.
    pub progress: bool,
    /// Where a run that is one of many says how far it is, instead of a display of its own.
    pub part: Option<Part>,
    /// What the run is called where runs are compared, instead of its strategy in words.
    pub label: Option<String>,
    /// What its directory is called after, instead of the scenario's name.
    pub folder: Option<String>,
    /// The same events and bytes, but nothing is learned.
    pub timing_only: bool,
    /// Set from outside to end the run.
    pub interrupt: Arc<AtomicBool>,
    /// Parts of strategies beyond the built-in ones.
    pub registry: Registry,
}

impl Default for Options {
    /// All cores, the processor, no progress, the scenario's own place for the run directory.
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: None,
            device: None,
            out: None,
            progress: false,
            part: None,
            label: None,
            folder: None,
            timing_only: false,
            interrupt: Arc::default(),
            registry: Registry::default(),
        }
    }
}

/// Runs `loaded` and keeps its results.
///
/// # Errors
/// See [`Failure`].
pub fn run(loaded: &Loaded, options: &Options) -> Result<Summary, Failure> {
    let scenario = &loaded.scenario;
    let prepared = prepare(scenario, &loaded.document).map_err(Failure::Scenario)?;
    // Before there is a directory: what cannot be put together leaves nothing behind.
    let federation =
        assemble(loaded, &prepared, &Settings::of(options, false)).map_err(Failure::Scenario)?;
    let output = &scenario.sections().output;
    let parent = options.out.as_deref().unwrap_or(&output.dir);
    let dir = RunDir::create(parent, scenario, options.folder.as_deref())
        .map_err(|error| Failure::no_place(&error))?;
    let rows = dir.file(ROWS);
    let sink = CsvSink::create(&rows, output.tasks, display(options))
        .map_err(|error| WriteError::new(&rows, error))?;
    let fingerprint = Fingerprint::of(scenario, &prepared);
    let begin = Continuation::default();
    carry_out(loaded, &prepared, options, Start { federation, dir, sink, begin, fingerprint })
}

/// Goes on with the run whose directory `dir` is, from its last snapshot that can be read. `told` is given
/// words about where that is.
///
/// # Errors
/// See [`Failure`]; also when there is no snapshot, or it is that of another build or scenario.
pub fn resume(
    dir: &Path,
    loaded: &Loaded,
    options: &Options,
    told: impl Fn(&str),
) -> Result<Summary, Failure> {
    let scenario = &loaded.scenario;
    let failed =
        |message: String| Failure::Run { message, kept: Some(shortest(dir.to_path_buf())) };
    if is_complete(dir) {
        let dir = shortest(dir.to_path_buf());
        let message = format!(
            "the run is complete: there is nothing to go on with\nhelp: `offbeat fork {} --set ...` goes on in \
             another way",
            dir.display()
        );
        return Err(Failure::Run { message, kept: None });
    }
    let again = format!("`offbeat run {}` runs it anew", dir.join("scenario.toml").display());
    let found = Vault::latest(dir, |_| true).map_err(|damaged| {
        let why =
            if damaged.is_empty() { "there is no snapshot".into() } else { damaged.join("; ") };
        failed(format!("cannot go on: {why}\nhelp: {again}"))
    })?;
    for damaged in &found.passed_over {
        tracing::warn!("passed over a snapshot that cannot be read: {damaged}");
    }
    let settings = &found.header.settings;
    let options = &Options {
        device: Some(settings.device.parse().map_err(failed)?),
        timing_only: settings.timing_only,
        label: settings.label.clone(),
        folder: settings.folder.clone(),
        ..options.clone()
    };
    let prepared = prepare(scenario, &loaded.document).map_err(Failure::Scenario)?;
    let fingerprint = Fingerprint::of(scenario, &prepared);
    let differences = fingerprint.differences(&found.header.fingerprint);
    if !differences.is_empty() {
        let differences = differences.join("; ");
        return Err(failed(format!("the snapshot does not fit: {differences}\nhelp: {again}")));
    }
    let federation =
        assemble(loaded, &prepared, &Settings::of(options, false)).map_err(Failure::Scenario)?;
    let dir = RunDir::reopen(dir)?;
    let rows = dir.file(ROWS);
    let tasks = scenario.sections().output.tasks;
    let sink = CsvSink::go_on(&rows, &found.snapshot.sink, tasks, display(options))
        .map_err(|error| WriteError::new(&rows, error))?;
    told(&format!("goes on at {}, version {}", found.header.now, found.header.version.0));
    let begin = Continuation { from: Some(found.snapshot), ..Continuation::default() };
    carry_out(loaded, &prepared, options, Start { federation, dir, sink, begin, fingerprint })
}

/// Whether a run came to the end that its scenario names.
fn is_complete(dir: &Path) -> bool {
    // One that was killed between its last file and its final name has all files, and goes on to get the name.
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    if name.contains(".running-") {
        return false;
    }
    let text = std::fs::read_to_string(dir.join("summary.json")).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    // A run that is under way again still has the summary of its interruption.
    summary["ended"].as_str().is_some_and(|ended| ended != INTERRUPTED)
}

/// Where a run begins.
pub(crate) struct Start {
    pub(crate) federation: Federation,
    pub(crate) dir: RunDir,
    pub(crate) sink: CsvSink,
    pub(crate) begin: Continuation,
    pub(crate) fingerprint: Fingerprint,
}

pub(crate) fn carry_out(
    loaded: &Loaded,
    prepared: &Prepared,
    options: &Options,
    start: Start,
) -> Result<Summary, Failure> {
    let Start { federation, dir, sink, begin, fingerprint } = start;
    let cost = Rc::<RefCell<Cost>>::default();
    let settings = snapshot::Settings {
        device: devices(options.device.as_ref(), &loaded.scenario.sections().run).to_string(),
        timing_only: options.timing_only,
        label: options.label.clone(),
        folder: options.folder.clone(),
    };
    let rules = loaded.scenario.sections().output.snapshot;
    let keeper = FileKeeper::new(dir.path(), rules, fingerprint, settings, cost.clone());
    let continuation = Continuation { keeper: Some(Box::new(keeper)), ..begin };
    let result = federation.go_on(Box::new(sink.clone()), continuation);
    let rows = dir.file(ROWS);
    let gather = sink.close().map_err(|error| WriteError::new(&rows, error));
    let (result, gather) = match (result, gather) {
        (Ok(result), Ok(gather)) => (result, gather),
        (Err(error), gather) => {
            let so_far = gather.ok().map(|gather| (name(loaded, options), gather));
            return Err(failed(&loaded.scenario, prepared, dir, &rows, error, so_far));
        }
        (_, Err(error)) => return Err(error.into()),
    };
    dir.settle(&rows, "metrics.csv")?;
    #[cfg(feature = "parquet")]
    if loaded.scenario.sections().output.parquet {
        crate::rundir::parquet::convert(&dir)?;
    }
    let cost = cost.take();
    keep(loaded, prepared, options, dir, (&result, gather, cost))
}

pub(crate) fn display(options: &Options) -> Display {
    match &options.part {
        Some(part) => Display::part(part.clone()),
        None => Display::new(options.progress),
    }
}

/// Runs `loaded` once without keeping anything but the words of every event.
///
/// # Errors
/// See [`Failure`].
pub fn trace(loaded: &Loaded, options: &Options) -> Result<RunResult, Failure> {
    let prepared = prepare(&loaded.scenario, &loaded.document).map_err(Failure::Scenario)?;
    let settings = Settings::of(options, true);
    let federation = assemble(loaded, &prepared, &settings).map_err(Failure::Scenario)?;
    let result = federation.run(Box::new(offbeat_actors::Memory::default()));
    result.map_err(|error| Failure::Run { message: error.to_string(), kept: None })
}

fn keep(
    loaded: &Loaded,
    prepared: &Prepared,
    options: &Options,
    dir: RunDir,
    (result, gather, cost): (&RunResult, Gather, Cost),
) -> Result<Summary, Failure> {
    let scenario = &loaded.scenario;
    let extra = match scenario.sections().evaluation.local_baseline && !options.timing_only {
        true => crate::baseline::alone(scenario, prepared, options, result).map_err(|error| {
            Failure::Run {
                message: format!("training alone: {error}"),
                kept: Some(dir.path().into()),
            }
        })?,
        false => BTreeMap::new(),
    };
    if scenario.sections().output.model {
        save_model(&dir, &result.model, prepared.network.layout())?;
    }
    let name = name(loaded, options);
    let own = extra.get("local_accuracy_own").copied();
    let alone = extra.get("local_accuracy").map(|common| Alone { common: *common, own });
    let devices = devices(options.device.as_ref(), &scenario.sections().run);
    let devices = DevicesUsed::of(&devices, result);
    let label_free = scenario.sections().training.objective.loss.masked().is_some();
    let summary = Summary::new(&name, result, &gather, extra)
        .with_snapshots(cost)
        .with_devices(devices.clone())
        .label_free(label_free);
    dir.write("summary.json", summary.full_json().as_bytes())?;
    let mut data = gather.into_data(name, result).with_devices(devices);
    (data.alone, data.label_free) = (alone, label_free);
    let json = serde_json::to_vec(&data)
        .map_err(|error| WriteError::new(&dir.file("report.json"), error))?;
    dir.write("report.json", &json)?;
    dir.write("report.html", run_page(&data).as_bytes())?;
    // Where a part had panicked and is mended since.
    let _ = std::fs::remove_file(dir.file(FAILURE));
    let digest = result.digest.short();
    let ending = match result.ended.as_str() {
        INTERRUPTED => Ending::Interrupted(digest),
        _ => Ending::Complete(digest),
    };
    let kept = dir.finish(&ending)?;
    if matches!(ending, Ending::Complete(_)) {
        // Those by virtual time and those asked for are places to branch off from; the others were for safety,
        // needed until the directory has its name.
        Vault::open(&kept)
            .remove(|header| matches!(header.occasion, Occasion::Wall | Occasion::Interrupted));
    }
    Ok(summary.kept_in(&shortest(kept)))
}

fn name(loaded: &Loaded, options: &Options) -> Name {
    let scenario = &loaded.scenario;
    let strategy = words::strategy(&scenario.sections().strategy);
    let label = options.label.clone().unwrap_or_else(|| strategy.clone());
    // Nothing was learned: not to be compared with runs that learn.
    let label = if options.timing_only { format!("{label} (timing only)") } else { label };
    Name { scenario: scenario.name().to_string(), label, strategy, seed: scenario.seed() }
}

/// Keeps the final model: what travels, by the names of its tensors.
pub(crate) fn save_model(dir: &RunDir, model: &Flat, layout: &Layout) -> Result<(), WriteError> {
    let shared = layout.entries().iter().filter(|entry| entry.range().end <= model.len());
    let layout =
        Layout::new(shared.map(|entry| (entry.name.clone(), entry.shape.clone(), entry.part)));
    let temporary = dir.file(".model.safetensors.part");
    save_weights(&temporary, model, &layout).map_err(|error| WriteError::new(&temporary, error))?;
    dir.settle(&temporary, "model.safetensors")
}

/// A path as one would type it from here.
pub(crate) fn shortest(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).ok().map(PathBuf::from));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or(path)
}
