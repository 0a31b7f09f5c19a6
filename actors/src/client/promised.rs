//! The promise of a task: when its result is due, and how much memory it takes.

use super::{Client, Task};
use crate::conditions::Direction;
use crate::work::TrainJob;
use offbeat_learning::Flat;

impl Client {
    /// Opens the promise of a task that has a job.
    pub(super) fn promise(&self, task: &Task) {
        let Some(job) = task.job.clone() else { return };
        let up = self.payload(task).most() + self.setup.extra_bytes;
        let id = task.answer.task;
        let due = task.finish + self.setup.conditions.transfer(self.id, id, Direction::Up, up);
        // With control variates both sides get as much again.
        let copies = if self.setup.controls { 3 } else { 1 };
        let beside: usize = task.beside.iter().map(|(_, len)| len).sum();
        let bytes = 4 * (copies * task.params + self.held(&job) + beside) as u64;
        self.setup.book.open(due, bytes, task.urgency, self.setup.keeps, job);
    }

    /// Numbers of its own that the client holds after the job: what it has kept, or comes to keep by a question.
    fn held(&self, job: &TrainJob) -> usize {
        let kept = job.private.kept.as_ref().map_or(0, Flat::len);
        kept.max(self.setup.duties.map_or(0, |duties| duties.held(job.duty)))
    }
}
