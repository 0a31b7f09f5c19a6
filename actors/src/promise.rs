//! The book of promises: which job keeps the promise of which task, and who still wants what.
//!
//! A training gives two things: a reply for the server and what the client keeps. Each is taken at
//! most once. When nobody wants either any more, the job is cancelled, and if no worker had started
//! it, it is never computed.

mod cohorts;
mod joint;
mod jointly;
mod looks;
mod retried;
mod watched;

pub(crate) use self::joint::weight;
pub use self::joint::{Joint, Merge, Part};
pub(crate) use self::retried::Retried;
pub(crate) use self::watched::Watches;

use self::cohorts::Cohorts;
use crate::tally::Tally;
use crate::work::{Job, Output, Private, TrainJob, Workshop};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::pool::{Pool, PoolStats, Urgency};
use offbeat_kernel::{JobId, TaskId, Time};
use offbeat_strategies::composed::{Promises, Reply};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The book, shared by the actors of one thread.
#[derive(Clone, Debug)]
pub struct Book(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    pool: Cohorts,
    next_job: u64,
    // Boxed, so that the map moves little when tasks come and go.
    tasks: BTreeMap<TaskId, Box<Open>>,
    /// Promises of edge servers, kept by those of their clients.
    joint: BTreeMap<TaskId, Joint>,
    evaluations: BTreeMap<JobId, Specification>,
    /// Where trainings of edge servers' clients that failed are counted.
    tally: Tally,
    /// What the pools of earlier processes did for this run.
    before: PoolStats,
    /// Trainings whose device failed, until the driver records them.
    retried: Vec<Retried>,
    /// Who judges what edge servers merge.
    watches: Watches,
}

#[derive(Debug)]
struct Open {
    job: JobId,
    reply: Want<Reply>,
    private: Want<Private>,
    specification: Specification,
}

/// Everything that it takes to open a promise again in another process.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Specification {
    due: Time,
    bytes: u64,
    urgency: Urgency,
    job: Job,
}

/// The open promises between two events: their specifications and who still wants what. Results that are
/// there already are not part of it, since a job computes them again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    next_job: u64,
    tasks: BTreeMap<TaskId, OpenState>,
    joint: BTreeMap<TaskId, Joint>,
    evaluations: BTreeMap<JobId, Specification>,
    before: PoolStats,
    /// What the guards of each edge server know.
    watches: Vec<Vec<Vec<u8>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OpenState {
    job: JobId,
    reply: bool,
    private: bool,
    specification: Specification,
}

#[derive(Debug)]
enum Want<T> {
    /// Wanted; still with the job.
    Yes,
    /// Computed, waiting to be fetched.
    Here(Result<T, String>),
    /// Nobody wants it (any more).
    No,
}

impl<T> Want<T> {
    fn open(wanted: bool) -> Self {
        if wanted { Want::Yes } else { Want::No }
    }

    fn is_some(&self) -> bool {
        !matches!(self, Want::No)
    }
}

