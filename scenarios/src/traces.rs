//! Measured properties of devices, from files.
//!
//! **Speeds**: a text file with one number above zero a line; empty lines and lines that begin with `#`
//! are left out.
//!
//! **Presence**, by the file's extension:
//!
//! - `.csv`: a header `device,from_seconds,to_seconds`, then one interval a line, each device's in the
//!   order of time; devices are numbered in the order in which their names first appear. All devices
//!   begin again after the largest `to_seconds` of the file.
//! - `.json`: the shape of FedScale's behaviour traces (its pickled dictionary dumped as JSON): an object
//!   from device to `{ "active": [..], "inactive": [..], "finish_time": .. }`, all in seconds: the device
//!   is on from `active[k]` to `inactive[k]`, and begins again after `finish_time`. Further keys are left
//!   out; devices come in the order of their numbers, or of their names where these are no numbers.

use crate::diagnose::Problem;
use crate::files;
use offbeat_kernel::hardship::DeviceTrace;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads speeds.
///
/// # Errors
/// When the file cannot be read, or a line is no number above zero; names the line.
pub fn speeds(path: &Path) -> Result<Vec<f64>, Problem> {
    let text = read(path, "one speed a line, 1 for the reference")?;
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.parse::<f64>() {
            Ok(value) if value.is_finite() && value > 0.0 => values.push(value),
            _ => return Err(wrong(path, index + 1, &format!("`{line}` is no number above zero"))),
        }
    }
    if values.is_empty() {
        return Err(wrong(path, 1, "there are no speeds"));
    }
    Ok(values)
}

/// Reads when devices are present.
///
/// # Errors
/// When the file cannot be read, or intervals are malformed, overlap or are out of order; names the line
/// (CSV) or the device (JSON).
pub fn presence(path: &Path) -> Result<Vec<DeviceTrace>, Problem> {
    let text = read(path, "intervals of presence, as CSV or JSON")?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let devices = if json { fedscale(path, &text)? } else { intervals(path, &text)? };
    if devices.is_empty() {
        return Err(wrong(path, 1, "there are no devices"));
    }
    Ok(devices)
}

const HEADER: &str = "device,from_seconds,to_seconds";

fn intervals(path: &Path, text: &str) -> Result<Vec<DeviceTrace>, Problem> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    match lines.next() {
        Some((_, header)) if header == HEADER => {}
        _ => return Err(wrong(path, 1, &format!("the first line must be `{HEADER}`"))),
    }
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut period: f64 = 0.0;
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [device, from, to] = cells[..] else {
            return Err(wrong(path, number, &format!("{} cells, but 3 are needed", cells.len())));
        };
        let seconds = |cell: &str| {
            let value = cell.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
            let reason = || format!("`{cell}` is no number of seconds from 0 on");
            value.ok_or_else(|| wrong(path, number, &reason()))
        };
        let (from, to) = (seconds(from)?, seconds(to)?);
        let next = numbers.len();
        let on = *numbers.entry(device).or_insert(next);
        all.resize_with(numbers.len(), Vec::new);
        let before = all[on].last().map_or(0.0, |(_, to)| *to);
        if from < before || to < from {
            let reason = format!(
                "from {from} s to {to} s, but the interval must begin at {before} s or later and \
                 end no earlier than it begins"
            );
            return Err(wrong(path, number, &reason));
        }
        all[on].push((from, to));
        period = period.max(to);
    }
    if !all.is_empty() && period <= 0.0 {
        return Err(wrong(path, 2, "all intervals are empty"));
    }
    Ok(all.into_iter().map(|on| DeviceTrace { period, on }).collect())
}

/// What FedScale says of one device.
#[derive(Deserialize)]
struct Behaviour {
    active: Vec<f64>,
    inactive: Vec<f64>,
    finish_time: f64,
}

