//! Attacks and defences under asynchronous paces: what breaks the mean, and what holds.

use offbeat::run::{Options, run, trace};
use offbeat::{Loaded, Overrides, load_text};
use offbeat_actors::RunResult;
use offbeat_strategies::guard::{Fault, Measure};
use std::collections::BTreeMap;
use std::path::Path;

/// Accuracy at the end, and the attack's success where it has an aim.
fn ends(attack: &str, strategy: &str, versions: u64) -> (f64, Option<f64>) {
    let result = whole(attack, strategy, versions);
    (result.test.map_or(0.0, |test| test.accuracy), result.attack_success)
}

fn whole(attack: &str, strategy: &str, versions: u64) -> RunResult {
    let loaded = scenario(attack, strategy, versions);
    let options = Options { workers: 1, ..Options::default() };
    trace(&loaded, &options).unwrap_or_else(|error| panic!("{strategy}: {error:?}"))
}

/// The mean share of the weight of a version that the heaviest fifth of its twenty clients has, and what guards met.
fn heaviest_fifth(attack: &str, strategy: &str) -> (f64, BTreeMap<String, u64>) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = Some(folder.path().to_path_buf());
    let options = Options { workers: 1, out, ..Options::default() };
    let summary = run(&scenario(attack, strategy, 10), &options).expect("the run succeeds");
    let rows = std::fs::read_to_string(Path::new(&summary.run_dir).join("metrics.csv"));
    let mut weights: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows.expect("the rows").lines() {
        let cells: Vec<&str> = row.split(',').collect();
        if let ["aggregation", _, _, version, _, "weight", weight] = cells[..] {
            weights.entry(version.into()).or_default().push(weight.parse().expect("a number"));
        }
    }
    let share = |weights: &mut Vec<f64>| {
        weights.sort_by(|a, b| b.total_cmp(a));
        weights[..4].iter().sum::<f64>() / weights.iter().sum::<f64>()
    };
    let shares: Vec<f64> = weights.values_mut().map(share).collect();
    (shares.iter().sum::<f64>() / shares.len() as f64, summary.guarded)
}

fn scenario(attack: &str, strategy: &str, versions: u64) -> Loaded {
    let text = format!(
        "version = 1
[run]
seed = 2
versions = {versions}
[data]
dataset = \"digits\"
partition = \"iid\"
[population]
clients = 20
[population.device]
reference_flops_per_second = 1e5
speed = {{ choice = {{ values = [0.5, 1.0, 2.0] }} }}
[network]
model = \"softmax\"
[training]
epochs = 2
batch = 16
sgd = {{ rate = 0.1 }}
[[adversary]]
share = 0.2
behaviour = {attack}
[strategy]
{strategy}
[evaluation]
every_versions = {versions}
"
    );
    let loaded = load_text(Path::new("attack.toml"), &text, &Overrides::default());
    loaded.unwrap_or_else(|problems| panic!("{strategy}: {problems}"))
}

const FLIP: &str = "{ sign-flip = { scale = 4.0 } }";
const BUFFERED: &str =
    "pace = { buffered = { buffer = 10, concurrency = 20 } }\nweigh = [\"uniform\", \"fedbuff\"]\n";
const IMMEDIATE: &str =
    "pace = { immediate = { concurrency = 20 } }\nweigh = [\"uniform\", \"fedbuff\"]\n";

/// A fifth of the clients send the opposite, four times as large. A clip makes them as small as the others:
/// that softens the attack and does not stop it.
#[test]
fn a_sign_flip_breaks_the_buffered_mean_and_no_robust_rule() {
    let end = |combine: &str| ends(FLIP, &format!("{BUFFERED}{combine}"), 60).0;
    let open = end("combine = \"mean\"");
    let clipped = end("guard = [{ norm = { most = 1.0 } }]");
    let trusted = end("combine = { fltrust = {} }");
    println!("buffered: mean {open:.3}, clip {clipped:.3}, fltrust {trusted:.3}");
    assert!(open < 0.3, "the mean ends at {open}");
    assert!(clipped > open + 0.3 && trusted > 0.85, "clip {clipped}, fltrust {trusted}");
    let plain = BUFFERED.replace(", \"fedbuff\"", "");
    let median = ends(FLIP, &format!("{plain}combine = \"median\""), 60).0;
    assert!(median > 0.85, "median {median}");
}

/// One update at a time: no rule sees two, but the server's own samples say whom to trust.
#[test]
fn a_sign_flip_breaks_updates_merged_one_by_one_and_no_trusted_ones() {
    let end = |combine: &str| ends(FLIP, &format!("{IMMEDIATE}{combine}"), 400).0;
    let open = end("combine = { mean = { rate = 0.3, by = \"count\" } }");
    let trusted = end("combine = { fltrust = { rate = 0.3, by = \"count\" } }");
    println!("immediate: mean {open:.3}, fltrust {trusted:.3}");
    assert!(open < 0.6, "the mean ends at {open}");
    assert!(trusted > 0.85, "fltrust ends at {trusted}");
}

