//! What the fuzz targets ask of the scenario language: whatever is written, the answer comes soon, is no
//! panic and takes little memory.
//!
//! ```text
//! cargo install cargo-fuzz
//! cd scenarios
//! cargo +nightly fuzz run -s none scenario fuzz/corpus/scenario library cookbook tests/keys \
//!     -- -dict=fuzz/scenario.dict -max_total_time=600 -timeout=10 -rss_limit_mb=2048
//! ```
//!
//! The same with `partition`, `distribution` and `script`. `-s none` because nothing here is unsafe code.

#![forbid(unsafe_code)]

use offbeat::check::check_text;
use offbeat::run::{Options, run};
use offbeat::{Overrides, load_text};
use std::path::Path;

/// Longest text that is tried: more of the same says nothing new.
const LONGEST: usize = 1 << 14;

/// A file of a folder in which there is nothing else.
const ALONE: &str = "none/s.toml";

const REST: &str = "version = 1\nrun = { seed = 1, rounds = 2, virtual_hours = 1.0 }\n";

/// The whole text is a scenario: it loads, or all that is wrong with it can be shown.
pub fn scenario(text: &str) {
    if text.len() > LONGEST {
        return;
    }
    match load_text(Path::new(ALONE), text, &Overrides::default()) {
        Ok(loaded) => drop(loaded.warnings.render(false)),
        Err(problems) => {
            assert!(problems.has_errors(), "refused without an error");
            assert!(problems.render(false).contains("s.toml"), "the file is not named");
        }
    }
}

/// The text is what stands behind `partition =`, with the counts of clients, classes and samples in the
/// lines after it, if any: the data are split, or it is said why not.
pub fn partition(text: &str) {
    let mut lines = text.splitn(4, '\n');
    let partition = lines.next().unwrap_or_default();
    let clients = lines.next().filter(|line| !line.is_empty()).unwrap_or("7");
    let classes = lines.next().filter(|line| !line.is_empty()).unwrap_or("3");
    let samples = lines.next().filter(|line| !line.is_empty()).unwrap_or("100");
    check(&format!(
        "{REST}population = {{ clients = {clients} }}\n[data]\npartition = {partition}\n\
         dataset = {{ synthetic = {{ classes = {classes}, inputs = 2, train = {samples}, test = 10 }} }}\n"
    ));
}

/// The text is what stands behind `speed =`: speeds are drawn of it, or it is said why not.
pub fn distribution(text: &str) {
    check(&format!(
        "{REST}data = {{ dataset = \"digits\", partition = \"iid\" }}\n[population]\nclients = 5\n\
         device = {{ speed = {text} }}\n"
    ));
}

/// The text is a script: a small federation runs under it to its end, or ends with an error that can be
/// shown.
///
/// # Panics
/// When the folder for its files cannot be made.
pub fn script(text: &str) {
    if text.len() > LONGEST {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("s.rhai"), text).expect("a file can be written");
    let scenario = format!(
        "{REST}script = {{ file = \"s.rhai\", most_operations = 20000 }}\npopulation = {{ clients = 5 }}\n\
         [data]\npartition = \"iid\"\n\
         dataset = {{ synthetic = {{ classes = 3, inputs = 2, train = 100, test = 10 }} }}\n{}",
        parts(text)
    );
    let path = folder.path().join("s.toml");
    match load_text(&path, &scenario, &Overrides::default()) {
        Ok(loaded) => {
            let out = Some(folder.path().join("runs"));
            let _ended =
                run(&loaded, &Options { workers: 1, out, timing_only: true, ..Options::default() });
        }
        Err(problems) => assert!(!problems.render(false).is_empty(), "nothing to show"),
    }
}

/// A script with a function `select` or `weigh` is asked for it.
fn parts(script: &str) -> String {
    let named = [("select", "select = \"script\"\n"), ("weigh", "weigh = [\"script\"]\n")];
    let asked = named.iter().filter(|(part, _)| script.contains(&format!("fn {part}(")));
    let lines: String = asked.map(|(_, line)| *line).collect();
    if lines.is_empty() { lines } else { format!("[strategy]\n{lines}") }
}

fn check(text: &str) {
    if text.len() > LONGEST {
        return;
    }
    let found = check_text(Path::new(ALONE), text, &Overrides::default());
    assert!(
        found.report.is_some() != found.problems.has_errors(),
        "neither an answer nor an error"
    );
    assert!(!found.problems.render(false).is_empty() || found.report.is_some());
}
