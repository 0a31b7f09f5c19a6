//! How well persons were found again: figures by domain, and their tables.

use super::data::RunData;
use super::stats::{Estimate, estimate};
use super::table::cut;
use offbeat_learning::faces::FaceFigures;
use offbeat_strategies::companion::Budget;
use serde::{Deserialize, Serialize};

/// Whose model was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The global model's, or those of the groups that hold the domain.
    Global,
    /// Those of the clients that hold the domain, after their last training.
    Local,
}

/// What one evaluation found in one domain; where several models were tried there, their mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainFigures {
    /// The domain.
    pub domain: String,
    /// Whether a client learns from it.
    pub seen: bool,
    /// Whose models.
    pub whose: Whose,
    /// Share of queries with a right picture among the first 1, 5 and 10.
    pub cmc: [f64; 3],
    /// Mean average precision, trapezoid form.
    pub map: f64,
    /// Mean average precision, standard form.
    pub map_standard: f64,
    /// Verification and identification, where the pictures are faces.
    #[serde(default)]
    pub faces: Option<FaceFigures>,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalPoint {
    /// Virtual time at which the version was published, in seconds.
    pub virtual_seconds: f64,
    /// The version.
    pub version: u64,
    /// What clients had released of their identities until then, where they do.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// By domain, in the order of the data.
    pub domains: Vec<DomainFigures>,
}

/// Evaluations whose mean is reported, the best ones (Zhuang et al., TOMM 2022, section 6).
const BEST: usize = 3;

/// A domain's figures over a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The domain.
    pub domain: String,
    /// Whether a client learns from it.
    pub seen: bool,
    /// Rank-1, -5 and -10 of the last evaluation.
    pub cmc: [f64; 3],
    /// Mean average precision (trapezoid form) of the last evaluation.
    pub map: f64,
    /// Mean rank-1 of the three evaluations where it was best.
    pub rank_1_best: f64,
}

/// The figures of each domain, in the order of the data.
pub fn by_domain(points: &[RetrievalPoint], whose: Whose) -> Vec<Best> {
    let Some(last) = points.iter().rev().find(|p| p.domains.iter().any(|d| d.whose == whose))
    else {
        return Vec::new();
    };
    let one = |found: &DomainFigures| {
        let same = |d: &&DomainFigures| d.whose == whose && d.domain == found.domain;
        let mut ranks: Vec<f64> =
            points.iter().filter_map(|p| Some(p.domains.iter().find(same)?.cmc[0])).collect();
        ranks.sort_by(|a, b| b.total_cmp(a));
        ranks.truncate(BEST);
        let rank_1_best = ranks.iter().sum::<f64>() / ranks.len().max(1) as f64;
        let (domain, seen, cmc, map) = (found.domain.clone(), found.seen, found.cmc, found.map);
        Best { domain, seen, cmc, map, rank_1_best }
    };
    last.domains.iter().filter(|d| d.whose == whose).map(one).collect()
}

/// Mean of a figure over the domains that are learnt from; `None` without any.
pub fn mean(found: &[Best], of: impl Fn(&Best) -> f64) -> Option<f64> {
    let seen: Vec<f64> = found.iter().filter(|best| best.seen).map(of).collect();
    (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
}

/// What a run found, in at most 80 columns; empty when no persons were searched for.
pub fn text(points: &[RetrievalPoint]) -> String {
    let mut out = String::new();
    for (whose, title) in [(Whose::Global, "global model"), (Whose::Local, "local models")] {
        let found = by_domain(points, whose);
        if found.is_empty() {
            continue;
        }
        out += &format!(
            "  {title:<22} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
            "rank-1", "rank-5", "rank-10", "mAP", "best 3"
        );
        let line = |name: &str, [a, b, c]: [f64; 3], map: f64, best: f64| {
            format!("    {name:<20} {a:>7.3} {b:>7.3} {c:>7.3} {map:>7.3} {best:>7.3}\n")
        };
        for best in &found {
            let name = if best.seen { best.domain.clone() } else { best.domain.clone() + " *" };
            out += &line(&name, best.cmc, best.map, best.rank_1_best);
        }
        let over = |of: fn(&Best) -> f64| mean(&found, of).unwrap_or(f64::NAN);
        let cmc = [over(|b| b.cmc[0]), over(|b| b.cmc[1]), over(|b| b.cmc[2])];
        out += &line("mean", cmc, over(|b| b.map), over(|b| b.rank_1_best));
        if found.iter().any(|best| !best.seen) {
            out += "    * nobody learns from it; not in the mean\n";
        }
    }
    out
}

/// One label of the comparison by domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainRow {
    /// The label.
    pub label: String,
    /// Whose models.
    pub whose: Whose,
    /// Rank-1 in each domain (mean of the best three evaluations), over the seeds.
    pub rank_1: Vec<Option<Estimate>>,
    /// Its mean over the domains that are learnt from.
    pub mean: Option<Estimate>,
    /// Change of rank-1 in each domain against the label `standalone`, seed by seed.
    pub change: Vec<Option<Estimate>>,
    /// Mean change.
    pub mean_change: Option<Estimate>,
}

