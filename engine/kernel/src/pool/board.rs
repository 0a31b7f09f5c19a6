//! What the kernel's thread and the workers share, and what a worker does.

use super::{JobError, Runner};
use crate::id::JobId;
use crate::panic::panic_text;
use crossbeam_channel::{Receiver, Sender};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Order of work: demanded jobs first, in the order of demand, then by due time.
pub(super) type Rank = (u8, u64, JobId);

pub(super) struct Open<J> {
    pub(super) bytes: u64,
    pub(super) eager: bool,
    pub(super) job: J,
}

/// What kernel and workers share.
pub(super) struct Board<J> {
    /// What waits for a worker, by group.
    pub(super) waiting: Vec<BTreeMap<Rank, Open<J>>>,
    /// The group and rank of the job that the kernel waits for.
    pub(super) blocked_on: Option<(usize, Rank)>,
    pub(super) held_bytes: u64,
    pub(super) peak_bytes: u64,
    pub(super) budget_bytes: u64,
}

impl<J> Board<J> {
    /// The next job that a worker of `group` may start now: the first of all, or, where its result would be too
    /// large to hold, the one that the kernel waits for. Lazy jobs that nobody demanded rank last and never start.
    pub(super) fn next(&mut self, group: usize) -> Option<(JobId, J)> {
        let waiting = &mut self.waiting[group];
        let (&first, open) = waiting.first_key_value()?;
        let fits = self.held_bytes == 0 || self.held_bytes + open.bytes <= self.budget_bytes;
        let awaited =
            self.blocked_on.filter(|(of, rank)| *of == group && waiting.contains_key(rank));
        let rank = match open.eager && fits {
            true => first,
            false => awaited?.1,
        };
        let open = waiting.remove(&rank)?;
        self.held_bytes += open.bytes;
        self.peak_bytes = self.peak_bytes.max(self.held_bytes);
        Some((rank.2, open.job))
    }
}

pub(super) struct Shared<R: Runner> {
    pub(super) board: Mutex<Board<R::Job>>,
    pub(super) runner: R,
    pub(super) busy_nanos: AtomicU64,
    pub(super) computed: AtomicU64,
    pub(super) running: AtomicUsize,
}

impl<R: Runner> Shared<R> {
    pub(super) fn board(&self) -> MutexGuard<'_, Board<R::Job>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a job on this thread. A panic is its result.
    pub(super) fn attempt(&self, worker: usize, job: R::Job) -> Result<R::Output, JobError> {
        let result = catch_unwind(AssertUnwindSafe(|| self.runner.run(worker, job)));
        self.computed.fetch_add(1, Ordering::Relaxed);
        match result {
            Ok(result) => result.map_err(JobError::Failed),
            Err(panic) => Err(JobError::Panicked(panic_text(&*panic))),
        }
    }
}

pub(super) type Outcome<R> = (JobId, Result<<R as Runner>::Output, JobError>);

/// Who a worker is.
pub(super) struct Hands {
    pub(super) worker: usize,
    pub(super) group: usize,
    pub(super) woken: Receiver<()>,
}

pub(super) fn work<R: Runner>(hands: &Hands, shared: &Shared<R>, done: &Sender<Outcome<R>>) {
    let Hands { worker, group, woken } = hands;
    while woken.recv().is_ok() {
        loop {
            // Bound first, so that the lock is free again before the job runs.
            let next = shared.board().next(*group);
            let Some((id, job)) = next else { break };
            let start = Instant::now();
            shared.running.fetch_add(1, Ordering::Relaxed);
            let result = shared.attempt(*worker, job);
            let nanos = start.elapsed().as_nanos() as u64;
            shared.busy_nanos.fetch_add(nanos, Ordering::Relaxed);
            shared.running.fetch_sub(1, Ordering::Relaxed);
            if done.send((id, result)).is_err() {
                return;
            }
        }
    }
}
