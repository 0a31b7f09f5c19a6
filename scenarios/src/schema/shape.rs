//! What the generated schema is told beyond the types.

use serde_json::{Map, Value, json};

/// The table that `schema` stands for: references are followed, single-item `allOf`s opened.
pub(crate) fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let next = reference(schema)
            .and_then(|name| root["definitions"].get(name))
            .or_else(|| schema["allOf"].as_array().filter(|all| all.len() == 1)?.first());
        match next {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

/// The name of the type that `schema` refers to.
pub(crate) fn reference(schema: &Value) -> Option<&str> {
    let direct = schema["$ref"].as_str();
    let wrapped = || schema["allOf"].as_array()?.first()?["$ref"].as_str();
    direct.or_else(wrapped)?.strip_prefix("#/definitions/")
}

/// Takes every mention of null away.
pub(super) fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(table) => {
            table.values_mut().for_each(without_null);
            only_type(table);
            only_choice(table);
            if table.get("default").is_some_and(Value::is_null) {
                table.remove("default");
            }
        }
        _ => {}
    }
}

/// `type = ["integer", "null"]` becomes `type = "integer"`.
fn only_type(table: &mut Map<String, Value>) {
    let Some(Value::Array(kinds)) = table.get_mut("type") else { return };
    kinds.retain(|kind| kind != "null");
    if let [kind] = &kinds[..] {
        let kind = kind.clone();
        table.insert("type".into(), kind);
    }
}

/// `anyOf = [a reference, null]` becomes the reference; in an `enum`, null goes.
fn only_choice(table: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = table.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(choices)) = table.get_mut("anyOf") else { return };
    let before = choices.len();
    choices.retain(|choice| choice["type"] != "null");
    if choices.len() == 1 && before == 2 {
        let all = table.remove("anyOf");
        table.insert("allOf".into(), all.unwrap_or_default());
    }
}

/// Lets a choice be written by its name alone where its settings all have defaults.
pub(super) fn names_alone(root: &mut Value) {
    let known = root.clone();
    add_names(root, &known);
}

fn add_names(schema: &mut Value, root: &Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| add_names(item, root)),
        Value::Object(table) => {
            table.values_mut().for_each(|value| add_names(value, root));
            if let Some(Value::Array(choices)) = table.get_mut("oneOf") {
                let more: Vec<Value> = choices.iter().filter_map(|c| alone(c, root)).collect();
                choices.extend(more);
            }
        }
        _ => {}
    }
}

/// The name alone of a choice that is written as a table, when nothing in it is needed; for a choice
/// that is a name alone, the empty table.
fn alone(choice: &Value, root: &Value) -> Option<Value> {
    let (name, content) = variant(choice)?;
    let content = resolve(content, root);
    let table = content["type"] == "object" && content.get("required").is_none();
    let about = &choice["description"];
    table.then(|| match about {
        Value::String(about) => json!({ "type": "string", "const": name, "description": about }),
        _ => json!({ "type": "string", "const": name }),
    })
}

/// The name and the content of a choice that is written as a table with one key.
pub(crate) fn variant(choice: &Value) -> Option<(&str, &Value)> {
    let properties = choice["properties"].as_object()?;
    let required = choice["required"].as_array()?;
    let (name, content) = properties.iter().next()?;
    let single = properties.len() == 1 && required.len() == 1 && required[0] == name.as_str();
    single.then_some((name.as_str(), content))
}