/// Labels by domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Domains {
    /// The domains that are learnt from.
    pub names: Vec<String>,
    /// One row for each label and kind of model.
    pub rows: Vec<DomainRow>,
}

/// The label of the runs that others are measured against: every client alone.
const STANDALONE: &str = "standalone";

impl Domains {
    /// Compares groups of runs that differ in their seed only; empty when nobody was searched for.
    pub(crate) fn new(groups: &[Vec<&RunData>]) -> Self {
        let figures = |run: &RunData, whose| -> Vec<Best> {
            let found = by_domain(&run.retrieval, whose);
            found.into_iter().filter(|best| best.seen).collect()
        };
        let mut names: Vec<String> = Vec::new();
        for run in groups.iter().flatten() {
            for best in [Whose::Global, Whose::Local].into_iter().flat_map(|w| figures(run, w)) {
                if !names.contains(&best.domain) {
                    names.push(best.domain);
                }
            }
        }
        let alone = groups.iter().find(|group| group[0].shown_label() == STANDALONE);
        let rank = |run: &RunData, whose, name: &String| {
            let found = by_domain(&run.retrieval, whose);
            found.iter().find(|best| best.domain == *name).map(|best| best.rank_1_best)
        };
        let change = |run: &RunData, whose, name: &String| {
            let same = alone?.iter().find(|other| other.seed == run.seed)?;
            Some(rank(run, whose, name)? - rank(same, Whose::Local, name)?)
        };
        let mut rows = Vec::new();
        for group in groups {
            for whose in [Whose::Global, Whose::Local] {
                if group.iter().all(|run| figures(run, whose).is_empty()) {
                    continue;
                }
                let of = |f: &dyn Fn(&RunData, &String) -> Option<f64>| -> Vec<Option<Estimate>> {
                    let one = |name| estimate(group.iter().filter_map(|run| f(run, name)));
                    names.iter().map(one).collect()
                };
                let mean = |f: &dyn Fn(&RunData, &String) -> Option<f64>| {
                    let each = |run: &&&RunData| {
                        let all: Option<Vec<f64>> = names.iter().map(|name| f(run, name)).collect();
                        let all = all.filter(|all| !all.is_empty())?;
                        Some(all.iter().sum::<f64>() / all.len() as f64)
                    };
                    estimate(group.iter().filter_map(|run| each(&run)))
                };
                rows.push(DomainRow {
                    label: group[0].shown_label().to_string(),
                    whose,
                    rank_1: of(&|run, name| rank(run, whose, name)),
                    mean: mean(&|run, name| rank(run, whose, name)),
                    change: of(&|run, name| change(run, whose, name)),
                    mean_change: mean(&|run, name| change(run, whose, name)),
                });
            }
        }
        Self { names, rows }
    }

