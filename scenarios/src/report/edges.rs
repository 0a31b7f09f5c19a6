//! What happened between edge servers and their clients.

use super::data::{RunData, TaskSpan};
use super::html::tiles;
use super::lanes::{BELOW, timeline};
use super::quantity::{Quantity, count};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened between edge servers and their clients, in a run that has edge servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeData {
    /// Updates that arrived at edge servers.
    pub updates: u64,
    /// Merges of such updates.
    pub merges: u64,
    /// Bytes that clients sent to their edge servers.
    pub bytes_up: u64,
    /// Bytes that edge servers sent to their clients.
    pub bytes_down: u64,
    /// Tasks of clients that were lost, by reason.
    pub lost: BTreeMap<String, u64>,
    /// Answers that edge servers refused or cut, by what became of them and why (`clipped: norm`).
    #[serde(default)]
    pub guarded: BTreeMap<String, u64>,
    /// Updates that arrived at edge servers and were never merged.
    #[serde(default)]
    pub unmerged: u64,
    /// What the clients did, in any order.
    pub tasks: Vec<TaskSpan>,
    /// What was left out of `tasks`, in words; empty when nothing was.
    pub tasks_note: String,
}

impl EdgeData {
    /// Bytes sent in both directions.
    pub fn bytes(&self) -> u64 {
        self.bytes_up.saturating_add(self.bytes_down)
    }
}

/// The section's content: figures, and what at most `most` clients did.
pub(super) fn edges(run: &RunData, edges: &EdgeData, most: usize) -> String {
    let lost: u64 = edges.lost.values().sum();
    let mut figures = vec![
        ("updates of their clients", count(edges.updates)),
        ("merges", count(edges.merges)),
        ("bytes up, below", Quantity::Bytes.show(edges.bytes_up as f64)),
        ("bytes down, below", Quantity::Bytes.show(edges.bytes_down as f64)),
    ];
    if lost > 0 {
        figures.push(("clients' tasks lost", count(lost)));
    }
    let of = |what: &str| -> u64 {
        let found = edges.guarded.iter().filter(|(name, _)| name.starts_with(what));
        found.map(|(_, number)| *number).sum()
    };
    for (what, number) in
        [("clients' answers refused", of("refused")), ("clients' answers clipped", of("clipped"))]
    {
        if number > 0 {
            figures.push((what, count(number)));
        }
    }
    let below = RunData {
        tasks: edges.tasks.clone(),
        tasks_note: edges.tasks_note.clone(),
        virtual_seconds: run.virtual_seconds,
        ..RunData::default()
    };
    let lanes = timeline("Tasks of each client of an edge server", &below, &BELOW, most);
    tiles(&figures) + lanes.as_str()
}
