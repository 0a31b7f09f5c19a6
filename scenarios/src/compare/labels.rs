//! Labels that tell apart what differs in more than the seed.

use crate::report::{RunData, several_scenarios};
use crate::words;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Keys that do not decide a result, or that runs of one label may differ in.
const FREE: [&str; 4] = ["name", "description", "run.seed", "output"];

/// Adds to the labels of runs that share one what their scenarios differ in. `places[i]` is the
/// directory of `runs[i]`.
pub(super) fn part(runs: &mut [RunData], places: &[PathBuf]) {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        groups.entry(run.label.clone()).or_default().push(index);
    }
    for group in groups.values() {
        let keys: Vec<_> = group.iter().map(|index| scenario(&places[*index])).collect();
        let differing = differing(&keys);
        for (index, keys) in group.iter().zip(&keys) {
            for key in &differing {
                let name = key.rsplit('.').next().unwrap_or_default();
                let value = keys.get(key).map_or("default".to_string(), words::value);
                runs[*index].label += &format!(", {name}={value}");
            }
        }
    }
}

/// Begins the labels of runs of several scenarios with the scenario's name.
pub(super) fn by_scenario(runs: &mut [RunData]) {
    if !several_scenarios(runs) {
        return;
    }
    for run in runs {
        if !run.scenario.is_empty() && run.label != run.scenario {
            run.label = format!("{}: {}", run.scenario, run.label);
        }
    }
}

/// The keys that are not the same in all of `scenarios`.
fn differing(scenarios: &[BTreeMap<String, Value>]) -> Vec<String> {
    let keys: BTreeSet<&String> = scenarios.iter().flat_map(BTreeMap::keys).collect();
    let differs =
        |key: &&String| scenarios.iter().any(|keys| keys.get(*key) != scenarios[0].get(*key));
    keys.into_iter().filter(differs).cloned().collect()
}

/// The resolved keys of the run in `dir`; none when its scenario cannot be read.
fn scenario(dir: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(dir.join("scenario.toml")).unwrap_or_default();
    let value: Value = toml::from_str(&text).unwrap_or_default();
    let mut keys = BTreeMap::new();
    flatten("", &value, &mut keys);
    keys
}

fn flatten(path: &str, value: &Value, keys: &mut BTreeMap<String, Value>) {
    if FREE.contains(&path) {
        return;
    }
    match value {
        Value::Object(table) => {
            for (key, inside) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, inside, keys);
            }
        }
        leaf => {
            keys.insert(path.to_string(), leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_added_and_seeds_are_not() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut runs = Vec::new();
        let mut places = Vec::new();
        for (index, (seed, alpha)) in [(1, 0.1), (2, 0.1), (1, 1.0)].into_iter().enumerate() {
            let place = dir.path().join(index.to_string());
            std::fs::create_dir(&place).expect("writable");
            let text = format!(
                "name = \"n{index}\"\n[run]\nseed = {seed}\n[data.partition.dirichlet]\nalpha = {alpha:?}\n"
            );
            std::fs::write(place.join("scenario.toml"), text).expect("writable");
            places.push(place);
            runs.push(RunData { label: "mean".into(), ..RunData::default() });
        }
        let mut alike = runs[..2].to_vec();
        part(&mut alike, &places[..2]);
        assert!(alike.iter().all(|run| run.label == "mean"));
        let mut unlike = runs.clone();
        (unlike[1].scenario, unlike[2].scenario) = ("one".into(), "other".into());
        by_scenario(&mut unlike);
        assert_eq!(unlike[2].label, "other: mean");
        assert_eq!(unlike[0].label, "mean", "without a name");
        part(&mut runs, &places);
        let labels: Vec<&str> = runs.iter().map(|run| run.label.as_str()).collect();
        assert_eq!(labels, ["mean, alpha=0.1", "mean, alpha=0.1", "mean, alpha=1.0"]);
    }
}
