//! Labels side by side where faces were told apart: figures, gains over the first label, and utility against budget.

use super::chart::{Axis, LineChart, Series, figure};
use super::data::RunData;
use super::faces::last;
use super::html::{escape, label as shown_label, note, table};
use super::quantity::Quantity;
use super::retrieval::{Whose, by_domain, mean};
use super::stats::{Estimate, estimate};
use super::table::cut;
use serde::{Deserialize, Serialize};

/// What is compared, in this order.
const NAMES: [&str; 5] = ["rank-1", "mAP", "TAR at 1e-2", "identified", "EER"];

/// One label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceRow {
    /// The label.
    pub label: String,
    /// What its runs spent of an identity's budget, the most of them; `None` without noise or without releases.
    pub epsilon: Option<f64>,
    /// Rank-1, mean average precision, true accepts at FAR 1e-2, identified at 1e-1 alarms, equal error rate, at the
    /// last evaluation.
    pub figures: [Option<Estimate>; 5],
    /// Gain of each over the first label, seed by seed.
    pub gain: [Option<Gain>; 5],
}

/// A gain over the same seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Mean and half of the 95 % interval.
    pub over_seeds: Estimate,
    /// Standard error of the mean; `None` of one seed.
    pub standard_error: Option<f64>,
    /// On how many seeds it is above 0.
    pub wins: usize,
}

/// Labels side by side; empty when no faces were told apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaceComparison {
    /// One for each label.
    pub rows: Vec<FaceRow>,
}

fn figures(run: &RunData) -> Option<[Option<f64>; 5]> {
    let whose = [Whose::Global, Whose::Local];
    let (whose, faces) = whose.iter().find_map(|w| Some((*w, last(&run.retrieval, *w)?)))?;
    let found = by_domain(&run.retrieval, whose);
    let (rank, map) = (mean(&found, |b| b.cmc[0]), mean(&found, |b| b.map));
    Some([rank, map, faces.tar[1], faces.identified[0], faces.eer])
}

fn gain(differences: &[f64]) -> Option<Gain> {
    let over_seeds = estimate(differences.iter().copied())?;
    let (n, mean) = (differences.len() as f64, over_seeds.mean);
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    let standard_error = (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt());
    let wins = differences.iter().filter(|d| **d > 0.0).count();
    Some(Gain { over_seeds, standard_error, wins })
}

impl FaceComparison {
    /// Compares groups of runs that differ in their seed only.
    pub(crate) fn new(groups: &[Vec<&RunData>]) -> Self {
        let Some(first) = groups.first().filter(|group| group.iter().any(|r| figures(r).is_some()))
        else {
            return Self::default();
        };
        let row = |group: &Vec<&RunData>| {
            let of = |run: &RunData, at: usize| figures(run)?[at];
            let against = |run: &&RunData, at: usize| {
                let same = first.iter().find(|other| other.seed == run.seed)?;
                Some(of(run, at)? - of(same, at)?)
            };
            let spent = group.iter().filter_map(|run| run.retrieval.last()?.budget?.epsilon);
            FaceRow {
                label: group[0].shown_label().to_string(),
                epsilon: spent.reduce(f64::max),
                figures: std::array::from_fn(|at| {
                    estimate(group.iter().filter_map(|run| of(run, at)))
                }),
                gain: std::array::from_fn(|at| {
                    let all: Vec<f64> = group.iter().filter_map(|run| against(run, at)).collect();
                    gain(&all)
                }),
            }
        };
        Self { rows: groups.iter().map(row).collect() }
    }

    /// Whether no faces were told apart.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The tables, in at most 80 columns.
    pub fn text(&self) -> String {
        let Some(first) = self.rows.first() else { return String::new() };
        let mut out = "Faces told apart at the last evaluation, means over seeds\n".to_string();
        out += &format!("{:<20}", "");
        NAMES.iter().for_each(|name| out += &format!("{name:>12}"));
        out.truncate(out.trim_end().len());
        for row in &self.rows {
            let cell = |e: &Option<Estimate>| {
                e.map_or(format!("{:>12}", "–"), |e| format!("{:>12.4}", e.mean))
            };
            let cells: String = row.figures.iter().map(cell).collect();
            out += &format!("\n{}{cells}", fitted(&row.label));
        }
        out += &format!(
            "\n\nGain over `{}`, seed by seed\n(mean ± half of the 95 % interval, standard error)\n",
            fitted(&first.label).trim_end()
        );
        for row in self.rows.iter().skip(1) {
            for (name, gain) in NAMES.iter().zip(&row.gain) {
                let Some(gain) = gain else { continue };
                let spread = gain.over_seeds.half_width.zip(gain.standard_error);
                let spread = spread.map(|(half, se)| format!(" ± {half:.4}  se {se:.4}"));
                out += &format!(
                    "{}{name:<12}{:>+8.4}{}  {} of {} up\n",
                    fitted(&row.label),
                    gain.over_seeds.mean,
                    spread.unwrap_or_default(),
                    gain.wins,
                    gain.over_seeds.n
                );
            }
        }
        out
    }

