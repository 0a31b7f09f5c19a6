//! What serde asks for, one type after the other.

use super::at::At;
use super::fields::{Fields, Items};
use super::fill::Fill;
use super::node::{Entry, Value};
use super::stop::Stop;
use super::variant::Chosen;
use serde::de::{Deserializer, Visitor};

macro_rules! whole {
    ($($method:ident => $type:ident, $visit:ident);* $(;)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            let number = if self.patched() { None } else { self.whole($type::MIN.into(), $type::MAX.into()) };
            let number = number.and_then(|number| $type::try_from(number).ok()).unwrap_or(1);
            visitor.$visit(number).map_err(|stop: Stop| stop.at(&self.path))
        }
    )*};
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Stop;

    whole! {
        deserialize_i8 => i8, visit_i8;
        deserialize_i16 => i16, visit_i16;
        deserialize_i32 => i32, visit_i32;
        deserialize_i64 => i64, visit_i64;
        deserialize_u8 => u8, visit_u8;
        deserialize_u16 => u16, visit_u16;
        deserialize_u32 => u32, visit_u32;
        deserialize_u64 => u64, visit_u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            Some(Value::Bool(_)) => self.deserialize_bool(visitor),
            Some(Value::Integer(_)) => self.deserialize_i64(visitor),
            Some(Value::Float(_)) => self.deserialize_f64(visitor),
            Some(Value::Text(_) | Value::Date(_)) => self.deserialize_str(visitor),
            Some(Value::List(_)) => self.deserialize_seq(visitor),
            Some(Value::Table(_)) => self.deserialize_map(visitor),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            _ if self.patched() => Fill.deserialize_bool(visitor),
            Some(Value::Bool(value)) => {
                visitor.visit_bool(*value).map_err(|stop: Stop| stop.at(&self.path))
            }
            _ => self.wrong("`true` or `false`").deserialize_bool(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let number = if self.patched() { None } else { self.number() };
        visitor.visit_f64(number.unwrap_or(1.0)).map_err(|stop: Stop| stop.at(&self.path))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            _ if self.patched() => Fill.deserialize_str(visitor),
            Some(Value::Text(text)) => {
                visitor.visit_str(text).map_err(|stop: Stop| stop.at(&self.path))
            }
            _ => self.wrong("a text in quotes").deserialize_str(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node {
            Some(_) if !self.patched() => visitor.visit_some(self),
            _ => visitor.visit_none(),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let path = self.path.clone();
        visitor.visit_newtype_struct(self).map_err(|stop: Stop| stop.at(&path))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            _ if self.patched() => Fill.deserialize_seq(visitor),
            Some(Value::List(nodes)) => visitor
                .visit_seq(Items { at: &self, nodes, index: 0 })
                .map_err(|stop| stop.at(&self.path)),
            _ => self.wrong("a list in `[` and `]`").deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            _ if self.patched() => Fill.deserialize_tuple(len, visitor),
            Some(Value::List(nodes)) if nodes.len() == len => self.deserialize_seq(visitor),
            _ => self.wrong(&format!("a list of {len} values")).deserialize_tuple(len, visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node.map(|node| &node.value) {
            _ if self.patched() => Fill.deserialize_map(visitor),
            Some(Value::Table(entries)) => {
                let entries: Vec<&Entry> = entries.iter().collect();
                let map = Fields {
                    at: &self,
                    entries: entries.into_iter(),
                    fillers: Vec::new(),
                    next: None,
                };
                visitor.visit_map(map).map_err(|stop| stop.at(&self.path))
            }
            _ => self.wrong("a table of keys and values").deserialize_map(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.patched() {
            Fill.deserialize_struct(name, fields, visitor)
        } else {
            self.read_struct(fields, visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let chosen = if self.patched() { None } else { Chosen::find(&self, variants) };
        match chosen {
            Some(chosen) => visitor.visit_enum(chosen).map_err(|stop| stop.at(&self.path)),
            None => Fill.deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit_struct tuple_struct identifier ignored_any
    }
}
