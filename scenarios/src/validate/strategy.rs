//! Checks of `[strategy]`, and of what does not go together with it.

use super::Checks;
use crate::diagnose::Problem;
use crate::spec::{Buffers, EvaluateOn, ScenarioFile, Travel};
use offbeat_learning::codec::Codec;
use offbeat_learning::network::NetworkSpec;
use offbeat_strategies::registry::{CombinePart, PacePart, Parts, SelectPart, WeighPart};

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    parts(file, checks);
    whole(file, checks);
    switches(file, checks);
    if file.strategy.travel == Travel::Backbone && file.network.model == NetworkSpec::Softmax {
        checks.conflict(
            "strategy.travel",
            "network.model",
            "softmax regression is all head: with `travel = \"backbone\"` nothing would travel",
            "choose a network with a backbone, such as `model = { mlp = { hidden = [64] } }` in `[network]`",
        );
    }
    let on_clients = file.evaluation.on.contains(&EvaluateOn::Clients);
    if on_clients && file.data.client_test_share == 0.0 {
        checks.conflict(
            "evaluation.on",
            "data.client_test_share",
            "clients keep no samples to be evaluated on",
            "add `client_test_share = 0.2` to `[data]`, or remove `clients` from `evaluation.on`",
        );
    }
    if file.strategy.travel == Travel::Backbone && !on_clients && !file.data.dataset.is_people() {
        checks.add(
            "evaluation.on",
            "with private heads there is no whole model for the common test set",
            "only `clients` have heads",
            "write `on = [\"clients\"]`, and `client_test_share = 0.2` in `[data]`",
        );
    }
}

/// What a strategy needs of the rest of the scenario.
pub(super) fn whole(file: &ScenarioFile, checks: &mut Checks<'_>) {
    judged(file, checks);
    pace(file, checks);
    scripted(file, checks);
    privacy(file, checks);
    trust(file, checks);
}

/// The same for every strategy that the timeline switches to: what the written one does not lack already is told
/// of the switch.
fn switches(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let mut known: Vec<String> =
        checks.problems.iter().map(|problem| problem.message().to_string()).collect();
    for (index, strategy) in file.strategies() {
        let Some(index) = index else { continue };
        let path = format!("timeline.{index}.switch");
        let other = ScenarioFile { strategy, ..file.clone() };
        let mut own = Checks { document: checks.document, problems: Vec::new(), switched: true };
        whole(&other, &mut own);
        for problem in own.problems {
            if problem.is_warning() || known.iter().any(|message| message == problem.message()) {
                continue;
            }
            known.push(problem.message().to_string());
            let told = Problem::new(problem.code(), problem.message())
                .at(checks.document.place(&path), "after this switch")
                .about(&path);
            let help = problem.help_text().map(str::to_string);
            checks.problems.push(match help {
                Some(help) => told.help(help),
                None => told,
            });
        }
    }
}

/// A server that trains itself needs the whole model.
fn trust(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let trusts = matches!(file.strategy.combine, CombinePart::FlTrust(_));
    if trusts && file.strategy.travel == Travel::Backbone {
        checks.conflict(
            "strategy.combine",
            "strategy.travel",
            "with private heads the server has no whole model to train on its own samples",
            "write `travel = \"all\"`, or take another rule against hostile clients, such as `median`",
        );
    }
}

