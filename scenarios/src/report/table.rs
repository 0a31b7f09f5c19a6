//! The comparison as plain text for a terminal of 80 columns.

use super::comparison::{Comparison, Row};
use super::leaks;
use super::quantity::{Column, Quantity};
use super::stats::Estimate;
use super::teachers;

/// Columns of the terminal.
const WIDTH: usize = 80;
/// A label keeps at least so many columns.
const LABEL: usize = 12;

/// One figure of the table: its title, what it counts, and where it stands in a row.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    /// Heading, without the unit.
    pub(crate) title: &'static str,
    /// What it counts.
    pub(crate) quantity: Quantity,
    /// The estimate in a row.
    pub(crate) of: fn(&Row) -> Option<Estimate>,
}

/// Figures that depend on the target.
pub(crate) const TO_TARGET: [Figure; 3] = [
    Figure { title: "time", quantity: Quantity::Seconds, of: |row| row.seconds_to_target },
    Figure { title: "updates", quantity: Quantity::Count, of: |row| row.updates_to_target },
    Figure { title: "bytes", quantity: Quantity::Bytes, of: |row| row.bytes_to_target },
];

/// Shown where an attack has an aim.
pub(crate) const ATTACK: Figure =
    Figure { title: "attack", quantity: Quantity::Share, of: |row| row.attack_success };

/// Shown where something protects the clients.
pub(crate) const EPSILON: Figure =
    Figure { title: "epsilon", quantity: Quantity::Plain, of: |row| row.epsilon };

/// What all of a run took to send.
pub(crate) const SENT: Figure =
    Figure { title: "bytes", quantity: Quantity::Bytes, of: |row| row.bytes_sent };

/// What the server's own link took, where edge servers stand between it and the clients.
pub(crate) const SERVERS: Figure =
    Figure { title: "server's", quantity: Quantity::Bytes, of: |row| row.bytes_sent };

/// What went between edge servers and their clients.
pub(crate) const BELOW: Figure =
    Figure { title: "below", quantity: Quantity::Bytes, of: |row| row.bytes_below };

/// Figures that every comparison has.
pub(crate) const ALWAYS: [Figure; 5] = [
    Figure { title: "accuracy", quantity: Quantity::Share, of: |row| row.final_accuracy },
    Figure { title: "worst tenth", quantity: Quantity::Share, of: |row| row.worst_decile },
    Figure { title: "stale", quantity: Quantity::Plain, of: |row| row.mean_staleness },
    Figure { title: "p95", quantity: Quantity::Plain, of: |row| row.p95_staleness },
    Figure { title: "wasted", quantity: Quantity::Percent, of: |row| row.wasted_share },
];

impl Figure {
    /// Whether a row has it.
    pub(crate) fn known(&self, comparison: &Comparison) -> bool {
        comparison.rows.iter().any(|row| (self.of)(row).is_some())
    }

    /// The column of this figure over all rows.
    pub(crate) fn column(&self, comparison: &Comparison) -> Column {
        let cells: Vec<Estimate> = comparison.rows.iter().filter_map(self.of).collect();
        Column::of(self.quantity, cells.iter())
    }

    /// The cell of `row`; `(k of n)` follows where only `k` of its `n` runs have the figure.
    pub(crate) fn cell(&self, column: &Column, row: &Row) -> String {
        match (self.of)(row) {
            Some(estimate) if estimate.n < row.runs => {
                format!("{} ({} of {})", column.cell(&estimate), estimate.n, row.runs)
            }
            Some(estimate) => column.cell(&estimate),
            None => "–".to_string(),
        }
    }
}

/// The comparison in at most 80 columns: first the race to the target, then what every run has, then, with
/// `classes`, the accuracy by class. Figures are means over seeds ± 95 % intervals.
pub fn text(comparison: &Comparison, classes: bool) -> String {
    if comparison.rows.is_empty() {
        return "Nothing to compare: no runs.\n".to_string();
    }
    let mut blocks = Vec::new();
    if let Some(target) = comparison.target {
        blocks.push(format!("To {target}\n{}", layout(&race(comparison))));
    }
    blocks.push(layout(&always(comparison)));
    if classes && comparison.rows.iter().any(|row| !row.per_class.is_empty()) {
        blocks.push(format!("Accuracy by class\n{}", by_class(comparison)));
    }
    if !comparison.faces.is_empty() {
        blocks.push(comparison.faces.text());
    }
    let leaks = leaks::comparison(comparison);
    if !leaks.is_empty() {
        blocks.push(leaks);
    }
    let taught = teachers::comparison(comparison);
    if !taught.is_empty() {
        blocks.push(taught);
    }
    if !comparison.domains.rows.is_empty() {
        blocks.push(comparison.domains.text(!comparison.faces.is_empty()));
    }
    blocks.push(foot(comparison));
    blocks.join("\n")
}

/// What the figures are.
fn foot(comparison: &Comparison) -> String {
    let mut text = String::from("Mean over runs ± half of the 95 % interval (Student's t).\n");
    let below = BELOW.known(comparison);
    if !below {
        text += "stale: mean age of updates in versions, and its 95th percentile.\n";
    }
    let first = [ATTACK, EPSILON].iter().any(|figure| figure.known(comparison));
    let hidden = first || !below && ALWAYS[1].known(comparison);
    match (below, hidden && SENT.known(comparison)) {
        (true, false) => {
            text += "server's: bytes on the server's own link until the last evaluation.\nbelow: bytes between \
                     edge servers and their clients in the whole run.\n";
        }
        (true, true) => {
            text += "The bytes, on the server's link and below edge servers, stand in the page.\n"
        }
        (false, true) => text += "The bytes that were sent stand in the page.\n",
        _ => {}
    }
    text
}

