//! Curves and key figures of finding persons again, in place of accuracy and loss, which such runs have not.

use super::chart::{Axis, Entry, LineChart, Series, figure, legend, series_class};
use super::data::RunData;
use super::html::note;
use super::quantity::Quantity;
use super::retrieval::{Best, DomainFigures, RetrievalPoint, Whose, by_domain, mean};
use super::stats::average;
use super::thin;

/// What is drawn: the name, and where it stands in the figures of a domain.
type Drawn = (&'static str, fn(&DomainFigures) -> f64);

const RANK_1: Drawn = ("Rank-1", |found| found.cmc[0]);
const MAP: Drawn = ("Mean average precision", |found| found.map);

/// Points at most on a curve.
const POINTS: usize = 300;

/// Whether persons were searched for and nothing else was measured.
pub(super) fn alone(run: &RunData) -> bool {
    !run.retrieval.is_empty() && run.evaluations.is_empty()
}

/// Rank-1 and mean average precision of global and local models at the end: means over the domains that are
/// learnt from.
pub(super) fn key_figures(run: &RunData) -> Vec<(&'static str, String)> {
    let last = |whose, of: fn(&Best) -> f64| mean(&by_domain(&run.retrieval, whose), of);
    let rank: fn(&Best) -> f64 = |best| best.cmc[0];
    let map: fn(&Best) -> f64 = |best| best.map;
    let all = [
        ("rank-1, global model", last(Whose::Global, rank)),
        ("mAP, global model", last(Whose::Global, map)),
        ("rank-1, local models", last(Whose::Local, rank)),
        ("mAP, local models", last(Whose::Local, map)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, Quantity::Share.show(value?)))).collect()
}

/// Mean over the domains that are learnt from, along virtual time.
fn curve(
    points: &[RetrievalPoint],
    whose: Whose,
    of: fn(&DomainFigures) -> f64,
) -> Vec<(f64, f64)> {
    let one = |point: &RetrievalPoint| {
        let domains = point.domains.iter().filter(|d| d.seen && d.whose == whose);
        let values: Vec<f64> = domains.map(of).collect();
        let many = values.len() as f64;
        (many > 0.0).then(|| (point.virtual_seconds, values.iter().sum::<f64>() / many))
    };
    points.iter().filter_map(one).collect()
}

fn chart(title: &str, of: &str, series: &[Series]) -> String {
    let x = Axis { label: "virtual time", quantity: Quantity::Seconds };
    let y = Axis { label: of, quantity: Quantity::Share };
    figure(title, &LineChart { name: title, x, y, series, bar: None }.svg(), &[])
}

/// Curves of one run: global and local models in the same pictures.
pub(super) fn run_curves(run: &RunData) -> String {
    let models = [(Whose::Global, "global model", 0), (Whose::Local, "local models", 1)];
    let mut entries = Vec::new();
    let mut charts = String::new();
    for (name, of) in [RANK_1, MAP] {
        let mut all = Vec::new();
        for (whose, title, index) in models {
            let points = thin::curve(curve(&run.retrieval, whose, of), POINTS).points;
            if !points.is_empty() {
                all.push(Series { name: title.into(), index, points, band: vec![] });
            }
        }
        entries = all.iter().map(entry).collect();
        charts += &chart(&format!("{name} against virtual time"), &name.to_lowercase(), &all);
    }
    let means = note("Means over the domains that are learnt from.");
    format!("{}<div class=\"grid\">\n{charts}</div>\n{means}", legend(&entries))
}

