//! Checks of learning without labels: what needs some, and what would learn nothing.

use super::Checks;
use crate::spec::{EvaluateOn, ScenarioFile, Travel};
use offbeat_actors::adversary::Behaviour;
use offbeat_learning::network::{Head, NetworkSpec};

const LOSS: &str = "training.objective.loss";

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if file.training.objective.loss.masked().is_none() {
        return;
    }
    let mut refuse = |key: &str, is: bool, message: &str, help: &str| {
        if is {
            checks.conflict(LOSS, key, message, help);
        }
    };
    refuse(
        "data.dataset",
        file.data.dataset.is_people(),
        "pictures of persons are told apart by heads of each client's own, and `masked` has one that paints",
        "take `digits`, `fashion-mnist`, `mnist` or `cifar10`",
    );
    refuse(
        "network.model",
        file.network.model == NetworkSpec::Softmax,
        "`masked` teaches what lies below the last layer, and softmax regression has nothing there",
        "take a network with a backbone, such as `mlp = { hidden = [64] }`",
    );
    refuse(
        "network.model",
        matches!(&file.network.model, NetworkSpec::Reid(spec) if spec.head == Head::Cosine),
        "`masked` paints numbers, and a head of cosines gives them from -1 to 1 alone",
        "leave `head` out of the network",
    );
    refuse(
        "strategy.travel",
        file.strategy.travel == Travel::Backbone,
        "the head that paints stays with its client, and nobody could try the rest on the common test pictures",
        "write `travel = \"all\"`",
    );
    refuse(
        "training.instances",
        file.training.instances > 0,
        "batches of so many pictures of each identity need labels, and with `masked` clients have none",
        "leave `instances` out",
    );
    refuse(
        "evaluation.on",
        file.evaluation.on.iter().any(|on| *on != EvaluateOn::Test),
        "with `masked` only the common test pictures have labels to try the features with",
        "write `on = [\"test\"]`",
    );
    refuse(
        "evaluation.local_baseline",
        file.evaluation.local_baseline,
        "models that are trained alone are compared by labels, and with `masked` they know none",
        "leave `local_baseline` out",
    );
    for (index, section) in file.adversary.iter().enumerate() {
        let by_labels = matches!(
            section.behaviour,
            Behaviour::LabelFlip { .. } | Behaviour::ModelReplacement { .. }
        );
        refuse(
            &format!("adversary.{index}.behaviour"),
            by_labels,
            "this attack changes labels, and with `masked` clients train without",
            "take an attack on updates, such as `sign-flip = {}`",
        );
    }
}