fn race(comparison: &Comparison) -> Vec<Vec<String>> {
    let columns: Vec<_> =
        TO_TARGET.iter().map(|figure| (figure, figure.column(comparison))).collect();
    let below = BELOW.known(comparison);
    let title = |figure: &Figure| match (figure.quantity, below) {
        (Quantity::Bytes, true) => SERVERS.title,
        _ => figure.title,
    };
    let titles = columns.iter().map(|(figure, column)| column.title(title(figure)));
    let mut lines = vec![head(comparison.what.one(), titles)];
    for row in &comparison.rows {
        let mut cells: Vec<String> = columns
            .iter()
            .map(|(figure, column)| {
                (figure.of)(row).map_or_else(|| "–".to_string(), |e| column.cell(&e))
            })
            .collect();
        match row.missed() {
            // Where some runs reached it, how many did not stands in a line of its own.
            Some(missed) if row.reached > 0 => {
                lines.push(head(&row.label, cells.into_iter()));
                lines.push(head("", [missed, String::new(), String::new()].into_iter()));
            }
            missed => {
                if let (Some(missed), Some(first)) = (missed, cells.first_mut()) {
                    *first = missed;
                }
                lines.push(head(&row.label, cells.into_iter()));
            }
        }
    }
    lines
}

fn always(comparison: &Comparison) -> Vec<Vec<String>> {
    let [accuracy, worst, _, _, wasted] = ALWAYS.map(|figure| (figure.column(comparison), figure));
    // The worst tenth of the clients gives way to the attack or to what was revealed where there is one, and to
    // what was sent where clients were not evaluated.
    let any = |figure: &Figure| figure.known(comparison);
    let second = match [any(&ATTACK), any(&EPSILON), any(&BELOW), any(&worst.1)] {
        [true, ..] => vec![ATTACK],
        [_, true, ..] => vec![EPSILON],
        [_, _, true, _] => vec![SERVERS, BELOW],
        [.., true] => vec![worst.1],
        _ => vec![SENT],
    };
    let second = second.into_iter().map(|figure| (figure.column(comparison), figure));
    // What no run has is left out, such as accuracy where persons were searched for.
    let learnt: Vec<_> =
        std::iter::once(accuracy).chain(second).filter(|(_, figure)| any(figure)).collect();
    let title = |(column, figure): &(Column, Figure)| column.title(figure.title);
    let mut titles = vec!["runs".to_string()];
    titles.extend(learnt.iter().map(title));
    // Two columns of bytes leave no room for it.
    let stale_too = !any(&BELOW);
    titles.extend(stale_too.then(|| "stale (p95)".to_string()));
    titles.push(title(&wasted));
    let mut lines = vec![head(comparison.what.one(), titles.into_iter())];
    for row in &comparison.rows {
        let cell = |(column, figure): &(Column, Figure)| shown(figure, column, row);
        let mut cells = vec![row.runs.to_string()];
        cells.extend(learnt.iter().map(cell));
        cells.extend(stale_too.then(|| stale(row)));
        cells.push(cell(&wasted));
        lines.push(head(&row.label, cells.into_iter()));
    }
    lines
}

fn shown(figure: &Figure, column: &Column, row: &Row) -> String {
    (figure.of)(row).map_or_else(|| "–".to_string(), |estimate| column.cell(&estimate))
}

/// Mean staleness and its 95th percentile, without intervals: there is no room for them.
fn stale(row: &Row) -> String {
    match (row.mean_staleness, row.p95_staleness) {
        (Some(mean), Some(p95)) => format!("{:.1} ({:.0})", mean.mean, p95.mean),
        (Some(mean), None) => format!("{:.1}", mean.mean),
        _ => "–".to_string(),
    }
}

/// Labels against classes, as many classes side by side as fit.
fn by_class(comparison: &Comparison) -> String {
    let classes = comparison.rows.iter().map(|row| row.per_class.len()).max().unwrap_or(0);
    // A figure takes five columns and a gap of two.
    let fit = (WIDTH - LABEL - 8) / 7;
    let mut blocks = Vec::new();
    for from in (0..classes).step_by(fit) {
        let range = from..(from + fit).min(classes);
        let mut lines =
            vec![head(comparison.what.one(), range.clone().map(|class| class.to_string()))];
        for row in &comparison.rows {
            let cell = |class: usize| {
                row.per_class
                    .get(class)
                    .copied()
                    .flatten()
                    .map_or("–".to_string(), |e| format!("{:.3}", e.mean))
            };
            lines.push(head(&row.label, range.clone().map(cell)));
        }
        blocks.push(layout(&lines));
    }
    blocks.join("\n")
}

fn head(first: &str, rest: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_string()).chain(rest).collect()
}

/// Lines of cells as columns: the first to the left and cut where there is no room, the rest to the right.
pub(super) fn layout(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let rest: Vec<usize> = (1..columns).map(wide).collect();
    let room = WIDTH.saturating_sub(rest.iter().map(|width| width + 2).sum());
    let label = wide(0).min(room.max(LABEL));
    let mut out = String::new();
    for line in lines {
        let mut text = format!("{:<label$}", cut(&line[0], label));
        for (cell, width) in line[1..].iter().zip(&rest) {
            text += &format!("  {cell:>width$}");
        }
        out += text.trim_end();
        out.push('\n');
    }
    out
}

/// Cut in the middle, because labels of a sweep tend to differ at their ends.
pub(super) fn cut(text: &str, width: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text.to_string();
    }
    let tail = width.saturating_sub(1) / 2;
    let head = width.saturating_sub(1 + tail);
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}
