//! Promises that another device kept than the one that was to.

use super::{Book, Inner};
use crate::work::{Job, Output, Retry};
use offbeat_kernel::pool::JobError;
use offbeat_kernel::{ClientId, JobId, TaskId, Version};

/// A training whose device failed, and which was computed on another.
#[derive(Clone, Debug)]
pub(crate) struct Retried {
    pub(crate) task: TaskId,
    pub(crate) client: ClientId,
    pub(crate) version: Version,
    pub(crate) retry: Retry,
}

impl Book {
    /// Trainings whose device failed, since the last call.
    pub(crate) fn take_retried(&self) -> Vec<Retried> {
        std::mem::take(&mut self.0.borrow_mut().retried)
    }
}

impl Inner {
    /// The output of a job, which keeps the promise of `task` if it is a training. Notes when its device failed.
    pub(super) fn take(&mut self, job: JobId, task: Option<TaskId>) -> Result<Output, JobError> {
        let (output, retry) = self.pool.take(job)?.retried();
        if let Some(retry) = retry {
            let task = task.and_then(|task| self.tasks.get(&task));
            if let Some(Job::Train(training)) = task.map(|open| &open.specification.job) {
                let (task, client, version) = (training.task, training.client, training.base);
                self.tally.retried(&format!("{task} of {client}: {retry}"));
                self.retried.push(Retried { task, client, version, retry });
            } else {
                self.tally.retried(&format!("{job}: {retry}"));
            }
        }
        Ok(output)
    }
}
