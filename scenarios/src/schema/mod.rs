//! The JSON Schema of the scenario language, generated from its types.
//!
//! Draft 7, which editors' TOML extensions read. Three things are said of the types that serde's
//! derived description cannot know: TOML has no null; a choice whose settings all have defaults may be
//! written by its name alone (`pace = "immediate"`); and a file that builds on others may leave out
//! sections.

mod shape;

pub(crate) use shape::{reference, resolve, variant};

use crate::spec::{FileKeys, ScenarioFile};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Where the schema is kept in the repository, seen from its root.
pub const PLACE: &str = "scenarios/schema.json";

/// The schema of scenario files.
pub fn schema() -> Value {
    let mut root = of::<ScenarioFile>();
    let keys = of::<FileKeys>();
    for part in ["definitions", "properties"] {
        let more = keys.get(part).and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(all) = root.get_mut(part).and_then(Value::as_object_mut) {
            all.extend(more);
        }
    }
    shape::without_null(&mut root);
    if let Some(table) = root.as_object_mut() {
        whole_unless_built_on_others(table);
        table.insert("title".into(), "Offbeat scenario".into());
    }
    shape::names_alone(&mut root);
    root
}

/// The schema as the text of a file.
pub fn text() -> String {
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

/// What a scenario must have, and what its sections must have, may come from the files that it names.
fn whole_unless_built_on_others(root: &mut Map<String, Value>) {
    let required = root.remove("required").unwrap_or_default();
    let mut sections = Map::new();
    let names = root.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (section, schema) in names {
        let definition = shape::reference(&schema).and_then(|name| {
            root.get_mut("definitions")?.get_mut(name)?.as_object_mut()?.remove("required")
        });
        if let Some(required) = definition {
            sections.insert(section, json!({ "required": required }));
        }
    }
    root.insert(
        "if".into(),
        json!({ "anyOf": [{ "required": ["extends"] }, { "required": ["include"] }] }),
    );
    root.insert("else".into(), json!({ "required": required, "properties": sections }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_a_schema_and_knows_the_sections() {
        let schema = schema();
        jsonschema::draft7::meta::validate(&schema).expect("valid as a schema");
        for section in ["run", "data", "population", "strategy", "sweep", "include", "extends"] {
            assert!(schema["properties"].get(section).is_some(), "{section}");
        }
        assert!(!text().contains("\"null\""));
    }
}
