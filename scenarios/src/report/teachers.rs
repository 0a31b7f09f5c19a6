//! A student beside the teachers that it learnt from and never saw.

use super::comparison::{Comparison, Row};
use super::data::{RunData, Teachers};
use super::html::{label, note, table};
use super::quantity::Quantity;
use super::stats::{Estimate, estimate};
use super::table::layout;
use std::collections::BTreeMap;

/// Their figures by name.
pub(crate) fn figures(teachers: &Teachers) -> [(&'static str, f64); 4] {
    [
        ("teachers_mean", teachers.mean),
        ("teachers_best", teachers.best),
        ("ensemble", teachers.by_class),
        ("ensemble_by_samples", teachers.by_samples),
    ]
}

/// The figures in lines of a summary; none where nobody has a teacher.
pub(crate) fn rows(figures: &BTreeMap<&'static str, f64>) -> Vec<(&'static str, String)> {
    let pair = |a, b| figures.get(a).zip(figures.get(b));
    let alone = pair("teachers_mean", "teachers_best")
        .map(|(mean, best)| ("teachers", format!("mean {mean:.4}, best {best:.4}")));
    let together = pair("ensemble", "ensemble_by_samples").map(|(by_class, by_samples)| {
        ("all together", format!("{by_class:.4} by class, {by_samples:.4} by samples"))
    });
    alone.into_iter().chain(together).collect()
}

/// The table; empty where nobody has a teacher.
pub(super) fn section(run: &RunData) -> String {
    let Some(teachers) = &run.teachers else { return String::new() };
    let Teachers { each, mean, best, by_class, by_samples } = teachers;
    let student = run.evaluations.last().map(|last| last.accuracy);
    let share = |value: f64| Quantity::Share.show(value);
    let worst = each.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let lines = [
        ("the student, at the end", student.map_or_else(|| "–".to_string(), share)),
        ("all teachers together, weighted by class", share(*by_class)),
        ("all teachers together, weighted by samples", share(*by_samples)),
        ("the best teacher", share(*best)),
        ("the mean of the teachers", share(*mean)),
        ("the worst teacher", share(worst)),
    ];
    let lines: Vec<Vec<String>> =
        lines.into_iter().map(|(who, value)| vec![who.to_string(), value]).collect();
    let head = ["who", "accuracy on the common test samples"].map(str::to_string);
    let count = each.len();
    let mut out = table(&head, &lines);
    out += &note(&format!(
        "Each of {count} clients trained its teacher on its own samples alone. Teachers never change and never \
             leave their clients: the server knows them by their answers to made pictures, and sees neither this \
             table nor the test samples."
    ));
    out
}

/// What is compared beside the student.
const NAMES: [&str; 4] = ["all by class", "all by samples", "best", "mean"];

/// The figures of [`NAMES`] over runs that differ in their seed only; empty without teachers.
pub(super) fn estimates(group: &[&RunData]) -> Vec<Option<Estimate>> {
    let found: Vec<[f64; 4]> = group
        .iter()
        .filter_map(|run| run.teachers.as_ref())
        .map(|t| [t.by_class, t.by_samples, t.best, t.mean])
        .collect();
    let figures = if found.is_empty() { 0..0 } else { 0..4 };
    figures.map(|at| estimate(found.iter().map(|figures| figures[at]))).collect()
}

/// A line for each label: the student, or whatever model there is, and the teachers; `None` where nobody has any.
fn lines(comparison: &Comparison, named: impl Fn(&str) -> String) -> Option<Vec<Vec<String>>> {
    comparison.rows.iter().find(|row| !row.teachers.is_empty())?;
    let mut head = vec![comparison.what.one().to_string(), "student".to_string()];
    head.extend(NAMES.map(str::to_string));
    let cell = |figure: Option<Estimate>| figure.map_or("–".into(), |e| format!("{:.4}", e.mean));
    let line = |row: &Row| {
        let own = (0..NAMES.len()).map(|at| row.teachers.get(at).copied().flatten());
        let cells = std::iter::once(row.final_accuracy).chain(own).map(cell);
        std::iter::once(named(&row.label)).chain(cells).collect()
    };
    Some(std::iter::once(head).chain(comparison.rows.iter().map(line)).collect())
}

/// The table in at most 80 columns; empty where nobody has teachers.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let lines = lines(comparison, str::to_string);
    let text = lines.map(|lines| format!("Accuracy beside the teachers\n{}", layout(&lines)));
    text.unwrap_or_default()
}

/// The table for a page; empty where nobody has teachers.
pub(super) fn comparison_table(comparison: &Comparison) -> String {
    let Some(mut lines) = lines(comparison, label) else { return String::new() };
    let head = lines.remove(0);
    let mut out = table(&head, &lines);
    out += &note(
        "Accuracy at the end, means over runs: the model of the server, all teachers together with weights by class \
             or by samples, the best of them, and their mean.",
    );
    out
}
