//! Checks of `[[timeline]]`.

use super::Checks;
use crate::happenings::Scene;
use crate::spec::ScenarioFile;

/// So many entries are looked through at every version or update.
const MOST_ENTRIES: usize = 10_000;

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    if file.timeline.len() > MOST_ENTRIES {
        let message = format!("{} entries in the timeline", file.timeline.len());
        checks.add("timeline", message, format!("at most {MOST_ENTRIES}"), "use a script");
        return;
    }
    let ends = file.population.group_ends();
    let groups: Vec<(String, u32)> = (file.population.group.iter().zip(ends))
        .map(|(group, end)| (group.name.clone(), u32::try_from(end).unwrap_or(u32::MAX)))
        .collect();
    let scene = Scene::of_groups(&groups, file.population.clients, super::strategy::written(file))
        .with_edges(file.topology.tree().map_or(0, |tree| tree.edges));
    for (index, entry) in file.timeline.iter().enumerate() {
        for (key, message) in scene.entry(entry).err().into_iter().flatten() {
            wrong(index, &key, &message, checks);
        }
        if entry.timer.is_some() && file.script.is_none() {
            checks.add(
                &format!("timeline.{index}.timer"),
                "a timer rings for a script, but there is none",
                "nobody hears it",
                "add `script = { file = \"hooks.rhai\" }` at the top, with a function `on_timer(name)`; \
                 scenarios/library/hooks.rhai has one",
            );
        }
    }
    if file.server.durable_every_versions == 0 {
        checks.within("server.durable_every_versions", 0u64, 1..=1_000_000_000);
    }
}

/// Reports what is wrong with `key` of entry `index`; without a key, with the entry as a whole.
fn wrong(index: usize, key: &str, message: &str, checks: &mut Checks<'_>) {
    let entry = format!("timeline.{index}");
    let path = format!("{entry}.{key}");
    if key == "when" && checks.written(&format!("{entry}.at_minutes")) {
        let other = format!("{entry}.at_minutes");
        return checks.conflict(&other, &path, message, "keep one of the two");
    }
    if let Some(name) = message.strip_prefix("no group is called `") {
        let (name, _) = name.split_once('`').unwrap_or((name, ""));
        let help = checks.near_group(name);
        return checks.add(&path, format!("no group is called `{name}`"), "nobody's name", help);
    }
    let (what, rule) = match message.split_once(": must ") {
        Some((what, rule)) => (what.to_string(), format!("must {rule}")),
        None => (message.to_string(), "this cannot work".into()),
    };
    let (what, help) = match (key, what.rsplit_once("; ")) {
        ("", None) => (
            what.clone(),
            "an entry has a time or a condition, and what happens: `at_minutes = 30` or \
             `when = { version = 10 }`, and `crash = { share = 0.1 }`"
                .to_string(),
        ),
        (_, Some((what, help))) => (what.to_string(), help.to_string()),
        _ => (what.clone(), format!("`offbeat explain timeline[].{key}` tells what it takes")),
    };
    checks.add(path.trim_end_matches('.'), what, rule, help);
}
