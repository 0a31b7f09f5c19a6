//! The pool behind the book, with trainings gathered into cohorts.
//!
//! Which trainings go together follows from the order of events alone: eager ones in the order in which they
//! were promised, until there are enough or one of them is needed; lazy ones when they are demanded. One
//! that is cancelled before its cohort is complete leaves it and is never computed. A cohort is computed on one
//! device, so only trainings that their numbers give to the same device go together.

use crate::work::{Job, Output, Retry, TrainJob, Workshop};
use offbeat_kernel::pool::{JobError, Pool, PoolStats, Urgency};
use offbeat_kernel::{JobId, Time};
use offbeat_strategies::signal::Duty;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers of cohorts begin here, above those of all jobs.
const COHORTS: u64 = 1 << 63;

/// A training that waits for its cohort.
#[derive(Debug)]
struct Waiting {
    due: Time,
    bytes: u64,
    job: Box<TrainJob>,
}

/// A cohort that is complete.
#[derive(Debug, Default)]
struct Cohort {
    /// Those whose results somebody wants, with their places.
    wanted: BTreeMap<JobId, usize>,
    /// The results, once they are there.
    outputs: Option<Vec<Option<Result<Output, JobError>>>>,
}

/// A pool that computes trainings in cohorts; all else goes straight through.
#[derive(Debug)]
pub(super) struct Cohorts {
    pool: Pool<Workshop>,
    /// Most trainings in a cohort, by device; with 1 there are none.
    sizes: Vec<usize>,
    next: u64,
    /// Those that wait, by device.
    eager: Vec<BTreeMap<JobId, Waiting>>,
    lazy: BTreeMap<JobId, Waiting>,
    /// In which cohort a training is.
    member: BTreeMap<JobId, JobId>,
    cohorts: BTreeMap<JobId, Cohort>,
    /// What the pool's own counts lack.
    further: PoolStats,
}

impl Cohorts {
    /// A pool with cohorts of at most `sizes[g]` trainings on the device of group `g`.
    pub(super) fn new(pool: Pool<Workshop>, mut sizes: Vec<usize>) -> Self {
        sizes.resize(pool.groups().len(), 1);
        Self {
            pool,
            next: COHORTS,
            eager: sizes.iter().map(|_| BTreeMap::new()).collect(),
            sizes,
            lazy: BTreeMap::new(),
            member: BTreeMap::new(),
            cohorts: BTreeMap::new(),
            further: PoolStats::default(),
        }
    }

    /// As [`Pool::submit`].
    pub(super) fn submit(&mut self, id: JobId, due: Time, bytes: u64, urgency: Urgency, job: Job) {
        let group = self.pool.groups().of(id);
        let job = match job {
            Job::Train(job) if self.sizes[group] > 1 && job.duty == Duty::Train => job,
            job => return self.pool.submit(id, due, bytes, urgency, job),
        };
        let waiting = Waiting { due, bytes, job };
        if urgency == Urgency::Lazy {
            self.lazy.insert(id, waiting);
            return;
        }
        self.eager[group].insert(id, waiting);
        if self.eager[group].len() == self.sizes[group] {
            self.close_eager(group);
        }
    }

    /// As [`Pool::demand`].
    pub(super) fn demand(&mut self, ids: &[JobId]) {
        let mut waiting: Vec<Vec<(JobId, Waiting)>> = self.sizes.iter().map(|_| vec![]).collect();
        for id in ids {
            let group = self.pool.groups().of(*id);
            let found = self.lazy.remove(id).or_else(|| self.eager[group].remove(id));
            waiting[group].extend(found.map(|found| (*id, found)));
        }
        for (group, waiting) in waiting.into_iter().enumerate() {
            let mut waiting = waiting.into_iter().peekable();
            while waiting.peek().is_some() {
                let cohort = waiting.by_ref().take(self.sizes[group]).collect();
                self.close(group, cohort);
            }
        }
        // Each cohort once, where its first training stands.
        let mut known = BTreeSet::new();
        let names = ids.iter().map(|id| *self.member.get(id).unwrap_or(id));
        let jobs: Vec<JobId> = names.filter(|job| known.insert(*job)).collect();
        self.pool.demand(&jobs);
    }

