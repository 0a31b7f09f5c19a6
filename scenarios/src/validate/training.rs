//! Checks of `[training]`, `[network]`, `[evaluation]` and `[output]`.

use super::Checks;
use crate::spec::{EvaluationSection, OutputSection, TrainingSection};
use offbeat_learning::masked::Masked;
use offbeat_learning::network::{Head, NetworkSpec};
use offbeat_learning::objective::Loss;
use std::f32::consts::FRAC_PI_2;

pub(super) fn check(training: &TrainingSection, checks: &mut Checks<'_>) {
    if training.epochs.is_some() && training.steps.is_some() {
        checks.conflict(
            "training.epochs",
            "training.steps",
            "a client trains either for `epochs` or for `steps`",
            "keep one of the two",
        );
    }
    training.epochs.inspect(|epochs| checks.within("training.epochs", *epochs, 1..=100_000));
    training.steps.inspect(|steps| checks.within("training.steps", *steps, 1..=100_000_000));
    checks.within("training.batch", training.batch, 1..=1_000_000);
    training.cohort.inspect(|cohort| checks.within("training.cohort", *cohort, 1..=1024));
    let sgd = &training.sgd;
    above_zero("training.sgd.rate", sgd.rate, 1000.0, "a common start is `rate = 0.1`", checks);
    if !(0.0..1.0).contains(&sgd.momentum) {
        checks.add(
            "training.sgd.momentum",
            format!("`training.sgd.momentum` cannot be {}", sgd.momentum),
            "must be at least 0 and below 1",
            "a common value is `momentum = 0.9`; 0 turns it off",
        );
    }
    if sgd.nesterov && sgd.momentum == 0.0 {
        checks.warn(
            "training.sgd.nesterov",
            "`nesterov` does nothing without momentum",
            "momentum is 0",
            "add `momentum = 0.9` to `[training.sgd]`, or leave `nesterov` out",
        );
    }
    checks.within("training.sgd.weight_decay", sgd.weight_decay, 0.0..=1000.0);
    for (index, group) in sgd.groups.iter().enumerate() {
        checks.within(&format!("training.sgd.groups.{index}.factor"), group.factor, 0.0..=1e6);
    }
    checks.within("training.objective.proximal_mu", training.objective.proximal_mu, 0.0..=1e6);
    checks.within("training.augment.mirror", training.augment.mirror, 0.0..=1.0);
    checks.within("training.augment.erase", training.augment.erase, 0.0..=1.0);
    instances(training, checks);
    objective(&training.objective.loss, checks);
}

/// Batches of `instances` pictures of each identity.
fn instances(training: &TrainingSection, checks: &mut Checks<'_>) {
    let (instances, batch) = (training.instances, training.batch);
    if instances == 1 {
        checks.add(
            "training.instances",
            "`training.instances` cannot be 1",
            "one picture of an identity has no other to be compared with",
            "write at least `instances = 2`, usually 4; leave it out for plain batches",
        );
    } else if instances > batch {
        checks.conflict(
            "training.instances",
            "training.batch",
            &format!("a batch of {batch} cannot hold {instances} pictures of each identity"),
            "lower `instances`, or raise `batch`",
        );
    }
}

/// What a loss can be given, and which are none for clients.
fn objective(loss: &Loss, checks: &mut Checks<'_>) {
    let path = |key: &str| format!("training.objective.loss.{key}");
    match *loss {
        Loss::FeatureMse => checks.add(
            "training.objective.loss",
            "clients cannot minimise `feature-mse`: nothing tells them what features to give",
            "it is what the server minimises when it distils",
            "write `refine = { distillation = {} }` in `[strategy]`, and `loss = \"cross-entropy\"` here",
        ),
        Loss::Cosface { scale, margin } => {
            above_zero(&path("cosface.scale"), scale, 1e6, "the paper's is `scale = 64.0`", checks);
            checks.within(&path("cosface.margin"), margin, 0.0..=2.0);
        }
        Loss::Arcface { scale, margin } => {
            above_zero(&path("arcface.scale"), scale, 1e6, "the paper's is `scale = 64.0`", checks);
            checks.within(&path("arcface.margin"), margin, 0.0..=FRAC_PI_2);
        }
        Loss::Masked(Masked { patch, share, visible_weight }) => {
            checks.within(&path("masked.patch"), patch, 1..=4096);
            if !(share > 0.0 && share < 1.0) {
                checks.add(
                    &path("masked.share"),
                    format!("`{}` cannot be {share}", path("masked.share")),
                    "must be above 0 and below 1",
                    "a common value is `share = 0.5`; at least one patch is hidden and one visible",
                );
            }
            checks.within(&path("masked.visible_weight"), visible_weight, 0.0..=1e6);
        }
        Loss::Triplet { margin, cross_entropy } => {
            checks.within(&path("triplet.margin"), margin, 0.0..=1e6);
            checks.within(&path("triplet.cross_entropy"), cross_entropy, 0.0..=1e6);
        }
        _ => {}
    }
}

