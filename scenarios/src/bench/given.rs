//! Workloads on samples, partition, schedule and first weights that were made elsewhere.

use std::path::Path;

/// What to set so that workload `name` works on the files in `dir`, as another simulator does that reads the
/// same files:
///
/// - `fashion-partition.csv` (`client,sample`), `fashion-schedule.csv` (a line of clients a round),
///   `init-cnn.safetensors`, `init-mlp.safetensors`;
/// - `synthetic-train.csv` (`client,label,f0,..`), `synthetic-test.csv` (`label,f0,..`),
///   `synthetic-schedule.csv`, `init-softmax.safetensors`.
///
/// # Errors
/// When the workload has no such files, or one is missing.
pub fn given(name: &str, dir: &Path) -> Result<Vec<String>, String> {
    let dir = std::path::absolute(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let file = |name: &str| {
        let path = dir.join(name);
        match path.is_file() {
            true => Ok(toml::Value::String(path.display().to_string()).to_string()),
            false => Err(format!("there is no {}", path.display())),
        }
    };
    let mut set = match name {
        "cnn" | "mlp" => {
            let partition = file("fashion-partition.csv")?;
            vec![format!("data.partition={{ file = {{ path = {partition} }} }}")]
        }
        "softmax-1k" | "async" => {
            let (train, test) = (file("synthetic-train.csv")?, file("synthetic-test.csv")?);
            vec![
                format!(
                    "data.dataset={{ csv = {{ train = {train}, test = {test}, client = \"client\" }} }}"
                ),
                "data.partition=\"natural\"".into(),
            ]
        }
        other => return Err(format!("workload `{other}` takes no files")),
    };
    let (schedule, weights) = match name {
        "cnn" => (Some("fashion-schedule.csv"), "init-cnn.safetensors"),
        "mlp" => (Some("fashion-schedule.csv"), "init-mlp.safetensors"),
        "async" => (None, "init-softmax.safetensors"),
        _ => (Some("synthetic-schedule.csv"), "init-softmax.safetensors"),
    };
    if let Some(schedule) = schedule {
        set.push("strategy.select=\"schedule\"".into());
        set.push(format!("strategy.schedule_file={}", file(schedule)?));
    }
    set.push(format!("network.weights={}", file(weights)?));
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_or_missed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let error = given("mlp", dir.path()).expect_err("an empty folder");
        assert!(error.ends_with("fashion-partition.csv"), "{error}");
        for name in ["fashion-partition.csv", "fashion-schedule.csv", "init-mlp.safetensors"] {
            std::fs::write(dir.path().join(name), "").expect("writable");
        }
        assert_eq!(given("mlp", dir.path()).expect("all there").len(), 4);
        assert!(given("day", dir.path()).is_err());
    }
}
