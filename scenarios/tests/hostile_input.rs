//! Properties of what reads scenarios: whatever is written, the answer comes soon and is no panic.

#[expect(unreachable_pub, reason = "fuzz targets call them from another crate")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use offbeat::check::check_text;
use offbeat::reference::EXAMPLES;
use offbeat::{Overrides, load_text};
use proptest::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time for one text. The whole of a check takes milliseconds.
const SOON: Duration = Duration::from_secs(10);

/// Values that nobody expects.
fn odd() -> impl Strategy<Value = String> {
    let fixed = [
        "0",
        "-1",
        "1e308",
        "-1e-308",
        "nan",
        "inf",
        "1_000_000_000_000",
        "99999999999999999999999",
        "true",
        "\"\"",
        "\"iid\"",
        "[]",
        "[[]]",
        "{}",
        "[{}]",
        "1979-05-27",
        "\"../../x\"",
        "'\\u0000'",
        "{ constant = 0.0 }",
        "{ lognormal = { median = -1.0, sigma = 1e9 } }",
        "\"é🦀\"",
        "=",
        "",
    ];
    prop_oneof![
        proptest::sample::select(fixed.to_vec()).prop_map(String::from),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        "[ -~]{0,12}",
    ]
}

/// A scenario that comes with Offbeat, with one of its lines spoiled.
fn spoiled() -> impl Strategy<Value = String> {
    let lines = (0..EXAMPLES.len(), any::<prop::sample::Index>(), odd(), 0..4u8);
    lines.prop_map(|(example, index, odd, how)| {
        let mut lines: Vec<String> = EXAMPLES[example].1.lines().map(String::from).collect();
        let line = index.index(lines.len());
        let key = lines[line].split('=').next().unwrap_or_default().to_string();
        match how {
            0 => drop(lines.remove(line)),
            1 => lines.insert(line, lines[line].clone()),
            2 => lines[line] = odd,
            _ => lines[line] = format!("{key}= {odd}"),
        }
        lines.join("\n")
    })
}

/// Loads `text` as a scenario of a folder without any files.
fn load_soon(text: &str) -> Result<(), TestCaseError> {
    let start = Instant::now();
    match load_text(Path::new("none/s.toml"), text, &Overrides::default()) {
        Ok(loaded) => prop_assert!(!loaded.warnings.render(false).is_empty()),
        Err(problems) => {
            prop_assert!(problems.has_errors());
            prop_assert!(problems.render(false).contains("s.toml"));
        }
    }
    prop_assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    Ok(())
}

fn check_soon(text: &str) -> Result<(), TestCaseError> {
    let start = Instant::now();
    let found = check_text(Path::new("none/s.toml"), text, &Overrides::default());
    prop_assert!(found.report.is_some() != found.problems.has_errors());
    prop_assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    Ok(())
}

/// A number as somebody might write it for a distribution.
fn number() -> impl Strategy<Value = String> {
    let usual = [0.0, -1.0, 0.5, 1.0, 1e-9, 1e9, 1e300];
    prop_oneof![
        proptest::sample::select(usual.to_vec()).prop_map(|number| format!("{number:?}")),
        (-10.0..10.0f64).prop_map(|number| format!("{number:?}")),
    ]
}

/// A count that may be absurd.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..50u64, Just(1_000_000_000_000), Just(4_000_000_000), Just(1_000_000_000)]
}

const REST: &str = "version = 1\nrun = { seed = 1, rounds = 1 }\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        load_soon(&text)?;
    }

    #[test]
    fn spoiled_scenarios_are_answered(text in spoiled()) {
        load_soon(&text)?;
    }

    #[test]
    fn partitions_of_any_numbers_are_split_or_refused(
        clients in count(), classes in count(), labels in count(), alpha in number(), kind in 0..6u8
    ) {
        let partition = match kind {
            0 => format!("{{ dirichlet = {{ alpha = {alpha}, balanced = true }} }}"),
            1 => format!("{{ pathological = {{ labels = {labels} }} }}"),
            2 => format!("{{ shards = {{ per_client = {labels} }} }}"),
            3 => format!("{{ quantity = {{ law = {{ lognormal = {{ sigma = {alpha} }} }} }} }}"),
            4 => format!("{{ iid = {{ samples = {labels}, replacement = true }} }}"),
            _ => format!("{{ dirichlet = {{ alpha = {alpha}, min_samples = {labels} }} }}"),
        };
        check_soon(&format!(
            "{REST}population = {{ clients = {clients} }}\n[data]\npartition = {partition}\n\
             dataset = {{ synthetic = {{ classes = {classes}, inputs = 2, train = 100, test = 10 }} }}\n"
        ))?;
    }

    #[test]
    fn distributions_of_any_numbers_are_drawn_or_refused(
        a in number(), b in number(), c in number(), kind in 0..8u8
    ) {
        let speed = match kind {
            0 => format!("{{ constant = {a} }}"),
            1 => format!("{{ uniform = {{ low = {a}, high = {b} }} }}"),
            2 => format!("{{ normal = {{ mean = {a}, sd = {b}, min = {c} }} }}"),
            3 => format!("{{ lognormal = {{ median = {a}, sigma = {b} }} }}"),
            4 => format!("{{ pareto = {{ scale = {a}, shape = {b}, cap = {c} }} }}"),
            5 => format!("{{ weibull = {{ scale = {a}, shape = {b} }} }}"),
            6 => format!("{{ choice = {{ values = [{a}, {b}], weights = [{b}, {c}] }} }}"),
            _ => format!("{{ exponential = {{ mean = {a} }} }}"),
        };
        check_soon(&format!(
            "{REST}[data]\ndataset = \"digits\"\npartition = \"iid\"\n[population]\nclients = 5\n\
             device = {{ speed = {speed} }}\n"
        ))?;
    }

    #[test]
    fn scripts_of_any_text_are_answered(
        text in "[a-z(){}\\[\\]#:;=+*. 0-9\n\"]{0,120}", hook in any::<bool>()
    ) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let head = if hook { "fn on_start() { " } else { "" };
        std::fs::write(folder.path().join("s.rhai"), format!("{head}{text}")).expect("written");
        let scenario = format!(
            "{REST}script = {{ file = \"s.rhai\" }}\npopulation = {{ clients = 5 }}\n\
             data = {{ dataset = \"digits\", partition = \"iid\" }}\n"
        );
        let start = Instant::now();
        let found =
            check_text(&folder.path().join("s.toml"), &scenario, &Overrides::default());
        prop_assert!(!found.problems.render(false).is_empty());
        prop_assert!(start.elapsed() < SOON);
    }
}

/// Every text that a fuzz target once stumbled over, and what it began with.
#[test]
fn what_fuzzing_found_stays_mended() {
    type Target = fn(&str);
    let targets: [(&str, Target); 4] = [
        ("scenario", fuzz::scenario),
        ("partition", fuzz::partition),
        ("distribution", fuzz::distribution),
        ("script", fuzz::script),
    ];
    for (name, target) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let mut texts = 0;
        for entry in std::fs::read_dir(&folder).expect("in the repository") {
            let path = entry.expect("readable").path();
            let start = Instant::now();
            target(&std::fs::read_to_string(&path).expect("text"));
            assert!(start.elapsed() < SOON, "{}: {:?}", path.display(), start.elapsed());
            texts += 1;
        }
        assert!(texts > 0, "{name} has no seeds");
    }
}
