//! The end of a run: what is still under way is read, the journal is closed, and all is summed up.

use super::{Driver, FAILED, INTERRUPTED, NOTHING_LEFT};
use crate::caught::{Caught, Panicked};
use crate::effect::Effect;
use crate::error::RunError;
use crate::evaluator::Drain;
use crate::message::Address;
use crate::run::RunResult;
use crate::tap::Tell;
use offbeat_kernel::codec;
use offbeat_learning::device::Transfers;
use std::fmt;

/// Why no more events are delivered before the end.
pub(super) enum Stopped {
    /// What stands in the way.
    Error(RunError),
    /// A part panicked.
    Panicked(Box<Caught>),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "{error}"),
            Self::Panicked(caught) => write!(f, "{} panicked: {}", caught.part, caught.text),
        }
    }
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Self {
        Self::Error(error)
    }
}

impl Driver {
    /// Keeps what was recorded until a part panicked, and says where in the run that was.
    pub(super) async fn fail(mut self, stopped: Stopped) -> RunError {
        let caught = match stopped {
            Stopped::Error(error) => return error,
            Stopped::Panicked(caught) => *caught,
        };
        let Caught { part, text, answer, version } = caught;
        let (task, client) = match answer {
            Some((task, client)) => (Some(task), Some(client)),
            None => self.subject,
        };
        let at = self.driving.calendar.now();
        let version = version.unwrap_or(self.driving.last.version);
        let seed = self.seed;
        let panicked = Panicked { part, text, client, task, at, version, seed };
        // Where figures of evaluations cannot be had any more, the run is told without them.
        let kept = self.drain(false).await.map_err(|stopped| stopped.to_string());
        let kept = kept.and(self.flush().await.map_err(|error| error.to_string()));
        let mut ended = format!("{FAILED}{panicked}");
        if let Err(error) = kept {
            ended += &format!("; not all that was computed could be kept: {error}");
        }
        let result = Box::new(self.result(ended));
        RunError::Panicked { panicked: Box::new(panicked), result }
    }

    /// Reads the figures of all evaluations; with that of the last model when the run `is_over`.
    async fn drain(&mut self, is_over: bool) -> Result<(), Stopped> {
        let now = self.driving.calendar.now();
        let version = self.driving.last.version;
        let model = is_over.then(|| self.driving.last.model.clone());
        let clusters = self.driving.last.clusters.take();
        let stopped = |address| move |_| RunError::ActorStopped { address, at: now };
        let drained = self.evaluator.send(Drain { now, version, model, clusters }).await;
        let mut told = drained.map_err(stopped(Address::Evaluator))?;
        if let Some(tap) = self.tap.as_ref().filter(|_| is_over) {
            told.extend(tap.send(Tell).await.map_err(stopped(Address::Network))?);
        }
        let mut missing = None;
        for effect in told {
            match effect {
                Effect::Record(record) => self.keep(record),
                Effect::Fail(reason) => {
                    missing = missing.or(Some(RunError::Hopeless(reason).into()));
                }
                Effect::Panicked(caught) => missing = missing.or(Some(Stopped::Panicked(caught))),
                _ => {}
            }
        }
        self.keep_retried(now);
        self.keep_found();
        missing.map_or(Ok(()), Err)
    }

    /// Reads what is still under way, closes the journal and sums up.
    pub(super) async fn finish(mut self, ended: String) -> Result<RunResult, RunError> {
        let drained = self.drain(ended != INTERRUPTED).await;
        self.flush().await?;
        if let Err(stopped) = drained {
            return Err(self.fail(stopped).await);
        }
        let result = self.result(ended);
        if result.counts.merged == 0 && result.ended == NOTHING_LEFT {
            let reason = format!(
                "no update ever arrived and {NOTHING_LEFT}: check the clients' availability, speed and links"
            );
            return Err(RunError::Hopeless(reason));
        }
        match result.counts.failures.first() {
            Some(first) if result.counts.merged == 0 => {
                let first = first.clone();
                Err(RunError::NothingLearnt { first, result: Box::new(result) })
            }
            _ => Ok(result),
        }
    }

    /// Closes the journal and sums up.
    fn result(mut self, ended: String) -> RunResult {
        let model = self.driving.last.model.clone();
        let bits: Vec<u8> = model.host().iter().flat_map(|value| value.to_le_bytes()).collect();
        self.driving.journal.write_bytes(&bits);
        for (client, home) in self.setup.homes.borrow().iter() {
            let private = codec::encode(&(client, &home.private)).unwrap_or_default();
            self.driving.journal.write_bytes(&private);
        }
        let counts = self.tally.counts();
        let (traffic, before) = &self.traffic;
        let mut transfers = Transfers::so_far() - *before;
        transfers += traffic.so_far();
        RunResult {
            digest: self.driving.journal.digest(),
            now: self.driving.calendar.now(),
            events: self.driving.events,
            pool: self.book.stats(),
            workers: self.book.workers(),
            transfers,
            wall_seconds: self.wall_seconds(),
            ended,
            model,
            test: self.driving.last.test.take(),
            attack_success: self.driving.last.attack,
            clients: std::mem::take(&mut self.driving.last.clients),
            tried: std::mem::take(&mut self.driving.last.tried),
            trace: self.driving.trace.take().unwrap_or_default(),
            counts,
        }
    }
}
