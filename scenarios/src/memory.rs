//! How much memory results may take that were computed before anybody takes them.

use std::fs::read_to_string;

/// Without a word from the system: what every machine has.
const UNKNOWN: u64 = 1 << 30;

/// Half of the memory that this process may have, in bytes: of the machine's, or of the group's where a
/// container has less.
pub fn half() -> u64 {
    let group = read_to_string("/sys/fs/cgroup/memory.max").ok();
    half_of(crate::bench::total_bytes(), group.as_deref())
}

fn half_of(machine: Option<u64>, group: Option<&str>) -> u64 {
    let group: Option<u64> = group.and_then(|text| text.trim().parse().ok());
    let all = [machine, group].into_iter().flatten().min();
    all.map_or(UNKNOWN, |all| all / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_limit_counts() {
        assert_eq!(half_of(Some(8 << 30), Some("max\n")), 4 << 30);
        assert_eq!(half_of(Some(8 << 30), Some("2147483648\n")), 1 << 30);
        assert_eq!(half_of(None, None), 1 << 30);
        assert!(half() > 0);
    }
}
