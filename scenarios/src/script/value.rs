//! A script's values as plain data.

use rhai::{Dynamic, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a script can keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Plain {
    Nothing,
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Plain>),
    Table(Vec<(String, Plain)>),
}

impl Plain {
    /// A script's value as plain data.
    ///
    /// # Errors
    /// The name of a type that has no plain form, such as a function.
    pub(super) fn of(value: &Dynamic) -> Result<Self, String> {
        if let Ok(value) = value.as_bool() {
            return Ok(Self::Bool(value));
        }
        if let Ok(value) = value.as_int() {
            return Ok(Self::Whole(value));
        }
        if let Ok(value) = value.as_float() {
            return Ok(Self::Number(value));
        }
        if value.is_unit() {
            return Ok(Self::Nothing);
        }
        if let Ok(text) = value.as_immutable_string_ref() {
            return Ok(Self::Text(text.to_string()));
        }
        if let Ok(list) = value.as_array_ref() {
            return list.iter().map(Self::of).collect::<Result<_, _>>().map(Self::List);
        }
        if let Ok(table) = value.as_map_ref() {
            let entries = table.iter().map(|(key, value)| Ok((key.to_string(), Self::of(value)?)));
            return entries.collect::<Result<_, String>>().map(Self::Table);
        }
        Err(value.type_name().to_string())
    }

    pub(super) fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Nothing => Dynamic::UNIT,
            Self::Bool(value) => value.into(),
            Self::Whole(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::List(list) => {
                let list: Vec<Dynamic> = list.into_iter().map(Self::into_dynamic).collect();
                list.into()
            }
            Self::Table(table) => {
                let entries =
                    table.into_iter().map(|(key, value)| (key.into(), value.into_dynamic()));
                entries.collect::<Map>().into()
            }
        }
    }

    /// As JSON, to be read as an entry of the timeline. Numbers that are not finite become `null`.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Whole(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::List(list) => list.into_iter().map(Self::into_json).collect(),
            Self::Table(table) => {
                let entries = table.into_iter().map(|(key, value)| (key, value.into_json()));
                Value::Object(entries.collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_there_and_back() {
        let engine = rhai::Engine::new_raw();
        let text = "#{ a: [1, 2.5, true, ()], b: #{ c: \"x\" } }";
        let value: Dynamic = engine.eval(text).expect("a map");
        let plain = Plain::of(&value).expect("plain");
        assert_eq!(Plain::of(&plain.clone().into_dynamic()), Ok(plain.clone()));
        let json = serde_json::json!({ "a": [1, 2.5, true, null], "b": { "c": "x" } });
        assert_eq!(plain.into_json(), json);
        let function: Dynamic = engine.eval("Fn(\"f\")").expect("a function's name");
        assert!(Plain::of(&function).is_err());
    }
}
