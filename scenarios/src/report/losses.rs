//! Tables of the work that came to nothing.

use super::data::RunData;
use super::html::{escape, note, table};
use super::quantity::{Quantity, count};
use std::collections::BTreeMap;

/// What guards call the second copy of an answer: no task was lost with it.
const COPY: &str = "refused: repeated";

/// Begins the name of what guards refused.
const REFUSED: &str = "refused";

/// What became of the tasks that one server, or the edge servers together, had given.
struct Tier {
    /// Tasks that were lost, by reason.
    lost: Vec<(String, u64)>,
    /// Updates that arrived.
    arrived: u64,
    /// Of these, those that were never merged.
    unmerged: u64,
    /// Second copies of answers.
    copies: u64,
}

/// The tables; with edge servers, one for their tasks and one for those of their clients.
pub(super) fn losses(run: &RunData) -> String {
    let own = of_server(run);
    let Some(below) = &run.edges else {
        return own.table().unwrap_or_else(|| note("No task was lost."));
    };
    let mut lost = named(&below.lost);
    lost.extend(refused(&below.guarded));
    let clients = Tier {
        lost,
        arrived: below.updates,
        unmerged: below.unmerged,
        copies: below.guarded.get(COPY).copied().unwrap_or(0),
    };
    let none = || note("None was lost.");
    format!(
        "<h3>Tasks of edge servers</h3>\n{}<h3>Tasks of their clients</h3>\n{}",
        own.table().unwrap_or_else(none),
        clients.table().unwrap_or_else(none)
    )
}

fn named(lost: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    lost.iter().map(|(reason, number)| (reason.clone(), *number)).collect()
}

/// What guards refused, but for copies. What was clipped was merged: it is not lost.
fn refused(guarded: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let refused = |(what, _): &(String, u64)| what.starts_with(REFUSED) && what != COPY;
    named(guarded).into_iter().filter(refused).collect()
}

fn of_server(run: &RunData) -> Tier {
    let counts = &run.counts;
    let mut lost = named(&counts.lost);
    // What guards refused is told by reason; they count it as refused too.
    let found = counts.guarded.iter().filter(|(what, _)| what.starts_with(REFUSED));
    let found: u64 = found.map(|(_, number)| *number).sum();
    lost.extend(refused(&counts.guarded));
    lost.push(("refused by the server".to_string(), counts.refused.saturating_sub(found)));
    lost.push(("failed".to_string(), counts.failed));
    let copies = counts.guarded.get(COPY).copied().unwrap_or(0);
    // What failed had arrived.
    let arrived = counts.updates.saturating_sub(counts.failed);
    let unmerged = counts.unmerged.saturating_sub(counts.failed);
    Tier { lost, arrived, unmerged, copies }
}

impl Tier {
    /// The table; `None` where nothing came to nothing.
    fn table(mut self) -> Option<String> {
        let lost: u64 = self.lost.iter().map(|(_, number)| number).sum();
        let ended = (lost + self.arrived) as f64;
        self.lost.push(("arrived, not merged".to_string(), self.unmerged));
        self.lost.retain(|(_, number)| *number > 0);
        self.lost.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let line = |name: &str, number: u64| {
            vec![escape(name), count(number), Quantity::Percent.show(number as f64 / ended)]
        };
        let mut lines: Vec<_> =
            self.lost.iter().map(|(name, number)| line(name, *number)).collect();
        if lines.len() > 1 {
            lines.push(line("all", lost + self.unmerged));
        }
        if self.copies > 0 {
            let name = "second copies of answers, refused: no task is lost";
            lines.push(vec![name.to_string(), count(self.copies), "–".to_string()]);
        }
        let head = ["reason", "tasks", "share of ended tasks"].map(str::to_string);
        (!lines.is_empty()).then(|| table(&head, &lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Counts, EdgeData};

    fn run() -> RunData {
        let counts = Counts {
            updates: 80,
            unmerged: 7,
            lost: [("went-offline".to_string(), 20)].into(),
            failed: 2,
            refused: 31,
            guarded: [(COPY.to_string(), 31)].into(),
            ..Counts::default()
        };
        RunData { counts, ..RunData::default() }
    }

    #[test]
    fn shares_are_those_of_ended_tasks_and_copies_are_none() {
        let text = losses(&run());
        assert!(text.contains("<td>20</td><td>20.0 %</td>"), "{text}");
        assert!(text.contains("arrived, not merged</th><td>5</td><td>5.0 %</td>"), "{text}");
        assert!(text.contains("failed</th><td>2</td><td>2.0 %</td>"), "{text}");
        assert!(text.contains("all</th><td>27</td><td>27.0 %</td>"), "{text}");
        assert!(text.contains("no task is lost</th><td>31</td><td>–</td>"), "{text}");
        assert!(!text.contains("refused: repeated"), "{text}");
        assert!(losses(&RunData::default()).contains("No task was lost."));
    }

    #[test]
    fn clients_of_edge_servers_have_shares_of_their_own() {
        let lost = [("message-lost".to_string(), 30)].into();
        let below = EdgeData { updates: 70, lost, ..EdgeData::default() };
        let text = losses(&RunData { edges: Some(Box::new(below)), ..run() });
        let (edges, clients) = text.split_once("Tasks of their clients").expect("two tables");
        assert!(edges.contains("20.0 %") && clients.contains("<td>30</td><td>30.0 %"), "{text}");
    }
}
