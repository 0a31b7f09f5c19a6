//! The seam of servers that learn from answers to their questions, not from models.

use super::View;
use crate::guard::Finding;
use crate::signal::Assignment;
use crate::update::Update;
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, TaskId};
use offbeat_learning::Flat;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The server's side of a dialogue with its clients.
pub trait Dialogue: Debug + Send {
    /// How many clients it wants to meet: 0 once it knows whom it talks to.
    fn wants(&self) -> usize;

    /// Told whom it talks to from now on.
    fn meet(&mut self, clients: &[ClientId]);

    /// Takes the answers to what it asked last, by client, and says what it learnt and asks next. Those that were lost
    /// are missing. `model` is the present one.
    fn hear(&mut self, answers: &[Update], model: &Flat, view: &View<'_>) -> Turn;

    /// The part's state as bytes, for a snapshot.
    ///
    /// # Errors
    /// When a piece of the state refuses to be serialised.
    fn save(&self) -> Result<Vec<u8>, CodecError>;

    /// Puts back what [`Self::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not the state of such a part.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError>;
}

/// What comes of a round of answers.
#[derive(Debug, Default)]
pub struct Turn {
    /// A new model, where it learnt one.
    pub learnt: Option<Learnt>,
    /// Answers that were left out, with what was wrong.
    pub refused: Vec<(TaskId, ClientId, Finding)>,
    /// What is asked next. Clients that are busy or away are not asked.
    pub questions: Vec<Question>,
}

/// A new model, and what it was learnt from.
#[derive(Debug)]
pub struct Learnt {
    /// The model.
    pub model: Flat,
    /// Its loss on what it learnt from.
    pub loss: f64,
    /// The answers that it was learnt from, by position, with what each counted.
    pub used: Vec<(usize, f64)>,
}

/// What one client is asked.
#[derive(Debug)]
pub struct Question {
    /// Whom.
    pub client: ClientId,
    /// What for.
    pub assignment: Assignment,
    /// The vectors of the question.
    pub extras: BTreeMap<String, Flat>,
}