/// What would let more out than `[strategy.privacy]` says.
fn privacy(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let strategy = &file.strategy;
    let parts = [
        (strategy.privacy.central.is_some(), "strategy.privacy.central"),
        (strategy.privacy.local.is_some(), "strategy.privacy.local"),
        (strategy.privacy.secure.is_some(), "strategy.privacy.secure"),
        (strategy.privacy.paillier.is_some(), "strategy.privacy.paillier"),
    ];
    let Some((_, key)) = parts.into_iter().find(|(is, _)| *is) else { return };
    if file.topology.tree().is_some() {
        checks.conflict(
            key,
            "topology.tree",
            "edge servers see and merge their own clients' updates before anything protects them",
            "remove `[topology.tree]`, or the privacy",
        );
    }
    if strategy.privacy.secure.is_some() && file.codec.up != Codec::default() {
        checks.conflict(
            "strategy.privacy.secure",
            "codec.up",
            "a masked update looks like noise, which no codec can write shorter",
            "remove `codec.up`, or the secure aggregation",
        );
    }
    for (codec, path) in [(file.codec.up, "codec.up"), (file.codec.down, "codec.down")] {
        if strategy.privacy.paillier.is_some() && codec != Codec::default() {
            checks.conflict(
                "strategy.privacy.paillier",
                path,
                "ciphertexts are packed numbers of fixed length, which no codec can write shorter",
                &format!(
                    "remove `{path}`, or the encryption; fewer `fraction_bits` make it shorter"
                ),
            );
        }
    }
    if strategy.buffers == Buffers::First {
        checks.conflict(
            key,
            "strategy.buffers",
            "one client's buffers would be published as they are",
            "write `buffers = \"average\"`, or keep them local with `travel = \"backbone\"`",
        );
    }
}

/// Rounds and buffers against the number of clients: nobody can be invited twice at the same time.
fn pace(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let clients = file.topology.clients_of_server(file.population.clients) as usize;
    if !checks.countable("population.clients") {
        // Reported already, as unreadable or out of range.
        return;
    }
    // `all` and a schedule choose their own number; the pace's is only an upper bound there.
    let asks = file.strategy.select == SelectPart::Uniform;
    if let Some((path, many, what)) = asked_for(&file.strategy.pace)
        && asks
        && many > clients
        && (checks.written(path) || checks.switched)
    {
        let key = path.rsplit('.').next().unwrap_or(path);
        let table = path.trim_end_matches(key).trim_end_matches('.');
        checks.conflict(
            path,
            if file.topology.tree().is_some() {
                "topology.tree.edges"
            } else {
                "population.clients"
            },
            &format!("{many} clients {what}, but there are only {clients}"),
            &format!("write at most `{key} = {clients}` in `[{table}]`"),
        );
    }
    match &file.strategy.pace {
        PacePart::Buffered(pace) if pace.buffer > pace.concurrency.min(clients) => checks.warn(
            "strategy.pace.buffered.buffer",
            "the buffer is larger than the number of clients at work",
            "clients must answer more than once to fill it",
            "a common choice is a buffer of a third of `concurrency`",
        ),
        _ => {}
    }
}

/// How many clients a pace asks for at the same time, and the key that says so.
fn asked_for(pace: &PacePart) -> Option<(&'static str, usize, &'static str)> {
    let (round, at_work) = ("in a round", "at work");
    Some(match pace {
        PacePart::Synchronous(p) => ("strategy.pace.synchronous.clients", p.clients, round),
        PacePart::OverSelection(p) => ("strategy.pace.over-selection.clients", p.clients, round),
        PacePart::FedBoost(p) => ("strategy.pace.fedboost.clients", p.clients, round),
        PacePart::FedIod(p) => ("strategy.pace.fediod.clients", p.clients, "in the dialogue"),
        PacePart::Deadline(p) => ("strategy.pace.deadline.clients", p.clients, round),
        PacePart::Buffered(p) => ("strategy.pace.buffered.concurrency", p.concurrency, at_work),
        PacePart::Immediate(p) => ("strategy.pace.immediate.concurrency", p.concurrency, at_work),
        PacePart::Port(p) => ("strategy.pace.port.concurrency", p.concurrency, at_work),
        PacePart::Tiers(p) => ("strategy.pace.tiers.tiers", p.tiers, "needed for as many tiers"),
        PacePart::Pisces(p) => ("strategy.pace.pisces.concurrency", p.concurrency, at_work),
        _ => return None,
    })
}

/// The parts as far as the file has them: a schedule is read when the federation is put together, or reported
/// as missing.
pub(super) fn written(file: &ScenarioFile) -> Parts {
    let mut parts = file.strategy.parts();
    if let SelectPart::Schedule(schedule) = &mut parts.select
        && schedule.rounds.is_empty()
    {
        schedule.rounds.push(Vec::new());
    }
    parts
}

