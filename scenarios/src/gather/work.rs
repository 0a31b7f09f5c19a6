//! How much of the clients' time led to something that was merged.

use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_kernel::TaskId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Time of tasks, in microseconds, so that sums are exact in any order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Work {
    all: u128,
    used: u128,
    /// Updates that arrived and are not merged yet.
    waiting: BTreeMap<TaskId, u64>,
}

impl Work {
    pub(super) fn ended(&mut self, task: &TaskRow) {
        let time = task.ended.since(task.invited).micros();
        self.all += u128::from(time);
        if task.end != TaskEnd::Arrived {
            return;
        }
        if task.used_at_once {
            self.used += u128::from(time);
        } else {
            self.waiting.insert(task.task, time);
        }
    }

    pub(super) fn used(&mut self, task: TaskId) {
        self.used += self.waiting.remove(&task).map_or(0, u128::from);
    }

    /// Updates that arrived and were not merged.
    pub(super) fn unmerged(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Share that was not used, 0 to 1; `None` without any work.
    pub(super) fn wasted(&self) -> Option<f64> {
        (self.all > 0).then(|| 1.0 - self.used as f64 / self.all as f64)
    }
}
