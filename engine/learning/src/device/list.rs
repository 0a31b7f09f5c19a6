//! The devices of a run.

use super::DeviceName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Most workers that a list may have.
const MOST: usize = 4096;

/// Devices in an order, such as `wgpu:0,wgpu:1,flex*2`: one worker for each entry, `*2` for two. A single name
/// of the processor without a count leaves the number of workers open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceList {
    /// Each with its number of workers; `None` where that is left open, in lists of one.
    entries: Vec<(DeviceName, Option<usize>)>,
}

impl Default for DeviceList {
    /// The processor in pure Rust, with as many workers as are asked for.
    fn default() -> Self {
        Self::from(DeviceName::default())
    }
}

impl From<DeviceName> for DeviceList {
    fn from(name: DeviceName) -> Self {
        Self { entries: vec![(name, None)] }
    }
}

impl DeviceList {
    /// The first device, on which the vectors of the strategy live.
    pub fn first(&self) -> DeviceName {
        self.entries[0].0
    }

    /// Each device once, in the order of the list.
    pub fn distinct(&self) -> Vec<DeviceName> {
        let mut names: Vec<DeviceName> = Vec::new();
        for (name, _) in &self.entries {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        names
    }

    /// Whether the list itself says how many workers there are, a card being one.
    pub fn says_workers(&self) -> bool {
        self.entries.iter().all(|(name, count)| count.is_some() || !name.is_processor())
    }

    /// The device of every worker. Where the list leaves the number open there are `workers` for the processor,
    /// and one for a card.
    pub fn of_workers(&self, workers: usize) -> Vec<DeviceName> {
        let open = |name: DeviceName| if name.is_processor() { workers.max(1) } else { 1 };
        let repeat = |(name, count): &(DeviceName, Option<usize>)| {
            std::iter::repeat_n(*name, count.unwrap_or_else(|| open(*name)))
        };
        self.entries.iter().flat_map(repeat).collect()
    }
}

impl fmt::Display for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.entries.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match count {
                // A list of one says its count, or it would be left open.
                Some(count) if *count > 1 || self.entries.len() == 1 => {
                    write!(f, "{comma}{name}*{count}")?;
                }
                _ => write!(f, "{comma}{name}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for DeviceList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut entries = Vec::new();
        for part in text.split(',').map(str::trim) {
            if part.is_empty() {
                return Err(format!(
                    "`{text}` has an empty entry: write devices such as `wgpu:0,flex*2`"
                ));
            }
            let (name, count) = match part.split_once('*') {
                Some((name, count)) => (name.trim(), Some(count.trim())),
                None => (part, None),
            };
            let name: DeviceName = name.parse()?;
            let count = count.map(|count| match count.parse::<usize>() {
                Ok(count @ 1..=MOST) => Ok(count),
                _ => Err(format!(
                    "`{part}` has no number of workers behind `*`: write 1 to {MOST}, such as `{name}*2`"
                )),
            });
            entries.push((name, count.transpose()?));
        }
        if entries.len() > 1 {
            for (_, count) in &mut entries {
                count.get_or_insert(1);
            }
        }
        let workers: usize = entries.iter().filter_map(|(_, count)| *count).sum();
        if workers > MOST {
            return Err(format!("`{text}` has {workers} workers: the limit is {MOST}"));
        }
        Ok(Self { entries })
    }
}

impl Serialize for DeviceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads where the text is at hand, so that what is wrong is told at its place.
struct Text;

impl serde::de::Visitor<'_> for Text {
    type Value = DeviceList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of devices, such as `\"wgpu:0,flex*2\"`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeviceList, E> {
        text.parse().map_err(E::custom)
    }
}

impl schemars::JsonSchema for DeviceList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeviceList".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let entry = r"(flex|(tch|wgpu|cuda)(:[0-9]+)?)( *\* *[0-9]+)?";
        schemars::json_schema!({
            "description": "Devices, one worker for each entry, such as `wgpu:0,wgpu:1,flex*2`.",
            "type": "string",
            "pattern": format!("^ *{entry} *(, *{entry} *)*$"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> DeviceList {
        text.parse().expect("a list of devices")
    }

    fn names(list: &[DeviceName]) -> Vec<String> {
        list.iter().map(DeviceName::to_string).collect()
    }

    #[test]
    fn every_entry_is_a_worker() {
        let mixed = list("wgpu:0, wgpu:1,flex*2,wgpu:0");
        let workers = mixed.of_workers(9);
        assert_eq!(names(&workers), ["wgpu:0", "wgpu:1", "flex", "flex", "wgpu:0"]);
        assert_eq!(names(&mixed.distinct()), ["wgpu:0", "wgpu:1", "flex"]);
        assert!(mixed.says_workers());
        assert_eq!(mixed.first().to_string(), "wgpu:0");
        assert_eq!(mixed.to_string(), "wgpu:0,wgpu:1,flex*2,wgpu:0");
        for text in ["flex", "flex*1", "flex*3", "tch,flex", "cuda:1"] {
            assert_eq!(
                (list(text).to_string(), list(&list(text).to_string())),
                (text.into(), list(text))
            );
        }
    }

    #[test]
    fn a_single_name_leaves_the_number_of_workers_open() {
        assert_eq!(list("flex"), DeviceList::default());
        for (text, workers) in
            [("flex", 4), ("tch", 4), ("wgpu", 1), ("tch:0", 1), ("cuda*2", 2), ("flex*3", 3)]
        {
            assert_eq!(list(text).of_workers(4).len(), workers, "{text}");
            assert_eq!(list(text).says_workers(), workers != 4, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (text, hint) in [
            ("", "empty entry"),
            ("flex,", "empty entry"),
            ("flex*", "1 to 4096"),
            ("flex*0", "`flex*2`"),
            ("flex*two", "`flex*2`"),
            ("flex*9999", "1 to 4096"),
            ("flex*4096,flex", "limit"),
            ("gpu*2", "no device `gpu`"),
            ("wgpu:0;flex", "names no card"),
            ("2*flex", "no device `2`"),
        ] {
            let error = text.parse::<DeviceList>().expect_err("nonsense");
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