impl Book {
    /// A book over a pool that computes at most `cohorts[d]` trainings together on device `d`.
    pub fn new(pool: Pool<Workshop>, cohorts: Vec<usize>) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            pool: Cohorts::new(pool, cohorts),
            next_job: 0,
            tasks: BTreeMap::new(),
            joint: BTreeMap::new(),
            evaluations: BTreeMap::new(),
            tally: Tally::default(),
            before: PoolStats::default(),
            retried: Vec::new(),
            watches: Watches::default(),
        })))
    }

    /// The open promises now.
    ///
    /// # Errors
    /// When a guard of an edge server cannot give its state.
    pub fn state(&self) -> Result<State, CodecError> {
        let inner = self.0.borrow();
        // Every field by its name: one that is added and forgotten here does not compile.
        let Inner {
            pool,
            next_job,
            tasks,
            joint,
            evaluations,
            tally: _,
            before,
            retried: _,
            watches,
        } = &*inner;
        let tasks = tasks.iter().map(|(task, open)| {
            let Open { job, reply, private, specification } = &**open;
            let (reply, private) = (reply.is_some(), private.is_some());
            let specification = specification.clone();
            (*task, OpenState { job: *job, reply, private, specification })
        });
        Ok(State {
            next_job: *next_job,
            tasks: tasks.collect(),
            joint: joint.clone(),
            evaluations: evaluations.clone(),
            before: before.followed_by(&pool.stats()),
            watches: watches.save()?,
        })
    }

    /// Opens the promises of [`Book::state`] again. The book must be new.
    ///
    /// # Errors
    /// When a guard of an edge server refuses its state.
    pub fn restore(&self, state: State) -> Result<(), CodecError> {
        let mut inner = self.0.borrow_mut();
        let State { next_job, tasks, joint, evaluations, before, watches } = state;
        inner.watches.restore(&watches)?;
        (inner.next_job, inner.joint, inner.before) = (next_job, joint, before);
        for (task, open) in tasks {
            let OpenState { job, reply, private, specification } = open;
            inner.reopen(job, &specification);
            let (reply, private) = (Want::open(reply), Want::open(private));
            let open = Open { job, reply, private, specification };
            inner.tasks.insert(task, Box::new(open));
        }
        for (job, specification) in &evaluations {
            inner.reopen(*job, specification);
        }
        inner.evaluations = evaluations;
        Ok(())
    }

    /// Opens the promise of a task: due at `due`, holding about `bytes` when kept.
    /// `keeps` says whether the client wants its private part back.
    pub fn open(&self, due: Time, bytes: u64, urgency: Urgency, keeps: bool, job: TrainJob) {
        let mut inner = self.0.borrow_mut();
        let task = job.task;
        let specification = Specification { due, bytes, urgency, job: Job::Train(Box::new(job)) };
        let id = inner.submit(&specification);
        let private = Want::open(keeps);
        let open = Open { job: id, reply: Want::Yes, private, specification };
        inner.tasks.insert(task, Box::new(open));
    }

    /// The task ended without its work being done: neither side gets anything.
    pub fn cancel(&self, task: TaskId) {
        let mut inner = self.0.borrow_mut();
        if let Some(open) = inner.tasks.remove(&task) {
            inner.pool.cancel(open.job);
        }
    }

    /// The server does not want the reply; the client may still want what it keeps.
    pub fn discard_reply(&self, task: TaskId) {
        let mut inner = self.0.borrow_mut();
        let behind = inner.tasks_behind(task);
        inner.joint.remove(&task);
        behind.into_iter().for_each(|task| inner.discard(task));
    }

    /// What the client keeps of a finished task; waits for it if need be.
    ///
    /// # Errors
    /// Why there is nothing: the training failed.
    pub fn take_private(&self, task: TaskId) -> Result<Private, String> {
        let mut inner = self.0.borrow_mut();
        inner.fetch(task);
        let Some(open) = inner.tasks.get_mut(&task) else { return Err(unknown(task)) };
        let private = std::mem::replace(&mut open.private, Want::No);
        inner.settle(task);
        match private {
            Want::Here(private) => private,
            Want::Yes | Want::No => Err(unknown(task)),
        }
    }

    /// Bytes that the parameters of a finished task took with their codec; waits for them if need be. `None` when
    /// the training failed.
    pub fn payload(&self, task: TaskId) -> Option<u64> {
        let mut inner = self.0.borrow_mut();
        inner.fetch(task);
        match &inner.tasks.get(&task)?.reply {
            Want::Here(Ok(reply)) => reply.payload,
            _ => None,
        }
    }

    /// What the pool did so far, in earlier processes of this run too.
    pub fn stats(&self) -> PoolStats {
        let inner = self.0.borrow();
        inner.before.followed_by(&inner.pool.stats())
    }

    /// Sets the gauges of the compute pool.
    pub fn show_gauges(&self) {
        let (queued, running) = self.0.borrow().pool.queued_and_running();
        metrics::gauge!("offbeat_jobs_queued").set(queued as f64);
        metrics::gauge!("offbeat_jobs_running").set(running as f64);
    }

    /// Number of worker threads.
    pub fn workers(&self) -> usize {
        self.0.borrow().pool.workers()
    }
}

