//! How a value of the wrong kind is written right.

use super::node::{Node, Value};

/// What to write instead of `value` at `path`, where something else was `expected`.
pub(super) fn advice(path: &str, expected: &str, value: &Value) -> Option<String> {
    let name = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Text(text) if text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok() => {
            Some(format!("write it without quotes: {text}"))
        }
        Value::Text(text) if expected.contains("number") => number(text),
        Value::Text(text) if expected.contains("true") => truth(text),
        Value::Integer(number) if expected.contains("true") => {
            truth(if *number == 0 { "no" } else { "yes" })
        }
        Value::Float(number) if expected.contains("whole") => whole(*number),
        Value::Table(entries) if expected.contains("list") && entries.len() > 1 => {
            Some(format!("each one is a table of its own: write `[[{path}]]` above its keys"))
        }
        Value::Table(_) if expected.contains("list") => {
            Some(format!("write `[[{path}]]` above its keys, or the list in `[` and `]`"))
        }
        Value::List(_) | Value::Table(_) | Value::Date(_) => None,
        value if expected.contains("list") => {
            let one = in_toml(value);
            Some(format!("write it in brackets: `{name} = [{one}]`"))
        }
        _ => None,
    }
}

/// A number with its unit, or a share in percent.
fn number(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_' || c == '-'));
    let (digits, unit) = text.split_at(end?);
    let value: f64 = digits.replace('_', "").parse().ok()?;
    Some(match unit.trim() {
        "%" => format!("a share is a number from 0 to 1: write {}", value / 100.0),
        unit => format!(
            "write the number alone, {digits}, in the unit that the key's name or \
             `offbeat explain` tells, without `{unit}`"
        ),
    })
}

fn truth(text: &str) -> Option<String> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "enabled" => Some("write `true`, without quotes".into()),
        "no" | "off" | "disabled" | "none" => Some("write `false`, without quotes".into()),
        _ => None,
    }
}

fn whole(number: f64) -> Option<String> {
    let (below, above) = (number.floor(), number.ceil());
    let small = number.abs() < 1e15;
    small.then(|| match below == above {
        true => format!("write it without a point and without an exponent: {below}"),
        false => format!("write {below} or {above}"),
    })
}

/// A plain value as it is written.
fn in_toml(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        other => Node { value: other.clone(), place: super::Place::default() }.in_words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_understood() {
        let text = |expected, text: &str| advice("a.b", expected, &Value::Text(text.into()));
        assert!(text("a finite number", "30%").is_some_and(|hint| hint.ends_with("write 0.3")));
        assert!(text("a finite number", "30s").is_some_and(|hint| hint.contains("alone, 30,")));
        assert!(text("a finite number", "many").is_none());
        assert!(text("a whole number", "5").is_some_and(|hint| hint.ends_with("quotes: 5")));
        assert!(text("`true` or `false`", "yes").is_some_and(|hint| hint.contains("`true`")));
        let hint = advice("a.b", "a list in `[` and `]`", &Value::Integer(64));
        assert!(hint.is_some_and(|hint| hint.ends_with("`b = [64]`")));
        let hint = advice("a.b", "a whole number", &Value::Float(1e3));
        assert!(hint.is_some_and(|hint| hint.ends_with(": 1000")));
    }
}
