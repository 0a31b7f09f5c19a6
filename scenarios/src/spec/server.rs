//! `[server]`: the server's own link.

use offbeat_actors::network::ServerLink;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The server's own link. Transfers that are under way at the same time share it fairly (max-min), each
/// limited by its client's own link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    /// From the clients to the server, in Mbit/s (10^6 bit/s); never the bottleneck when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-6, max = 1e9))]
    pub up_mbps: Option<f64>,
    /// From the server to the clients, in Mbit/s (10^6 bit/s); never the bottleneck when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-6, max = 1e9))]
    pub down_mbps: Option<f64>,
    /// Every so many versions the server stores what it knows where a crash does not reach it, at
    /// least 1.
    pub durable_every_versions: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self { up_mbps: None, down_mbps: None, durable_every_versions: 1 }
    }
}

impl ServerSection {
    /// The limits in bits a second.
    pub fn link(&self) -> ServerLink {
        let bits = |mbps: f64| ((mbps * 1e6).round() as u64).max(1);
        ServerLink { down: self.down_mbps.map(bits), up: self.up_mbps.map(bits) }
    }
}