/// What the parts say of themselves and of each other. Their messages begin with the key.
fn parts(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let parts = written(file);
    for reason in parts.check() {
        let key = reason.split_whitespace().next().unwrap_or_default();
        let path = key.trim_end_matches(':').replace('[', ".").replace(']', "");
        checks.setting(&path, &reason);
    }
    for conflict in parts.validate() {
        let path = |part: &str| part.split(" = ").next().unwrap_or_default().to_string();
        let (what, help) =
            conflict.reason.rsplit_once("; ").unwrap_or((&conflict.reason, "choose another part"));
        let message = format!("`{}` does not go with `{}`: {what}", conflict.a, conflict.b);
        checks.conflict(&path(&conflict.a), &path(&conflict.b), &message, help);
    }
    schedule(file, checks);
}

/// Most clients among which a script can choose: it is given a list of them.
const MOST_FOR_SCRIPTS: u32 = 100_000;

/// Parts that a script answers for need a script.
fn scripted(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let select = file.strategy.select == SelectPart::Script;
    let weigh = file.strategy.weigh.contains(&WeighPart::Script);
    for (asked, key) in [(select, "select"), (weigh, "weigh")] {
        if asked && file.script.is_none() {
            checks.add(
                &format!("strategy.{key}"),
                format!("`{key}` is left to a script, but there is none"),
                "nobody would answer",
                format!(
                    "add `script = {{ file = \"rules.rhai\" }}` at the top, with a function `{}`; \
                     scenarios/cookbook/rules.rhai is one",
                    if key == "weigh" { "weigh(u)" } else { "select(want, free)" }
                ),
            );
        }
    }
    if select && file.population.clients > MOST_FOR_SCRIPTS {
        checks.conflict(
            "strategy.select",
            "population.clients",
            &format!("a script chooses among {MOST_FOR_SCRIPTS} clients at most"),
            "lower `clients`, or take a part that is built in: `offbeat list strategies`",
        );
    }
}

/// Who takes part when is said in a file or in the scenario, for the part that follows it.
fn schedule(file: &ScenarioFile, checks: &mut Checks<'_>) {
    match (&file.strategy.select, &file.strategy.schedule_file) {
        (SelectPart::Schedule(part), None) if part.rounds.is_empty() => checks.add(
            "strategy.select",
            "a schedule without rounds: nobody would ever be invited",
            "says nothing about who takes part when",
            "add `schedule_file = \"rounds.txt\"` to `[strategy]`: a text file with one line a \
             round, the ids of its clients separated by blanks",
        ),
        (SelectPart::Schedule(_), _) | (_, None) => {}
        (_, Some(_)) => checks.conflict(
            "strategy.schedule_file",
            "strategy.select",
            "`schedule_file` is read by `select = \"schedule\"` alone",
            "write `select = \"schedule\"`, or remove `schedule_file`",
        ),
    }
}

/// Rounds in which clients judge each other's models.
fn judged(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if !matches!(file.strategy.pace, PacePart::FedBoost(_)) {
        return;
    }
    if file.data.client_test_share <= 0.0 {
        checks.conflict(
            "strategy.pace",
            "data.client_test_share",
            "clients judge models on samples that they hold back, and they hold none back",
            "write `client_test_share = 0.1`",
        );
    }
    let privacy = &file.strategy.privacy;
    if !privacy.is_none() && !privacy.is_encryption_alone() {
        checks.conflict(
            "strategy.pace",
            "strategy.privacy",
            "every client is sent the others' models to judge them, so nothing protects those",
            "take another pace, or leave all but `paillier` out, which hides them from the server alone",
        );
    }
    if file.topology.tree().is_some() {
        checks.conflict(
            "strategy.pace",
            "topology",
            "edge servers cannot pass models on to be judged",
            "leave `topology` out",
        );
    }
}
