//! A forecast in plain sentences.

use super::forecast::Forecast;
use crate::catalogue;
use crate::scenario::Scenario;
use crate::spec::{ScenarioFile, Travel};
use crate::units::{bytes, count};
use crate::words;
use offbeat_kernel::Span;
use offbeat_strategies::registry::PacePart;
use serde::Serialize;

/// What will happen, on at most 80 columns.
pub fn sentences(scenario: &Scenario, forecast: &Forecast) -> String {
    let sections = scenario.sections();
    let mut text = format!("{} (seed {})\n", scenario.name(), scenario.seed());
    let parts = [
        ("who", who(sections, forecast)),
        ("learns", what(sections, forecast)),
        ("how", how(sections)),
        ("protects", protects(sections, forecast)),
        ("ends", ends(sections)),
        ("time", time(forecast)),
        ("bytes", traffic(forecast)),
        ("here", here(sections, forecast)),
        ("found by", found(forecast)),
    ];
    for (name, sentence) in parts.iter().filter(|(_, sentence)| !sentence.is_empty()) {
        for (index, line) in words::wrap(sentence.trim_end(), 66).iter().enumerate() {
            let name = if index == 0 { name } else { &"" };
            text += &format!("  {name:<9}  {line}\n");
        }
    }
    text
}

fn who(sections: &ScenarioFile, forecast: &Forecast) -> String {
    let population = &sections.population;
    let clients = u64::from(population.clients);
    let mut text = format!(
        "{} clients hold {} training samples, split by {}.",
        count(clients),
        count(forecast.samples),
        chosen(&sections.data.partition)
    );
    if let Some(tree) = sections.topology.tree() {
        let rounds = match tree.edge_rounds {
            1 => "once".to_string(),
            many => format!("{} times", count(u64::from(many))),
        };
        text += &format!(
            " They answer {} edge servers, each of which merges its own clients' updates {rounds} before it \
             answers the server.",
            count(u64::from(tree.edges))
        );
        if !tree.guard.is_empty() {
            let names: Vec<String> = tree.guard.iter().map(chosen).collect();
            text += &format!(
                " Before it merges, an edge server asks its guards: {}.",
                names.join(", ")
            );
        }
    }
    let mut before = 0;
    for (group, end) in population.group.iter().zip(population.group_ends()) {
        let name = if group.name.is_empty() { "a group without name" } else { &group.name };
        text += &format!(" {} of them are {name}.", count(end - before));
        before = end;
    }
    text
}

fn what(sections: &ScenarioFile, forecast: &Forecast) -> String {
    let model = in_words(&sections.network.model);
    if matches!(sections.strategy.pace, PacePart::FedIod(_)) {
        return format!(
            "Each trains a teacher of its own once, {model} ({} parameters) on {}; a student of the same kind \
             learns at the server from the teachers' answers to made pictures. No model travels.",
            count(forecast.parameters),
            in_words(&sections.data.dataset)
        );
    }
    let mut text = format!(
        "They train {model} ({} parameters) on {}.",
        count(forecast.parameters),
        in_words(&sections.data.dataset)
    );
    if let Some(masked) = sections.training.objective.loss.masked() {
        text += &format!(
            " No label is used: patches of {0} x {0} are hidden, {1:.0} % of each picture, and the network paints them. \
             The accuracy told is that of a linear classifier on its features.",
            masked.patch,
            100.0 * masked.share
        );
    }
    if sections.strategy.travel == Travel::Backbone {
        text += &format!(
            " {} of them travel; the head stays with its client.",
            count(forecast.travelling)
        );
    }
    text
}

fn how(sections: &ScenarioFile) -> String {
    let mut text = format!("The strategy is {}.", words::strategy(&sections.strategy));
    let value = serde_json::to_value(&sections.strategy.pace).unwrap_or_default();
    let name = match &value {
        serde_json::Value::Object(table) => table.keys().next().cloned(),
        other => other.as_str().map(String::from),
    };
    let wanted = format!("pace.{}", name.unwrap_or_default());
    let about = catalogue::strategies().into_iter().find(|item| item.name == wanted);
    if let Some(item) = about {
        text += &format!(" Its pace: {}.", item.about.trim_end_matches('.'));
    }
    text
}

