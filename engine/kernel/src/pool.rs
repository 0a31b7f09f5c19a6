//! The compute pool: keeps promises on worker threads while the kernel goes on delivering events.
//!
//! A job is submitted with the virtual time at which its result is due. Workers take the job with the
//! earliest due time first. Results are handed out by job id only, so that nothing a run does depends
//! on which worker was faster.
//!
//! Workers may be of several groups: those of one group compute on the same device. Which group does a job
//! follows from its number alone ([`Groups::of`]), so that a result does not depend on who was free.
//!
//! Invariants:
//! - A cancelled job that no worker had started is never computed.
//! - A lazy job is not started before it is demanded.
//! - Results that wait to be taken, and jobs that run, hold no more than the byte budget; only the one
//!   job that the kernel is blocked on may exceed it, so that the budget cannot cause a deadlock.
//! - A panic or an error inside a job is that job's result; the pool lives on.
//!
//! Wall clocks are read here for statistics only; no result depends on them.

use crate::id::JobId;
use crate::time::Time;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

mod board;
mod groups;
mod stats;

pub use self::groups::Groups;
pub use self::stats::PoolStats;

use self::board::{Board, Hands, Open, Outcome, Rank, Shared, work};

/// What the workers do with a job.
pub trait Runner: Send + Sync + 'static {
    /// One piece of work, as plain data.
    type Job: Send + 'static;
    /// What it gives.
    type Output: Send + 'static;

    /// Does `job` on the calling thread. `worker` counts from 0 and names the thread, for scratch
    /// memory; the output must not depend on it beyond the group that it is of.
    ///
    /// # Errors
    /// A text that says why the job has no output. It becomes [`JobError::Failed`].
    fn run(&self, worker: usize, job: Self::Job) -> Result<Self::Output, String>;

    /// Whether `job` is done sooner than it is handed over to a worker. Then the kernel's thread does it when
    /// its result is taken.
    fn at_once(&self, _job: &Self::Job) -> bool {
        false
    }
}

/// Why a promise was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The job said why it failed.
    #[error("{0}")]
    Failed(String),
    /// The job panicked; the text is the panic's message.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The job was cancelled, taken already, or never submitted.
    #[error("{0} is not open")]
    NotOpen(JobId),
}

/// When a job may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Urgency {
    /// As soon as a worker is free.
    Eager,
    /// Only once its result is demanded: for work that may turn out not to be needed.
    Lazy,
}

/// Size of the pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Number of worker threads, at least 1.
    pub workers: usize,
    /// Most bytes of results that may be computed ahead of being taken.
    pub budget_bytes: u64,
}

/// Where an open job stands, as the kernel's side knows it.
struct Ticket {
    group: usize,
    rank: Rank,
    bytes: u64,
}

/// The pool, as the kernel's thread sees it.
pub struct Pool<R: Runner> {
    shared: Arc<Shared<R>>,
    groups: Groups,
    /// Wakes a worker of a group; empty once the pool ends.
    wake: Vec<Sender<()>>,
    results: Receiver<Outcome<R>>,
    open: BTreeMap<JobId, Ticket>,
    /// Jobs that are done when they are taken.
    here: BTreeMap<JobId, R::Job>,
    done: BTreeMap<JobId, Result<R::Output, JobError>>,
    discarded: BTreeMap<JobId, u64>,
    threads: Vec<JoinHandle<()>>,
    demands: u64,
    stats: PoolStats,
    waited: Duration,
    started: Instant,
}

impl<R: Runner> std::fmt::Debug for Pool<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("workers", &self.threads.len()).finish_non_exhaustive()
    }
}

const DEMANDED: u8 = 0;
const EAGER: u8 = 1;
const LAZY: u8 = 2;

