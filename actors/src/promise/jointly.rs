//! Promises of edge servers in the book.

use super::{Book, Inner, Joint};
use crate::tally::Tally;
use offbeat_kernel::TaskId;
use offbeat_strategies::composed::Reply;

impl Book {
    /// A book that counts the failed trainings of edge servers' clients.
    pub fn counting(self, tally: Tally) -> Self {
        self.0.borrow_mut().tally = tally;
        self
    }

    /// Promises the update of an edge server's `task`: its values are merged when they are taken.
    pub fn promise_jointly(&self, task: TaskId, joint: Joint) {
        self.0.borrow_mut().joint.insert(task, joint);
    }

    /// The mean of updates; waits for them.
    ///
    /// # Errors
    /// Why there is none: all of them failed.
    pub fn take_jointly(&self, joint: &Joint) -> Result<Reply, String> {
        self.0.borrow_mut().merge(joint)
    }
}

impl Inner {
    /// The tasks of clients whose promises keep that of `task`: the task itself, unless it is an edge
    /// server's.
    pub(super) fn tasks_behind(&self, task: TaskId) -> Vec<TaskId> {
        match self.joint.get(&task) {
            Some(joint) => joint.parts.iter().map(|part| part.task).collect(),
            None => vec![task],
        }
    }

    /// Takes the values of the parts and merges them.
    pub(super) fn merge(&mut self, joint: &Joint) -> Result<Reply, String> {
        let jobs: Vec<_> = joint
            .parts
            .iter()
            .filter_map(|part| self.tasks.get(&part.task))
            .filter(|open| matches!(open.reply, super::Want::Yes))
            .map(|open| open.job)
            .collect();
        self.pool.demand(&jobs);
        let tally = self.tally.clone();
        joint.merge(
            |task| self.take_reply(task),
            |part, reason| tally.failed(&format!("{} of {}: {reason}", part.task, part.client)),
        )
    }
}
