//! The page of one run.

use super::chart::Series;
use super::curves::{Along, Setting, Shown, curves};
use super::data::RunData;
use super::distributions::{client_accuracy, per_class, staleness};
use super::domains;
use super::edges::edges;
use super::faces;
use super::found;
use super::html::{escape, note, page, section, table, tiles};
use super::lanes::{CLIENT, EDGE, timeline};
use super::leaks;
use super::losses::losses;
use super::privacy::privacy;
use super::quantity::{Quantity, count};
use super::stats::{self, worst_decile};
use super::teachers;
use super::thin;
use crate::failure::command;
use std::path::Path;

/// Points at most on a curve of one run.
const POINTS: usize = 500;
/// Happenings at most in the list.
const HAPPENINGS: usize = 200;
/// Clients at most on the timeline.
const CLIENTS: usize = 60;

/// One run as a self-contained HTML page: key figures, curves, staleness, what the clients did, accuracy by
/// class and over clients, and losses by reason.
pub fn run_page(run: &RunData) -> String {
    let title = if run.name.is_empty() { "Run" } else { &run.name };
    let mut body = head(title, run);
    if !run.broke_off.is_empty() {
        body += &section("Why it failed", &format!("<p>{}</p>\n", escape(&run.broke_off)));
    }
    body += &section("Key figures", &tiles(&key_figures(run)));
    let told_apart = faces::page(&run.retrieval);
    if !run.retrieval.is_empty() {
        let title = domains::title(!told_apart.is_empty());
        body += &section(title, &domains::run(&run.retrieval));
    }
    if !told_apart.is_empty() {
        body += &section("Faces told apart", &told_apart);
    }
    let taught = teachers::section(run);
    if !taught.is_empty() {
        body += &section("Teachers and student", &taught);
    }
    let curves = if found::alone(run) { found::run_curves(run) } else { learning_curves(run) };
    body += &section("Learning curves", &curves);
    if run.privacy.is_some() {
        body += &section("Privacy", &privacy(run));
    }
    let mut spread = staleness("Staleness of the merged updates", &run.staleness, 0);
    if !run.client_accuracy.is_empty() {
        spread += &client_accuracy(&run.client_accuracy);
    }
    let last = run.evaluations.iter().rev().find(|evaluation| !evaluation.per_class.is_empty());
    if let Some(last) = last {
        spread += &per_class(
            &format!("Accuracy by class at version {}", count(last.version)),
            &last.per_class,
        );
    }
    body += &section("Distributions", &format!("<div class=\"grid three\">{spread}</div>\n"));
    match &run.edges {
        None => {
            let lanes = timeline("Tasks of each client", run, &CLIENT, CLIENTS);
            body += &section("What the clients did", &lanes);
        }
        Some(below) => {
            let lanes = timeline("Tasks of each edge server", run, &EDGE, CLIENTS);
            body += &section("What the edge servers did", &lanes);
            body += &section("What their clients did", &edges(run, below, CLIENTS));
        }
    }
    if !run.leaks.is_empty() {
        body += &section("What a tap overheard", &leaks::section(&run.leaks));
    }
    if !run.happenings.is_empty() {
        body += &section("What happened", &happenings(run));
    }
    body += &section("Lost work", &[losses(run), first_in_words(run)].concat());
    page(title, &body)
}

fn head(title: &str, run: &RunData) -> String {
    let mut facts = vec![("scenario", run.scenario.clone()), ("strategy", run.strategy.clone())];
    facts.push(("seed", run.seed.to_string()));
    facts.push(("digest", run.digest.clone()));
    let facts = facts.iter().filter(|(_, value)| !value.is_empty());
    let facts: String = facts
        .map(|(name, value)| format!("<li>{name} <b>{}</b></li>", escape(value)))
        .collect::<Vec<_>>()
        .join("\n");
    format!(
        "<header>\n<h1>{}</h1>\n<ul class=\"facts\">\n{facts}\n</ul>\n</header>\n",
        escape(title)
    )
}

fn key_figures(run: &RunData) -> Vec<(&'static str, String)> {
    let (counts, missing) = (&run.counts, || "–".to_string());
    let share =
        |value: Option<f64>| value.map_or_else(missing, |value| Quantity::Percent.show(value));
    let versions = |value: Option<f64>| value.map_or_else(missing, |value| format!("{value:.1}"));
    let mut figures = if found::alone(run) { found::key_figures(run) } else { learnt(run) };
    figures.extend([
        ("virtual time", Quantity::Seconds.show(run.virtual_seconds)),
        ("wall time", Quantity::Seconds.show(run.wall_seconds)),
        ("updates", count(counts.updates)),
        ("versions", count(counts.versions)),
        ("bytes up", Quantity::Bytes.show(counts.bytes_up as f64)),
        ("bytes down", Quantity::Bytes.show(counts.bytes_down as f64)),
        ("staleness, mean", versions(run.mean_staleness)),
        ("staleness, 95th percentile", versions(run.p95_staleness)),
        ("wasted client work", share(run.wasted_share)),
        ("compute workers busy", share(run.utilisation)),
    ]);
    if let Some(used) = &run.devices {
        figures.push(("devices", used.list.clone()));
        figures.push(("copied to devices", Quantity::Bytes.show(used.to_devices.bytes as f64)));
        figures.push(("copied from devices", Quantity::Bytes.show(used.to_host.bytes as f64)));
        if used.retried > 0 {
            figures.push(("jobs of failed devices", count(used.retried)));
        }
    }
    figures
}

