//! How well faces were told apart: verification and open-set identification, as tables and pictures.

use super::chart::{Axis, LineChart, Series, figure};
use super::html::{note, table};
use super::quantity::{Quantity, count};
use super::retrieval::{RetrievalPoint, Whose};
use offbeat_learning::faces::{FALSE_ACCEPTS, FALSE_ALARMS, FaceFigures};

/// Names of the true accept rates in files, one for each of [`FALSE_ACCEPTS`].
pub(crate) const TAR_NAMES: [&str; 4] = ["tar_1e-1", "tar_1e-2", "tar_1e-3", "tar_1e-4"];

/// Names of the rates of identification in files, one for each of [`FALSE_ALARMS`].
pub(crate) const IDENTIFIED_NAMES: [&str; 2] = ["identified_1e-1", "identified_1e-2"];

const KINDS: [(Whose, &str); 2] = [(Whose::Global, "global model"), (Whose::Local, "local models")];

/// The figures by name: those that there are enough pictures for.
pub(crate) fn named(faces: &FaceFigures) -> Vec<(&'static str, f64)> {
    let tar = TAR_NAMES.into_iter().zip(faces.tar);
    let identified = IDENTIFIED_NAMES.into_iter().zip(faces.identified);
    let mut found: Vec<_> =
        tar.chain(identified).filter_map(|(name, rate)| Some((name, rate?))).collect();
    found.extend(faces.eer.map(|eer| ("eer", eer)));
    found
}

/// The figures of an evaluation for one kind of models; the first domain's, as faces of all sites are one.
fn of(point: &RetrievalPoint, whose: Whose) -> Option<&FaceFigures> {
    point.domains.iter().filter(|domain| domain.whose == whose).find_map(|d| d.faces.as_ref())
}

/// The figures of the last evaluation.
pub(crate) fn last(points: &[RetrievalPoint], whose: Whose) -> Option<&FaceFigures> {
    points.iter().rev().find_map(|point| of(point, whose))
}

/// What a run found, in at most 80 columns; empty when the pictures were no faces.
pub(crate) fn text(points: &[RetrievalPoint]) -> String {
    let mut out = String::new();
    for (whose, title) in KINDS {
        let Some(faces) = last(points, whose) else { continue };
        if out.is_empty() {
            out += &format!(
                "  {:<22} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
                "true accepts at FAR", "1e-1", "1e-2", "1e-3", "1e-4", "EER"
            );
        }
        let cells: String =
            faces.tar.iter().map(|rate| format!(" {:>7}", rate_text(*rate))).collect();
        out += &format!("    {title:<20}{cells} {:>7}\n", rate_text(faces.eer));
    }
    if let Some(faces) = KINDS.iter().find_map(|(whose, _)| last(points, *whose)) {
        let [tenth, hundredth] = faces.identified.map(rate_text);
        let (genuine, impostor) = (count(faces.genuine), count(faces.impostor));
        out += &format!("    {genuine} genuine pairs, {impostor} others\n");
        out += &format!(
            "    identified when 1 of 10 strangers gets in {tenth}, 1 of 100 {hundredth}\n"
        );
    }
    let spent = spent(points.last());
    if !spent.is_empty() {
        out += &format!("  {spent}\n");
    }
    out
}

/// What clients had released of their identities until the last evaluation, in words; empty where they release
/// nothing.
fn spent(point: Option<&RetrievalPoint>) -> String {
    let Some(budget) = point.and_then(|point| point.budget) else { return String::new() };
    let plural = if budget.releases == 1 { "" } else { "s" };
    let releases = format!("{} release{plural} of clusters", budget.releases);
    match budget.epsilon {
        Some(epsilon) => format!(
            "an identity's centre: epsilon {epsilon:.3} at delta {:e}, {releases}",
            budget.delta
        ),
        None => format!("no noise, hence no privacy of class centres, {releases}"),
    }
}

fn rate_text(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_string(), |rate| format!("{rate:.3}"))
}