/// Whether loss and network fit each other.
pub(super) fn head(loss: &Loss, model: &NetworkSpec, checks: &mut Checks<'_>) {
    let cosine = matches!(model, NetworkSpec::Reid(spec) if spec.head == Head::Cosine);
    if loss.uses_cosines() && !cosine {
        checks.conflict(
            "training.objective.loss",
            "network.model",
            "a margin between angles needs a head that gives cosines",
            "write `head = \"cosine\"` in a `reid` network, or `loss = \"cross-entropy\"`",
        );
    }
    if cosine && *loss == Loss::CrossEntropy {
        checks.warn(
            "training.objective.loss",
            "cross-entropy on bare cosines hardly learns: they only reach from -1 to 1",
            "the head gives cosines",
            "write `loss = { cosface = {} }`, or leave `head` out of the network",
        );
    }
    if loss.uses_features() && *model == NetworkSpec::Softmax {
        checks.conflict(
            "training.objective.loss",
            "network.model",
            "triplets compare features, and softmax regression has none",
            "take a network with a backbone, such as `mlp = { hidden = [64] }`",
        );
    }
}

fn above_zero(path: &str, value: f32, most: f32, help: &str, checks: &mut Checks<'_>) {
    if !(value > 0.0 && value <= most) {
        let label = format!("must be above 0 and at most {most}");
        checks.add(path, format!("`{path}` cannot be {value}"), label, help);
    }
}

/// Widest layer: beyond it a single layer fills the memory of a machine.
const MOST_UNITS: usize = 1_000_000;

pub(super) fn network(model: &NetworkSpec, checks: &mut Checks<'_>) {
    match model {
        NetworkSpec::Mlp { hidden } => {
            if hidden.is_empty() {
                checks.add(
                    "network.model.mlp.hidden",
                    "a multi-layer perceptron needs at least one hidden layer",
                    "empty",
                    "write `hidden = [64]`, or take `model = \"softmax\"`",
                );
            }
            for (index, width) in hidden.iter().enumerate() {
                checks.within(&format!("network.model.mlp.hidden.{index}"), *width, 1..=MOST_UNITS);
            }
        }
        NetworkSpec::Resnet { depth, width } => {
            if ![8, 20].contains(depth) {
                checks.add(
                    "network.model.resnet.depth",
                    format!("`network.model.resnet.depth` cannot be {depth}"),
                    "must be 8 or 20",
                    "`depth = 8` is the small one",
                );
            }
            checks.within("network.model.resnet.width", *width, 1..=1024);
        }
        NetworkSpec::Reid(reid) => {
            checks.within("network.model.reid.bottleneck", reid.bottleneck, 1..=MOST_UNITS);
            if !(0.0..1.0).contains(&reid.dropout) {
                checks.add(
                    "network.model.reid.dropout",
                    format!("`network.model.reid.dropout` cannot be {}", reid.dropout),
                    "must be at least 0 and below 1",
                    "the usual value is `dropout = 0.5`; 0 turns it off",
                );
            }
        }
        _ => {}
    }
}

pub(super) fn evaluation(evaluation: &EvaluationSection, checks: &mut Checks<'_>) {
    if let Some(every) = evaluation.every_versions {
        checks.within("evaluation.every_versions", every, 1..=1_000_000_000);
    }
    if let Some(every) = evaluation.every_virtual_minutes {
        checks.within("evaluation.every_virtual_minutes", every, 1e-6..=1e8);
    }
    if evaluation.on.is_empty() {
        checks.add(
            "evaluation.on",
            "`evaluation.on` is empty: nothing would be measured",
            "name at least one",
            "write `on = [\"test\"]`, or `on = [\"test\", \"clients\"]`",
        );
    }
}

pub(super) fn output(output: &OutputSection, checks: &mut Checks<'_>) {
    if output.parquet && !cfg!(feature = "parquet") {
        checks.add(
            "output.parquet",
            "this build cannot write Parquet",
            "needs the feature `parquet`",
            "build with `cargo build --release --features parquet`, or remove the key",
        );
    }
    let snapshot = &output.snapshot;
    checks.within("output.snapshot.keep", snapshot.keep as u64, 1..=1_000_000);
    checks.within("output.snapshot.every_wall_minutes", snapshot.every_wall_minutes, 0.0..=1e6);
    if let Some(minutes) = snapshot.every_virtual_minutes
        && !(minutes > 0.0 && minutes <= 1e9)
    {
        checks.add(
            "output.snapshot.every_virtual_minutes",
            format!("`every_virtual_minutes` cannot be {minutes}"),
            "must be above 0 and at most 1e9",
            "leave it out for no snapshots by virtual time",
        );
    }
}
