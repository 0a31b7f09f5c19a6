//! A file that says who takes part when: one line a round, the ids of its clients.

use crate::diagnose::Problem;
use crate::files;
use std::path::Path;

/// Reads a schedule. Lines that begin with `#` are comments; an empty line is a round of nobody.
///
/// # Errors
/// When the file cannot be read, or names what is no client of `0..clients`.
pub fn read(path: &Path, clients: u32) -> Result<Vec<Vec<u32>>, Problem> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "the file has one line a round: ids of clients, separated by commas or blanks";
        files::unreadable(path, &error, help)
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            round(line, clients).map_err(|word| wrong(path, index + 1, word, clients))
        })
        .collect()
}

fn round(line: &str, clients: u32) -> Result<Vec<u32>, &str> {
    let words = line.split([',', ' ', '\t', ';']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok().filter(|id| *id < clients).ok_or(word)).collect()
}

fn wrong(path: &Path, line: usize, word: &str, clients: u32) -> Problem {
    let last = clients.saturating_sub(1);
    Problem::new(
        "malformed_data",
        format!("{}: line {line}: `{word}` is no client", files::shown(path)),
    )
    .help(format!("clients count from 0 to {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rounds() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("rounds.txt");
        std::fs::write(&path, "# two rounds and a pause\n0, 2 1\n\n3\n").expect("writable");
        assert_eq!(read(&path, 4).expect("valid"), [vec![0, 2, 1], vec![], vec![3]]);
        let error = read(&path, 3).expect_err("3 is no client of 3");
        assert!(error.message().ends_with("line 4: `3` is no client"), "{}", error.message());
        assert!(read(&dir.path().join("none"), 3).expect_err("missing").code() == "missing_file");
    }
}