/// What the models can do at the end.
fn learnt(run: &RunData) -> Vec<(&'static str, String)> {
    let missing = || "–".to_string();
    let last = run.evaluations.last();
    let (accuracy, loss) = (last.map(|e| e.accuracy), last.map(|e| e.loss));
    let share = |value: Option<f64>| value.map_or_else(missing, |v| Quantity::Share.show(v));
    let whose = match run.label_free {
        true => "final accuracy of a linear probe on the features",
        false => "final accuracy",
    };
    let mut figures = vec![(whose, share(accuracy))];
    // Where nobody is hostile there is nothing to succeed.
    let attack = last.and_then(|e| e.attack_success);
    figures.extend(attack.map(|value| ("attack success", Quantity::Share.show(value))));
    figures.push(("final loss", loss.map_or_else(missing, |value| Quantity::Plain.show(value))));
    // Where the clients were not evaluated there is nothing to say.
    let worst = worst_decile(&run.client_accuracy);
    figures.extend(worst.map(|value| ("worst tenth of clients", Quantity::Share.show(value))));
    if let Some(alone) = run.alone {
        let mean = stats::mean(&run.client_accuracy);
        figures.extend([
            ("trained alone, common tests", share(Some(alone.common))),
            ("federation, own tests", share(mean)),
            ("trained alone, own tests", share(alone.own)),
        ]);
    }
    if let Some(spent) = run.privacy {
        figures.insert(1, ("epsilon", format!("{:.3}", spent.most)));
    }
    figures
}

fn learning_curves(run: &RunData) -> String {
    let mut out = String::from("<div class=\"grid\">\n");
    for along in Along::ALL {
        for shown in [Shown::Accuracy, Shown::Loss] {
            let (series, notes) = one_series(run, shown, along);
            out +=
                &curves(shown, along, &[series], &Setting::of(run.edges.is_some(), None), &notes);
        }
    }
    out + "</div>\n"
}

fn one_series(run: &RunData, shown: Shown, along: Along) -> (Series, Vec<String>) {
    let points: Vec<_> = run.evaluations.iter().map(|e| (along.of(e), shown.of(e))).collect();
    let left_out = points.iter().filter(|point| !point.1.is_finite()).count();
    let thinned = thin::curve(points, POINTS);
    let mut notes = Vec::new();
    if thinned.is_thinner() {
        notes.push(format!(
            "Thinned from {} to {} evaluations; lowest and highest values are kept.",
            count(thinned.before as u64),
            thinned.points.len()
        ));
    }
    if left_out > 0 {
        notes.push(format!(
            "{} evaluations without a finite value are left out.",
            count(left_out as u64)
        ));
    }
    let index = if shown == Shown::Accuracy { 0 } else { 6 };
    (
        Series { name: run.shown_label().to_string(), index, points: thinned.points, band: vec![] },
        notes,
    )
}

/// A sentence in a table of figures.
fn sentence(text: &str) -> String {
    format!("<span class=\"said\">{}</span>", escape(text))
}

/// What the timeline or the script let happen, with its time.
fn happenings(run: &RunData) -> String {
    let shown = run.happenings.iter().take(HAPPENINGS);
    let lines: Vec<Vec<String>> = shown
        .map(|happening| vec![Quantity::Seconds.show(happening.at), sentence(&happening.what)])
        .collect();
    let mut out = table(&["virtual time", "what"].map(str::to_string), &lines);
    if run.happenings.len() > HAPPENINGS {
        out += &note(&format!("The first {HAPPENINGS} are shown."));
    }
    out
}

/// Tasks that failed at one time and for one reason are told together.
fn alike(texts: &[String]) -> Vec<String> {
    let mut groups: Vec<(&str, usize, &str)> = Vec::new();
    for text in texts {
        // `task 7 of client 3 at ...`
        let rest = text.split_once(" at ").filter(|(who, _)| who.starts_with("task"));
        let rest = rest.map_or(text.as_str(), |(_, rest)| rest);
        match groups.iter_mut().find(|(known, ..)| *known == rest) {
            Some((_, number, _)) => *number += 1,
            None => groups.push((rest, 1, text)),
        }
    }
    let told = |(rest, number, whole): (&str, usize, &str)| match number {
        1 => whole.to_string(),
        number => format!("{number} tasks at {rest}"),
    };
    groups.into_iter().map(told).collect()
}

/// The first failures and findings in words.
fn first_in_words(run: &RunData) -> String {
    let mut out = String::new();
    for (what, first) in [("failures", &run.failures), ("answers that guards met", &run.findings)] {
        if !first.is_empty() {
            let rows: Vec<Vec<String>> =
                alike(first).iter().map(|text| vec![sentence(text)]).collect();
            out += &table(&[format!("the first {what}")], &rows);
        }
    }
    if !run.failures.is_empty() {
        let again = command(Path::new(""), run.seed);
        out += &note(&format!("In the run directory, `{again}` makes them happen again."));
    }
    out
}