    /// The tables of the paper (Zhuang et al., TOMM 2022, tables 3 and 4) in at most 80 columns for nine
    /// domains: rank-1, and its change against training alone. Empty when nobody was searched for.
    /// `faces` says whether a table of the last evaluation stands above.
    pub fn text(&self, faces: bool) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut out = match faces {
            false => "Rank-1 in % by domain, mean of the best three evaluations\n".to_string(),
            true => {
                "Rank-1 in %, mean of the best three evaluations (above: the last one)\n".into()
            }
        };
        let shown = |rows: &mut dyn Iterator<Item = (String, Vec<Option<Estimate>>)>,
                     sign: bool| {
            let cell = |value: Option<Estimate>| match (value, sign) {
                (Some(e), true) => format!("{:>+6.1}", 100.0 * e.mean),
                (Some(e), false) => format!("{:>6.1}", 100.0 * e.mean),
                (None, _) => format!("{:>6}", "–"),
            };
            let line = |(label, values): (String, Vec<Option<Estimate>>)| {
                let cells: String = values.into_iter().map(cell).collect();
                format!("{label:<20}{cells}\n")
            };
            rows.map(line).collect::<String>()
        };
        let numbers = |last: &str| {
            let heads = (1..=self.names.len()).map(|n| format!("{:>6}", format!("({n})")));
            format!("{:<20}{}{last:>6}\n", "", heads.collect::<String>())
        };
        let label = |row: &DomainRow| match row.whose {
            Whose::Global => format!("{} (g)", cut(&row.label, 16)),
            Whose::Local => format!("{} (l)", cut(&row.label, 16)),
        };
        let with = |values: &[Option<Estimate>], last| [values, &[last]].concat();
        out += &numbers("mean");
        let mut ranks = self.rows.iter().map(|row| (label(row), with(&row.rank_1, row.mean)));
        out += &shown(&mut ranks, false);
        let changed: Vec<&DomainRow> = self
            .rows
            .iter()
            .filter(|row| row.mean_change.is_some() && row.label != STANDALONE)
            .collect();
        if !changed.is_empty() {
            out += "\nChange against local training alone, in points\n";
            out += &numbers("mean");
            let mut rows =
                changed.iter().map(|row| (label(row), with(&row.change, row.mean_change)));
            out += &shown(&mut rows, true);
            out += "\n95 % interval of the mean change, over seeds\n";
            for row in &changed {
                let Some(Estimate { mean, half_width: Some(half), .. }) = row.mean_change else {
                    continue;
                };
                let (mean, half) = (100.0 * mean, 100.0 * half);
                out += &format!("{:<20}{mean:>+6.1} ± {half:.1}\n", label(row));
            }
        }
        out += "\n(g) global or group models, (l) local models after their training\n";
        let names = self.names.iter().zip(1..).map(|(name, n)| format!("({n}) {name}"));
        out += &wrapped(names, 78);
        out
    }
}

fn wrapped(words: impl Iterator<Item = String>, width: usize) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    for word in words {
        if !line.is_empty() && line.len() + 2 + word.len() > width {
            out += &format!("{line}\n");
            line.clear();
        }
        line = if line.is_empty() { word } else { format!("{line}, {word}") };
    }
    out + line.as_str() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(version: u64, ranks: &[(&str, Whose, f64)]) -> RetrievalPoint {
        let domain = |(name, whose, rank): &(&str, Whose, f64)| DomainFigures {
            domain: (*name).to_string(),
            seen: true,
            whose: *whose,
            cmc: [*rank; 3],
            map: rank / 2.0,
            map_standard: rank / 2.0,
            faces: None,
        };
        let domains = ranks.iter().map(domain).collect();
        RetrievalPoint { virtual_seconds: version as f64, version, budget: None, domains }
    }

    fn run(label: &str, seed: u64, local: [f64; 2]) -> RunData {
        let all = [("a", Whose::Local, local[0]), ("b", Whose::Local, local[1])];
        RunData { label: label.into(), seed, retrieval: vec![point(1, &all)], ..RunData::default() }
    }

    #[test]
    fn the_best_three_evaluations_count() {
        let ranks = [0.5, 0.1, 0.4, 0.3];
        let points: Vec<_> =
            (1..).zip(ranks).map(|(v, r)| point(v, &[("a", Whose::Global, r)])).collect();
        let found = by_domain(&points, Whose::Global);
        assert_eq!(found.len(), 1);
        assert!((found[0].rank_1_best - 0.4).abs() < 1e-12);
        assert_eq!((found[0].cmc[0], found[0].map), (0.3, 0.15));
        assert!(by_domain(&points, Whose::Local).is_empty());
        assert!(text(&points).contains("global model"));
        assert!(text(&points).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn changes_are_taken_seed_by_seed() {
        let runs = [
            run("standalone", 1, [0.5, 0.2]),
            run("standalone", 2, [0.7, 0.2]),
            run("fedpav", 2, [0.6, 0.4]),
            run("fedpav", 1, [0.4, 0.3]),
        ];
        let (alone, fed) = (vec![&runs[0], &runs[1]], vec![&runs[2], &runs[3]]);
        let domains = Domains::new(&[alone, fed]);
        assert_eq!(domains.names, ["a", "b"]);
        let change = &domains.rows[1].change;
        let means: Vec<f64> = change.iter().map(|e| e.expect("both seeds").mean).collect();
        assert!((means[0] + 0.1).abs() < 1e-12 && (means[1] - 0.15).abs() < 1e-12);
        let text = domains.text(false);
        assert!(
            text.contains("fedpav (l)") && text.contains("-10.0") && text.contains("+15.0"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(Domains::new(&[vec![&RunData::default()]]).text(false).is_empty());
    }
}
