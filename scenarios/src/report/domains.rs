//! Tables of what was found by domain, for pages.

use super::html::{escape, label, note, table};
use super::retrieval::{Best, Domains, RetrievalPoint, Whose, by_domain, mean};
use super::stats::Estimate;

/// The heading of either table; with `faces`, the domains are sites with faces.
pub(super) fn title(faces: bool) -> &'static str {
    if faces { "Faces found again" } else { "Persons found again, by domain" }
}

/// The last evaluation of one run, and the mean of its best three.
pub(super) fn run(points: &[RetrievalPoint]) -> String {
    let head = ["models", "domain", "rank-1", "rank-5", "rank-10", "mAP", "rank-1, best three"];
    let mut rows = Vec::new();
    for (whose, title) in [(Whose::Global, "global"), (Whose::Local, "local")] {
        let found = by_domain(points, whose);
        let number = |value: f64| format!("{value:.3}");
        for best in &found {
            let mark = if best.seen { "" } else { " (nobody learns from it)" };
            let mut row = vec![title.to_string(), format!("{}{mark}", escape(&best.domain))];
            row.extend(best.cmc.map(number));
            row.extend([number(best.map), number(best.rank_1_best)]);
            rows.push(row);
        }
        let over = |of: fn(&Best) -> f64| mean(&found, of).map(number);
        if let (Some(one), Some(five), Some(ten), Some(map), Some(best)) = (
            over(|b| b.cmc[0]),
            over(|b| b.cmc[1]),
            over(|b| b.cmc[2]),
            over(|b| b.map),
            over(|b| b.rank_1_best),
        ) {
            rows.push(vec![title.into(), "mean".into(), one, five, ten, map, best]);
        }
    }
    table(&head.map(str::to_string), &rows)
        + note(
            "mAP in the trapezoid form of the benchmarks. The last column is the mean of the three evaluations where rank-1 was best.",
        ).as_str()
}

/// Labels side by side, each a `what`: rank-1, and its change against training alone.
pub(super) fn comparison(domains: &Domains, what: &str) -> String {
    // The mean stands first, so that it is seen where the page is too narrow for all domains.
    let mut head = [what, "models", "mean"].map(str::to_string).to_vec();
    head.extend(domains.names.iter().map(|name| escape(name)));
    let cell = |value: &Option<Estimate>, sign: bool| {
        let Some(e) = value else { return "–".to_string() };
        // Below each other, so that nine domains have room beside each other.
        let half = e.half_width.map(|half| format!("<small>± {:.1}</small>", 100.0 * half));
        let half = half.unwrap_or_default();
        let mean = 100.0 * e.mean;
        if sign { format!("{mean:+.1}{half}") } else { format!("{mean:.1}{half}") }
    };
    let mut out = String::from("<div class=\"stacked\">\n<h3>Rank-1 in %</h3>\n");
    for sign in [false, true] {
        let mut rows = Vec::new();
        for row in &domains.rows {
            let (values, last) = match sign {
                false => (&row.rank_1, &row.mean),
                true => (&row.change, &row.mean_change),
            };
            if sign && last.is_none() {
                continue;
            }
            let whose = if row.whose == Whose::Local { "local" } else { "global" };
            let mut cells = vec![label(&row.label), whose.to_string(), cell(last, sign)];
            cells.extend(values.iter().map(|value| cell(value, sign)));
            rows.push(cells);
        }
        if sign && !rows.is_empty() {
            out += "<h3>Change against local training alone, in points</h3>\n";
        }
        if !rows.is_empty() {
            out += &table(&head, &rows);
        }
    }
    out + "</div>\n" + note(
        "Mean of the best three evaluations of a run, then over runs ± half of the 95 % interval (Student's t).",
    ).as_str()
}
