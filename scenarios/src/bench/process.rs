//! What the system says about this process and this machine.

use serde::Serialize;

/// The machine that a measurement was taken on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's name, if the system tells it.
    pub processor: String,
    /// Threads that can run at the same time.
    pub cores: usize,
    /// Memory in bytes, if the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes that wanted a core over the last minute, before anything was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
}

impl Machine {
    /// This machine, now.
    pub fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_string());
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes(&read("/proc/meminfo"), "MemTotal:"),
            load: read("/proc/loadavg").split(' ').next().and_then(|word| word.parse().ok()),
        }
    }
}

/// Memory of the machine in bytes, if the system tells it.
pub fn total_bytes() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// Memory that a new process could have, in bytes, if the system tells it.
pub fn available_bytes() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// Most memory that this process ever had in use, in bytes (`VmHWM`); `None` where the system does not say.
pub fn peak_bytes() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Ticks a second in which Linux tells processor time to programs (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Seconds of processor time that this process used, ended threads included; `None` where the system does
/// not say.
pub fn cpu_seconds() -> Option<f64> {
    ticks(&std::fs::read_to_string("/proc/self/stat").ok()?).map(|ticks| ticks as f64 / TICKS)
}

/// User and system time in a line of `/proc/PID/stat`. The program's name in brackets may hold blanks.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    Some(user + fields.next()?.parse::<u64>().ok()?)
}

/// The number behind `key` in a table of kibibytes such as `/proc/meminfo`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        assert_eq!(kilobytes("VmPeak:  10 kB\nVmHWM:\t  2 kB\n", "VmHWM:"), Some(2048));
        assert_eq!(kilobytes("VmPeak:  10 kB\n", "VmHWM:"), None);
        let stat = "7 (a b) R 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0";
        assert_eq!(ticks(stat), Some(300));
        assert!(Machine::here().cores >= 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_something() {
        assert!(peak_bytes().expect("told on Linux") > 1 << 20);
        assert!(cpu_seconds().is_some());
    }
}