    /// Tables and, where budgets differ, utility against budget.
    pub(crate) fn page(&self) -> String {
        let Some(first) = self.rows.first() else { return String::new() };
        let head = |what: &str| {
            let names = NAMES.iter().map(|name| (*name).to_string());
            std::iter::once(what.to_string()).chain(names).collect::<Vec<_>>()
        };
        let shown = |e: &Estimate, sign: bool| {
            let half = e.half_width.map(|half| format!(" ± {half:.4}")).unwrap_or_default();
            if sign { format!("{:+.4}{half}", e.mean) } else { format!("{:.4}{half}", e.mean) }
        };
        let dash = || "–".to_string();
        let line = |row: &FaceRow, gains: bool| {
            let mut cells = vec![shown_label(&row.label)];
            cells.extend((0..NAMES.len()).map(|at| match gains {
                false => row.figures[at].as_ref().map_or_else(dash, |e| shown(e, false)),
                true => row.gain[at].as_ref().map_or_else(dash, |g| shown(&g.over_seeds, true)),
            }));
            cells
        };
        let all: Vec<_> = self.rows.iter().map(|row| line(row, false)).collect();
        let gains: Vec<_> = self.rows.iter().skip(1).map(|row| line(row, true)).collect();
        let mut out = table(&head("label"), &all);
        if !gains.is_empty() {
            out += &format!("<h3>Gain over {}, seed by seed</h3>\n", escape(&first.label));
            out += &table(&head("label"), &gains);
        }
        out += &note("± half of the 95 % interval over seeds (Student's t). EER: less is better.");
        out + self.against_budget().as_str()
    }

    /// Utility against epsilon, with the first label as the height to beat.
    fn against_budget(&self) -> String {
        let spends = |row: &&FaceRow| row.epsilon.is_some_and(|epsilon| epsilon > 0.0);
        let mut rows: Vec<&FaceRow> = self.rows.iter().filter(spends).collect();
        rows.sort_by(|a, b| a.epsilon.unwrap_or(0.0).total_cmp(&b.epsilon.unwrap_or(0.0)));
        if rows.len() < 2 {
            return String::new();
        }
        let mut out = "<div class=\"grid\">\n".to_string();
        // Budgets differ by factors.
        let least = rows[0].epsilon.unwrap_or(1.0);
        let label = format!("doublings of epsilon above {least:.3}");
        let shown: Vec<String> =
            rows.iter().filter_map(|row| Some(format!("{:.3}", row.epsilon?))).collect();
        for (index, at) in [1, 0, 2].into_iter().enumerate() {
            let place = |row: &&FaceRow| Some(((row.epsilon? / least).log2(), row.figures[at]?));
            let found: Vec<(f64, Estimate)> = rows.iter().filter_map(place).collect();
            let band = found.iter().map(|(x, e)| {
                let half = e.half_width.unwrap_or(0.0);
                (*x, e.mean - half, e.mean + half)
            });
            let series = [Series {
                name: NAMES[at].into(),
                index,
                points: found.iter().map(|(x, e)| (*x, e.mean)).collect(),
                band: band.collect(),
            }];
            let baseline = self.rows.first().filter(|row| row.epsilon.is_none());
            let bar = baseline.and_then(|row| Some((row.figures[at]?.mean, row.label.clone())));
            let title = format!("{} against epsilon", NAMES[at]);
            let chart = LineChart {
                name: &title,
                x: Axis { label: &label, quantity: Quantity::Plain },
                y: Axis { label: NAMES[at], quantity: Quantity::Share },
                series: &series,
                bar,
            };
            let remark = format!(
                "Epsilon of one identity, from left to right: {}. The band is the 95 % interval over seeds; the line \
                 is the first label's mean.",
                shown.join(", ")
            );
            out += &figure(&title, &chart.svg(), &[remark]);
        }
        out + "</div>\n"
    }
}

fn fitted(label: &str) -> String {
    format!("{:<20}", cut(label, 19))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::retrieval::{DomainFigures, RetrievalPoint};
    use offbeat_learning::faces::FaceFigures;
    use offbeat_strategies::companion::Budget;

    fn run(label: &str, seed: u64, rank: f64, epsilon: Option<f64>) -> RunData {
        let faces = FaceFigures { tar: [Some(rank); 4], eer: Some(0.1), ..FaceFigures::default() };
        let domain = DomainFigures {
            domain: "unseen faces".into(),
            seen: true,
            whose: Whose::Global,
            cmc: [rank; 3],
            map: rank / 2.0,
            map_standard: rank / 2.0,
            faces: Some(faces),
        };
        let budget = epsilon.map(|e| Budget { epsilon: Some(e), delta: 1e-5, releases: 1 });
        let point =
            RetrievalPoint { virtual_seconds: 1.0, version: 1, budget, domains: vec![domain] };
        RunData { label: label.into(), seed, retrieval: vec![point], ..RunData::default() }
    }

    #[test]
    fn gains_are_taken_seed_by_seed() {
        let runs = [
            run("without", 1, 0.50, None),
            run("without", 2, 0.60, None),
            run("with", 2, 0.64, Some(4.0)),
            run("with", 1, 0.52, Some(4.0)),
            run("more", 1, 0.56, Some(9.0)),
            run("more", 2, 0.66, Some(9.0)),
        ];
        let groups = [vec![&runs[0], &runs[1]], vec![&runs[2], &runs[3]], vec![&runs[4], &runs[5]]];
        let compared = FaceComparison::new(&groups);
        let gain = compared.rows[1].gain[0].expect("both seeds");
        assert!((gain.over_seeds.mean - 0.03).abs() < 1e-12);
        assert!((gain.standard_error.expect("two") - 0.01).abs() < 1e-12 && gain.wins == 2);
        let text = compared.text();
        assert!(text.contains("+0.0300 ± 0.1271  se 0.0100  2 of 2 up"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let page = compared.page();
        assert!(page.contains("rank-1 against epsilon") && page.contains("mAP against epsilon"));
        assert!(
            page.contains("from left to right: 4.000, 9.000") && page.contains("Gain over without")
        );
        assert!(FaceComparison::new(&[vec![&RunData::default()]]).is_empty());
    }
}
