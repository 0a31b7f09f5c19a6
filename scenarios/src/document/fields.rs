//! The entries of a table and the items of a list, as serde takes them.

use super::at::At;
use super::fill::{Fill, key};
use super::node::{Entry, Node};
use super::stop::Stop;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

pub(super) struct Fields<'r, 'a> {
    pub(super) at: &'r At<'a>,
    pub(super) entries: std::vec::IntoIter<&'a Entry>,
    pub(super) fillers: Vec<&'static str>,
    pub(super) next: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.next = self.entries.next();
        match (self.next, self.fillers.pop()) {
            (Some(entry), filler) => {
                self.fillers.extend(filler);
                seed.deserialize(key(&entry.key)).map(Some)
            }
            (None, Some(field)) => seed.deserialize(key(field)).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stop> {
        match self.next.take() {
            Some(entry) => seed.deserialize(self.at.child(&entry.key, &entry.node)),
            None => seed.deserialize(Fill),
        }
    }
}

pub(super) struct Items<'r, 'a> {
    pub(super) at: &'r At<'a>,
    pub(super) nodes: &'a [Node],
    pub(super) index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        let Some(node) = self.nodes.get(self.index) else { return Ok(None) };
        let at = self.at.child(&self.index.to_string(), node);
        self.index += 1;
        seed.deserialize(at).map(Some)
    }
}
