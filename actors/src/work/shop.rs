//! The devices of a run: which worker computes on which, and what becomes of a job whose device fails.

use super::{Job, Output, Workbench};
use offbeat_kernel::panic::panic_text;
use offbeat_kernel::{Groups, Runner};
use offbeat_learning::device::{Backend, DeviceName, HomeDevice, Transfers};
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// The devices of a run. By default it has one, the processor in pure Rust.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// Each device once; the first is that of the federation's own workbench.
    pub names: Vec<DeviceName>,
    /// The benches of the others: the same but for their trainers.
    pub further: Vec<Workbench>,
    /// The device of each worker, by its place among the names. Empty when there is one device alone.
    pub of_workers: Vec<usize>,
    /// Where the vectors of the strategy live.
    pub home: HomeDevice,
}

/// How a job came to be computed on another device than its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The devices that failed, and why, in the order in which they were tried.
    pub failed: Vec<(DeviceName, String)>,
    /// The one that did it.
    pub on: DeviceName,
}

impl Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (device, reason) in &self.failed {
            write!(f, "{device} failed ({reason}), ")?;
        }
        write!(f, "done on {}", self.on)
    }
}

/// What was copied between host memory and devices, by all workers of a run.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Transfers>>);

impl Traffic {
    /// The copies so far.
    pub fn so_far(&self) -> Transfers {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, more: Transfers) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += more;
    }
}

/// One device with its bench.
#[derive(Debug)]
struct Station {
    name: DeviceName,
    bench: Workbench,
}

/// All benches of a run. A job goes to the device that its number names ([`Groups::of`]); its results go to the
/// home of the strategy's vectors.
#[derive(Debug)]
pub struct Workshop {
    stations: Vec<Station>,
    groups: Groups,
    home: HomeDevice,
    /// Whether any device has memory of its own.
    counts: bool,
    traffic: Traffic,
}

impl Workshop {
    /// The benches of `devices`, the first of which is `first`; `workers` is how many there are when it is the
    /// only one.
    pub fn new(first: Workbench, devices: Devices, workers: usize) -> Self {
        let Devices { names, further, of_workers, home } = devices;
        let groups = match of_workers.as_slice() {
            [] => Groups::one(workers),
            of_workers => Groups::new(of_workers),
        };
        let benches = std::iter::once(first).chain(further);
        let names = names.into_iter().chain(std::iter::repeat(DeviceName::default()));
        let mut stations: Vec<(usize, Station)> =
            names.zip(benches).map(|(name, bench)| Station { name, bench }).enumerate().collect();
        // As groups are numbered: in the order in which workers name them.
        let place = |device: usize| of_workers.iter().position(|of| *of == device);
        stations.sort_by_key(|(device, _)| place(*device).unwrap_or(usize::MAX));
        let stations: Vec<Station> = stations.into_iter().map(|(_, station)| station).collect();
        let counts = stations.iter().any(|station| !station.name.is_processor());
        Self { stations, groups, home, counts, traffic: Traffic::default() }
    }

    /// Who does which job.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Most trainings that are computed together, by device.
    pub fn cohorts(&self) -> Vec<usize> {
        self.stations.iter().map(|station| station.bench.cohort).collect()
    }

    /// Where copies are counted.
    pub fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// Does a job on device `own`, or on the next one that can. A panic in pure Rust is the job's own fault, and is
    /// passed on: it would happen anywhere.
    fn attempt(&self, own: usize, job: Job) -> Result<Output, String> {
        let count = self.stations.len();
        let mut failed = Vec::new();
        for at in (own..count).chain(0..own) {
            let Station { name, bench } = &self.stations[at];
            let is_last = failed.len() + 1 == count || name.backend() == Backend::Flex;
            let job = job.clone();
            let run = || match job {
                // Which of them it was cannot be told from a device that fails: all go to the next one, if any.
                Job::Cohort(jobs) if !is_last => Ok(Output::Cohort(bench.train_cohort(jobs))),
                job => bench.run(job),
            };
            match catch_unwind(AssertUnwindSafe(|| self.brought_home(run()?))) {
                Ok(result) if failed.is_empty() => return result,
                Ok(Ok(output)) => {
                    let retry = Retry { failed, on: *name };
                    return Ok(Output::Retried(Box::new((output, retry))));
                }
                Ok(Err(reason)) => {
                    return Err(format!("{reason}; before that {}", in_words(&failed)));
                }
                Err(panic) if name.backend() == Backend::Flex && failed.is_empty() => {
                    resume_unwind(panic)
                }
                Err(panic) => failed.push((*name, said(&*panic))),
            }
            if is_last {
                break;
            }
        }
        Err(in_words(&failed))
    }

    /// The output with its vectors where the strategy's live.
    fn brought_home(&self, output: Output) -> Result<Output, String> {
        Ok(match output {
            Output::Trained(mut both) => {
                let (reply, private) = &mut *both;
                let home = |flat: &mut offbeat_learning::Flat| {
                    let away = std::mem::replace(flat, offbeat_learning::Flat::zeros(0));
                    *flat = self.home.put(away);
                };
                home(&mut reply.params);
                reply.extras.values_mut().for_each(home);
                let private = [&mut private.kept, &mut private.control, &mut private.local];
                private.into_iter().flatten().for_each(home);
                Output::Trained(both)
            }
            Output::Cohort(outputs) => Output::Cohort(
                outputs.into_iter().map(|output| self.brought_home(output?)).collect(),
            ),
            other => other,
        })
    }
}

impl Runner for Workshop {
    type Job = Job;
    type Output = Output;

    fn at_once(&self, job: &Job) -> bool {
        let timing_only = self.stations.first().is_some_and(|first| first.bench.timing_only);
        timing_only && matches!(job, Job::Train(_) | Job::Retrieve(_))
    }

    fn run(&self, worker: usize, job: Job) -> Result<Output, String> {
        let own = self.groups.of_worker(worker);
        if let ([only], false) = (self.stations.as_slice(), self.counts) {
            return only.bench.run(job);
        }
        let before = Transfers::so_far();
        let result = match self.stations.as_slice() {
            [only] => only.bench.run(job).and_then(|output| self.brought_home(output)),
            _ => self.attempt(own, job),
        };
        self.traffic.add(Transfers::so_far() - before);
        result
    }
}

impl Output {
    /// The output itself, and how it came to be computed on another device, if it did.
    pub fn retried(self) -> (Self, Option<Retry>) {
        match self {
            Self::Retried(both) => (both.0, Some(both.1)),
            other => (other, None),
        }
    }
}

/// Which devices failed, and why.
fn in_words(failed: &[(DeviceName, String)]) -> String {
    let words = failed.iter().map(|(name, reason)| format!("{name} failed ({reason})"));
    words.collect::<Vec<_>>().join(", ")
}

/// The first line of what a panic says, cut where it is long.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic_text(panic);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.chars().take(120).collect()
}
