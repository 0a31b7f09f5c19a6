//! What was measured, and as a table.

use super::process::Machine;
use crate::units;
use serde::{Deserialize, Serialize};

/// What one measurement found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Name of the case.
    pub name: String,
    /// Registered clients.
    pub clients: u32,
    /// Worker threads.
    pub workers: usize,
    /// What computed.
    pub device: String,
    /// Real time of the run, without reading the data.
    pub wall_seconds: f64,
    /// Processor time of the run, by all threads: the steadier figure on a machine that others use too.
    /// `None` where it is not told.
    pub cpu_seconds: Option<f64>,
    /// Updates that arrived.
    pub tasks: u64,
    /// Samples behind them, by the clients' plans.
    pub samples: u64,
    /// Most memory of the process; `None` where it is not told.
    pub peak_bytes: Option<u64>,
    /// Share of the workers' time that was spent on jobs, 0 to 1.
    pub utilisation: f64,
    /// Time in which the events stood still for a result.
    pub waited_seconds: f64,
    /// Jobs that were computed: trainings and pieces of evaluations.
    pub jobs_computed: u64,
    /// Jobs that were cancelled before a worker began them: work that was never done.
    pub jobs_spared: u64,
    /// Jobs that were begun and then cancelled.
    pub jobs_wasted: u64,
    /// Accuracy at the end, if something was learned and measured.
    pub accuracy: Option<f64>,
    /// The run's digest: the same in every repeat.
    pub digest: String,
}

impl Figures {
    /// Client tasks a second.
    pub fn tasks_per_second(&self) -> f64 {
        self.tasks as f64 / self.wall_seconds.max(1e-9)
    }

    /// Samples a second.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.wall_seconds.max(1e-9)
    }
}

/// The repeats of one case with one number of workers.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The fastest repeat.
    #[serde(flatten)]
    pub best: Figures,
    /// Client tasks a second of it.
    pub tasks_per_second: f64,
    /// Samples a second of it.
    pub samples_per_second: f64,
    /// The real times of all repeats, in their order.
    pub walls: Vec<f64>,
    /// By how much it was faster than the first number of workers that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speedup: Option<f64>,
}

impl Row {
    /// The row of `repeats`, at least one.
    pub fn of(repeats: Vec<Figures>) -> Option<Self> {
        let walls = repeats.iter().map(|figures| figures.wall_seconds).collect();
        let best = repeats.into_iter().min_by(|a, b| a.wall_seconds.total_cmp(&b.wall_seconds))?;
        let (tasks, samples) = (best.tasks_per_second(), best.samples_per_second());
        Some(Self {
            best,
            tasks_per_second: tasks,
            samples_per_second: samples,
            walls,
            speedup: None,
        })
    }
}

/// All that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of Offbeat.
    pub version: &'static str,
    /// On which machine.
    pub machine: Machine,
    /// How often each case was measured.
    pub repeats: usize,
    /// Case by case.
    pub rows: Vec<Row>,
}

impl Report {
    /// Puts the rows beside the first one of the same case.
    pub fn new(machine: Machine, repeats: usize, mut rows: Vec<Row>) -> Self {
        let firsts: Vec<Option<f64>> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                let first = rows.iter().position(|other| other.best.name == row.best.name);
                first.filter(|first| *first != at).map(|first| rows[first].best.wall_seconds)
            })
            .collect();
        for (row, first) in rows.iter_mut().zip(firsts) {
            row.speedup = first.map(|first| first / row.best.wall_seconds);
        }
        Self { version: env!("CARGO_PKG_VERSION"), machine, repeats, rows }
    }

    /// The table on 80 columns.
    pub fn text(&self) -> String {
        let Machine { processor, cores, load, .. } = &self.machine;
        let load = load.map_or(String::new(), |load| format!(", load {load:.1} at the start"));
        let mut text = format!("{processor}, {cores} cores{load}\n");
        text += &match self.repeats {
            1 => "one run each\n\n".to_string(),
            repeats => format!("the fastest of {repeats} runs each, in turns\n\n"),
        };
        text += &format!(
            "{:<13} {:>2} {:>8} {:>7} {:>7} {:>10} {:>7} {:>4} {:>6} {:>5}\n",
            "workload",
            "w",
            "wall",
            "cpu",
            "tasks/s",
            "samples/s",
            "memory",
            "busy",
            "acc.",
            "ratio"
        );
        for row in &self.rows {
            text += &line(row);
        }
        text + LEGEND
    }
}

const LEGEND: &str = "
w: worker threads; wall, cpu: seconds of the run; memory: peak of the process;
busy: share of the workers' time; acc.: accuracy; ratio: against the first w
";

fn line(row: &Row) -> String {
    let best = &row.best;
    let dash = || "-".to_string();
    let rate = |rate: f64| match rate {
        0.0 => dash(),
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => units::count(rate as u64),
    };
    let seconds = |seconds: f64| match seconds {
        seconds if seconds < 100.0 => format!("{seconds:.3}"),
        seconds => format!("{seconds:.1}"),
    };
    format!(
        "{:<13} {:>2} {:>8} {:>7} {:>7} {:>10} {:>7} {:>4} {:>6} {:>5}\n",
        best.name,
        best.workers,
        seconds(best.wall_seconds),
        best.cpu_seconds.map_or_else(dash, |cpu| format!("{cpu:.2}")),
        rate(row.tasks_per_second),
        rate(row.samples_per_second),
        best.peak_bytes.map_or_else(dash, |bytes| format!("{} MB", bytes / 1_000_000)),
        format!("{:.0}%", best.utilisation * 100.0),
        best.accuracy.map_or_else(dash, |accuracy| format!("{accuracy:.4}")),
        row.speedup.map_or_else(String::new, |speedup| format!("{speedup:.2}x")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(name: &str, workers: usize, wall_seconds: f64) -> Figures {
        Figures {
            name: name.into(),
            clients: 1_000_000,
            workers,
            device: "flex".into(),
            wall_seconds,
            cpu_seconds: None,
            tasks: 1_438_211,
            samples: 143_821_100,
            peak_bytes: Some(412_000_000),
            utilisation: 0.97,
            waited_seconds: 0.0,
            jobs_computed: 0,
            jobs_spared: 0,
            jobs_wasted: 0,
            accuracy: Some(0.7755),
            digest: "00".into(),
        }
    }

    #[test]
    fn the_fastest_counts_and_lines_are_short() {
        let row = |workers, walls: [f64; 2]| {
            Row::of(walls.iter().map(|wall| figures("overhead-100k", workers, *wall)).collect())
                .expect("two repeats")
        };
        let machine = Machine { processor: "x".into(), cores: 2, memory_bytes: None, load: None };
        let report = Report::new(machine, 2, vec![row(1, [4.0, 3.0]), row(2, [1.5, 9.0])]);
        assert_eq!(report.rows[1].speedup, Some(2.0));
        assert_eq!(report.rows[0].walls, [4.0, 3.0]);
        let text = report.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("2.00x") && text.contains("0.7755"), "{text}");
    }
}
