//! Panics of actors, turned into effects: a defect in one part ends the run with its facts, and nothing that
//! was computed is lost.

use crate::effect::Effect;
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::panic::panic_text;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_strategies::composed::Place;
use serde::Serialize;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is known where a panic is caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Which part panicked, such as `strategy.combine` or `the director`.
    pub part: String,
    /// What it said.
    pub text: String,
    /// The answer that it had in hand.
    pub answer: Option<(TaskId, ClientId)>,
    /// The version that the strategy had.
    pub version: Option<Version>,
}

/// A panic with all that it takes to find it again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panicked {
    /// Which part, such as `strategy.combine`.
    pub part: String,
    /// What it said.
    pub text: String,
    /// The client whose answer or event was handled, if there is one.
    pub client: Option<ClientId>,
    /// The task that it was about.
    pub task: Option<TaskId>,
    /// Virtual time.
    pub at: Time,
    /// The version that the strategy had, or the one that was published last where no strategy panicked.
    pub version: Version,
    /// The seed of the run.
    pub seed: u64,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, text, client, task, at, version, seed } = self;
        write!(f, "{part} panicked: {text} (virtual time {at}, version {}", version.0)?;
        if let Some(task) = task {
            write!(f, ", {task}")?;
        }
        if let Some(client) = client {
            write!(f, ", {client}")?;
        }
        write!(f, ", seed {seed})")
    }
}

/// Runs `work` of `part`. A panic becomes one effect, which ends the run.
pub(crate) fn caught(part: &str, work: impl FnOnce() -> Vec<Effect>) -> Vec<Effect> {
    attempt(part, work).unwrap_or_else(|caught| vec![Effect::Panicked(Box::new(caught))])
}

/// Runs `work` of `part`; what is known of its panic when it does.
pub(crate) fn attempt<T>(part: &str, work: impl FnOnce() -> T) -> Result<T, Caught> {
    Place::take();
    // The actor is asked for nothing afterwards but what it had finished before.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let Place { seam, answer, version, edge } = Place::take();
        let part = match (seam, edge) {
            (_, Some(edge)) => format!("topology.tree.guard of edge server {edge}"),
            (Some(seam), None) => format!("strategy.{seam}"),
            (None, None) => part.to_string(),
        };
        Caught { part, text: panic_text(&*panic), answer, version }
    })
}

/// Runs `work` of `part`, which can fail in words; its panic is such a failure.
pub(crate) fn in_words<T>(
    part: &str,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    let done = attempt(part, work);
    done.unwrap_or_else(|Caught { part, text, .. }| Err(format!("{part} panicked: {text}")))
}

/// Runs `work`, which gives the state of `part`; its panic is a refusal.
pub(crate) fn saved<T>(
    part: &str,
    work: impl FnOnce() -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    attempt(part, work).unwrap_or_else(|Caught { part, text, .. }| {
        Err(CodecError::Refused(format!("{part} panicked when it was to be saved: {text}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_effect() {
        let effects = caught("the director", || panic!("at {}", 3));
        let [Effect::Panicked(found)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!((found.part.as_str(), found.text.as_str()), ("the director", "at 3"));
        assert!(caught("the director", Vec::new).is_empty());
        let told = in_words("the sink", || -> Result<(), String> { panic!("full") });
        assert_eq!(told, Err("the sink panicked: full".to_string()));
        let refused = saved("the server", || -> Result<(), CodecError> { panic!("no") });
        let refused = refused.expect_err("it panicked").to_string();
        assert!(refused.contains("the server panicked when it was to be saved: no"), "{refused}");
        assert_eq!(saved("the server", || Ok(3)).ok(), Some(3));
    }
}
