//! The page that shows several strategies side by side.

use super::chart::{Entry, Series, legend, series_class};
use super::comparison::{Comparison, Row, What, groups};
use super::curves::{Along, Setting, Shown, curves};
use super::data::RunData;
use super::distributions::staleness;
use super::domains;
use super::found;
use super::html::{escape, label, note, page, section, table};
use super::lanes::{CLIENT, EDGE, timeline};
use super::leaks;
use super::quantity::{Quantity, count};
use super::stats::{Estimate, average};
use super::table::{ALWAYS, ATTACK, BELOW, EPSILON, SENT, SERVERS, TO_TARGET};
use super::target::Target;
use super::teachers;
use super::thin;
use std::fmt::Write;

/// Points at most on a curve.
const POINTS: usize = 300;
/// Points at most on all curves of a figure together, as long as each keeps 60.
const ALL_POINTS: usize = 2400;
/// Timelines at most on the page.
const TIMELINES: usize = 12;
/// Clients at most on all timelines together.
const CLIENTS: usize = 180;
/// Staleness histograms at most on the page.
const HISTOGRAMS: usize = 24;

/// Several strategies as a self-contained HTML page: the table of figures, the curves with their bands over
/// seeds, staleness, accuracy by class, and what the clients did. Runs with the same label are one strategy.
pub fn compare_page(runs: &[RunData], target: Option<&Target>) -> String {
    let comparison = Comparison::new(runs, target.copied());
    let groups = groups(runs);
    let title = match groups.len() {
        1 => format!("One {}", comparison.what.one()),
        number => format!("Comparison of {number} {}", comparison.what.several()),
    };
    let mut body = head(&title, runs, target);
    if runs.is_empty() {
        return page(&title, &(body + note("There are no runs to compare.").as_str()));
    }
    let mut figures = figures_table(&comparison);
    if runs.iter().any(|run| run.label_free) {
        figures += &note(
            "The accuracy of a model that learns without labels is that of a linear probe on its features.",
        );
    }
    body += &section("Figures", &figures);
    if !comparison.faces.is_empty() {
        body += &section("Faces told apart", &comparison.faces.page());
    }
    let taught = teachers::comparison_table(&comparison);
    if !taught.is_empty() {
        body += &section("Students and their teachers", &taught);
    }
    let leaks = leaks::comparison_table(&comparison);
    if !leaks.is_empty() {
        body += &section("What a tap found in updates", &leaks);
    }
    if !comparison.domains.rows.is_empty() {
        body += &section(
            domains::title(!comparison.faces.is_empty()),
            &domains::comparison(&comparison.domains, comparison.what.one()),
        );
    }
    let curves = match runs.iter().all(found::alone) {
        true => found::group_curves(&groups),
        false => learning_curves(&groups, target),
    };
    body += &section("Learning curves", &curves);
    body += &section("Staleness of the merged updates", &histograms(&groups, comparison.what));
    if comparison.rows.iter().any(|row| !row.per_class.is_empty()) {
        body += &section("Accuracy by class", &class_table(&comparison));
    }
    body += &section("What the clients did", &timelines(&groups, comparison.what));
    body += &section("Runs", &runs_table(runs));
    page(&title, &body)
}

fn head(title: &str, runs: &[RunData], target: Option<&Target>) -> String {
    let mut scenarios: Vec<&str> = runs.iter().map(|run| run.scenario.as_str()).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    let mut facts = format!("<li>runs <b>{}</b></li>", runs.len());
    for scenario in scenarios.iter().filter(|name| !name.is_empty()).take(8) {
        let _ = write!(facts, "\n<li>scenario <b>{}</b></li>", escape(scenario));
    }
    if let Some(target) = target {
        let _ = write!(facts, "\n<li>target <b>{}</b></li>", escape(&target.to_string()));
    }
    format!(
        "<header>\n<h1>{}</h1>\n<ul class=\"facts\">\n{facts}\n</ul>\n</header>\n",
        escape(title)
    )
}

