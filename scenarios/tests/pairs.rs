//! The whole table of pairs of parts: each allowed pair runs a tiny federation through the loader, with
//! real training, and gives the same bits with one worker and with two; each refused pair is refused by
//! what `offbeat check` does, with its reason.

use offbeat::run::{Options, trace};
use offbeat::{Overrides, load_text};
use offbeat_strategies::registry::{Entry, Parts, Seam, catalogue};
use std::path::Path;

/// One part as a scenario writes it, with settings for a handful of clients.
fn written(entry: &Entry) -> String {
    let name = entry.name;
    let settings = match (entry.seam, name) {
        (Seam::Pace, "synchronous") => "clients = 4",
        (Seam::Pace, "over-selection") => "clients = 3",
        (Seam::Pace, "deadline") => "clients = 4, seconds = 2.0",
        (Seam::Pace, "buffered") => "buffer = 3, concurrency = 5",
        (Seam::Pace, "immediate") => "concurrency = 4",
        (Seam::Pace, "tiers") => "tiers = 2, clients = 3",
        (Seam::Pace, "safa") => "seconds = 5.0",
        (Seam::Pace, "port") => "buffer = 3, concurrency = 5, bound = 1",
        (Seam::Pace, "fedcompass") => "clients = 4, min_steps = 1, max_steps = 4",
        (Seam::Pace, "pisces") => "concurrency = 4, bound = 2",
        (Seam::Select, "schedule") => "rounds = [[0, 1, 2], [3, 4, 5]], repeat = true",
        (Seam::Select, "power-of-choice") => "candidates = 4",
        (Seam::Select, "tiers" | "tifl") => "tiers = 2",
        (Seam::Select, "oort" | "refl" | "pisces") => "",
        (Seam::Weigh, "staleness") => "polynomial = {}",
        (Seam::Weigh, "flsim" | "refl" | "pisces" | "port" | "cosine-distance") => "",
        (Seam::Group, "finch" | "validity-index" | "k-means") => "",
        (Seam::Combine, "krum" | "bulyan") => "byzantine = 1",
        (Seam::Combine, "multi-krum") => "byzantine = 1, keep = 2",
        (Seam::Combine, "fedat" | "safa" | "median") => return format!("\"{name}\""),
        (Seam::Combine, _) => "",
        (Seam::Privacy, "secure") => "threshold = 0.6",
        (Seam::Privacy, "paillier") => "add_seconds = 0.001",
        (Seam::Privacy, _) => "clip_norm = 1.0, noise_multiplier = 1.0",
        _ => return format!("\"{name}\""),
    };
    format!("{{ {name} = {{ {settings} }} }}")
}

fn entry(seam: Seam, name: &str) -> Entry {
    *catalogue().iter().find(|entry| entry.seam == seam && entry.name == name).expect("built in")
}

/// The section with these two parts, and others that go with both where the defaults do not.
fn strategy(a: &Entry, b: &Entry) -> String {
    let mut parts = vec![*a, *b];
    let has = |parts: &[Entry], seam| parts.iter().any(|entry| entry.seam == seam);
    if !has(&parts, Seam::Pace) {
        let names: Vec<(Seam, &str)> = parts.iter().map(|part| (part.seam, part.name)).collect();
        let pace = match () {
            () if names.contains(&(Seam::Combine, "fedat")) => "tiers",
            () if names.contains(&(Seam::Combine, "safa")) => "safa",
            () if names.contains(&(Seam::Group, "by-tag")) => "tiers",
            () => "synchronous",
        };
        parts.push(entry(Seam::Pace, pace));
    }
    if !has(&parts, Seam::Weigh) {
        parts.push(entry(Seam::Weigh, "uniform"));
    }
    let lines = parts.iter().map(|part| match part.seam {
        Seam::Weigh => format!("weigh = [{}]\n", written(part)),
        seam => format!("{seam} = {}\n", written(part)),
    });
    lines.collect()
}

/// Six clients of unequal speed and softmax regression on 96 samples.
fn scenario(strategy: &str) -> String {
    let asked = strategy.contains("\"script\"");
    let script = if asked { "script = { file = \"tests/pairs.rhai\" }" } else { "" };
    format!(
        "version = 1
{script}
[run]
seed = 3
versions = 3
[data]
dataset = {{ synthetic = {{ classes = 3, inputs = 4, train = 96, test = 12 }} }}
partition = {{ dirichlet = {{ alpha = 1.0 }} }}
[population]
clients = 6
[population.device]
reference_flops_per_second = 1e4
speed = {{ choice = {{ values = [0.3, 0.6, 1.0, 3.0] }} }}
[network]
model = \"softmax\"
[training]
epochs = 1
batch = 8
[strategy]
{strategy}"
    )
}

fn parts(strategy: &str) -> Parts {
    toml::from_str(strategy).unwrap_or_else(|error| panic!("{strategy}: {error}"))
}

/// Every pair of parts of the two seams.
fn pairs(a: Seam, b: Seam) -> Vec<(Entry, Entry)> {
    let of = |seam| {
        // These need public pictures, heads by class, held-back samples or pictures, which these data do not have.
        let elsewhere = ["distillation", "fedgc", "privacy-face", "fedboost", "fediod"];
        let here = move |entry: &&Entry| entry.seam == seam && !elsewhere.contains(&entry.name);
        catalogue().iter().filter(here).copied()
    };
    of(a).flat_map(|one| of(b).map(move |other| (one, other))).collect()
}

