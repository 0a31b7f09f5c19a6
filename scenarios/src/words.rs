//! Settings in words, for labels and headings: `buffered(buffer=5, concurrency=15)`.

use crate::spec::{StrategySection, Travel};
use offbeat_strategies::fediod::FedIodSettings;
use offbeat_strategies::registry::PacePart;
use serde::Serialize;
use serde_json::Value;

/// A value in words. A table with one table in it is a choice with its settings.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", "))
        }
        Value::Object(table) => match table.iter().collect::<Vec<_>>()[..] {
            [(name, Value::Object(inside))] if inside.is_empty() => name.clone(),
            [(name, Value::Object(inside))] => {
                format!("{name}({})", self::value(&Value::Object(inside.clone())))
            }
            ref entries => {
                let entries = entries.iter().filter(|(_, value)| !value.is_null());
                let words: Vec<String> = entries.map(|(key, value)| named(key, value)).collect();
                words.join(", ")
            }
        },
        other => other.to_string(),
    }
}

/// A key with its value, which a choice does not need: `rate=0.1`, but `polynomial(a=0.5)`.
fn named(key: &str, inside: &Value) -> String {
    match inside {
        Value::Object(table) => format!("{key}({})", value(&Value::Object(table.clone()))),
        inside => format!("{key}={}", value(inside)),
    }
}

/// The strategy: its pace, how it weighs, and every other part that is not the usual one.
pub fn strategy(strategy: &StrategySection) -> String {
    let usual = StrategySection::default();
    let mut parts = vec![pace(&strategy.pace)];
    if strategy.weigh != usual.weigh {
        let weigh: Vec<String> = strategy.weigh.iter().map(part).collect();
        parts.push(format!(
            "weight {}",
            if weigh.is_empty() { "1".into() } else { weigh.join(" x ") }
        ));
    }
    let others = [
        (strategy.select != usual.select).then(|| format!("select {}", part(&strategy.select))),
        (strategy.group != usual.group).then(|| format!("group {}", part(&strategy.group))),
        (strategy.combine != usual.combine).then(|| part(&strategy.combine)),
        (strategy.refine != usual.refine).then(|| part(&strategy.refine)),
        (strategy.companion != usual.companion).then(|| part(&strategy.companion)),
        strategy.privacy.central.map(|part| {
            format!("central noise {}, clip {}", part.noise_multiplier, part.clip_norm)
        }),
        strategy
            .privacy
            .local
            .map(|part| format!("local noise {}, clip {}", part.noise_multiplier, part.clip_norm)),
        strategy.privacy.secure.map(|_| "hidden sums".to_string()),
        strategy.privacy.paillier.map(|part| format!("encrypted, {} bits", part.key_bits)),
        (strategy.buffers != usual.buffers).then(|| format!("buffers {}", part(&strategy.buffers))),
        (strategy.travel == Travel::Backbone).then(|| "heads stay".to_string()),
    ];
    parts.extend(others.into_iter().flatten());
    parts.join(", ")
}

/// The pace; of one with many settings, those that are not the usual ones.
fn pace(pace: &PacePart) -> String {
    let PacePart::FedIod(settings) = pace else { return part(pace) };
    let usual = FedIodSettings { clients: 0, ..FedIodSettings::default() };
    let [mut own, usual] =
        [&**settings, &usual].map(|settings| serde_json::to_value(settings).unwrap_or_default());
    without(&mut own, &usual);
    format!("fediod({})", value(&own))
}

/// Takes out of a table, and the tables in it, what another one says as well.
fn without(own: &mut Value, other: &Value) {
    let (Value::Object(own), Value::Object(other)) = (own, other) else { return };
    own.retain(|key, value| {
        if let Some(other) = other.get(key) {
            without(value, other);
        }
        let empty = value.as_object().is_some_and(serde_json::Map::is_empty);
        other.get(key) != Some(value) && !empty
    });
}

fn part(part: &impl Serialize) -> String {
    serde_json::to_value(part).as_ref().map(value).unwrap_or_default()
}

/// The words of `text` in lines of at most `width` columns.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in pieces(text) {
        let Some(line) = lines.last_mut() else { break };
        match line.is_empty() {
            true => line.push_str(&word),
            false if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            false => lines.push(word),
        }
    }
    lines
}

/// The words of `text`; what stands between backticks, such as a command to copy, is one word.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match pieces.last_mut().filter(|_| open) {
            Some(code) => *code += &format!(" {word}"),
            None => pieces.push(word.to_string()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    pieces
}

/// `text` with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `text` without a capital at its beginning.
pub fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn commands_are_not_broken_over_lines() {
        let text = "write `offbeat run DIR --seed 7`, then `ls`, or else";
        assert_eq!(
            wrap(text, 12),
            ["write", "`offbeat run DIR --seed 7`,", "then `ls`,", "or else"]
        );
    }

    #[test]
    fn choices_and_settings_read_as_calls() {
        let words = |given: Value| value(&given);
        assert_eq!(words(json!({"buffered": {"buffer": 5, "limit": null}})), "buffered(buffer=5)");
        assert_eq!(words(json!("uniform")), "uniform");
        assert_eq!(words(json!({"immediate": {}})), "immediate");
        assert_eq!(
            words(json!({"staleness": {"polynomial": {"a": 0.5}}})),
            "staleness(polynomial(a=0.5))"
        );
        assert_eq!(words(json!([1, 2.5, true])), "[1, 2.5, true]");
    }
}