fn figures_table(comparison: &Comparison) -> String {
    let mut out = String::new();
    if let Some(target) = comparison.target {
        out += &format!(
            "<h3>The way to {}</h3>\n{}",
            escape(&target.to_string()),
            race_table(comparison)
        );
        out += &note(
            "The target counts as reached on the straight line between the evaluations before and after.",
        );
        out += "<h3>The whole run</h3>\n";
    }
    out += &whole_table(comparison);
    let worst = match comparison.rows.iter().any(|row| row.worst_decile.is_some()) {
        true => {
            "; the worst tenth is the mean accuracy of the tenth of the clients that fare worst"
        }
        false => "",
    };
    out += &note(&format!(
        "Mean over runs ± half of the 95 % interval (Student's t). Staleness in versions{worst}."
    ));
    if comparison.target.is_none() {
        out += &note("No target was given, so nothing is said about the time to reach one.");
    }
    out
}

fn race_table(comparison: &Comparison) -> String {
    let race: Vec<_> = TO_TARGET.iter().map(|figure| (figure, figure.column(comparison))).collect();
    let mut head = vec![comparison.what.one().to_string(), "runs that reach it".to_string()];
    let below = BELOW.known(comparison);
    head.extend(race.iter().map(|(figure, column)| match (figure.quantity, below) {
        (Quantity::Bytes, true) => column.title(long_title(SERVERS.title)),
        _ => column.title(long_title(figure.title)),
    }));
    let mut rows = Vec::new();
    for (index, row) in comparison.rows.iter().enumerate() {
        let mut cells = vec![named(index, row), format!("{} of {}", row.reached, row.runs)];
        for (place, (figure, column)) in race.iter().enumerate() {
            let value = (figure.of)(row).map(|estimate| column.cell(&estimate));
            cells.push(race_cell(row, value, place == 0));
        }
        rows.push(cells);
    }
    table(&head, &rows)
}

fn whole_table(comparison: &Comparison) -> String {
    let attacked = comparison.rows.iter().any(|row| row.attack_success.is_some());
    let whole: Vec<_> = ALWAYS
        .iter()
        .chain(attacked.then_some(&ATTACK))
        .chain([&EPSILON])
        .chain(if BELOW.known(comparison) { &[SERVERS, BELOW][..] } else { &[SENT][..] })
        // A figure that no run has says nothing.
        .filter(|figure| comparison.rows.iter().any(|row| (figure.of)(row).is_some()))
        .map(|figure| (figure, figure.column(comparison)))
        .collect();
    let mut head = vec![comparison.what.one().to_string(), "runs".to_string()];
    head.extend(whole.iter().map(|(figure, column)| column.title(long_title(figure.title))));
    let mut rows = Vec::new();
    for (index, row) in comparison.rows.iter().enumerate() {
        let mut cells = vec![named(index, row), row.runs.to_string()];
        cells.extend(whole.iter().map(|(figure, column)| escape(&figure.cell(column, row))));
        rows.push(cells);
    }
    table(&head, &rows)
}

fn long_title(title: &str) -> &str {
    match title {
        "time" => "virtual time",
        "updates" => "updates that arrived",
        "bytes" => "bytes up and down",
        "accuracy" => "final accuracy",
        "worst tenth" => "worst tenth of clients",
        "stale" => "staleness, mean",
        "p95" => "staleness, 95th percentile",
        "wasted" => "wasted client work",
        "server's" => "bytes, server's link",
        "below" => "bytes, below edges",
        other => other,
    }
}

/// The label of a row behind a piece of its curve.
fn named(index: usize, row: &Row) -> String {
    let swatch = format!(
        "<svg class=\"swatch wide\" preserveAspectRatio=\"xMinYMid slice\" viewBox=\"0 0 34 12\" aria-hidden=\"true\"><path class=\"line {}\" d=\"M0 6H34\"/></svg>",
        series_class(index)
    );
    format!("<span class=\"named\">{swatch}{}</span>", label(&row.label))
}