impl<R: Runner> Pool<R> {
    /// Starts the workers, all of one group.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(config: PoolConfig, runner: R) -> std::io::Result<Self> {
        Self::grouped(Groups::one(config.workers), config.budget_bytes, runner)
    }

    /// Starts the workers of `groups`, which hold at most `budget_bytes` of results ahead of being taken.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn grouped(groups: Groups, budget_bytes: u64, runner: R) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            board: Mutex::new(Board {
                waiting: (0..groups.len()).map(|_| BTreeMap::new()).collect(),
                blocked_on: None,
                held_bytes: 0,
                peak_bytes: 0,
                budget_bytes,
            }),
            runner,
            busy_nanos: AtomicU64::new(0),
            computed: AtomicU64::new(0),
            running: AtomicUsize::new(0),
        });
        let (wake, woken): (Vec<_>, Vec<_>) =
            (0..groups.len()).map(|group| bounded(groups.workers_of(group))).unzip();
        let (done, results) = unbounded();
        let threads = (0..groups.workers())
            .map(|worker| {
                let group = groups.of_worker(worker);
                let hands = Hands { worker, group, woken: woken[group].clone() };
                let (shared, done) = (shared.clone(), done.clone());
                std::thread::Builder::new()
                    .name(format!("offbeat-worker-{worker}"))
                    .spawn(move || work(&hands, &shared, &done))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self {
            shared,
            groups,
            wake,
            results,
            open: BTreeMap::new(),
            here: BTreeMap::new(),
            done: BTreeMap::new(),
            discarded: BTreeMap::new(),
            threads,
            demands: 0,
            stats: PoolStats::default(),
            waited: Duration::ZERO,
            started: Instant::now(),
        })
    }

    /// How many threads compute.
    pub fn workers(&self) -> usize {
        self.threads.len()
    }

    /// Who does which job.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Opens a promise. `bytes` is the size of the result that will have to be held.
    pub fn submit(&mut self, id: JobId, due: Time, bytes: u64, urgency: Urgency, job: R::Job) {
        self.submit_to(self.groups.of(id), (id, due), bytes, urgency, job);
    }

    /// As [`Pool::submit`], for the workers of a group that the caller chose.
    pub fn submit_to(
        &mut self,
        group: usize,
        (id, due): (JobId, Time),
        bytes: u64,
        urgency: Urgency,
        job: R::Job,
    ) {
        self.stats.submitted += 1;
        if self.shared.runner.at_once(&job) {
            self.here.insert(id, job);
            return;
        }
        let eager = urgency == Urgency::Eager;
        let rank = (if eager { EAGER } else { LAZY }, due.micros(), id);
        self.open.insert(id, Ticket { group, rank, bytes });
        self.shared.board().waiting[group].insert(rank, Open { bytes, eager, job });
        if eager {
            self.wake_one(group);
        }
    }

    /// Says that these results will be taken next, in this order: they are computed before all others. Where
    /// all of them fit into the byte budget, those that are due last come first, for they tend to be the
    /// longest, and a long job that begins last leaves the other workers idle. Otherwise they are computed in
    /// the order in which they will be taken.
    pub fn demand(&mut self, ids: &[JobId]) {
        let mut board = self.shared.board();
        let open = |id: &JobId| self.open.get(id).map(|ticket| (ticket.group, ticket.rank, *id));
        let mut wanted: Vec<(usize, Rank, JobId)> =
            ids.iter().filter_map(open).filter(|(_, rank, _)| rank.0 != DEMANDED).collect();
        let bytes = |id: &JobId| self.open.get(id).map_or(0, |ticket| ticket.bytes);
        if ids.iter().map(bytes).sum::<u64>() <= board.budget_bytes {
            wanted.sort_by_key(|(_, rank, _)| std::cmp::Reverse(rank.1));
        }
        let mut moved = vec![0; self.groups.len()];
        for (group, rank, id) in wanted {
            let waiting = &mut board.waiting[group];
            let Some(mut open) = waiting.remove(&rank) else { continue };
            let rank = (DEMANDED, self.demands, id);
            self.demands += 1;
            open.eager = true;
            waiting.insert(rank, open);
            if let Some(ticket) = self.open.get_mut(&id) {
                ticket.rank = rank;
            }
            moved[group] += 1;
        }
        drop(board);
        for (group, moved) in moved.into_iter().enumerate() {
            (0..self.groups.workers_of(group).min(moved)).for_each(|_| self.wake_one(group));
        }
    }

    /// The result of a job; waits for it if need be.
    ///
    /// # Errors
    /// When the job failed, panicked, or is not open.
    pub fn take(&mut self, id: JobId) -> Result<R::Output, JobError> {
        if let Some(job) = self.here.remove(&id) {
            return self.shared.attempt(self.threads.len(), job);
        }
        if !self.open.contains_key(&id) {
            return Err(JobError::NotOpen(id));
        }
        if !self.done.contains_key(&id) {
            self.wait_for(id);
        }
        self.release(id);
        self.done.remove(&id).unwrap_or(Err(JobError::NotOpen(id)))
    }

    /// Gives up a promise. Work that has not started never will.
    pub fn cancel(&mut self, id: JobId) {
        if self.here.remove(&id).is_some() {
            self.stats.cancelled_unstarted += 1;
            return;
        }
        let Some(ticket) = self.open.get(&id) else { return };
        let unstarted = self.shared.board().waiting[ticket.group].remove(&ticket.rank).is_some();
        if unstarted {
            self.open.remove(&id);
            self.stats.cancelled_unstarted += 1;
            return;
        }
        self.stats.cancelled_started += 1;
        if self.done.remove(&id).is_some() {
            self.release(id);
        } else if let Some(ticket) = self.open.remove(&id) {
            self.discarded.insert(id, ticket.bytes);
        }
    }

    /// How many promises are open.
    pub fn open_jobs(&self) -> usize {
        self.open.len() + self.here.len()
    }

    /// Jobs that wait for a worker, and jobs that one is doing now.
    pub fn queued_and_running(&self) -> (usize, usize) {
        let waiting: usize = self.shared.board().waiting.iter().map(BTreeMap::len).sum();
        (waiting + self.here.len(), self.shared.running.load(Ordering::Relaxed))
    }

    /// What the pool did so far.
    pub fn stats(&self) -> PoolStats {
        let busy = self.shared.busy_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        let available = self.started.elapsed().as_secs_f64() * self.threads.len() as f64;
        PoolStats {
            computed: self.shared.computed.load(Ordering::Relaxed),
            utilisation: busy / available.max(1e-9),
            waited_seconds: self.waited.as_secs_f64(),
            peak_bytes: self.shared.board().peak_bytes,
            ..self.stats
        }
    }

    fn wait_for(&mut self, id: JobId) {
        self.drain();
        if self.done.contains_key(&id) {
            return;
        }
        let since = Instant::now();
        self.demand(&[id]);
        let blocked_on = self.open.get(&id).map(|ticket| (ticket.group, ticket.rank));
        self.shared.board().blocked_on = blocked_on;
        if let Some((group, _)) = blocked_on {
            self.wake_one(group);
        }
        while !self.done.contains_key(&id) {
            match self.results.recv() {
                Ok(outcome) => self.keep(outcome),
                Err(_) => break,
            }
        }
        self.shared.board().blocked_on = None;
        let waited = since.elapsed();
        self.waited += waited;
        metrics::histogram!("offbeat_promise_wait_seconds").record(waited.as_secs_f64());
    }

    fn drain(&mut self) {
        while let Ok(outcome) = self.results.try_recv() {
            self.keep(outcome);
        }
    }

    fn keep(&mut self, (id, result): Outcome<R>) {
        match self.discarded.remove(&id) {
            Some(bytes) => self.free(bytes),
            None => {
                self.done.insert(id, result);
            }
        }
    }

    fn release(&mut self, id: JobId) {
        if let Some(ticket) = self.open.remove(&id) {
            self.free(ticket.bytes);
        }
    }

    fn free(&mut self, bytes: u64) {
        let mut board = self.shared.board();
        board.held_bytes -= bytes;
        // Room for a job of any group.
        for (group, waiting) in board.waiting.iter().enumerate() {
            if !waiting.is_empty() {
                self.wake_one(group);
            }
        }
    }

    /// A full channel holds a wake-up for every worker already.
    fn wake_one(&self, group: usize) {
        if let Some(wake) = self.wake.get(group) {
            let _ = wake.try_send(());
        }
    }
}

impl<R: Runner> Drop for Pool<R> {
    /// Lets running jobs end and drops the rest.
    fn drop(&mut self) {
        self.shared.board().waiting.iter_mut().for_each(BTreeMap::clear);
        self.wake.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
