//! Federations that learn without labels: what a scenario chooses, what travels, and what makes no sense.

use offbeat::run::{Options, trace};
use offbeat::{Overrides, load_text};
use offbeat_actors::RunResult;
use std::path::Path;

const LOSS: &str = "objective = { loss = { masked = { patch = 2, share = 0.25 } } }";

fn scenario(more: &str) -> String {
    format!(
        "version = 1
[run]
seed = 4
versions = 80
[data]
dataset = \"digits\"
partition = {{ dirichlet = {{ alpha = 0.3 }} }}
client_test_share = 0.2
[population]
clients = 6
[network]
model = {{ mlp = {{ hidden = [24] }} }}
[training]
epochs = 3
batch = 16
sgd = {{ rate = 1.0 }}
{LOSS}
[evaluation]
every_versions = 20
{more}"
    )
}

fn run(text: &str, workers: usize) -> RunResult {
    let loaded = load_text(Path::new("m.toml"), text, &Overrides::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { workers, ..Options::default() };
    trace(&loaded, &options).unwrap_or_else(|error| panic!("{text}{error:?}"))
}

const PACES: [&str; 3] = [
    "pace = { synchronous = { clients = 4 } }",
    "pace = { buffered = { buffer = 2, concurrency = 4 } }",
    "pace = { fedboost = { clients = 4 } }\nweigh = [{ fedboost = {} }]",
];

/// Every pace learns to paint, a linear classifier reads most digits from the features, and one worker gives the bits of
/// two. Messages hold the parameters of a network with an output for each pixel, and nothing else.
#[test]
fn features_are_learned_under_every_pace() {
    let parameters = 64 * 24 + 24 + 24 * 64 + 64;
    for pace in PACES {
        let text = scenario(&format!("[strategy]\n{pace}\n"));
        let (one, two) = (run(&text, 1), run(&text, 2));
        assert_eq!(one.digest, two.digest, "{pace}");
        assert_eq!((one.counts.versions, one.counts.failed), (80, 0), "{pace}: {}", one.ended);
        assert_eq!(one.model.len(), parameters);
        let last = one.test.as_ref().expect("evaluated");
        // Painting the mean of all digits costs 0.073; from the features of a fresh network 0.706 are read.
        assert!(last.loss < 0.06, "{pace}: {}", last.loss);
        assert!(last.accuracy > 0.75, "{pace}: {}", last.accuracy);
        // Elsewhere updates are on their way when the run ends, or models travel to be judged.
        if pace.contains("synchronous") {
            let (sent, updates) = (one.counts.bytes_up, one.counts.updates);
            let each = sent as f64 / updates as f64 - 4.0 * parameters as f64;
            assert!((0.0..100.0).contains(&each), "{pace}: {each} bytes beside the parameters");
        }
    }
}

/// The two trainers give the same model but for rounding.
#[test]
fn both_trainers_learn_the_same() {
    let of = |trainer: &str| {
        let text = scenario("").replace("versions = 80", "versions = 3");
        run(&text.replace(LOSS, &format!("{LOSS}\ntrainer = \"{trainer}\"")), 2)
    };
    let (direct, autodiff) = (of("direct"), of("autodiff"));
    let apart = direct.model.minus(&autodiff.model).norm() / direct.model.norm();
    assert!(apart < 1e-3, "{apart}");
}

#[test]
fn what_needs_labels_is_refused_with_its_place() {
    let digits = "dataset = \"digits\"";
    let cases = [
        (scenario("").replace("every_versions = 20", "on = [\"clients\"]"), "only the common test"),
        (scenario("local_baseline = true\n"), "trained alone"),
        (scenario("").replace(LOSS, &format!("{LOSS}\ninstances = 4")), "need labels"),
        (scenario("").replace("{ mlp = { hidden = [24] } }", "\"softmax\""), "nothing there"),
        (scenario("[strategy]\ntravel = \"backbone\"\n"), "stays with its client"),
        (
            scenario("[[adversary]]\ncount = 1\nbehaviour = { label-flip = {} }\n"),
            "this attack changes labels",
        ),
        (scenario("[tap]\nattack = \"analytic\"\n"), "cross-entropy alone"),
        (scenario("[strategy]\npace = { fediod = {} }\n"), "teachers are asked for"),
        (scenario("").replace("share = 0.25", "share = 1.0"), "above 0 and below 1"),
        (scenario("").replace("patch = 2", "patch = 0"), "masked.patch` cannot be 0"),
        (scenario("").replace("share = 0.25", "visible_weight = -1.0"), "cannot be -1"),
        (
            scenario("")
                .replace(digits, "dataset = { nine-domains = {} }")
                .replace("{ dirichlet = { alpha = 0.3 } }", "\"by-dataset\""),
            "one that paints",
        ),
    ];
    for (text, says) in cases {
        assert_ne!(text, scenario(""), "{says}: nothing is wrong");
        let refused = load_text(Path::new("m.toml"), &text, &Overrides::default());
        let told = refused.expect_err(says).render(false);
        assert!(told.contains(says) && told.contains("m.toml:"), "`{says}` is missing:\n{told}");
    }
}
