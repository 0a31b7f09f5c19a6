//! A bounded list of what the clients did, for the timeline.
//!
//! When the list is full, tasks of a client that follow each other within a span of time too short to
//! draw are joined to one piece, with the outcome of the longest; when that is not enough, only every
//! second, fourth, ... client is kept, and when few clients are left, longer spans are joined. Which
//! tasks are kept depends on nothing but the tasks.

use crate::report::{Outcome, TaskSpan};
use offbeat_actors::record::TaskRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pieces kept at most.
const MOST: usize = 40_000;
/// Parts of the time line that are told apart at least, when there is room.
const PARTS: f64 = 500.0;
/// So many clients stay whatever happens.
const CLIENTS: usize = 120;

/// Pieces by client, in the order of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spans {
    clients: BTreeMap<u64, Vec<Piece>>,
    count: usize,
    /// Clients whose number this divides are kept.
    stride: u64,
    /// Pieces that lie within so many seconds are joined.
    grain: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Piece {
    span: TaskSpan,
    /// Length of the longest task in it, in seconds.
    longest: f64,
}

impl Default for Spans {
    fn default() -> Self {
        Self { clients: BTreeMap::new(), count: 0, stride: 1, grain: 0.0 }
    }
}

impl Spans {
    pub(super) fn add(&mut self, task: &TaskRow, outcome: Outcome) {
        let client = u64::from(task.client.0);
        if !client.is_multiple_of(self.stride) {
            return;
        }
        let (start, end) = (task.invited.seconds(), task.ended.seconds());
        let span = TaskSpan { client, start, end, outcome, version: task.version.0 };
        let pieces = self.clients.entry(client).or_default();
        let before = pieces.len();
        push(pieces, Piece { span, longest: end - start }, self.grain);
        self.count += pieces.len() - before;
        if self.count > MOST {
            self.thin(end);
        }
    }

    fn thin(&mut self, now: f64) {
        self.grain = self.grain.max(now / PARTS);
        self.join();
        while self.count > MOST / 2 {
            if self.clients.len() >= 2 * CLIENTS {
                self.stride *= 2;
                let stride = self.stride;
                self.clients.retain(|client, _| client.is_multiple_of(stride));
                self.count = self.clients.values().map(Vec::len).sum();
            } else {
                self.grain *= 2.0;
                self.join();
            }
        }
    }

    fn join(&mut self) {
        for pieces in self.clients.values_mut() {
            let mut joined = Vec::new();
            for piece in std::mem::take(pieces) {
                push(&mut joined, piece, self.grain);
            }
            *pieces = joined;
        }
        self.count = self.clients.values().map(Vec::len).sum();
    }

    /// What was left out, in words; empty when nothing was.
    pub(super) fn note(&self) -> String {
        let mut parts = Vec::new();
        if self.stride > 1 {
            let end = match self.stride % 10 {
                2 if self.stride % 100 != 12 => "nd",
                _ => "th",
            };
            parts.push(format!("Every {}{end} client is kept", self.stride));
        }
        if self.grain > 0.0 {
            let of = if self.stride > 1 { "its tasks" } else { "Tasks of a client" };
            parts.push(format!(
                "{of} less than {} apart are drawn as one, in the colour of the longest",
                about(self.grain)
            ));
        }
        match parts.is_empty() {
            true => String::new(),
            false => parts.join("; ") + ".",
        }
    }

    pub(super) fn into_list(self) -> Vec<TaskSpan> {
        self.clients.into_values().flatten().map(|piece| piece.span).collect()
    }
}

/// A span of time in words, rounded.
fn about(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", 1000.0 * s),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{:.1} hours", s / 3600.0),
    }
}

/// Adds a piece, or joins it with the last when both lie within `grain` seconds.
fn push(pieces: &mut Vec<Piece>, piece: Piece, grain: f64) {
    let Some(last) = pieces.last_mut().filter(|last| piece.span.end - last.span.start <= grain)
    else {
        pieces.push(piece);
        return;
    };
    last.span.end = piece.span.end.max(last.span.end);
    if piece.longest > last.longest {
        last.span.outcome = piece.span.outcome;
        last.longest = piece.longest;
    }
}