/// A backdoor by model replacement: the mean takes it in, trust and a clip keep it out.
#[test]
fn a_backdoor_comes_through_the_buffered_mean_alone() {
    let attack = "{ model-replacement = { target = 0 } }";
    let end = |combine: &str| ends(attack, &format!("{BUFFERED}{combine}"), 60);
    let (_, open) = end("combine = \"mean\"");
    let (accuracy, trusted) = end("combine = { fltrust = {} }");
    println!("backdoor: mean {open:?}, fltrust {trusted:?} at accuracy {accuracy:.3}");
    assert!(open.expect("the attack has an aim") > 0.5, "{open:?}");
    assert!(trusted.expect("the attack has an aim") < 0.3 && accuracy > 0.85, "{trusted:?}");
}

/// A lie about samples counts a hundredfold, unless figures are checked; under either pace.
#[test]
fn false_counts_of_samples_are_refused_under_any_pace() {
    let attack = "{ false-samples = { factor = 100.0 } }";
    for pace in ["buffered = { buffer = 10, concurrency = 20 }", "immediate = { concurrency = 20 }"]
    {
        let run = |guard: &str| {
            let strategy = format!("pace = {{ {pace} }}\nweigh = [\"samples\"]\n{guard}");
            whole(attack, &strategy, 60).counts
        };
        assert!(run("").guarded.is_empty());
        let checked = run("guard = [{ scalars = {} }]");
        let refused = checked.guarded.get(&(Fault::Samples, Measure::Refused)).copied();
        let (refused, merged) = (refused.unwrap_or(0), checked.merged);
        println!("{pace}: {refused} refused, {merged} merged");
        // Four of twenty equally slow or fast clients lie: a fifth of the answers, by and large.
        let share = refused as f64 / (refused + merged) as f64;
        assert!((0.1..0.32).contains(&share), "{pace}: {refused} of {merged}");
    }
}

/// Lies about figures, in the ways that the rule "more says, more counts" rewards: what a client may say is held to
/// what the others say, under either pace.
#[test]
fn figures_that_stand_out_are_held_to_those_of_others() {
    let guards = [("clip", Measure::Clipped), ("refuse", Measure::Refused)];
    let buffered = "buffered = { buffer = 10, concurrency = 20 }";
    for pace in [buffered, "immediate = { concurrency = 20 }"] {
        for (excess, measure) in guards {
            let strategy = format!(
                "pace = {{ {pace} }}\nweigh = [\"samples\"]\n\
                 guard = [{{ relative-scalars = {{ excess = \"{excess}\" }} }}]"
            );
            let counts = whole("{ false-samples = { factor = 100.0 } }", &strategy, 60).counts;
            let met = counts.guarded.get(&(Fault::Samples, measure)).copied().unwrap_or(0);
            println!("{pace}, {excess}: {met} of {} merged", counts.merged);
            // Four of twenty lie, and nobody else's count is far from the others'.
            let answers = counts.merged + if excess == "refuse" { met } else { 0 };
            let share = met as f64 / answers as f64;
            assert!((0.08..0.32).contains(&share), "{pace}, {excess}: {:?}", counts.guarded);
        }
    }
}

/// A client that claims the largest cosine distance counts about a hundred times as much as an honest one: a
/// hostile model with that weight is all there is. Held to what others claim, it is one of twenty.
#[test]
fn an_inflated_cosine_distance_counts_no_more_than_others() {
    let attack = "{ inflate-cosine-distance = { claim = 2.0 } }";
    let share = |guard: &str| {
        let strategy = format!(
            "pace = {{ synchronous = {{ clients = 20 }} }}\nweigh = [\"cosine-distance\"]\n{guard}"
        );
        heaviest_fifth(attack, &strategy)
    };
    let (inflated, open) = share("");
    assert!(open.is_empty() && inflated > 0.6, "{inflated}");
    let (held, met) = share("guard = [{ relative-scalars = {} }]");
    println!(
        "weight of the heaviest fifth: {inflated:.3} without, {held:.3} with the guard {met:?}"
    );
    assert!(met.get("clipped: scalar").is_some_and(|met| *met > 30), "{met:?}");
    assert!(held < inflated - 0.2, "{held} of {inflated}");
}

/// A little is enough with 20 deviations: too far for a hidden attack, and enough for the mean.
#[test]
fn twenty_deviations_break_the_mean_and_neither_median_nor_krum() {
    let attack = "{ little-is-enough = { z = 20.0 } }";
    let end = |combine: &str| {
        let rounds = "pace = { synchronous = { clients = 20 } }\nweigh = [\"uniform\"]\n";
        ends(attack, &format!("{rounds}combine = {combine}"), 30).0
    };
    let (mean, median) = (end("\"mean\""), end("\"median\""));
    let krum = end("{ krum = { byzantine = 5 } }");
    println!("little is enough, z = 20: mean {mean:.3}, median {median:.3}, krum {krum:.3}");
    assert!(mean < 0.6, "the mean ends at {mean}");
    assert!(median > 0.8 && krum > 0.8, "median {median}, krum {krum}");
}