impl Promises for Book {
    fn demand(&mut self, tasks: &[TaskId]) {
        let mut inner = self.0.borrow_mut();
        let jobs: Vec<JobId> = tasks
            .iter()
            .flat_map(|task| inner.tasks_behind(*task))
            .filter_map(|task| inner.tasks.get(&task))
            .filter(|open| matches!(open.reply, Want::Yes))
            .map(|open| open.job)
            .collect();
        inner.pool.demand(&jobs);
    }

    fn take(&mut self, task: TaskId) -> Result<Reply, String> {
        let mut inner = self.0.borrow_mut();
        match inner.joint.remove(&task) {
            Some(joint) => inner.merge(&joint),
            None => inner.take_reply(task),
        }
    }

    fn discard(&mut self, task: TaskId) {
        self.discard_reply(task);
    }
}

impl Inner {
    fn submit(&mut self, specification: &Specification) -> JobId {
        let id = JobId(self.next_job);
        self.next_job += 1;
        self.reopen(id, specification);
        id
    }

    /// Starts a job that only gives figures.
    fn look(&mut self, due: Time, job: Job) -> JobId {
        let specification = Specification { due, bytes: 256, urgency: Urgency::Eager, job };
        let id = self.submit(&specification);
        self.evaluations.insert(id, specification);
        id
    }

    fn reopen(&mut self, id: JobId, specification: &Specification) {
        let Specification { due, bytes, urgency, job } = specification;
        self.pool.submit(id, *due, *bytes, *urgency, job.clone());
    }

    /// Brings a task's output from the pool, if it is still there.
    fn fetch(&mut self, task: TaskId) {
        let Some(open) = self.tasks.get(&task) else { return };
        if !matches!((&open.reply, &open.private), (Want::Yes, _) | (_, Want::Yes)) {
            return;
        }
        let job = open.job;
        let (reply, private) = match self.take(job, Some(task)) {
            Ok(Output::Trained(both)) => {
                let (reply, private) = *both;
                (Ok(reply), Ok(private))
            }
            Ok(_) => {
                let error = format!("{job} is not a training");
                (Err(error.clone()), Err(error))
            }
            Err(error) => (Err(error.to_string()), Err(error.to_string())),
        };
        let Some(open) = self.tasks.get_mut(&task) else { return };
        if matches!(open.reply, Want::Yes) {
            open.reply = Want::Here(reply);
        }
        if matches!(open.private, Want::Yes) {
            open.private = Want::Here(private);
        }
    }

    fn take_reply(&mut self, task: TaskId) -> Result<Reply, String> {
        self.fetch(task);
        let Some(open) = self.tasks.get_mut(&task) else { return Err(unknown(task)) };
        let reply = std::mem::replace(&mut open.reply, Want::No);
        self.settle(task);
        match reply {
            Want::Here(reply) => reply,
            Want::Yes | Want::No => Err(unknown(task)),
        }
    }

    fn discard(&mut self, task: TaskId) {
        if let Some(open) = self.tasks.get_mut(&task) {
            open.reply = Want::No;
        }
        self.settle(task);
    }

    /// Forgets a task that nobody wants anything of.
    fn settle(&mut self, task: TaskId) {
        let done = |open: &Open| matches!((&open.reply, &open.private), (Want::No, Want::No));
        if self.tasks.get(&task).is_some_and(|open| done(open))
            && let Some(open) = self.tasks.remove(&task)
        {
            self.pool.cancel(open.job);
        }
    }
}

fn unknown(task: TaskId) -> String {
    format!("{task} has no open promise")
}