/// Rank-1 of several strategies, local and global models apart.
pub(super) fn group_curves(groups: &[Vec<&RunData>]) -> String {
    let (mut entries, mut charts) = (Vec::new(), String::new());
    let (_, of) = RANK_1;
    for (whose, title) in
        [(Whose::Local, "Rank-1 of local models"), (Whose::Global, "Rank-1 of global models")]
    {
        let all: Vec<Series> = (groups.iter().enumerate())
            .filter_map(|(index, group)| of_group(index, group, whose, of))
            .collect();
        if !all.is_empty() {
            charts += &chart(&format!("{title} against virtual time"), "rank-1", &all);
        }
        for series in &all {
            if !entries.iter().any(|known: &(usize, Entry)| known.0 == series.index) {
                entries.push((series.index, entry(series)));
            }
        }
    }
    entries.sort_by_key(|(index, _)| *index);
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    let means = note(
        "Means over the domains that are learnt from, and over seeds; bands reach from the lowest to the highest seed.",
    );
    format!("{}<div class=\"grid\">\n{charts}</div>\n{means}", legend(&entries))
}

fn of_group(
    index: usize,
    group: &[&RunData],
    whose: Whose,
    of: fn(&DomainFigures) -> f64,
) -> Option<Series> {
    let curves = group.iter().map(|run| curve(&run.retrieval, whose, of));
    let curves: Vec<_> = curves.filter(|curve| !curve.is_empty()).collect();
    if curves.is_empty() {
        return None;
    }
    let means = thin::band(average(&curves), POINTS).points;
    let band = match curves.len() {
        1 => vec![],
        _ => means.iter().map(|p| (p.x, p.low, p.high)).collect(),
    };
    let points = means.iter().map(|p| (p.x, p.mean)).collect();
    Some(Series { name: group[0].shown_label().to_string(), index, points, band })
}

fn entry(series: &Series) -> Entry {
    Entry { name: series.name.clone(), class: series_class(series.index), area: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{compare_page, run_page};

    fn found(domain: &str, whose: Whose, rank: f64, seen: bool) -> DomainFigures {
        let (domain, cmc) = (domain.to_string(), [rank; 3]);
        DomainFigures {
            domain,
            seen,
            whose,
            cmc,
            map: rank / 2.0,
            map_standard: rank / 2.0,
            faces: None,
        }
    }

    fn run(label: &str, seed: u64) -> RunData {
        let point = |version: u64| RetrievalPoint {
            virtual_seconds: 10.0 * version as f64,
            version,
            budget: None,
            domains: vec![
                found("a", Whose::Global, 0.2 * version as f64, true),
                found("b", Whose::Global, 0.4 * version as f64, true),
                found("new", Whose::Global, 1.0, false),
                found("a", Whose::Local, 0.5, true),
            ],
        };
        let retrieval = vec![point(1), point(2)];
        RunData { label: label.into(), seed, retrieval, ..RunData::default() }
    }

    #[test]
    fn curves_are_means_over_the_domains_that_are_learnt_from() {
        let points = curve(&run("a", 1).retrieval, Whose::Global, RANK_1.1);
        assert_eq!(points.len(), 2);
        assert!((points[0].1 - 0.3).abs() < 1e-12 && (points[1].1 - 0.6).abs() < 1e-12);
        assert!(curve(&[], Whose::Local, MAP.1).is_empty());
        let shown = key_figures(&run("a", 1));
        assert_eq!(shown.len(), 4);
        assert!(shown[0].1.starts_with("0.6"), "{shown:?}");
    }

    #[test]
    fn pages_of_persons_show_what_was_measured_and_nothing_empty() {
        let page = run_page(&run("a", 1));
        assert!(
            page.contains("Rank-1 against virtual time") && page.contains("rank-1, local models")
        );
        for empty in ["final accuracy", "final loss", "attack success", "Accuracy over clients"] {
            assert!(!page.contains(empty), "{empty}");
        }
        assert!(!page.contains("Nothing to draw: no evaluation"));
        let page = compare_page(&[run("a", 1), run("a", 2), run("b", 1)], None);
        assert!(
            page.contains("Rank-1 of local models") && page.contains("Rank-1 of global models")
        );
        assert!(!page.contains("Nothing to draw: no evaluation") && !page.contains("worst tenth"));
    }
}