/// Letters and digits alone: what wrapping and frames leave of a text.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

fn is_refused(strategy: &str, reason: &str) {
    let text = scenario(strategy);
    let refusal = load_text(Path::new("pair.toml"), &text, &Overrides::default());
    let said = refusal.expect_err(strategy).to_string();
    for piece in reason.split("; ") {
        assert!(bare(&said).contains(&bare(piece)), "{strategy}`{piece}` is missing in\n{said}");
    }
}

fn runs(strategy: &str) {
    let text = scenario(strategy);
    let loaded = load_text(Path::new("pair.toml"), &text, &Overrides::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{strategy}: {problems}"));
    let run = |workers| {
        let options = Options { workers, ..Options::default() };
        trace(&loaded, &options).unwrap_or_else(|error| panic!("{strategy}: {error:?}"))
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one.counts.versions, 3, "{strategy}: {}", one.ended);
    assert!(one.model.is_finite(), "{strategy}: {:?}", one.model);
    assert_eq!(one.counts.failed, 0, "{strategy}: {:?}", one.counts.failures);
    assert_eq!(one.digest, two.digest, "{strategy}: one worker and two");
}

/// Walks all pairs of two seams; gives how many ran and how many were refused.
fn walk(a: Seam, b: Seam) -> (usize, usize) {
    let (mut ran, mut refused) = (0, 0);
    for (one, other) in pairs(a, b) {
        let strategy = strategy(&one, &other);
        match parts(&strategy).validate().first() {
            None => {
                runs(&strategy);
                ran += 1;
            }
            Some(conflict) => {
                is_refused(&strategy, &conflict.reason);
                refused += 1;
            }
        }
    }
    (ran, refused)
}

#[test]
fn select_and_pace() {
    // A schedule needs one of the three paces with rounds. Of the other ten selectors, `tiers` goes with
    // one and `safa` with two. Draws by chance go with whole rounds alone.
    assert_eq!(walk(Seam::Select, Seam::Pace), (120 - 7 - 9 - 8 - 9, 7 + 9 + 8 + 9));
}

#[test]
fn pace_and_combine() {
    // Two combiners belong to one pace each.
    assert_eq!(walk(Seam::Pace, Seam::Combine), (180 - 2 * 9, 2 * 9));
}

#[test]
fn pace_and_weigh() {
    // Alone in a mean that divides by its weight, four discounts do nothing.
    assert_eq!(walk(Seam::Pace, Seam::Weigh), (120 - 4, 4));
}

#[test]
fn combine_and_weigh() {
    // Mixing takes none above 1: counts, what falls back to them, and what is relative; eight combiners take no
    // weights but plain ones, trust none but five discounts.
    assert_eq!(walk(Seam::Combine, Seam::Weigh), (216 - 5 - 8 * 10 - 7, 5 + 8 * 10 + 7));
}

#[test]
fn pace_and_companion() {
    assert_eq!(walk(Seam::Pace, Seam::Companion), (20, 0));
}

#[test]
fn combine_and_companion() {
    assert_eq!(walk(Seam::Combine, Seam::Companion), (36 - 6, 6));
}

#[test]
fn group_and_pace() {
    // Tags come from tiers alone; one update at a time is near to nothing else.
    assert_eq!(walk(Seam::Group, Seam::Pace), (60 - 9 - 3, 9 + 3));
}

#[test]
fn group_and_combine() {
    assert_eq!(walk(Seam::Group, Seam::Combine), (108 - 2 - 4 * 2, 2 + 4 * 2));
}

#[test]
fn privacy_and_pace() {
    // Central noise and hidden sums need a number of updates that is known beforehand, hidden sums more
    // than one.
    assert_eq!(walk(Seam::Privacy, Seam::Pace), (40 - 5 - 6, 5 + 6));
}

#[test]
fn privacy_and_combine() {
    // Central noise and hidden sums give no single update: of eighteen rules, six need none. Ciphertexts can be
    // added, and nothing else.
    assert_eq!(walk(Seam::Privacy, Seam::Combine), (72 - 2 * 12 - 17, 2 * 12 + 17));
}

#[test]
fn privacy_and_the_rest() {
    // Losses are looked at by four selectors. Groups, counts of samples and the like say too much.
    assert_eq!(walk(Seam::Privacy, Seam::Select), (48 - 2 * 4, 2 * 4));
    assert_eq!(walk(Seam::Privacy, Seam::Group), (24 - 3 * 5, 3 * 5));
    assert_eq!(walk(Seam::Privacy, Seam::Weigh), (48 - 1 - 7 - 3 - 2, 1 + 7 + 3 + 2));
    assert_eq!(walk(Seam::Privacy, Seam::Companion), (4, 4));
}

#[test]
fn a_mean_by_count_takes_no_counts() {
    for weigh in ["samples", "uniform", "fedbuff"] {
        let strategy =
            format!("combine = {{ mean = {{ by = \"count\" }} }}\nweigh = [\"{weigh}\"]\n");
        match parts(&strategy).validate().first() {
            Some(conflict) => {
                assert_eq!(weigh, "samples");
                is_refused(&strategy, &conflict.reason);
            }
            None => runs(&strategy),
        }
    }
}