fn race_cell(row: &Row, value: Option<String>, says_missed: bool) -> String {
    match (value, row.missed().filter(|_| says_missed)) {
        (Some(value), Some(missed)) => format!("{}<br><small>{missed}</small>", escape(&value)),
        (Some(value), None) => escape(&value),
        (None, Some(missed)) => format!("<small>{missed}</small>"),
        (None, None) => "–".to_string(),
    }
}

fn learning_curves(groups: &[Vec<&RunData>], target: Option<&Target>) -> String {
    let entries: Vec<Entry> = groups
        .iter()
        .enumerate()
        .map(|(index, group)| Entry {
            name: group[0].shown_label().to_string(),
            class: series_class(index),
            area: false,
        })
        .collect();
    let mut out = legend(&entries);
    let edges = groups.iter().flatten().any(|run| run.edges.is_some());
    let setting = Setting::of(edges, target);
    let most = (ALL_POINTS / groups.len().max(1)).clamp(60, POINTS);
    out += "<div class=\"tabs\" data-tabs>\n";
    for along in Along::ALL {
        let _ = writeln!(out, "<div class=\"grid\" data-tab=\"{}\">", along.name());
        for shown in [Shown::Accuracy, Shown::Loss] {
            let (series, thinned) = mean_series(groups, shown, along, most);
            let notes = if thinned {
                vec![format!("Thinned to at most {most} points a curve.")]
            } else {
                vec![]
            };
            out += &curves(shown, along, &series, &setting, &notes);
        }
        out += "</div>\n";
    }
    out += "</div>\n";
    if groups.iter().any(|group| group.len() > 1) {
        out += &note(
            "Lines are means over seeds, bands reach from the lowest to the highest seed. Within a row of the table, a run that ended earlier counts with its last value; one whose value is not finite leaves a gap.",
        );
    }
    out
}

fn mean_series(
    groups: &[Vec<&RunData>],
    shown: Shown,
    along: Along,
    most: usize,
) -> (Vec<Series>, bool) {
    let mut thinner = false;
    let mut all = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let curve = |run: &&RunData| {
            run.evaluations.iter().map(|e| (along.of(e), shown.of(e))).collect::<Vec<_>>()
        };
        let curves: Vec<_> = group.iter().map(curve).collect();
        let (points, band) = if let [curve] = &curves[..] {
            let thinned = thin::curve(curve.clone(), most);
            thinner |= thinned.is_thinner();
            (thinned.points, vec![])
        } else {
            let thinned = thin::band(average(&curves), most);
            thinner |= thinned.is_thinner();
            let band = thinned.points.iter().map(|p| (p.x, p.low, p.high)).collect();
            (thinned.points.iter().map(|p| (p.x, p.mean)).collect(), band)
        };
        all.push(Series { name: group[0].shown_label().to_string(), index, points, band });
    }
    (all, thinner)
}

fn histograms(groups: &[Vec<&RunData>], what: What) -> String {
    let fresh = |group: &Vec<&RunData>| summed(group).iter().skip(1).all(|count| *count == 0);
    let merged = |group: &Vec<&RunData>| summed(group).iter().any(|count| *count > 0);
    if groups.iter().all(fresh) && groups.iter().any(merged) {
        return note("All updates were fresh.");
    }
    let mut out = String::from("<div class=\"grid three\">\n");
    for (index, group) in groups.iter().enumerate().take(HISTOGRAMS) {
        out += &staleness(group[0].shown_label(), &summed(group), index);
    }
    out += "</div>\n";
    if groups.len() > HISTOGRAMS {
        out += &note(&format!(
            "The first {HISTOGRAMS} of {} {} are shown.",
            groups.len(),
            what.several()
        ));
    }
    out + note("All seeds together. The axes differ from picture to picture.").as_str()
}

