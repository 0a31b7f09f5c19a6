//! The actix system that a run lives in.

use crate::error::RunError;
use crate::run::RunResult;

/// Runs `run` to its end in a system of its own on this thread.
///
/// It is a task beside those of the actors, not the system's main future: what wakes that goes through the
/// system's own loop, which asks the operating system for news each time, once for every message.
pub(super) fn run(
    run: impl Future<Output = Result<RunResult, RunError>> + 'static,
) -> Result<RunResult, RunError> {
    let ran = actix::System::new().block_on(async { actix::spawn(run).await });
    ran.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Err(RunError::Hopeless(error.to_string())),
    })
}
