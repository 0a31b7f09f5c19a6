//! `[topology]`: who is connected to whom.

use offbeat_actors::{EdgeRules, Wait};
use offbeat_kernel::Span;
use offbeat_kernel::hardship::{Availability, DeviceSpec, HardshipSpec, Interruption, LinkSpec};
use offbeat_strategies::registry::GuardPart;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Who is connected to whom.
#[expect(clippy::large_enum_variant, reason = "a scenario has one")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TopologySection {
    /// All clients are the server's own.
    #[default]
    Star,
    /// Edge servers stand between the server and the clients: each merges its own clients' updates by
    /// their samples, and is a client of the server. The strategy chooses among edge servers.
    Tree(TreeSection),
}

/// Edge servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeSection {
    /// How many edge servers there are.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub edges: u32,
    /// Which clients belong to which edge server.
    #[serde(default)]
    pub assign: Assign,
    /// How often an edge server merges updates of its clients before it answers the server.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000))]
    pub edge_rounds: u32,
    /// How many of its clients an edge server invites for each of these rounds, drawn uniformly among
    /// those who are there; all who are there when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000), example = 5)]
    pub clients: Option<u32>,
    /// What an edge server waits for before it merges; clients that still work are told to stop.
    #[serde(default)]
    pub wait: WaitRule,
    /// Which answers of their clients edge servers let in, beside what is always refused: asked in this order, as
    /// those of `strategy.guard`, which judge what edge servers send. Each edge server knows only its own clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard: Vec<GuardPart>,
    /// How fast edge servers merge, and how much they can hold.
    #[serde(default)]
    pub device: DeviceSpec,
    /// Their links to the server. Between them and their clients, the clients' own links count.
    #[serde(default)]
    pub link: LinkSpec,
    /// When they can reach the server. Their clients can reach them all the time.
    #[serde(default)]
    pub availability: Availability,
    /// What becomes of a message between server and edge server that an absence interrupts.
    #[serde(default = "paused")]
    pub interruption: Interruption,
}

/// Which clients belong to which edge server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Assign {
    /// Clients with consecutive ids, the same number for each edge server or one more.
    #[default]
    Blocks,
    /// Client `c` belongs to edge server `c mod edges`.
    InTurn,
    /// Each population group has an edge server of its own, in the order of the file; clients of no
    /// group belong to the last edge server.
    ByGroup,
    /// A camera, or whoever else has persons of its own, belongs to the edge server of its data set, in the
    /// order of the data sets. For data of persons.
    ByDomain,
    /// Listed in a file.
    File {
        /// A text file with the number of an edge server, from 0, for each client, one a line. A relative
        /// path counts from the scenario file's folder.
        path: PathBuf,
    },
}

/// What an edge server waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WaitRule {
    /// Until each of the invited clients has answered or is lost.
    #[default]
    All,
    /// No longer than some time; if nobody has answered by then, until one has.
    Deadline {
        /// Virtual seconds after the invitations, above 0.
        seconds: f64,
    },
    /// Until some of the invited clients have answered.
    Share {
        /// Share of the invited, above 0 and at most 1.
        of_invited: f64,
    },
}

fn one() -> u32 {
    1
}

fn paused() -> Interruption {
    Interruption::Paused
}

impl TopologySection {
    /// How many clients the server has of its own, in a federation of `clients` clients.
    pub fn clients_of_server(&self, clients: u32) -> u32 {
        self.tree().map_or(clients, |tree| tree.edges)
    }

    /// The edge servers, if there are any.
    pub fn tree(&self) -> Option<&TreeSection> {
        match self {
            TopologySection::Star => None,
            TopologySection::Tree(tree) => Some(tree),
        }
    }
}

impl TreeSection {
    /// What edge servers do.
    pub fn rules(&self) -> EdgeRules {
        let wait = match self.wait {
            WaitRule::All => Wait::All,
            WaitRule::Deadline { seconds } => Wait::Deadline(Span::from_seconds(seconds)),
            WaitRule::Share { of_invited } => Wait::Share(of_invited),
        };
        EdgeRules { rounds: self.edge_rounds, clients: self.clients, wait }
    }

    /// What edge servers suffer.
    pub fn hardship(&self) -> HardshipSpec {
        HardshipSpec {
            device: self.device.clone(),
            link: self.link.clone(),
            availability: self.availability.clone(),
            interruption: self.interruption,
            ..HardshipSpec::default()
        }
    }
}