fn summed(group: &[&RunData]) -> Vec<u64> {
    let longest = group.iter().map(|run| run.staleness.len()).max().unwrap_or(0);
    let at = |place: usize| group.iter().filter_map(|run| run.staleness.get(place)).sum();
    (0..longest).map(at).collect()
}

fn class_table(comparison: &Comparison) -> String {
    let classes = comparison.rows.iter().map(|row| row.per_class.len()).max().unwrap_or(0);
    let shown: Vec<usize> = thin::even(classes, 100).collect();
    let mut head = vec![comparison.what.one().to_string()];
    head.extend(shown.iter().map(usize::to_string));
    let means = || comparison.rows.iter().flat_map(|row| &row.per_class).flatten().map(|e| e.mean);
    let (low, high) = (means().fold(1.0, f64::min), means().fold(0.0, f64::max));
    let cell = |row: &Row, class: usize| {
        row.per_class
            .get(class)
            .copied()
            .flatten()
            .map_or_else(|| "–".to_string(), |e: Estimate| shaded(e.mean, low, high))
    };
    let rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            std::iter::once(named(index, row))
                .chain(shown.iter().map(|class| cell(row, *class)))
                .collect()
        })
        .collect();
    let mut out = format!("<div class=\"shaded\">{}</div>", table(&head, &rows));
    if shown.len() < classes {
        out +=
            &note(&format!("{} of {} classes, taken evenly.", shown.len(), count(classes as u64)));
    }
    out + note(
        "Accuracy by class at the last evaluation, mean over seeds; the deeper the shade, the higher.",
    )
    .as_str()
}

/// A cell whose shade says where `value` lies between the table's lowest and highest.
fn shaded(value: f64, low: f64, high: f64) -> String {
    let part = if high > low { (value - low) / (high - low) } else { 1.0 };
    format!("<span style=\"--v:{:.0}%\">{value:.3}</span>", part.clamp(0.0, 1.0) * 65.0)
}

fn timelines(groups: &[Vec<&RunData>], what: What) -> String {
    let each = (CLIENTS / groups.len().clamp(1, TIMELINES)).clamp(15, 40);
    let mut out = String::new();
    for (place, group) in groups.iter().take(TIMELINES).enumerate() {
        let run = group[0];
        let open = if place == 0 { " open" } else { "" };
        let who = if run.edges.is_some() { EDGE } else { CLIENT };
        let title = format!("Tasks of each {}, seed {}", who.lane, run.seed);
        let _ = writeln!(out, "<details{open}>\n<summary>{}</summary>", label(run.shown_label()));
        out += &timeline(&title, run, &who, each);
        out += "</details>\n";
    }
    if groups.len() > TIMELINES {
        out += &note(&format!(
            "The first {TIMELINES} of {} {} are shown.",
            groups.len(),
            what.several()
        ));
    }
    out
}

fn runs_table(runs: &[RunData]) -> String {
    let mut head = ["run", "strategy", "seed", "virtual time", "updates", "wasted", "digest"]
        .map(str::to_string);
    // As a label it stands to the left, over the labels below it.
    head[1] = label("strategy");
    let row = |run: &RunData| {
        vec![
            label(&run.name),
            label(&run.strategy),
            run.seed.to_string(),
            Quantity::Seconds.show(run.virtual_seconds),
            count(run.counts.updates),
            run.wasted_share.map_or_else(|| "–".to_string(), |share| Quantity::Percent.show(share)),
            format!("<code>{}</code>", escape(&run.digest.chars().take(16).collect::<String>())),
        ]
    };
    let mut out = table(&head, &runs.iter().take(300).map(row).collect::<Vec<_>>());
    if runs.len() > 300 {
        out += &note(&format!("The first 300 of {} runs.", count(runs.len() as u64)));
    }
    out
}