/// What protects the clients' data, and how well; empty where nothing does.
fn protects(sections: &ScenarioFile, forecast: &Forecast) -> String {
    let privacy = &sections.strategy.privacy;
    let mut text = String::new();
    if let Some(secure) = privacy.secure {
        let share = 100.0 * secure.threshold;
        text += &format!(
            "The server learns the sum of the updates alone, if at least {share:.0} % of a round's clients \
             answer. "
        );
    }
    if let Some(paillier) = privacy.paillier {
        text += &format!(
            "Models and updates travel encrypted (Paillier, {} bits): the server adds up what it cannot read; \
             clients share the key. ",
            paillier.key_bits
        );
    }
    let Some(spent) = forecast.privacy else { return text };
    let (versions, delta) = (count(forecast.versions), spent.delta);
    let kinds =
        [(spent.central, "the published models are"), (spent.local, "a client's updates are")];
    for (epsilon, what) in kinds {
        if let Some(epsilon) = epsilon {
            text += &format!(
                "After {versions} versions {what} ({epsilon:.3}, {delta:e})-differentially private for every \
                 client. "
            );
        }
    }
    text
}

fn ends(sections: &ScenarioFile) -> String {
    let run = &sections.run;
    let ends = [
        run.last_version().map(|n| format!("after {} versions", count(n))),
        run.updates.map(|n| format!("after {} merged updates", count(n))),
        run.virtual_hours.map(|hours| format!("after {hours} hours of virtual time")),
        run.target.map(|t| format!("when {} reaches {}", in_words(&t.metric), t.value)),
        run.patience.map(|n| format!("after {n} evaluations without a better accuracy")),
    ];
    let ends: Vec<String> = ends.into_iter().flatten().collect();
    format!("The run ends {}, whichever comes first.", ends.join(" or ")).replace(
        ", whichever comes first",
        if ends.len() > 1 { ", whichever comes first" } else { "" },
    )
}

fn time(forecast: &Forecast) -> String {
    let span = |seconds: f64| Span::from_seconds(seconds).to_string();
    let [fast, half, slow, slowest] = forecast.round_seconds.map(span);
    format!(
        "From one version to the next it takes {} of virtual time in the mean; 10 % take at most \
         {fast}, half at most {half}, 90 % at most {slow}, 99 % at most {slowest}.",
        span(forecast.round_seconds_mean)
    )
}

fn traffic(forecast: &Forecast) -> String {
    let rounds = forecast.versions.max(1);
    let (up, down) = (forecast.bytes_up, forecast.bytes_down);
    let each = |all: u64| bytes(all / rounds);
    let senders = if forecast.below.is_some() { "edge servers" } else { "clients" };
    let mut text = format!(
        "For each version {senders} send {} and receive {}; {} and {} in {} versions.",
        each(up),
        each(down),
        bytes(up),
        bytes(down),
        count(forecast.versions)
    );
    if let Some([up, down]) = forecast.below {
        let (up, down) = (bytes(up), bytes(down));
        text += &format!(" Their own clients send them {up} and receive {down}.");
    }
    text
}

fn here(sections: &ScenarioFile, forecast: &Forecast) -> String {
    let machine = &forecast.machine;
    let workers = match machine.workers {
        1 => "1 worker".to_string(),
        many => format!("{many} workers"),
    };
    if matches!(sections.strategy.pace, PacePart::FedIod(_)) {
        return format!(
            "On this machine one teacher's training takes about {}, that of all about {} with {workers}; what the \
             rounds after that take is not foreseen. It takes about {} of memory.",
            real(machine.task_seconds),
            real(machine.wall_seconds),
            bytes(machine.memory_bytes)
        );
    }
    format!(
        "On this machine one client's training takes about {}; these {} versions about {} with \
         {workers}, evaluations not counted, and about {} of memory.",
        real(machine.task_seconds),
        count(forecast.versions),
        real(machine.wall_seconds),
        bytes(machine.memory_bytes)
    )
}

fn found(forecast: &Forecast) -> String {
    let (updates, lost) = (count(forecast.updates), count(forecast.lost));
    let play = format!(
        "The federation was played without training: {updates} updates, {lost} lost tasks, {} of \
         virtual time.",
        Span::from_seconds(forecast.virtual_seconds)
    );
    match forecast.whole {
        true => format!(
            "{play} That is the whole run: its times and bytes are exact, unless the run ends \
             early by what it learns."
        ),
        false => format!("{play} The run goes on after that: later rounds may differ."),
    }
}

/// A choice with those of its settings that are numbers or texts: what is off says nothing.
fn chosen(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(settings) = value.as_object_mut().and_then(|table| table.values_mut().next())
        && let Some(settings) = settings.as_object_mut()
    {
        settings.retain(|_, setting| setting.is_number() || setting.is_string());
    }
    words::value(&value)
}

/// Real time, which is an estimate: two or three figures.
fn real(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.1} s"),
        s => Span::from_seconds(s.round()).to_string(),
    }
}

fn in_words(value: &impl Serialize) -> String {
    serde_json::to_value(value).as_ref().map(words::value).unwrap_or_default()
}
