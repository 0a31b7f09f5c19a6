//! Jobs that only look: evaluations, trials and attacks.

use super::Book;
use crate::retrieval::RetrieveJob;
use crate::tap::Leak;
use crate::teachers::{TeacherFigures, TeachersJob};
use crate::work::{EvaluateJob, Job, Output};
use offbeat_kernel::{JobId, TaskId, Time};
use offbeat_learning::evaluate::Evaluation;
use offbeat_learning::reid::Found;
use offbeat_strategies::signal::Duty;

impl Book {
    /// Starts an evaluation; [`Book::take_evaluation`] gives its figures.
    pub fn evaluate(&self, due: Time, job: EvaluateJob) -> JobId {
        self.0.borrow_mut().look(due, Job::Evaluate(job))
    }

    /// The figures of an evaluation; waits for them if need be.
    ///
    /// # Errors
    /// Why there are none.
    pub fn take_evaluation(&self, job: JobId) -> Result<Evaluation, String> {
        let mut inner = self.0.borrow_mut();
        inner.evaluations.remove(&job);
        match inner.take(job, None) {
            Ok(Output::Evaluated(evaluation)) => Ok(evaluation),
            Ok(_) => Err(format!("{job} is not an evaluation")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Starts the trial of a model; [`Book::take_retrieval`] gives its figures.
    pub fn retrieve(&self, due: Time, job: RetrieveJob) -> JobId {
        self.0.borrow_mut().look(due, Job::Retrieve(job))
    }

    /// The figures of a trial; waits for them if need be.
    ///
    /// # Errors
    /// Why there are none.
    pub fn take_retrieval(&self, job: JobId) -> Result<Found, String> {
        let mut inner = self.0.borrow_mut();
        inner.evaluations.remove(&job);
        match inner.take(job, None) {
            Ok(Output::Retrieved(found)) => Ok(found),
            Ok(_) => Err(format!("{job} is not a trial")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Has teachers tried; [`Book::take_teachers`] gives their figures.
    pub fn compare(&self, due: Time, job: TeachersJob) -> JobId {
        self.0.borrow_mut().look(due, Job::Teachers(job))
    }

    /// The figures of teachers; waits for them if need be.
    ///
    /// # Errors
    /// Why there are none.
    pub fn take_teachers(&self, job: JobId) -> Result<TeacherFigures, String> {
        let mut inner = self.0.borrow_mut();
        inner.evaluations.remove(&job);
        match inner.take(job, None) {
            Ok(Output::Taught(figures)) => Ok(figures),
            Ok(_) => Err(format!("{job} is no trial of teachers")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Starts an attack on the update of a training whose promise is open; `None` where there is no such training.
    /// [`Book::take_attack`] gives what it found.
    pub fn attack(&self, task: TaskId) -> Option<JobId> {
        let mut inner = self.0.borrow_mut();
        let Job::Train(training) = &inner.tasks.get(&task)?.specification.job else { return None };
        if training.duty != Duty::Train {
            return None;
        }
        let job = Job::Attack(training.clone());
        // Nobody waits for it before the end.
        Some(inner.look(Time::NEVER, job))
    }

    /// What an attack found; waits for it if need be.
    ///
    /// # Errors
    /// Why it found nothing.
    pub fn take_attack(&self, job: JobId) -> Result<Leak, String> {
        let mut inner = self.0.borrow_mut();
        inner.evaluations.remove(&job);
        match inner.take(job, None) {
            Ok(Output::Attacked(leak)) => Ok(*leak),
            Ok(_) => Err(format!("{job} is no attack")),
            Err(error) => Err(error.to_string()),
        }
    }
}
