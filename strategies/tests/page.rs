//! `STRATEGIES.md` is written from the registry. When it has drifted, this test says so; with
//! `OFFBEAT_WRITE_PAGES=1` it writes the page anew.

use offbeat_strategies::privacy::Privacy;
use offbeat_strategies::registry::{
    CombinePart, CompanionPart, Conflict, Entry, GroupPart, GuardPart, PacePart, Parts, RefinePart,
    Seam, SelectPart, WeighPart, catalogue,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../STRATEGIES.md");

const HEAD: &str = "\
# The parts of a strategy

A strategy takes one part for each question below, any number of weights, whose product counts, and any
number of guards, asked in their order. What is not a number, has another shape than was asked for, or is
larger than 1e15 is refused whatever the guards say. A scenario names the parts under `[strategy]`:

```toml
[strategy]
select = \"uniform\"
pace = { buffered = { buffer = 10, concurrency = 100 } }
weigh = [\"samples\", { staleness = { polynomial = { a = 0.5 } } }]
guard = [{ norm = { most = 5.0 } }]
combine = \"mean\"
```

A part without settings is a word; one with settings is a table, and what it does not mention has the
default given here. Every part goes with every other, but for the pairs at the end of this page. A part
of your own is `{ custom = { name = \"mine\", numbers = { share = 0.5 } } }`, registered under that name.

This page is written from the registry: `OFFBEAT_WRITE_PAGES=1 cargo test -p offbeat-strategies --test page`.
";

#[derive(Deserialize, Serialize)]
struct Hold<T> {
    part: T,
}

/// The part called `name`, with its defaults where it has any.
fn part<T: DeserializeOwned>(name: &str) -> T {
    let required = match name {
        "krum" | "bulyan" => "byzantine = 1",
        "multi-krum" => "byzantine = 1, keep = 2",
        "staleness" => "polynomial = {}",
        "norm" => "most = 1.0",
        "central" | "local" => "clip_norm = 1.0, noise_multiplier = 1.0",
        _ => "",
    };
    let forms = [format!("part = \"{name}\""), format!("part = {{ {name} = {{ {required} }} }}")];
    let read = forms.iter().find_map(|text| toml::from_str::<Hold<T>>(text).ok());
    read.unwrap_or_else(|| panic!("`{name}` of the catalogue cannot be read")).part
}

/// Puts the part of the catalogue into `parts`.
fn put(parts: &mut Parts, entry: &Entry) {
    match entry.seam {
        Seam::Select => parts.select = part::<SelectPart>(entry.name),
        Seam::Pace => parts.pace = part::<PacePart>(entry.name),
        Seam::Guard => parts.guard = vec![part::<GuardPart>(entry.name)],
        Seam::Group => parts.group = part::<GroupPart>(entry.name),
        Seam::Weigh => parts.weigh = vec![part::<WeighPart>(entry.name)],
        Seam::Combine => parts.combine = part::<CombinePart>(entry.name),
        Seam::Refine => parts.refine = part::<RefinePart>(entry.name),
        Seam::Companion => parts.companion = part::<CompanionPart>(entry.name),
        Seam::Privacy => parts.privacy = part::<Privacy>(entry.name),
    }
}

/// The settings of a part with their defaults, in a line.
fn settings(entry: &Entry) -> String {
    let json = |value: Value| match value {
        Value::Object(mut object) => object.remove(entry.name).unwrap_or(Value::Null),
        _ => Value::Null,
    };
    let mut parts = Parts::default();
    put(&mut parts, entry);
    let all = serde_json::to_value(&parts).expect("parts are plain data");
    let own = match entry.seam {
        seam @ (Seam::Guard | Seam::Weigh) => all[seam.to_string()][0].clone(),
        seam => all[seam.to_string()].clone(),
    };
    let Value::Object(own) = json(own) else { return String::new() };
    let line = own.iter().map(|(key, value)| match (entry.name, key.as_str()) {
        ("krum" | "multi-krum" | "bulyan", _)
        | ("norm", "most")
        | ("central" | "local", "clip_norm" | "noise_multiplier") => {
            format!("`{key}` (must be given)")
        }
        ("staleness", "polynomial") => {
            "one of `constant`, `{ polynomial = { a = 0.5 } }`, `{ hinge = { a = 10.0, b = 4.0 } }`, \
             `{ exponential = { base = 1.359 } }` (e / 2), \
             `{ threshold = { cutoff = 4.0, value = 0.1 } }`"
                .to_string()
        }
        _ if value.is_null() => format!("`{key}` (off)"),
        _ => format!("`{key} = {value}`"),
    });
    line.collect::<Vec<_>>().join(", ")
}

fn parts_table(seam: Seam, question: &str, page: &mut String) {
    let _ = writeln!(page, "\n## `{seam}`: {question}\n");
    page.push_str("| part | what it does | source | settings |\n|---|---|---|---|\n");
    for entry in catalogue().iter().filter(|entry| entry.seam == seam) {
        let Entry { name, summary, source, .. } = entry;
        let _ = writeln!(page, "| `{name}` | {summary} | {source} | {} |", settings(entry));
    }
}

/// What is refused when `a` and `b` are chosen and the rest fits.
fn refused(a: &Entry, b: &Entry) -> Option<Conflict> {
    let mut parts = Parts { weigh: vec![WeighPart::Uniform], ..Parts::default() };
    put(&mut parts, a);
    put(&mut parts, b);
    let key = |entry: &Entry| format!("strategy.{} = {}", entry.seam, entry.name);
    let own = [key(a), key(b)];
    parts.validate().into_iter().find(|found| own.contains(&found.a) && own.contains(&found.b))
}

fn conflicts_table(page: &mut String) {
    page.push_str("\n## Pairs that are refused\n\n");
    page.push_str("`offbeat check` refuses a scenario with such a pair and says why.\n\n");
    page.push_str("| part | does not go with | because |\n|---|---|---|\n");
    // Rows in the order of the catalogue; the partners of one part that share a reason in one row.
    let mut rows: Vec<(String, Seam, String, Vec<&str>)> = Vec::new();
    for (index, one) in catalogue().iter().enumerate() {
        for other in &catalogue()[index + 1..] {
            let Some(conflict) = (one.seam != other.seam).then(|| refused(one, other)).flatten()
            else {
                continue;
            };
            let reason = conflict.reason.split_whitespace().collect::<Vec<_>>().join(" ");
            let first = conflict.a.ends_with(&format!("{} = {}", one.seam, one.name));
            let (subject, partner) = if first { (one, other) } else { (other, one) };
            let subject = format!("`{} = \"{}\"`", subject.seam, subject.name);
            let same = rows.iter_mut().find(|(part, seam, why, _)| {
                *part == subject && *seam == partner.seam && *why == reason
            });
            match same {
                Some((.., partners)) => partners.push(partner.name),
                None => rows.push((subject, partner.seam, reason, vec![partner.name])),
            }
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    for (subject, seam, reason, partners) in rows {
        let partners = partners.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let _ = writeln!(page, "| {subject} | {seam}: {} | {reason} |", partners.join(", "));
    }
    let by_count = toml::from_str::<Hold<CombinePart>>("part = { mean = { by = \"count\" } }");
    let by_count = by_count.expect("a mean").part;
    let mut reason = String::new();
    let mut refused = Vec::new();
    for entry in catalogue().iter().filter(|entry| entry.seam == Seam::Weigh) {
        let mut parts = Parts { combine: by_count.clone(), ..Parts::default() };
        put(&mut parts, entry);
        let found = parts.validate().into_iter().find(|found| found.b == "strategy.combine = mean");
        if let Some(conflict) = found {
            reason = conflict.reason;
            refused.push(format!("`{}`", entry.name));
        }
    }
    let refused = refused.join(", ");
    let _ = writeln!(
        page,
        "| `combine = {{ mean = {{ by = \"count\" }} }}` | weigh: {refused} | {reason} |"
    );
}

fn page() -> String {
    let mut page = HEAD.to_string();
    let questions = BTreeMap::from([
        (Seam::Select, "whom to invite?"),
        (Seam::Pace, "when to aggregate?"),
        (Seam::Guard, "which updates are let in?"),
        (Seam::Group, "which updates belong together?"),
        (Seam::Weigh, "how much does each update count?"),
        (Seam::Combine, "how are they merged?"),
        (Seam::Refine, "what does the server learn afterwards?"),
        (Seam::Companion, "what travels beside the model?"),
        (Seam::Privacy, "what protects the clients' data?"),
    ]);
    for (seam, question) in questions {
        parts_table(seam, question, &mut page);
    }
    conflicts_table(&mut page);
    page
}

#[test]
fn the_page_is_what_the_registry_says() {
    let page = page();
    if std::env::var_os("OFFBEAT_WRITE_PAGES").is_some() {
        std::fs::write(PAGE, &page).expect("the page can be written");
    }
    let there =
        std::fs::read_to_string(Path::new(PAGE)).expect("STRATEGIES.md is in the repository");
    assert!(
        there == page,
        "STRATEGIES.md is not what the registry says; write it anew with OFFBEAT_WRITE_PAGES=1"
    );
}

#[test]
fn the_page_names_every_part_and_every_conflict_of_the_defaults() {
    let page = page();
    for entry in catalogue() {
        assert!(page.contains(&format!("| `{}` | {}", entry.name, entry.summary)), "{entry:?}");
    }
    for word in ["`buffer = 10`", "`max_staleness` (off)", "`byzantine` (must be given)", "fedat"] {
        assert!(page.contains(word), "{word} is missing");
    }
}
