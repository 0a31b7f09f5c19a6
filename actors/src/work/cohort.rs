//! Trainings of several clients that are computed together.

use super::{Output, TrainJob, Workbench};
use offbeat_kernel::JobError;
use offbeat_kernel::panic::panic_text;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl Workbench {
    /// As [`Self::train_cohort`]. When one of them panics each is computed as a cohort of its own, so that it
    /// costs no other client its training.
    pub(super) fn train_or_part(&self, jobs: Vec<TrainJob>) -> Vec<Result<Output, String>> {
        let together = |jobs| catch_unwind(AssertUnwindSafe(|| self.train_cohort(jobs)));
        let alone = |job| match together(vec![job]) {
            Ok(mut output) => output.pop().unwrap_or_else(|| Err("left out".into())),
            Err(panic) => Err(JobError::Panicked(panic_text(&*panic)).to_string()),
        };
        match jobs.len() {
            1 => jobs.into_iter().map(alone).collect(),
            _ => together(jobs.clone()).unwrap_or_else(|_| jobs.into_iter().map(alone).collect()),
        }
    }

    /// What each of the trainings gives, in their order. Those of hostile clients, and of clients whose head has
    /// a width of its own, are computed one by one.
    pub(super) fn train_cohort(&self, jobs: Vec<TrainJob>) -> Vec<Result<Output, String>> {
        let mut outputs: Vec<Option<Result<Output, String>>> = jobs.iter().map(|_| None).collect();
        let (mut requests, mut begun) = (Vec::new(), Vec::new());
        for (place, job) in jobs.into_iter().enumerate() {
            let hostile = self.adversaries.band(job.client, job.base).is_some();
            let usual = Arc::ptr_eq(self.trainer_of(job.client), &self.trainer);
            if self.timing_only || hostile || !usual {
                outputs[place] = Some(self.work(job));
                continue;
            }
            match self.unpack(job) {
                Ok((job, link)) => {
                    let shard = self.shards.train(job.client);
                    let shard = self.shards.at(Some(job.client), shard, job.at);
                    let counter = job.draw;
                    match self.begin(job, shard, counter) {
                        Ok((request, started)) => {
                            requests.push(request);
                            begun.push((place, started, link));
                        }
                        Err(reason) => outputs[place] = Some(Err(reason)),
                    }
                }
                Err(reason) => outputs[place] = Some(Err(reason)),
            }
        }
        let results = self.trainer.train_together(requests);
        for ((place, started, link), trained) in begun.into_iter().zip(results) {
            let output = trained
                .map_err(|error| error.to_string())
                .and_then(|trained| self.conclude(started, trained))
                .map(|output| self.protect(output, &link))
                .and_then(|output| self.pack(output, link));
            outputs[place] = Some(output);
        }
        outputs.into_iter().map(|output| output.unwrap_or_else(|| Err("left out".into()))).collect()
    }
}
