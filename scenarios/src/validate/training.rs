//! Checks of `[training]`, `[network]`, `[evaluation]` and `[output]`.

use super::Checks;
use crate::spec::{EvaluationSection, OutputSection, TrainingSection};
use offbeat_learning::network::NetworkSpec;

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
