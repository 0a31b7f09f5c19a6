//! The timeline of what clients did, from data to HTML.

use super::chart::{Entry, Lane, Piece, Timeline, figure, legend};
use super::data::{Outcome, RunData, TaskSpan};
use super::quantity::count;
use super::thin::even;
use std::collections::BTreeMap;

/// Classes of what a task can come to, in the order in which they are drawn.
const KINDS: [&str; 6] = ["span c0", "span c1", "span muted", "span c3", "span c7", "span c5"];

/// Whose lanes they are, and who gives them tasks.
pub(crate) struct Who {
    /// One of them.
    pub(crate) lane: &'static str,
    /// Who gives them tasks.
    above: &'static str,
}

/// Clients of the server.
pub(crate) const CLIENT: Who = Who { lane: "client", above: "server" };
/// Edge servers.
pub(crate) const EDGE: Who = Who { lane: "edge server", above: "server" };
/// Clients of edge servers.
pub(crate) const BELOW: Who = Who { lane: "client", above: "edge server" };

impl Who {
    /// What a task can come to, in the order of [`KINDS`].
    fn kind(&self, kind: usize) -> String {
        match kind {
            0 => "arrived".into(),
            1 => "lost".into(),
            2 => format!("cancelled by the {}", self.above),
            3 => format!("refused by the {}", self.above),
            4 => "failed".into(),
            _ => "under way at the end".into(),
        }
    }
}

fn kind(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Arrived => 0,
        Outcome::Lost(_) => 1,
        Outcome::Cancelled => 2,
        Outcome::Refused => 3,
        Outcome::Failed => 4,
        Outcome::Running => 5,
    }
}

/// Marks drawn at most.
const MARKS: usize = 100;

/// What at most `most` of a run's clients, or whoever they are, did, one lane each.
pub(crate) fn timeline(title: &str, run: &RunData, who: &Who, most: usize) -> String {
    let mut by_client: BTreeMap<u64, Vec<&TaskSpan>> = BTreeMap::new();
    for task in &run.tasks {
        by_client.entry(task.client).or_default().push(task);
    }
    let clients: Vec<u64> = by_client.keys().copied().collect();
    let shown: Vec<u64> = even(clients.len(), most).map(|place| clients[place]).collect();
    let piece =
        |task: &&TaskSpan| Piece { start: task.start, end: task.end, kind: kind(&task.outcome) };
    let lanes: Vec<Lane> = shown
        .iter()
        .map(|client| Lane {
            name: client.to_string(),
            pieces: by_client[client].iter().map(piece).collect(),
        })
        .collect();
    let marks: Vec<(f64, &str)> = (run.happenings.iter())
        .map(|happening| (happening.at, happening.what.as_str()))
        .take(MARKS)
        .collect();
    let chart = Timeline {
        name: title,
        lanes: &lanes,
        lane: who.lane,
        kinds: &KINDS,
        reach: run.virtual_seconds,
        marks: &marks,
    };
    let (picture, joined) = chart.svg();
    let mut notes = Vec::new();
    if !run.tasks_note.is_empty() {
        notes.push(run.tasks_note.clone());
    }
    if shown.len() < clients.len() {
        notes.push(format!(
            "{} of {} {}s that had a task, taken evenly by number.",
            shown.len(),
            count(clients.len() as u64),
            who.lane
        ));
    }
    if joined {
        notes.push("Tasks that are too short to be told apart are drawn as one.".to_string());
    }
    let used =
        |kind: usize| lanes.iter().any(|lane| lane.pieces.iter().any(|piece| piece.kind == kind));
    let mut entries: Vec<Entry> = (0..KINDS.len())
        .filter(|kind| used(*kind))
        .map(|kind| Entry { name: who.kind(kind), class: KINDS[kind].to_string(), area: true })
        .collect();
    if !marks.is_empty() {
        let name = "something happened: see below".to_string();
        entries.push(Entry { name, class: "happened".into(), area: false });
    }
    let picture = format!("<div class=\"scroll lanes\">{picture}</div>{}", legend(&entries));
    figure(title, &picture, &notes)
}
