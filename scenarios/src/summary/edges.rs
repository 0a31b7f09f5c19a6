//! What edge servers and their clients did.

use super::text::{in_words, lines};
use crate::gather::guarded;
use crate::rundir::table::reason_name;
use crate::units::{bytes, count};
use offbeat_actors::tally::Below;
use serde::Serialize;
use std::collections::BTreeMap;

/// What edge servers and their clients did.
#[derive(Clone, Debug, Serialize)]
pub struct Edges {
    /// Updates of clients that arrived at edge servers.
    pub updates: u64,
    /// Merges of such updates.
    pub merges: u64,
    /// Bytes sent by the clients of edge servers.
    pub bytes_up: u64,
    /// Bytes sent by edge servers to their clients.
    pub bytes_down: u64,
    /// Lost tasks of clients by reason.
    pub lost: BTreeMap<&'static str, u64>,
    /// Answers that edge servers refused or cut, by what became of them and why (`clipped: norm`).
    pub guarded: BTreeMap<String, u64>,
}

impl Edges {
    pub(super) fn of(below: &Below) -> Option<Self> {
        let lost = below.lost.iter().map(|(reason, count)| (reason_name(*reason), *count));
        (below.messages > 0).then(|| Self {
            updates: below.updates,
            merges: below.merges,
            bytes_up: below.bytes_up,
            bytes_down: below.bytes_down,
            lost: lost.collect(),
            guarded: guarded(&below.guarded),
        })
    }

    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let (updates, merges) = (count(self.updates), count(self.merges));
        let mut rows = vec![
            ("below edges", format!("{updates} updates of clients, {merges} merges")),
            ("sent there", format!("{} up, {} down", bytes(self.bytes_up), bytes(self.bytes_down))),
        ];
        if !self.lost.is_empty() {
            rows.push(("lost there", in_words(&self.lost)));
        }
        let answers = self.guarded.iter();
        let answers = answers.map(|(name, number)| format!("{} {name}", count(*number)));
        for (index, line) in lines(answers, 60).into_iter().enumerate() {
            rows.push((if index == 0 { "guarded there" } else { "" }, line));
        }
        rows
    }
}