/// Tables and pictures of one run; empty when the pictures were no faces.
pub(crate) fn page(points: &[RetrievalPoint]) -> String {
    let mut head = vec!["models".to_string()];
    head.extend(FALSE_ACCEPTS.map(|far| format!("TAR at FAR {far:e}")));
    head.push("equal error rate".into());
    head.extend(FALSE_ALARMS.map(|rate| format!("identified at {rate:e} alarms")));
    let mut rows = Vec::new();
    let mut roc = Vec::new();
    for (index, (whose, title)) in KINDS.into_iter().enumerate() {
        let Some(faces) = last(points, whose) else { continue };
        let mut row = vec![title.to_string()];
        row.extend(faces.tar.map(rate_text));
        row.push(rate_text(faces.eer));
        row.extend(faces.identified.map(rate_text));
        rows.push(row);
        let points = faces.roc.iter().map(|[far, tar]| (*far, *tar)).collect();
        roc.push(Series { name: title.into(), index, points, band: Vec::new() });
    }
    if rows.is_empty() {
        return String::new();
    }
    let remark = "TAR: share of the pairs of one person that are accepted when a share FAR of the others is. \
                  Identified: share of the enrolled that are found first, above the threshold that so many \
                  strangers pass. A dash: too few pairs to say.";
    let mut out = table(&head, &rows) + note(remark).as_str();
    out += &budgets(points);
    let names: Vec<&str> = roc.iter().map(|series| series.name.as_str()).collect();
    let drawn = format!("Drawn in this order: {}.", names.join(", "));
    let curve = LineChart {
        name: "receiver operating characteristic",
        x: Axis { label: "false accept rate", quantity: Quantity::Share },
        y: Axis { label: "true accept rate", quantity: Quantity::Share },
        series: &roc,
        bar: None,
    };
    out += "<div class=\"grid\">\n";
    out += &figure("True against false accepts", &curve.svg(), &[drawn]);
    out += &along_versions(points);
    out + "</div>\n"
}

/// What clients had released of their identities at every evaluation; empty where they release nothing.
fn budgets(points: &[RetrievalPoint]) -> String {
    let row = |point: &RetrievalPoint| {
        let budget = point.budget?;
        let epsilon = budget.epsilon.map_or("no noise".to_string(), |e| format!("{e:.3}"));
        let (delta, releases) = (format!("{:e}", budget.delta), budget.releases.to_string());
        Some(vec![count(point.version), epsilon, delta, releases])
    };
    let rows: Vec<Vec<String>> = points.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["version", "epsilon", "delta", "releases"].map(str::to_string);
    let remark = "What the clusters of class centres reveal of one identity, of the client that was asked most often. \
                  The network that all share is not covered by it.";
    table(&head, &rows) + note(remark).as_str()
}

/// Verification and identification over the run.
fn along_versions(points: &[RetrievalPoint]) -> String {
    let whose = if last(points, Whose::Global).is_some() { Whose::Global } else { Whose::Local };
    let line = |index: usize, name: &str, value: &dyn Fn(&FaceFigures) -> Option<f64>| {
        let figure = |point: &RetrievalPoint| {
            Some((point.version as f64, of(point, whose).and_then(value)?))
        };
        let points = points.iter().filter_map(figure).collect();
        Series { name: name.into(), index, points, band: Vec::new() }
    };
    let series = [
        line(0, "true accepts at FAR 1e-2", &|faces| faces.tar[1]),
        line(1, "identified at 1e-1 alarms", &|faces| faces.identified[0]),
        line(2, "equal error rate", &|faces| faces.eer),
    ];
    let chart = LineChart {
        name: "faces along versions",
        x: Axis { label: "version", quantity: Quantity::Count },
        y: Axis { label: "rate", quantity: Quantity::Share },
        series: &series,
        bar: None,
    };
    let remark = "First line: true accepts at FAR 1e-2; second: identified at 1e-1 alarms; third: equal error rate.";
    figure("Rates along versions", &chart.svg(), &[remark.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::retrieval::DomainFigures;
    use offbeat_strategies::companion::Budget;

    fn points() -> Vec<RetrievalPoint> {
        let faces = |eer: f64| FaceFigures {
            genuine: 1200,
            impostor: 64_000,
            tar: [Some(0.9), Some(0.5), Some(0.25), None],
            eer: Some(eer),
            roc: vec![[0.1, 0.9], [1.0, 1.0]],
            identified: [Some(0.4), None],
            ..FaceFigures::default()
        };
        let domain = |eer| DomainFigures {
            domain: "unseen faces".into(),
            seen: true,
            whose: Whose::Global,
            cmc: [0.5; 3],
            map: 0.4,
            map_standard: 0.4,
            faces: Some(faces(eer)),
        };
        let budget = Some(Budget { epsilon: Some(3.5), delta: 1e-5, releases: 1 });
        let point = |version: u64, eer| RetrievalPoint {
            virtual_seconds: version as f64,
            version,
            budget,
            domains: vec![domain(eer)],
        };
        vec![point(1, 0.3), point(2, 0.125)]
    }

    #[test]
    fn the_last_evaluation_counts() {
        let text = text(&points());
        assert!(text.contains("0.900   0.500   0.250       –   0.125"), "{text}");
        assert!(text.contains("epsilon 3.500 at delta 1e-5, 1 release of"), "{text}");
        assert!(text.contains("64 000") || text.contains("64,000"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let page = page(&points());
        assert!(page.contains("TAR at FAR 1e-4") && page.contains("<svg"), "{page}");
        assert!(super::text(&[]).is_empty() && super::page(&[]).is_empty());
    }

    #[test]
    fn names_of_what_is_known() {
        let points = points();
        let found = named(last(&points, Whose::Global).expect("faces"));
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["tar_1e-1", "tar_1e-2", "tar_1e-3", "identified_1e-1", "eer"]);
    }
}
