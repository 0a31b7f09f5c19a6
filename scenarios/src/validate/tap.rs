//! Checks of `[tap]`.

use super::Checks;
use crate::spec::{ScenarioFile, TapSection, Travel};
use offbeat_learning::leakage::Attack;
use offbeat_learning::network::NetworkSpec;
use offbeat_learning::objective::Loss;

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let Some(tap) = &file.tap else { return };
    checks.within("tap.updates", tap.updates, 1..=1000);
    attack(tap, checks);
    let model = &file.network.model;
    let known = match model {
        NetworkSpec::Mlp { hidden } => hidden.len() == 1,
        NetworkSpec::Softmax | NetworkSpec::Lenet => true,
        _ => false,
    };
    if !known {
        checks.conflict(
            "tap",
            "network.model",
            "the attacks of a tap cannot compute this network backwards",
            "take `lenet`, `softmax` or `mlp` with one hidden layer",
        );
    }
    if *model == NetworkSpec::Lenet && tap.attack == Attack::Analytic {
        checks.conflict(
            "tap.attack",
            "network.model",
            "the analytic attack reads a linear first layer, and `lenet` begins with a convolution",
            "take `dlg`, or the network `mlp`",
        );
    }
    if file.strategy.privacy.secure.is_some() {
        checks.conflict(
            "tap",
            "strategy.privacy.secure",
            "updates travel hidden, and who listens to the links can read nothing of them",
            "remove `[tap]`, or the secure aggregation",
        );
    }
    if file.strategy.privacy.paillier.is_some() {
        checks.conflict(
            "tap",
            "strategy.privacy.paillier",
            "updates travel encrypted, and who listens to the links can read nothing of them",
            "remove `[tap]`, or the encryption",
        );
    }
    if file.strategy.travel != Travel::All {
        checks.conflict(
            "tap",
            "strategy.travel",
            "attacks need the gradient of all layers, and here the head stays at home",
            "write `travel = \"all\"`",
        );
    }
    if file.training.objective.loss != Loss::CrossEntropy {
        checks.conflict(
            "tap",
            "training.objective.loss",
            "attacks know the gradient of the cross-entropy alone",
            "write `loss = \"cross-entropy\"`, or leave it out",
        );
    }
    for (index, client) in tap.clients.iter().enumerate() {
        if *client >= file.population.clients {
            checks.conflict(
                &format!("tap.clients.{index}"),
                "population.clients",
                &format!("there is no client {client}"),
                "clients are numbered from 0",
            );
        }
    }
}

fn attack(tap: &TapSection, checks: &mut Checks<'_>) {
    let (iterations, rate, variation) = match tap.attack {
        Attack::Analytic => return,
        Attack::Dlg { iterations } | Attack::Idlg { iterations } => (iterations, 1.0, 0.0),
        Attack::InvertingGradients { iterations, variation } => (iterations, 1.0, variation),
        Attack::Grnn { iterations, rate, variation } => (iterations, rate, variation),
    };
    let path = |key: &str| format!("tap.attack.{}.{key}", tap.attack.name());
    checks.within(&path("iterations"), iterations, 1..=1_000_000);
    for (key, value, fits) in [
        ("rate", rate, rate > 0.0 && rate.is_finite()),
        ("variation", variation, variation >= 0.0 && variation.is_finite()),
    ] {
        if !fits {
            let message = format!("`{}` cannot be {value}", path(key));
            let help = "the published values are the defaults: leave it out";
            checks.add(&path(key), message, "out of range", help);
        }
    }
}
