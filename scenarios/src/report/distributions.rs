//! Distributions, from data to HTML: staleness, accuracy over clients and by class.

use super::chart::{Axis, Bar, BarChart, Mark, figure, nothing};
use super::quantity::{Quantity, count, counted};
use super::stats::{histogram_mean, histogram_quantile, mean, worst_decile};

/// Bars at most in a histogram.
const BINS: usize = 60;

/// Histogram of staleness: the share of the merged updates by versions of age.
pub(crate) fn staleness(title: &str, counts: &[u64], colour: usize) -> String {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return figure(title, &nothing("Nothing to draw: no update was merged."), &[]);
    }
    let all = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    if all <= 1 {
        return figure(title, &nothing("All updates were fresh."), &[]);
    }
    // A few that are far older than the rest would leave no room for the rest. At least six places, so that a
    // lone bar does not fill the picture.
    let most = histogram_quantile(counts, 0.99).map_or(all, |at| at as usize + 1);
    let used = if 2 * most < all { most } else { all }.max(6);
    let bin = used.div_ceil(BINS).max(1);
    let mut bars: Vec<Bar> =
        (0..used).step_by(bin).map(|from| staleness_bar(counts, from, bin, total)).collect();
    let drawn = used.next_multiple_of(bin);
    let older: u64 = counts.get(drawn..).unwrap_or_default().iter().sum();
    if older > 0 {
        bars.push(Bar {
            from: drawn as f64 - 0.5,
            to: (drawn + bin) as f64 - 0.5,
            value: older as f64 / total as f64,
            title: format!("staleness {drawn} to {}: {}", all - 1, counted(older, "update")),
        });
    }
    let mut marks = Vec::new();
    if let (Some(mean), Some(p95)) = (histogram_mean(counts), histogram_quantile(counts, 0.95)) {
        // Where the mean lies among the updates that one bar stands for, it is drawn there.
        let x = if older > 0 { mean.min(drawn as f64) } else { mean };
        marks.push(Mark { x, name: format!("mean {mean:.2}") });
        marks.push(Mark { x: p95, name: format!("95th percentile {p95:.0}") });
    }
    let chart = BarChart {
        name: title,
        x: Axis { label: "staleness in versions", quantity: Quantity::Count },
        y: Axis { label: "share of updates", quantity: Quantity::Share },
        bars: &bars,
        marks: &marks,
        colour,
        reach: 0.0,
    };
    let mut notes = Vec::new();
    if bin > 1 {
        notes.push(format!("Each bar stands for {bin} versions."));
    }
    if older > 0 {
        let last = count(all as u64 - 1);
        notes
            .push(format!("The last bar holds all updates that are older, up to {last} versions."));
    }
    figure(title, &chart.svg(), &notes)
}

fn staleness_bar(counts: &[u64], from: usize, bin: usize, total: u64) -> Bar {
    let to = (from + bin).min(counts.len());
    let number: u64 = counts.get(from..to).unwrap_or_default().iter().sum();
    let range = if bin == 1 { format!("{from}") } else { format!("{from} to {}", from + bin - 1) };
    Bar {
        from: from as f64 - 0.5,
        to: (from + bin) as f64 - 0.5,
        value: number as f64 / total as f64,
        title: format!("staleness {range}: {}", counted(number, "update")),
    }
}

