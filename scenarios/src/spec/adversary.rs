//! `[[adversary]]`: clients that are hostile.

use offbeat_actors::adversary::Behaviour;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Some clients that are hostile in the same way. Who they are is drawn from the seed, apart from the
/// groups of `[population]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdversarySection {
    /// The share of all clients, from 0 to 1; either this or `count`. With 0 nobody is hostile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// How many clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What they do.
    pub behaviour: Behaviour,
    /// They are one attacker under many names, who sends the same under each.
    #[serde(default)]
    pub sybil: bool,
    /// They are honest before this version of the global model.
    #[serde(default)]
    pub from_version: u64,
}

impl AdversarySection {
    /// How many of `clients` are meant.
    pub fn size(&self, clients: u32) -> u32 {
        let share = |share: f64| (share * f64::from(clients)).round() as u32;
        self.count.or(self.share.map(share)).unwrap_or(0)
    }
}