fn fedscale(path: &Path, text: &str) -> Result<Vec<DeviceTrace>, Problem> {
    let devices: BTreeMap<String, Behaviour> = serde_json::from_str(text)
        .map_err(|error| wrong(path, error.line(), &format!("this is no trace: {error}")))?;
    let mut devices: Vec<(String, Behaviour)> = devices.into_iter().collect();
    // The map has sorted the names; numbers go by their value.
    devices.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or(u64::MAX));
    let trace = |(name, device): (String, Behaviour)| {
        let Behaviour { active, inactive, finish_time } = device;
        let trace = DeviceTrace::from_fedscale(&active, &inactive, finish_time);
        match trace.validate() {
            Ok(()) => Ok(trace),
            Err(reason) => Err(malformed(format!("{}: device `{name}`: {reason}", path.display()))),
        }
    };
    devices.into_iter().map(trace).collect()
}

fn read(path: &Path, content: &str) -> Result<String, Problem> {
    let help = format!("the file has {content}");
    std::fs::read_to_string(path).map_err(|error| files::unreadable(path, &error, &help))
}

fn wrong(path: &Path, line: usize, reason: &str) -> Problem {
    malformed(format!("{}: line {line}: {reason}", path.display()))
}

fn malformed(message: String) -> Problem {
    Problem::new("malformed_data", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(name: &str, text: &str, read: fn(&Path) -> Result<T, Problem>) -> Result<T, String> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        read(&path).map_err(|problem| problem.message().replace(&path.display().to_string(), "F"))
    }

    #[test]
    fn speeds_are_read_line_by_line() {
        assert_eq!(with("s.csv", "# a phone\n0.5\n\n 2 \n", speeds).expect("valid"), [0.5, 2.0]);
        let error = with("s.csv", "1\nfast\n", speeds).expect_err("no number");
        assert_eq!(error, "F: line 2: `fast` is no number above zero");
        assert!(with("s.csv", "1\n0\n", speeds).expect_err("zero").contains("line 2"));
        assert!(with("s.csv", "# none\n", speeds).expect_err("empty").contains("no speeds"));
    }

    #[test]
    fn intervals_belong_to_devices_in_the_order_of_the_file() {
        let text = format!("{HEADER}\nb,0,10\na,5,20\nb,15.5,30\n");
        let devices = with("p.csv", &text, presence).expect("valid");
        let trace = |on: &[(f64, f64)]| DeviceTrace { period: 30.0, on: on.to_vec() };
        assert_eq!(devices, [trace(&[(0.0, 10.0), (15.5, 30.0)]), trace(&[(5.0, 20.0)])]);
        let refused = |lines: &str| {
            with("p.csv", &format!("{HEADER}\n{lines}\n"), presence).expect_err("refused")
        };
        assert!(refused("a,0,10\na,9,12").starts_with("F: line 3: from 9 s to 12 s"));
        assert!(refused("a,0").contains("line 2: 2 cells"));
        assert!(refused("a,0,later").contains("line 2: `later`"));
        assert!(refused("").contains("no devices"));
        let error = with("p.csv", "a,0,1\n", presence).expect_err("no header");
        assert!(error.contains(HEADER), "{error}");
    }

    #[test]
    fn fedscale_devices_come_in_the_order_of_their_numbers() {
        let text = r#"{
            "10": {"active": [1], "inactive": [3], "finish_time": 9, "model": "x", "duration": 2},
            "2": {"active": [0, 6], "inactive": [4, 7], "finish_time": 8}
        }"#;
        let devices = with("p.json", text, presence).expect("valid");
        assert_eq!(devices[0], DeviceTrace { period: 8.0, on: vec![(0.0, 4.0), (6.0, 7.0)] });
        assert_eq!(devices[1], DeviceTrace { period: 9.0, on: vec![(1.0, 3.0)] });
        let error = with("p.json", "{\n\"1\": {\"active\": [true]}}", presence).expect_err("bool");
        assert!(error.starts_with("F: line 2: this is no trace"), "{error}");
        let late = r#"{"7": {"active": [1], "inactive": [30], "finish_time": 9}}"#;
        let error = with("p.json", late, presence).expect_err("beyond the period");
        assert!(error.starts_with("F: device `7`: on[0]"), "{error}");
    }
}