/// Distribution of accuracy over clients.
pub(crate) fn client_accuracy(values: &[f64]) -> String {
    let title = "Accuracy over clients";
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if finite.is_empty() {
        return figure(title, &nothing("Nothing to draw: the clients were not evaluated."), &[]);
    }
    let mut counts = [0u64; 20];
    for value in &finite {
        counts[((value.clamp(0.0, 1.0) * 20.0) as usize).min(19)] += 1;
    }
    let bars: Vec<Bar> =
        counts.iter().enumerate().map(|(place, number)| accuracy_bar(place, *number)).collect();
    let mark = |name: &str, x: Option<f64>| x.map(|x| Mark { x, name: format!("{name} {x:.3}") });
    let marks: Vec<Mark> =
        [mark("worst tenth", worst_decile(&finite)), mark("mean", mean(&finite))]
            .into_iter()
            .flatten()
            .collect();
    let chart = BarChart {
        name: title,
        x: Axis { label: "accuracy on the client's own data", quantity: Quantity::Share },
        y: Axis { label: "clients", quantity: Quantity::Count },
        bars: &bars,
        marks: &marks,
        colour: 2,
        reach: 0.0,
    };
    let mut notes = vec![format!("{}.", counted(finite.len() as u64, "client"))];
    if finite.len() < values.len() {
        notes.push(format!(
            "Without a finite accuracy and left out: {}.",
            counted((values.len() - finite.len()) as u64, "client")
        ));
    }
    figure(title, &chart.svg(), &notes)
}

fn accuracy_bar(place: usize, number: u64) -> Bar {
    let (from, to) = (place as f64 / 20.0, (place + 1) as f64 / 20.0);
    Bar {
        from,
        to,
        value: number as f64,
        title: format!("{from:.2} to {to:.2}: {}", counted(number, "client")),
    }
}

/// Classes that are drawn one by one; with more of them, they are drawn by rank.
const CLASSES: usize = 64;

/// Accuracy by class.
pub(crate) fn per_class(title: &str, values: &[f64]) -> String {
    let bars: Vec<Bar> =
        if values.len() <= CLASSES { class_bars(values) } else { rank_bars(values) };
    let label = if values.len() <= CLASSES { "class" } else { "rank of the class, worst first" };
    let chart = BarChart {
        name: title,
        x: Axis { label, quantity: Quantity::Count },
        y: Axis { label: "accuracy", quantity: Quantity::Share },
        bars: &bars,
        marks: &[],
        colour: 0,
        reach: 1.0,
    };
    let notes = if values.len() > CLASSES {
        vec![format!("{} classes, ordered by accuracy.", count(values.len() as u64))]
    } else {
        vec![]
    };
    figure(title, &chart.svg(), &notes)
}

fn class_bars(values: &[f64]) -> Vec<Bar> {
    let bar = |(class, value): (usize, &f64)| {
        let middle = class as f64;
        Bar {
            from: middle - 0.5,
            to: middle + 0.5,
            value: *value,
            title: format!("class {class}: {value:.3}"),
        }
    };
    values.iter().enumerate().map(bar).collect()
}

fn rank_bars(values: &[f64]) -> Vec<Bar> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let bin = sorted.len().div_ceil(200).max(1);
    let bar = |(place, group): (usize, &[f64])| {
        let (from, value) = ((place * bin) as f64, mean(group).unwrap_or(f64::NAN));
        Bar {
            from,
            to: from + group.len() as f64,
            value,
            title: format!("from rank {from}: {value:.3}"),
        }
    };
    sorted.chunks(bin).enumerate().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staleness_is_shown_in_few_bars_with_its_mean_and_percentile() {
        let text = staleness("s", &[0; 500], 0);
        assert!(text.contains("no update was merged"));
        let mut counts = vec![1u64; 500];
        counts[499] = 501;
        let text = staleness("s", &counts, 0);
        assert!(
            text.matches("<rect").count() <= BINS
                && text.contains("Each bar stands for 9 versions."),
            "{text}"
        );
        // (sum of 0..=498 + 499 * 501) / 1000 = (124251 + 249999) / 1000.
        assert!(text.contains("mean 374.25") && text.contains("95th percentile 499"), "{text}");
        let mut counts = vec![0; 400];
        (counts[0], counts[2], counts[399]) = (900, 95, 5);
        let text = staleness("s", &counts, 0);
        assert!(text.contains("staleness 6 to 399: 5 updates"), "{text}");
        assert!(
            text.contains("The last bar holds all updates that are older, up to 399"),
            "{text}"
        );
        assert!(staleness("s", &[7], 0).contains("All updates were fresh."));
    }
}
