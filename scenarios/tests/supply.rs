//! What the workspace is built from: licences, sources and bans of `deny.toml`, held against the resolved graph of
//! this platform. Advisories need their database: `cargo deny check advisories` reads it where there is a network.

use cargo_metadata::{Metadata, MetadataCommand, Package};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Rules {
    advisories: Advisories,
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Advisories {
    ignore: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    clarify: Vec<Clarified>,
}

#[derive(Deserialize)]
struct Clarified {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[derive(Deserialize)]
struct Bans {
    #[serde(rename = "multiple-versions")]
    multiple_versions: String,
    #[serde(default)]
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "unknown-registry")]
    unknown_registry: String,
    #[serde(rename = "unknown-git")]
    unknown_git: String,
}

fn rules() -> Rules {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml"));
    toml::from_str(&text.expect("deny.toml")).expect("the tables that this test reads")
}

/// What is built for this platform with the usual features.
fn graph() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = ["--locked".into(), "--filter-platform".into(), platform];
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).other_options(options).exec().expect("cargo metadata")
}

fn foreign(graph: &Metadata) -> impl Iterator<Item = &Package> {
    graph.packages.iter().filter(|package| !graph.workspace_members.contains(&package.id))
}

/// Whether an SPDX expression can be met with allowed licences: `AND` binds tighter than `OR`, and an old `/` is an
/// `OR`.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (met, rest) = either(&words, allow);
    met && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str], allow: &[String]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = both(words, allow);
    while let Some(("OR", next)) = rest.split_first().map(|(word, next)| (*word, next)) {
        let (other, after) = both(next, allow);
        (met, rest) = (met || other, after);
    }
    (met, rest)
}

fn both<'a>(words: &'a [&'a str], allow: &[String]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, allow);
    while let Some(("AND", next)) = rest.split_first().map(|(word, next)| (*word, next)) {
        let (other, after) = one(next, allow);
        (met, rest) = (met && other, after);
    }
    (met, rest)
}

fn one<'a>(words: &'a [&'a str], allow: &[String]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => {
            let (met, rest) = either(inner, allow);
            (met && rest.first() == Some(&")"), rest.get(1..).unwrap_or_default())
        }
        [name, "WITH", exception, rest @ ..] => {
            (allow.contains(&format!("{name} WITH {exception}")), rest)
        }
        [name, rest @ ..] => {
            (allow.iter().any(|allowed| allowed == name.trim_end_matches('+')), rest)
        }
        [] => (false, words),
    }
}

#[test]
fn expressions_by_hand() {
    let allow = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from);
    for good in
        ["MIT", "GPL-3.0 OR MIT", "X/MIT", "(X OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(allowed(good, &allow), "{good}");
    }
    for bad in
        ["GPL-3.0", "MIT AND GPL-3.0", "(X OR Y) AND ISC", "Apache-2.0", "", "MIT ISC", "(MIT"]
    {
        assert!(!allowed(bad, &allow), "{bad}");
    }
}

#[test]
fn every_licence_is_allowed_and_every_crate_comes_from_the_registry() {
    let (rules, graph) = (rules(), graph());
    let clarified: BTreeMap<&str, &str> =
        rules.licenses.clarify.iter().map(|c| (c.name.as_str(), c.expression.as_str())).collect();
    assert_eq!((&*rules.sources.unknown_registry, &*rules.sources.unknown_git), ("deny", "deny"));
    let mut wrong = Vec::new();
    for package in foreign(&graph) {
        let name = package.name.as_str();
        let licence = clarified.get(name).copied().or(package.license.as_deref());
        if !licence.is_some_and(|licence| allowed(licence, &rules.licenses.allow)) {
            wrong.push(format!("{name} {}: the licence {licence:?}", package.version));
        }
        let source = package.source.as_ref().map(|source| source.repr.as_str());
        if source != Some("registry+https://github.com/rust-lang/crates.io-index") {
            wrong.push(format!("{name} {}: from {source:?}", package.version));
        }
    }
    println!("{} crates", foreign(&graph).count());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_banned_is_used_and_every_exception_has_a_reason() {
    let (rules, graph) = (rules(), graph());
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in foreign(&graph) {
        versions.entry(package.name.as_str()).or_default().push(package.version.to_string());
    }
    assert!(!rules.bans.deny.is_empty());
    for banned in &rules.bans.deny {
        assert!(banned.reason.len() > 20, "{}: why?", banned.name);
        assert!(!versions.contains_key(banned.name.as_str()), "{}: {}", banned.name, banned.reason);
    }
    for exception in &rules.advisories.ignore {
        assert!(
            exception.id.starts_with("RUSTSEC-") && exception.reason.len() > 20,
            "{}",
            exception.id
        );
    }
    let several = versions.iter().filter(|(_, versions)| versions.len() > 1);
    println!("{} crates are there in several versions", several.clone().count());
    // What others depend on is theirs; what we ask for ourselves is there once.
    assert_eq!(rules.bans.multiple_versions, "allow");
    let ours = graph.workspace_packages();
    let asked = |name: &str| ours.iter().any(|own| own.dependencies.iter().any(|d| d.name == name));
    let twice: Vec<_> = several.filter(|(name, _)| asked(name)).collect();
    println!("of those that we ask for: {twice:?}");
}
