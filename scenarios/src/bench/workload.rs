//! Which workloads there are.

use crate::suggest;

/// A scenario that is measured, in one or more sizes.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Where its scenario is in the repository, and the scenario.
    scenario: (&'static str, &'static str),
    /// What makes it short enough for a first look.
    quick: &'static [&'static str],
    /// Whether nothing is learned.
    timing_only: bool,
    /// What tells its sizes apart: a label and keys to set.
    sizes: &'static [(&'static str, &'static [&'static str])],
}

macro_rules! scenario {
    ($file:literal) => {
        (
            concat!("scenarios/library/bench/", $file),
            include_str!(concat!("../../library/bench/", $file)),
        )
    };
}

const ONE: &[(&str, &[&str])] = &[("", &[])];

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "cnn",
        about: "W1: the two-layer CNN, Fashion-MNIST, 100 clients, 10 a round, 5 rounds",
        scenario: scenario!("cnn.toml"),
        quick: &["run.rounds=1", "evaluation.every_versions=1"],
        timing_only: false,
        sizes: ONE,
    },
    Workload {
        name: "mlp",
        about: "W2: 784-200-10, Fashion-MNIST, 100 clients, 10 a round, 20 rounds",
        scenario: scenario!("mlp.toml"),
        quick: &["run.rounds=5", "evaluation.every_versions=5"],
        timing_only: false,
        sizes: ONE,
    },
    Workload {
        name: "softmax-1k",
        about: "W3: softmax regression, 1,000 clients, 100 a round, 50 rounds",
        scenario: scenario!("softmax-1k.toml"),
        quick: &["run.rounds=20", "evaluation.every_versions=20"],
        timing_only: false,
        sizes: ONE,
    },
    Workload {
        name: "overhead",
        about: "W4: no local steps, a thousand to ten million registered clients",
        scenario: scenario!("overhead.toml"),
        quick: &["run.rounds=100", "evaluation.every_versions=100"],
        timing_only: true,
        sizes: &[
            ("1k", &["population.clients=1000"]),
            ("10k", &["population.clients=10000"]),
            ("100k", &["population.clients=100000"]),
            ("1M", &["population.clients=1000000"]),
            ("10M", &["population.clients=10000000"]),
        ],
    },
    Workload {
        name: "async",
        about: "W5: softmax regression, FedBuff, 100 clients at work, 5,000 updates",
        scenario: scenario!("async.toml"),
        quick: &["run.updates=2000"],
        timing_only: false,
        sizes: ONE,
    },
    Workload {
        name: "large",
        about: "W6: ResNet-18 on 128x64 pictures, 9 clients, 1 round",
        scenario: scenario!("large.toml"),
        quick: &["training.steps=1", "training.batch=8"],
        timing_only: false,
        sizes: ONE,
    },
    Workload {
        name: "day",
        about: "one virtual day of a million phones, FedBuff, 1,000 at work",
        scenario: scenario!("day.toml"),
        quick: &["run.virtual_hours=1"],
        timing_only: false,
        sizes: ONE,
    },
];

/// One size of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The workload.
    pub workload: &'static Workload,
    /// Which of its sizes.
    size: usize,
    quick: bool,
}

impl Case {
    /// Its name: `mlp`, or `overhead-1M`.
    pub fn name(&self) -> String {
        match self.workload.sizes[self.size].0 {
            "" => self.workload.name.into(),
            size => format!("{}-{size}", self.workload.name),
        }
    }

    /// Where its scenario is in the repository, and its text.
    pub fn scenario(&self) -> (&'static str, &'static str) {
        self.workload.scenario
    }

    /// What is set on top of the scenario.
    pub fn set(&self) -> Vec<String> {
        let quick = if self.quick { self.workload.quick } else { &[] };
        let size = self.workload.sizes[self.size].1;
        quick.iter().chain(size).map(|key| (*key).into()).collect()
    }

    /// Whether nothing is learned.
    pub fn timing_only(&self) -> bool {
        self.workload.timing_only
    }
}

/// The cases called `names`, each a workload or one size of one (`overhead-1M`); all when there are none.
///
/// # Errors
/// A name that is none, with what comes closest.
pub fn cases(names: &[String], quick: bool) -> Result<Vec<Case>, String> {
    let all: Vec<Case> = WORKLOADS
        .iter()
        .flat_map(|workload| {
            (0..workload.sizes.len()).map(move |size| Case { workload, size, quick })
        })
        .collect();
    if names.is_empty() {
        return Ok(all);
    }
    let mut wanted = Vec::new();
    for name in names {
        let found: Vec<Case> = all
            .iter()
            .filter(|case| case.workload.name == name || case.name() == *name)
            .copied()
            .collect();
        if found.is_empty() {
            let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            let hint = suggest::of(name, &known, "workloads");
            return Err(format!("there is no workload `{name}`\nhelp: {hint}"));
        }
        wanted.extend(found);
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Overrides, load_text};
    use std::path::Path;

    #[test]
    fn every_case_is_a_valid_scenario() {
        for quick in [false, true] {
            for case in cases(&[], quick).expect("all of them") {
                let (path, text) = case.scenario();
                let overrides = Overrides { set: case.set(), ..Overrides::default() };
                let loaded = load_text(Path::new(path), text, &overrides);
                let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
                assert!(loaded.warnings.is_empty(), "{}", loaded.warnings.render(false));
            }
        }
    }

    #[test]
    fn cases_are_found_by_name() {
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).into()).collect();
            cases(&wanted, false).map(|found| found.iter().map(Case::name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["mlp", "overhead-1M"]).expect("both exist"), ["mlp", "overhead-1M"]);
        assert_eq!(names(&["overhead"]).expect("exists").len(), 5);
        let error = names(&["clients"]).expect_err("no such workload");
        assert!(error.contains("softmax-1k"), "{error}");
    }

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/library/bench");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the library is in the repository")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".toml"))
            .collect();
        let mut listed: Vec<_> =
            WORKLOADS.iter().map(|workload| format!("{}.toml", workload.name)).collect();
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
    }
}
