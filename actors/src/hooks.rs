//! What a user's script is told and asked, whatever language it is written in.

use crate::timeline::Action;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which occasions somebody wants to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wants {
    /// Every update that arrives.
    pub updates: bool,
    /// Every version that is published.
    pub versions: bool,
    /// Every evaluation, when its figures are read.
    pub evaluations: bool,
}

impl Wants {
    /// What either wants.
    pub fn or(self, other: Self) -> Self {
        Self {
            updates: self.updates || other.updates,
            versions: self.versions || other.versions,
            evaluations: self.evaluations || other.evaluations,
        }
    }
}

/// Something that the director is told of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// An update arrived and was accepted.
    Update {
        /// Its task.
        task: TaskId,
        /// Whose.
        client: ClientId,
        /// Version that it started from.
        base: Version,
        /// Samples that the client says it holds.
        samples: u64,
        /// Share of the planned work that was done.
        completeness: f64,
        /// When the client was invited.
        invited: Time,
    },
    /// A version was published.
    Version {
        /// Which.
        version: Version,
        /// How many updates were merged into it.
        merged: u64,
    },
    /// The figures of an evaluation are known.
    Evaluation {
        /// Of which version.
        version: Version,
        /// When it was published.
        at: Time,
        /// Share of the samples that were classified rightly.
        accuracy: f64,
        /// Mean loss.
        loss: f64,
    },
}

/// Why a script is called.
#[derive(Clone, Copy, Debug)]
pub enum Occasion<'a> {
    /// The run begins.
    Start,
    /// Something happened.
    Told(&'a Told),
    /// A timer rang that the script had set.
    Timer(&'a str),
}

/// A user's script. It sees the [`Board`] and answers with actions.
pub trait Hooks: Debug {
    /// What it wants to be told of.
    fn wants(&self) -> Wants;

    /// What shall happen now.
    ///
    /// # Errors
    /// What went wrong in the script, with its place there.
    fn on(&mut self, occasion: Occasion<'_>, now: Time) -> Result<Vec<Action>, String>;

    /// The script's state as bytes, for a snapshot.
    ///
    /// # Errors
    /// When it keeps what cannot be written.
    fn save(&self) -> Result<Vec<u8>, String>;

    /// Puts back what [`Hooks::save`] gave.
    ///
    /// # Errors
    /// When the bytes are no such state.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// What a script can look at. Kept up to date only where there is a script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// Virtual time.
    pub now: Time,
    /// The present version.
    pub version: Version,
    /// Updates that arrived.
    pub updates: u64,
    /// Accuracy and loss of the last evaluation that was read.
    pub figures: Option<(f64, f64)>,
    /// Counts of every client that was ever invited.
    pub clients: BTreeMap<ClientId, ClientCounts>,
}

/// What one client did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCounts {
    /// Invitations.
    pub invited: u64,
    /// Updates that arrived.
    pub arrived: u64,
    /// Updates that were merged.
    pub merged: u64,
    /// Tasks that were lost.
    pub lost: u64,
}

/// A board that actors and a script share.
#[derive(Clone, Debug, Default)]
pub struct SharedBoard(Arc<Mutex<Board>>);

impl SharedBoard {
    /// The board, for reading or writing. Not kept across calls.
    pub fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something of `client`.
    pub(crate) fn count(&self, client: ClientId, what: impl FnOnce(&mut ClientCounts)) {
        what(self.lock().clients.entry(client).or_default());
    }
}