    /// As [`Pool::take`].
    pub(super) fn take(&mut self, id: JobId) -> Result<Output, JobError> {
        let group = self.pool.groups().of(id);
        if self.eager[group].contains_key(&id) {
            self.close_eager(group);
        }
        if let Some(waiting) = self.lazy.remove(&id) {
            self.close(group, vec![(id, waiting)]);
        }
        let Some(name) = self.member.remove(&id) else { return self.pool.take(id) };
        let Some(cohort) = self.cohorts.get_mut(&name) else { return Err(JobError::NotOpen(id)) };
        if cohort.outputs.is_none() {
            let places = cohort.wanted.values().max().map_or(0, |last| last + 1);
            let (outputs, retry) = match self.pool.take(name).map(Output::retried) {
                Ok((outputs, retry)) => (Ok(outputs), retry),
                Err(error) => (Err(error), None),
            };
            cohort.outputs = Some(match outputs {
                Ok(Output::Cohort(outputs)) => each(outputs, retry.as_ref()),
                Ok(_) => Vec::new(),
                Err(error) => (0..places).map(|_| Some(Err(error.clone()))).collect(),
            });
        }
        let place = cohort.wanted.remove(&id);
        let outputs = cohort.outputs.as_mut();
        let found = place.zip(outputs).and_then(|(place, all)| all.get_mut(place)?.take());
        if cohort.wanted.is_empty() {
            self.cohorts.remove(&name);
        }
        found.unwrap_or(Err(JobError::NotOpen(id)))
    }

    /// As [`Pool::cancel`]. One of a complete cohort counts as begun: the others need it computed.
    pub(super) fn cancel(&mut self, id: JobId) {
        let group = self.pool.groups().of(id);
        if self.eager[group].remove(&id).or_else(|| self.lazy.remove(&id)).is_some() {
            self.further.submitted += 1;
            self.further.cancelled_unstarted += 1;
            return;
        }
        let Some(name) = self.member.remove(&id) else { return self.pool.cancel(id) };
        let Some(cohort) = self.cohorts.get_mut(&name) else { return };
        cohort.wanted.remove(&id);
        if cohort.wanted.is_empty() {
            let unread = cohort.outputs.is_none();
            self.cohorts.remove(&name);
            if unread {
                self.pool.cancel(name);
                return;
            }
        }
        self.further.cancelled_started += 1;
    }

    /// As [`Pool::stats`]; a training in a cohort counts as one job.
    pub(super) fn stats(&self) -> PoolStats {
        let stats = self.pool.stats();
        let mut all = self.further.followed_by(&stats);
        all.submitted += self.waiting() as u64;
        all
    }

    /// As [`Pool::queued_and_running`], with those that wait for their cohort.
    pub(super) fn queued_and_running(&self) -> (usize, usize) {
        let (queued, running) = self.pool.queued_and_running();
        (queued + self.waiting(), running)
    }

    /// How many threads compute.
    pub(super) fn workers(&self) -> usize {
        self.pool.workers()
    }

    /// Trainings that wait for their cohort.
    fn waiting(&self) -> usize {
        self.eager.iter().map(BTreeMap::len).sum::<usize>() + self.lazy.len()
    }

    fn close_eager(&mut self, group: usize) {
        let waiting = std::mem::take(&mut self.eager[group]);
        self.close(group, waiting.into_iter().collect());
    }

    /// Gives a cohort to the pool.
    fn close(&mut self, group: usize, waiting: Vec<(JobId, Waiting)>) {
        let Some(due) = waiting.iter().map(|(_, waiting)| waiting.due).min() else { return };
        let name = JobId(self.next);
        self.next += 1;
        let bytes = waiting.iter().map(|(_, waiting)| waiting.bytes).sum();
        let (mut cohort, mut jobs) = (Cohort::default(), Vec::with_capacity(waiting.len()));
        for (place, (id, waiting)) in waiting.into_iter().enumerate() {
            cohort.wanted.insert(id, place);
            self.member.insert(id, name);
            jobs.push(*waiting.job);
        }
        let others = jobs.len() as u64 - 1;
        self.further.submitted += others;
        self.further.computed += others;
        self.cohorts.insert(name, cohort);
        self.pool.submit_to(group, (name, due), bytes, Urgency::Eager, Job::Cohort(jobs));
    }
}

/// What each training of a cohort gave. When the cohort was tried on another device, each of them was.
fn each(
    outputs: Vec<Result<Output, String>>,
    retry: Option<&Retry>,
) -> Vec<Option<Result<Output, JobError>>> {
    let told = |output| match retry {
        Some(retry) => Output::Retried(Box::new((output, retry.clone()))),
        None => output,
    };
    let one = |output: Result<Output, String>| Some(output.map(told).map_err(JobError::Failed));
    outputs.into_iter().map(one).collect()
}
