//! A summary in words.

use super::Summary;
use super::{DevicesUsed, Edges, Jobs};
use crate::complaint::hung;
use crate::failure::command;
use crate::report::teachers;
use crate::snapshot::Cost;
use crate::units::{bytes, count};
use offbeat_kernel::Span;
use offbeat_strategies::privacy::Spent;
use std::collections::BTreeMap;
use std::path::Path;

/// Columns of a value.
pub(super) const VALUE: usize = 64;

impl Summary {
    /// The summary on at most 80 columns.
    pub fn text(&self) -> String {
        let mut rows: Vec<(&str, String)> = Vec::new();
        if let Some(accuracy) = self.last.get("accuracy") {
            let loss = self.last.get("loss").map(|loss| format!(" (loss {loss:.4})"));
            let whose = if self.label_free { " of a linear probe on features" } else { "" };
            rows.push(("accuracy", format!("{accuracy:.4}{whose}{}", loss.unwrap_or_default())));
        }
        if let (Some(mean), Some(worst), Some(best)) = (
            self.last.get("accuracy_mean"),
            self.last.get("accuracy_worst"),
            self.last.get("accuracy_best"),
        ) {
            let spread = format!("mean {mean:.4}, worst {worst:.4}, best {best:.4}");
            rows.push(("over clients", format!("{spread}, on samples of their own")));
        }
        rows.extend(teachers::rows(&self.last));
        if let Some(success) = self.last.get("attack_success") {
            rows.push(("attack", format!("{success:.4} of its aims are hit")));
        }
        rows.extend(self.privacy.iter().flat_map(privacy_rows));
        if let Some(local) = self.last.get("local_accuracy") {
            rows.push(("trained alone", format!("mean {local:.4} on the common test samples")));
        }
        if let Some(own) = self.last.get("local_accuracy_own") {
            rows.push(("", format!("mean {own:.4} on samples of their own")));
        }
        rows.push(("ended", in_thousands(&self.ended)));
        let (shown, wall) = (Span::from_seconds(self.virtual_seconds), self.wall_seconds);
        rows.push(("virtual time", format!("{shown} ({} events)", count(self.events))));
        rows.push(("wall time", format!("{wall:.2}s")));
        let (updates, merged) = (count(self.updates), count(self.merged));
        let at_once = match self.used_at_once {
            0 => String::new(),
            number => format!(", {} used at once", count(number)),
        };
        rows.push(("updates", format!("{updates} arrived, {merged} merged{at_once}")));
        let staleness = self.mean_staleness;
        rows.push((
            "versions",
            format!("{} (mean staleness {staleness:.2})", count(self.versions)),
        ));
        rows.push((
            "sent",
            format!("{} up, {} down", bytes(self.bytes_up), bytes(self.bytes_down)),
        ));
        for (index, note) in self.notes.iter().enumerate() {
            rows.push((if index == 0 { "note" } else { "" }, note.to_string()));
        }
        if !self.lost.is_empty() {
            rows.push(("lost tasks", in_words(&self.lost)));
        }
        let answers = self.guarded.iter();
        let answers = answers.map(|(name, number)| format!("{} {name}", count(*number)));
        for (index, line) in lines(answers, VALUE).into_iter().enumerate() {
            rows.push((if index == 0 { "guarded" } else { "" }, line));
        }
        if let Some(first) = &self.first_failure {
            let failed = format!("{} updates; the first: {first}", count(self.failed));
            rows.push(("failed", failed));
            rows.push(("to see it", command(Path::new(&self.run_dir), self.seed)));
        }
        rows.extend(self.edges.iter().flat_map(Edges::rows));
        if let Some(wasted) = self.wasted_share {
            let share = format!("{:.1} % of the clients' time", wasted * 100.0);
            rows.push(("wasted", share));
        }
        let plural = if self.workers == 1 { "worker" } else { "workers" };
        rows.push((
            "busy",
            format!("{:.0} % of {} {plural}", self.utilisation * 100.0, self.workers),
        ));
        let Jobs { computed, spared, wasted, peak_bytes } = self.jobs;
        let jobs = format!(
            "{} computed, {} spared, {} wasted",
            count(computed),
            count(spared),
            count(wasted)
        );
        rows.push(("jobs", jobs));
        rows.push((
            "held",
            format!("at most {} of results ahead of their time", bytes(peak_bytes)),
        ));
        rows.extend(self.devices.iter().flat_map(DevicesUsed::rows));
        if self.snapshots.kept > 0 {
            let Cost { kept, last_bytes, seconds, .. } = self.snapshots;
            let size = bytes(last_bytes);
            rows.push(("snapshots", format!("{} in {seconds:.2}s, the last {size}", count(kept))));
        }
        rows.push(("digest", self.digest.clone()));
        rows.push(("run directory", self.run_dir.clone()));
        let title = format!("{} (seed {})\n", self.scenario, self.seed);
        let title = title + self.persons.as_str() + self.overheard.as_str();
        rows.iter().fold(title, |text, (name, value)| {
            text + hung(&format!("  {name:<13} "), value).as_str()
        })
    }
}

/// `text` with a count at its beginning set apart by thousands: `60,000 versions are done`.
fn in_thousands(text: &str) -> String {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse() {
        Ok(number) => format!("{} {rest}", count(number)),
        Err(_) => text.to_string(),
    }
}

/// What was revealed of the clients.
fn privacy_rows(spent: &Spent) -> Vec<(&'static str, String)> {
    let Spent { delta, central, local } = *spent;
    let line = |epsilon: f64, whose: &str| {
        ("privacy", format!("epsilon {epsilon:.3} at delta {delta:e}, {whose}"))
    };
    let central = central.map(|epsilon| line(epsilon, "of a client by the models"));
    let local = local.map(|epsilon| line(epsilon, "of a client by its updates"));
    central.into_iter().chain(local).collect()
}

/// Joins `words` by commas in lines of at most `width` characters.
pub(super) fn lines(words: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= width => *line += &format!(", {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

pub(super) fn in_words(lost: &BTreeMap<&'static str, u64>) -> String {
    let lost: Vec<_> =
        lost.iter().map(|(name, number)| format!("{} {name}", count(*number))).collect();
    lost.join(", ")
}
