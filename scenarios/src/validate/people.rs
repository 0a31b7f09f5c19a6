//! What goes together where persons are re-identified.

use super::Checks;
use crate::spec::{Buffers, EvaluateOn, Metric, ScenarioFile, Travel};
use offbeat_learning::data::{PartitionSpec, ShiftSpec};
use offbeat_strategies::registry::CompanionPart;

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    match file.data.dataset.is_people() {
        true => persons(file, checks),
        false => others(file, checks),
    }
    if file.strategy.buffers != Buffers::Average && file.strategy.travel == Travel::All {
        checks.conflict(
            "strategy.buffers",
            "strategy.travel",
            "buffers are treated apart only where heads stay with their clients",
            "write `travel = \"backbone\"`, or leave `buffers` out",
        );
    }
    if file.strategy.buffers == Buffers::First && file.strategy.combine.is_robust() {
        checks.conflict(
            "strategy.buffers",
            "strategy.combine",
            "a robust rule decides on buffers as on parameters: one client, which may be hostile, would choose \
             them",
            "leave `buffers` out",
        );
    }
}

fn persons(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if file.data.partition.architecture().is_none() {
        checks.conflict(
            "data.partition",
            "data.dataset",
            "pictures of persons are not split like this: every client has persons of its own",
            "write `partition = \"by-dataset\"`, `\"by-camera\"` or `\"by-identity\"`",
        );
    }
    if file.strategy.travel == Travel::All {
        checks.conflict(
            "strategy.travel",
            "data.dataset",
            "the heads of clients with different persons cannot be merged",
            "write `travel = \"backbone\"` in `[strategy]`",
        );
    }
    if file.data.dataset.is_faces() && file.data.partition == PartitionSpec::ByCamera {
        checks.conflict(
            "data.partition",
            "data.dataset",
            "faces have no cameras: every picture is another moment",
            "write `partition = \"by-dataset\"` (a client for each site) or `\"by-identity\"`",
        );
    }
    let on = &file.evaluation.on;
    if on.iter().any(|on| matches!(on, EvaluateOn::Test | EvaluateOn::Clients)) {
        checks.conflict(
            "evaluation.on",
            "data.dataset",
            "persons are found again, not classified: those that are tested are nobody's classes",
            "write `on = [\"retrieval\", \"retrieval-local\"]`",
        );
    }
    if on.contains(&EvaluateOn::Retrieval) && file.strategy.buffers == Buffers::KeepLocal {
        checks.conflict(
            "evaluation.on",
            "strategy.buffers",
            "with buffers that stay at the clients there is no whole global model",
            "write `on = [\"retrieval-local\"]`",
        );
    }
    if file.ever_looks_at_public() && file.strategy.buffers == Buffers::KeepLocal {
        checks.conflict(
            "strategy.buffers",
            "strategy",
            "the server cannot use models whose buffers stay at the clients",
            "write `buffers = \"average\"`, or leave out what looks at public pictures",
        );
    }
    if matches!(file.strategy.companion, CompanionPart::FedGc(_))
        && file.strategy.buffers == Buffers::KeepLocal
    {
        checks.conflict(
            "strategy.companion",
            "strategy.buffers",
            "the server keeps the clients' heads, and nothing else stays with them",
            "write `buffers = \"average\"`",
        );
    }
    if matches!(file.strategy.companion, CompanionPart::PrivacyFace(_))
        && !file.training.objective.loss.uses_cosines()
    {
        checks.conflict(
            "strategy.companion",
            "training.objective.loss",
            "clusters of others are negatives of a margin loss on cosines",
            "write `loss = { cosface = {} }` in `[training.objective]`, and `head = \"cosine\"` in the network",
        );
    }
    let shifted = file.population.data_shift != ShiftSpec::default()
        || file.population.group.iter().any(|group| group.data_shift.is_some());
    if shifted || file.data.client_test_share > 0.0 || file.data.parts.is_some() {
        checks.add(
            "data.dataset",
            "`data_shift`, `client_test_share` and `parts` are not for pictures of persons",
            "domains differ by themselves, and each has its own queries and gallery",
            "remove those keys",
        );
    }
    if file.evaluation.local_baseline {
        checks.conflict(
            "evaluation.local_baseline",
            "data.dataset",
            "the baseline trains on one common label space",
            "run the same scenario with `group = \"by-client\"`: every client alone",
        );
    }
}

fn others(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if file.data.partition.architecture().is_some() {
        checks.conflict(
            "data.partition",
            "data.dataset",
            "these data have no persons and no cameras",
            "take `nine-domains`, `persons` or `synthetic-faces`, or a partition such as `iid = {}`",
        );
    }
    let on = &file.evaluation.on;
    if on.iter().any(|on| matches!(on, EvaluateOn::Retrieval | EvaluateOn::RetrievalLocal)) {
        checks.conflict(
            "evaluation.on",
            "data.dataset",
            "there are no persons to find",
            "write `on = [\"test\"]`, or take the data set `nine-domains` or `persons`",
        );
    }
    if matches!(file.strategy.companion, CompanionPart::PrivacyFace(_)) {
        checks.conflict(
            "strategy.companion",
            "data.dataset",
            "`privacy-face` clusters the classes of clients with identities of their own, and these data have one \
             common label space",
            "take the data set `synthetic-faces`, `orl-faces`, `nine-domains` or `persons`",
        );
    }
    if matches!(file.strategy.companion, CompanionPart::FedGc(_)) {
        checks.conflict(
            "strategy.companion",
            "data.dataset",
            "`fedgc` corrects the heads of clients with identities of their own, and these data have one common \
             label space",
            "take the data set `synthetic-faces`, `orl-faces`, `nine-domains` or `persons`",
        );
    }
    if file.ever_looks_at_public() {
        checks.conflict(
            "strategy",
            "data.dataset",
            "the strategy looks at public pictures, and these data have none",
            "take the data set `nine-domains` or `persons`",
        );
    }
    if file.run.target.is_some_and(|t| matches!(t.metric, Metric::Rank1 | Metric::Map)) {
        checks.conflict(
            "run.target",
            "data.dataset",
            "`rank-1` and `map` are figures of finding persons again",
            "write `metric = \"accuracy\"`",
        );
    }
}
