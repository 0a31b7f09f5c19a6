//! Promises of edge servers in the book.

use super::joint::{Joint, Merge, Part, let_in};
use super::watched::Watches;
use super::{Book, Inner};
use crate::tally::Tally;
use offbeat_kernel::TaskId;
use offbeat_strategies::Arrival;
use offbeat_strategies::composed::Reply;

impl Book {
    /// A book that counts the failed trainings of edge servers' clients.
    pub fn counting(self, tally: Tally) -> Self {
        self.0.borrow_mut().tally = tally;
        self
    }

    /// A book whose edge servers guard what their clients answer.
    pub(crate) fn watching(self, watches: Watches) -> Self {
        self.0.borrow_mut().watches = watches;
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

    /// What an edge server's guards let in of `batch`, as far as that can be said before the values are there; the
    /// rest is discarded.
    pub(crate) fn judge_arrivals(&self, merge: Merge, batch: Vec<Arrival>) -> Vec<Arrival> {
        let mut inner = self.0.borrow_mut();
        let tasks: Vec<TaskId> = batch.iter().map(|arrival| arrival.task).collect();
        let Inner { watches, tally, .. } = &mut *inner;
        let left = watches.arrivals(merge, batch, tally);
        for task in tasks {
            if !left.iter().any(|arrival| arrival.task == task) {
                inner.discard(task);
            }
        }
        left
    }
}

impl Inner {
    /// The tasks of clients whose promises keep that of `task`: the task itself, unless it is an edge
    /// server's.
    pub(super) fn tasks_behind(&self, task: TaskId) -> Vec<TaskId> {
        match self.joint.get(&task) {
            Some(joint) => joint.parts.iter().map(|part| part.arrival.task).collect(),
            None => vec![task],
        }
    }

    /// Takes the values of the parts, one after another, and merges those that the guards let in.
    pub(super) fn merge(&mut self, joint: &Joint) -> Result<Reply, String> {
        let jobs: Vec<_> = joint
            .parts
            .iter()
            .filter_map(|part| self.tasks.get(&part.arrival.task))
            .filter(|open| matches!(open.reply, super::Want::Yes))
            .map(|open| open.job)
            .collect();
        self.pool.demand(&jobs);
        joint.merge(|part| self.admitted(joint, part))
    }

    /// The values of one part, after the guards; why there are none.
    fn admitted(&mut self, joint: &Joint, part: &Part) -> Result<Reply, String> {
        let Arrival { task, client, .. } = part.arrival;
        let reply = match self.take_reply(task) {
            Ok(reply) => reply,
            Err(reason) => {
                self.tally.failed(&format!("{task} of {client}: {reason}"));
                return Err(reason);
            }
        };
        let mut update = joint.update(part, reply);
        self.watches.update(joint.merge, &mut update, &self.tally)?;
        Ok(let_in(update))
    }
}
