//! Clients that are asked to hurry: they answer with the epochs that they have finished.

use super::{Client, Task};
use crate::conditions::Outcome;
use crate::effect::Effect;
use crate::message::Message;
use offbeat_kernel::{TaskId, Time};

impl Client {
    /// Stops at the end of the present epoch, unless that is the last. Who is about to be lost is lost.
    pub(super) fn urged(&mut self, id: TaskId, now: Time) -> Vec<Effect> {
        let open = |task: &&Task| task.answer.task == id && task.job.is_some();
        let Some(task) = self.task.as_deref().filter(open) else { return Vec::new() };
        let Some((stop, finish)) = self.end_of_epoch(task, now) else { return Vec::new() };
        if let Some(task) = self.task.as_mut() {
            task.steps = stop;
            task.finish = finish;
            task.answer.completeness = stop as f64 / task.planned_steps.max(1) as f64;
            if let Some(job) = task.job.as_mut() {
                job.step_limit = Some(stop);
            }
        }
        self.setup.book.cancel(id);
        if let Some(task) = &self.task {
            self.promise(task);
        }
        vec![self.to_self(finish, Message::Finished(id))]
    }

    /// The steps after the first epoch that ends at `now` or later, and when that is; nothing when no epoch
    /// but the last does.
    fn end_of_epoch(&self, task: &Task, now: Time) -> Option<(usize, Time)> {
        let setup = &self.setup;
        let samples = setup.samples.count(self.id);
        let per_epoch = setup.plan.batches(samples).max(1);
        let stops = (1..).map(|epoch| epoch * per_epoch).take_while(|stop| *stop < task.steps);
        stops.into_iter().find_map(|stop| {
            let seen = setup.plan.samples_seen(samples, stop);
            match setup.conditions.compute(self.id, task.answer.task, task.started, seen) {
                // What was learnt still has to be encrypted, where that is done.
                Outcome::Complete { at } if at >= now && at + task.sealing < task.finish => {
                    Some((stop, at + task.sealing))
                }
                _ => None,
            }
        })
    }
}
