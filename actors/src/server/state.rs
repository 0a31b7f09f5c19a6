//! What the server knows between two events, to be kept and put back.

use super::{Sent, Server};
use crate::caught::saved;
use crate::snapshot::Save;
use actix::{Context, Handler, MessageResult};
use offbeat_kernel::{TaskId, Version};
use offbeat_learning::Flat;
use offbeat_strategies::signal::Clusters;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the server knows between two events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    open: BTreeMap<TaskId, Sent>,
    version: Version,
    model: Flat,
    clusters: Option<Box<Clusters>>,
    best: Option<f64>,
    without_gain: u32,
    evaluated: Option<Version>,
    lost_in_a_row: u64,
    fruitless_in_a_row: u64,
    last_task: Option<TaskId>,
    closed: bool,
    down: bool,
}

impl Server {
    /// What it knows now.
    pub fn state(&self) -> State {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            open,
            version,
            model,
            clusters,
            evaluation: _,
            stop: _,
            topology: _,
            coded: _,
            extra_bytes: _,
            book: _,
            tally: _,
            best,
            without_gain,
            evaluated,
            lost_in_a_row,
            fruitless_in_a_row,
            last_task,
            closed,
            down,
            wants: _,
            board: _,
        } = self;
        State {
            open: open.clone(),
            version: *version,
            model: model.clone(),
            clusters: clusters.clone(),
            best: *best,
            without_gain: *without_gain,
            evaluated: *evaluated,
            lost_in_a_row: *lost_in_a_row,
            fruitless_in_a_row: *fruitless_in_a_row,
            last_task: *last_task,
            closed: *closed,
            down: *down,
        }
    }

    /// Puts back what [`Server::state`] gave.
    pub fn restore(&mut self, state: State) {
        let State { open, version, model, clusters, best, without_gain, evaluated, .. } = state;
        let State { lost_in_a_row, fruitless_in_a_row, last_task, closed, down, .. } = state;
        (self.fruitless_in_a_row, self.last_task, self.down) =
            (fruitless_in_a_row, last_task, down);
        (self.open, self.version, self.best) = (open, version, best);
        (self.model, self.clusters) = (model, clusters);
        (self.without_gain, self.evaluated) = (without_gain, evaluated);
        (self.lost_in_a_row, self.closed) = (lost_in_a_row, closed);
    }
}

impl Handler<Save<State>> for Server {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(saved("the server", || Ok(self.state())))
    }
}
