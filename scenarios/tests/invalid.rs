//! A gallery of wrong scenarios, each with what is printed about it, and with its mend.
//!
//! `tests/invalid/NAME.toml` has one mistake, that of somebody who knows federated learning and not this
//! language; `NAME.txt` is what `offbeat check NAME.toml` prints on 80 columns. The comment at the end
//! of the scenario mends it, line by line, with no other help than that text.
//! `OFFBEAT_WRITE_PAGES=1 cargo test --test invalid` writes the texts anew: read what has changed.

use offbeat::Overrides;
use offbeat::check::{Checked, check_text};
use std::path::{Path, PathBuf};

/// Begins the comment with the mend.
const MEND: &str = "\n# The mend:\n";

/// The scenarios, by name, without and with their mend.
fn gallery() -> Vec<(PathBuf, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    // Paths are shown as seen from here.
    std::env::set_current_dir(&folder).expect("the gallery's folder");
    let entries = std::fs::read_dir(".").expect("the gallery");
    let names = entries.map(|entry| PathBuf::from(entry.expect("readable").file_name()));
    let mut names: Vec<PathBuf> =
        names.filter(|name| name.extension().is_some_and(|kind| kind == "toml")).collect();
    names.sort();
    let read = |name: PathBuf| {
        let text = std::fs::read_to_string(&name).expect("text");
        let (wrong, mend) = text.split_once(MEND).expect("a mend at the end");
        let mended = mended(&name, wrong, mend);
        (name, wrong.to_string(), mended)
    };
    names.into_iter().map(read).collect()
}

/// Replaces each `# - …` by the `# + …` below it; `\n` stands for the end of a line.
fn mended(name: &Path, wrong: &str, mend: &str) -> String {
    let mut lines = mend.lines();
    let mut text = format!("{wrong}\n");
    while let (Some(from), Some(to)) = (lines.next(), lines.next()) {
        let part = |line: &str, mark: &str| {
            let part = line.strip_prefix(mark).unwrap_or_else(|| panic!("{name:?}: {line}"));
            part.trim_start().replace("\\n", "\n")
        };
        let (from, to) = (part(from, "# -"), part(to, "# +"));
        assert_eq!(text.matches(&from).count(), 1, "{}: `{from}` is there once", name.display());
        text = text.replace(&from, &to);
    }
    text
}

fn checked(name: &Path, text: &str) -> Checked {
    check_text(name, text, &Overrides::default())
}

#[test]
fn every_mistake_is_told_so_that_it_can_be_mended() {
    let gallery = gallery();
    assert!(gallery.len() >= 60, "{} scenarios", gallery.len());
    let mut wrong_ones = Vec::new();
    for (name, wrong, mended) in &gallery {
        if let Err(reason) = judged(name, wrong, mended) {
            wrong_ones.push(format!("{}: {reason}", name.display()));
        }
    }
    assert!(wrong_ones.is_empty(), "{}", wrong_ones.join("\n\n"));
}

/// What is not as it should be with one scenario of the gallery.
fn judged(name: &Path, wrong: &str, mended: &str) -> Result<(), String> {
    let found = checked(name, wrong);
    if !found.problems.has_errors() {
        return Err("it is valid".into());
    }
    let printed = found.problems.render(false);
    let place = name.with_extension("txt");
    if std::env::var_os("OFFBEAT_WRITE_PAGES").is_some() {
        std::fs::write(&place, &printed).expect("written");
    }
    fits(name, wrong, &printed)?;
    if std::fs::read_to_string(&place).unwrap_or_default() != printed {
        return Err(format!("the text beside it is not what is printed:\n{printed}"));
    }
    let found = checked(name, mended);
    match found.problems.has_errors() {
        true => Err(format!("its mend is wrong:\n{}", found.problems)),
        false => Ok(()),
    }
}

/// 80 columns, but for lines of the scenario that are longer themselves; the file; help; no colours.
fn fits(name: &Path, wrong: &str, printed: &str) -> Result<(), String> {
    let own = |line: &str| {
        let shown = line.split_once("│ ").map_or(line, |(_, text)| text);
        wrong.lines().any(|written| written == shown)
    };
    let mut lines = printed.lines();
    if let Some(line) = lines.find(|line| line.chars().count() > 80 && !own(line)) {
        return Err(format!("wider than 80 columns: {line}"));
    }
    if !printed.contains(&name.display().to_string()) || !printed.contains("help:") {
        return Err(format!("names no file, or has no help:\n{printed}"));
    }
    if printed.contains('\u{1b}') || printed.contains("/tests/invalid") {
        return Err(format!("colours, or a path of this machine:\n{printed}"));
    }
    Ok(())
}
