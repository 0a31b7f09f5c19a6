//! The timeline of what clients did, from data to HTML.

use super::chart::{Entry, Lane, Piece, Timeline, figure, legend};
use super::data::{Outcome, RunData, TaskSpan};
use super::quantity::count;
use super::thin::even;
use std::collections::BTreeMap;

/// Names and classes of what a task can come to, in the order in which they are drawn.
const KINDS: [(&str, &str); 6] = [
    ("arrived", "span c0"),
    ("lost", "span c1"),
    ("cancelled by the server", "span muted"),
    ("refused by the server", "span c3"),
    ("failed", "span c7"),
    ("under way at the end", "span c5"),
];

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

/// What at most `most` of a run's clients did, one lane each.
pub(crate) fn timeline(title: &str, run: &RunData, most: usize) -> String {
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
    let classes: Vec<&str> = KINDS.iter().map(|(_, class)| *class).collect();
    let marks: Vec<(f64, &str)> = (run.happenings.iter())
        .map(|happening| (happening.at, happening.what.as_str()))
        .take(MARKS)
        .collect();
    let chart = Timeline {
        name: title,
        lanes: &lanes,
        kinds: &classes,
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
            "{} of {} clients that had a task, taken evenly by number.",
            shown.len(),
            count(clients.len() as u64)
        ));
    }
    if joined {
        notes.push("Tasks that are too short to be told apart are drawn as one.".to_string());
    }
    let used =
        |kind: usize| lanes.iter().any(|lane| lane.pieces.iter().any(|piece| piece.kind == kind));
    let entries: Vec<Entry> = (0..KINDS.len())
        .filter(|kind| used(*kind))
        .map(|kind| Entry {
            name: KINDS[kind].0.to_string(),
            class: KINDS[kind].1.to_string(),
            area: true,
        })
        .collect();
    let picture = format!("<div class=\"scroll lanes\">{picture}</div>{}", legend(&entries));
    figure(title, &picture, &notes)
}
