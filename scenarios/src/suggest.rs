//! Which name was meant.

/// Similarity (Jaro-Winkler, 0 to 1) from which a name is offered.
const CLOSE: f64 = 0.75;

/// How much two names look alike (Jaro-Winkler), 0 to 1; capitals and `_` for `-` make no difference.
pub fn likeness(one: &str, other: &str) -> f64 {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    strsim::jaro_winkler(&plain(one), &plain(other))
}

/// The names that look like `wrong`, best first, at most three.
pub fn nearest<'a>(wrong: &str, allowed: &[&'a str]) -> Vec<&'a str> {
    let mut close: Vec<_> = allowed.iter().map(|name| (likeness(wrong, name), *name)).collect();
    close.retain(|(likeness, name)| *likeness >= CLOSE || slip(wrong, name));
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    close.into_iter().map(|(_, name)| name).take(3).collect()
}

/// Whether one letter too many, too few or wrong, or two that changed places, is all that differs.
fn slip(one: &str, other: &str) -> bool {
    one.chars().count() >= 3 && other.chars().count() >= 3 && strsim::osa_distance(one, other) == 1
}

/// A hint for an unknown name: the nearest ones, then all that are allowed. `what` says in the plural
/// what they are.
pub fn of(wrong: &str, allowed: &[&str], what: &str) -> String {
    let near = nearest(wrong, allowed);
    match (near.first(), allowed.len()) {
        (_, 0) => format!("no {what} are allowed here"),
        (Some(first), _) => format!("did you mean `{first}`? {what} here: {}", list(allowed)),
        (None, _) => format!("{what} here: {}", list(allowed)),
    }
}

/// Names in a row: `a`, `b`, `c`.
pub fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["buffered", "synchronous", "immediate", "batch", "last_batch"];
        assert_eq!(nearest("bufered", &names), ["buffered"]);
        assert_eq!(nearest("sync", &names), ["synchronous"]);
        assert_eq!(nearest("last-batch", &names).first(), Some(&"last_batch"));
        assert!(nearest("zzz", &names).is_empty());
        assert_eq!(nearest("rnu", &["run", "resume"]), ["run"]);
    }
}
