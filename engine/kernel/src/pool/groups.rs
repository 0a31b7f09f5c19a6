//! Which workers belong together, and which of them do a job.

use crate::id::JobId;

/// Workers by group. Group 0 is that of the first worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The group of each worker, at least one.
    of_worker: Vec<usize>,
    len: usize,
}

impl Groups {
    /// `workers` workers, at least one, of one group.
    pub fn one(workers: usize) -> Self {
        Self { of_worker: vec![0; workers.max(1)], len: 1 }
    }

    /// Workers by the group of each. Groups are numbered in the order in which they first appear, so that
    /// `[7, 3, 7]` are two workers of group 0 and one of group 1. Without any, one worker.
    pub fn new(of_worker: &[usize]) -> Self {
        let mut names: Vec<usize> = Vec::new();
        let number = |name: &usize| match names.iter().position(|known| known == name) {
            Some(number) => number,
            None => {
                names.push(*name);
                names.len() - 1
            }
        };
        let of_worker: Vec<usize> = of_worker.iter().map(number).collect();
        if of_worker.is_empty() {
            return Self::one(1);
        }
        Self { of_worker, len: names.len() }
    }

    /// How many groups there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.of_worker.len()
    }

    /// How many workers a group has.
    pub fn workers_of(&self, group: usize) -> usize {
        self.of_worker.iter().filter(|of| **of == group).count()
    }

    /// The group of a worker.
    pub fn of_worker(&self, worker: usize) -> usize {
        self.of_worker[worker % self.of_worker.len()]
    }

    /// The group that does the job `id`: that of worker `id` modulo the number of workers, so that a group with
    /// twice the workers gets twice the jobs. Any worker of the group does it.
    pub fn of(&self, id: JobId) -> usize {
        match self.len {
            1 => 0,
            _ => self.of_worker[(id.0 % self.of_worker.len() as u64) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_go_round_the_workers() {
        let groups = Groups::new(&[5, 2, 5]);
        assert_eq!((groups.len(), groups.workers(), groups.workers_of(0)), (2, 3, 2));
        let of: Vec<usize> = (0..6).map(|id| groups.of(JobId(id))).collect();
        assert_eq!(of, [0, 1, 0, 0, 1, 0]);
        assert_eq!(Groups::one(4).of(JobId(3)), 0);
        assert_eq!(Groups::new(&[]), Groups::one(0));
    }
}
