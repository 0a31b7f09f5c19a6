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
    fits(name, &printed)?;
    if std::fs::read_to_string(&place).unwrap_or_default() != printed {
        return Err(format!("the text beside it is not what is printed:\n{printed}"));
    }
    let found = checked(name, mended);
    match found.problems.has_errors() {
        true => Err(format!("its mend is wrong:\n{}", found.problems)),
        false => Ok(()),
    }
}

/// 80 columns; the file; help; no colours.
fn fits(name: &Path, printed: &str) -> Result<(), String> {
    if let Some(line) = printed.lines().find(|line| line.chars().count() > 80) {
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

const PLAIN: &str = "version = 1
[run]
seed = 1
rounds = 5
[data]
dataset = \"digits\"
partition = \"iid\"
[population]
clients = 20
";

/// What is legal, but surely not meant: the scenario runs, and somebody is told.
#[test]
fn what_is_surely_not_meant_is_told() {
    let hostile = "[[adversary]]\nshare = 0.5\nbehaviour = \"repeat\"\n";
    for (more, words) in [
        ("[strategy.pace.buffered]\nbuffer = 12\nconcurrency = 6\n", "the buffer is larger"),
        ("[strategy.pace.deadline]\nclients = 5\nseconds = 1e-6\n", "nobody can answer before"),
        ("[evaluation]\nevery_versions = 10\n", "before the first evaluation"),
        ("[run.target]\nmetric = \"loss\"\nvalue = 0.0\n", "a loss of 0 is never reached"),
        ("[run.target]\nmetric = \"accuracy\"\nvalue = 1.0\n", "every test sample to be right"),
        (
            "[[timeline]]\nwhen = { version = 9 }\nevaluate = true\n",
            "the run ends after 5 versions",
        ),
        ("[training.sgd]\nnesterov = true\n", "does nothing without momentum"),
        (&format!("{hostile}[strategy]\ncombine = \"median\"\n"), "half of the clients or more"),
        (
            &format!("{hostile}[strategy]\ncombine = {{ krum = {{ byzantine = 1 }} }}\n"),
            "5.0 of the updates in an aggregation are hostile",
        ),
        (
            &format!("{hostile}[strategy]\ncombine = {{ trimmed-mean = {{ trim = 0.2 }} }}\n"),
            "50 % of the clients are hostile",
        ),
        ("[strategy]\ncombine = { krum = { byzantine = 6 } }\n", "are too few for this"),
    ] {
        let found = checked(Path::new("s.toml"), &format!("{PLAIN}{more}"));
        let printed = found.problems.render(false);
        assert!(found.report.is_some(), "{more}{printed}");
        assert!(printed.contains(words) && printed.contains("1 warning"), "{more}{printed}");
    }
    let plain = checked(Path::new("s.toml"), PLAIN);
    assert!(plain.problems.is_empty() && plain.runs == 1, "{}", plain.problems);
    let sweep = format!("{PLAIN}[sweep]\nseed = [1, 2, 3]\n\"training.batch\" = [8, 16]\n");
    assert_eq!(checked(Path::new("s.toml"), &sweep).runs, 6);
}
