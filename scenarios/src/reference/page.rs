//! The reference as a page.

use super::key::Key;
use super::walk::Reference;

const HEAD: &str = "\
# Reference of the scenario language

Every key of a scenario file, generated from the types that read it. A scenario is TOML; units are in
the names of the keys. `[]` stands for any place in a list, so that `population.group[].share` is the
`share` of any `[[population.group]]`. A *choice* is written by its name (`pace = \"immediate\"`) where its
settings may all be left out, and otherwise as a table (`pace = { buffered = { buffer = 5 } }`); its
names are listed below it as if they were keys. A key that takes what another one takes says so.

`offbeat explain KEY` prints one entry; `offbeat schema` prints the JSON Schema for editors.

";

/// The page as Markdown.
pub fn page(reference: &Reference) -> String {
    let mut text = HEAD.to_string();
    let mut section = "";
    for key in reference.keys() {
        let own = key.path.split(['.', '[']).next().unwrap_or_default();
        let table = reference.keys().iter().any(|other| other.path.starts_with(&format!("{own}.")));
        let title = if table { own } else { "the top of the file" };
        if title != section {
            if !section.is_empty() {
                text += "\n";
            }
            section = title;
            text += &heading(key, table);
        }
        text += &row(key);
    }
    text
}

fn heading(key: &Key, table: bool) -> String {
    let title = match table {
        true => format!("## `[{}]`\n\n{}\n", key.path, key.about),
        false => "## At the top of the file\n".into(),
    };
    format!("{title}\n| key | takes | when left out | meaning | example |\n|---|---|---|---|---|\n")
        .replace("\n\n\n", "\n\n")
}

fn row(key: &Key) -> String {
    let mut takes = key.takes.clone();
    if let Some(range) = &key.range {
        takes += &format!(", {range}");
    }
    let default = match (&key.default, key.needed) {
        (Some(default), _) => format!("`{default}`"),
        (None, true) => "needed".into(),
        (None, false) => String::new(),
    };
    let mut about = key.about.clone();
    if let Some(home) = &key.same_as {
        about += &format!(" Settings as `{home}`.");
    }
    let example = key.example.as_deref().unwrap_or_default().lines();
    let example = example.map(|line| format!("`{line}`")).collect::<Vec<_>>().join("<br>");
    let cells = [format!("`{}`", key.path), takes, default, about, example];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | ")).replace("|  |", "| |")
}
