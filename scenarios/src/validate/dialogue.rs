//! Checks of rounds of questions and answers, where no model travels.

use super::Checks;
use crate::spec::{Buffers, ScenarioFile, Travel};
use offbeat_learning::codec::Codec;
use offbeat_learning::network::NetworkSpec;
use offbeat_learning::objective::Loss;
use offbeat_strategies::registry::PacePart;

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if !matches!(file.strategy.pace, PacePart::FedIod(_)) {
        return;
    }
    let mut refuse = |key: &str, is: bool, message: &str, help: &str| {
        if is {
            checks.conflict("strategy.pace", key, message, help);
        }
    };
    refuse(
        "codec",
        file.codec.up != Codec::default() || file.codec.down != Codec::default(),
        "codecs write models and their changes, and with `fediod` neither travels",
        "leave `[codec]` out",
    );
    refuse(
        "tap",
        file.tap.is_some(),
        "a tap attacks updates of models, and with `fediod` none travels",
        "leave `[tap]` out, or take another pace",
    );
    refuse(
        "adversary",
        !file.adversary.is_empty(),
        "hostile clients send wrong updates of models, and with `fediod` none travels",
        "leave `[[adversary]]` out, or take another pace",
    );
    refuse(
        "topology.tree",
        file.topology.tree().is_some(),
        "edge servers merge models, and with `fediod` there are none to merge",
        "leave `[topology.tree]` out",
    );
    refuse(
        "strategy.travel",
        file.strategy.travel != Travel::All,
        "with `fediod` teachers stay with their clients as a whole, and the student is the server's",
        "leave `travel` out",
    );
    refuse(
        "strategy.buffers",
        file.strategy.buffers != Buffers::default(),
        "with `fediod` no model is merged, and its networks have no buffers",
        "leave `buffers` out",
    );
    refuse(
        "data.dataset",
        file.data.dataset.is_people(),
        "`fediod` makes pictures of classes that all clients share, and persons are each client's own",
        "take `digits`, `fashion-mnist`, `mnist` or `cifar10`",
    );
    refuse(
        "network.model",
        matches!(file.network.model, NetworkSpec::Reid(_)),
        "`fediod` takes networks whose answer to a picture does not depend on the other pictures of a batch",
        "take `mlp`, `cnn`, `lenet` or `resnet`",
    );
    refuse(
        "training.objective.loss",
        file.training.objective.loss != Loss::CrossEntropy,
        "teachers are asked for the odds of classes, which they learn by cross-entropy",
        "leave `loss` out",
    );
}
