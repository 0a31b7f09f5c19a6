//! `[tap]`: somebody who listens to the clients' links.

use offbeat_actors::tap::TapRules;
use offbeat_kernel::{ClientId, Version};
use offbeat_learning::leakage::Attack;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An honest but curious listener on the clients' links, such as the server itself: it changes nothing, and looks for
/// the samples behind the updates as they travel, after codec, noise and clipping. For images from 0 to 1 and the
/// networks `softmax`, `mlp` with one hidden layer, and `lenet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TapSection {
    /// The attack.
    pub attack: Attack,
    /// Whose updates, by number; everybody's when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<u32>,
    /// Only updates that started from this version of the model or a later one.
    #[serde(default)]
    pub from_version: u64,
    /// How many updates are attacked, the first that travel.
    #[serde(default = "one")]
    pub updates: usize,
}

fn one() -> usize {
    1
}

impl TapSection {
    /// The rules for the tap.
    pub fn rules(&self) -> TapRules {
        TapRules {
            attack: self.attack,
            clients: self.clients.iter().map(|client| ClientId(*client)).collect(),
            from_version: Version(self.from_version),
            updates: self.updates,
        }
    }
}
