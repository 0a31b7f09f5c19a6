//! Choosing one variant of an enum: `pace = "immediate"`, or `[pace.buffered]` with its keys.

use super::at::At;
use super::fill::key;
use super::node::{Place, Value};
use super::path::{join, shown};
use super::stop::Stop;
use crate::diagnose::Problem;
use crate::suggest;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};

/// The variant that was written, and its content.
pub(super) struct Chosen<'a> {
    name: &'static str,
    content: At<'a>,
}

impl<'a> Chosen<'a> {
    /// Looks up which variant was meant. What does not fit is reported, and `None` returned.
    pub(super) fn find(at: &At<'a>, variants: &'static [&'static str]) -> Option<Self> {
        match at.node.map(|node| &node.value) {
            Some(Value::Text(name)) => {
                let name = known(at, name, at.place(), variants)?;
                let place = at.node.map(|node| &node.place);
                let content =
                    At { node: None, place, path: join(&at.path, name), reader: at.reader };
                Some(Self { name, content })
            }
            Some(Value::Table(entries)) if !entries.is_empty() => {
                let known: Vec<_> = entries
                    .iter()
                    .filter_map(|e| Some((known(at, &e.key, Some(e.place.clone()), variants)?, e)))
                    .collect();
                // Later texts win: an override may choose another variant than the file.
                let latest = known.iter().map(|(_, entry)| entry.place.source).max()?;
                let mut chosen =
                    known.into_iter().filter(|(_, entry)| entry.place.source == latest);
                let (name, entry) = chosen.next()?;
                if let Some((second, other)) = chosen.next() {
                    at.reader.note(
                        Problem::new(
                            "conflict",
                            format!("{} is either {name} or {second}, not both", shown(&at.path)),
                        )
                        .at(Some(entry.place.clone()), "first choice")
                        .at(Some(other.place.clone()), "second choice")
                        .help("remove one of the two")
                        .about(&at.path),
                    );
                }
                Some(Self { name, content: at.child(name, &entry.node) })
            }
            _ => {
                at.wrong_choice(variants);
                None
            }
        }
    }
}

fn known(
    at: &At<'_>,
    name: &str,
    place: Option<Place>,
    variants: &'static [&'static str],
) -> Option<&'static str> {
    let found = variants.iter().copied().find(|variant| *variant == name);
    if found.is_none() {
        at.reader.note(
            Problem::new("unknown_name", format!("{} cannot be `{name}`", shown(&at.path)))
                .at(place, "not one of the choices")
                .help(suggest::of(name, variants, "choices"))
                .about(&at.path),
        );
    }
    found
}

impl<'de, 'a> EnumAccess<'de> for Chosen<'a> {
    type Error = Stop;
    type Variant = At<'a>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, At<'a>), Stop> {
        Ok((seed.deserialize(key(self.name))?, self.content))
    }
}

impl<'de> VariantAccess<'de> for At<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.known(&[]);
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_struct("", fields, visitor)
    }
}
