//! The parts by name: what a scenario may write under `[strategy]`, and what is built from it.
//!
//! The enums are the schema: kebab-case names, parts without settings as strings, the others as tables
//! (`[strategy.pace.buffered]`), every setting with the default of its paper. A part of one's own is
//! `custom = { name = "...", numbers = { ... } }` and is made by what [`Registry`] holds under that name.

mod build;
mod catalogue;
mod check;
mod checker;
mod conflict;
mod parts;
mod private;
mod switch;

pub use build::{Registry, SCRIPT, Shelf, guards};
pub use catalogue::{Entry, Seam, catalogue};
pub use conflict::Conflict;
pub use parts::{
    CombinePart, CompanionPart, Custom, GroupPart, GuardPart, PacePart, RefinePart, SelectPart,
    WeighPart,
};
pub use switch::{NewPart, Switch};

use crate::privacy::Privacy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parts of a strategy by name: FedAvg with ten clients a round where nothing is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Parts {
    /// Whom to invite.
    pub select: SelectPart,
    /// When to aggregate.
    pub pace: PacePart,
    /// Which updates are let in, beside what is always refused; asked in this order.
    pub guard: Vec<GuardPart>,
    /// Which updates belong together.
    pub group: GroupPart,
    /// How much each update counts: the product of all; all the same when empty.
    pub weigh: Vec<WeighPart>,
    /// How updates are merged.
    pub combine: CombinePart,
    /// What the server learns afterwards.
    pub refine: RefinePart,
    /// The server's side of the objective.
    pub companion: CompanionPart,
    /// What protects the clients' data.
    pub privacy: Privacy,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            select: SelectPart::default(),
            pace: PacePart::default(),
            guard: Vec::new(),
            group: GroupPart::default(),
            weigh: vec![WeighPart::Samples],
            combine: CombinePart::default(),
            refine: RefinePart::default(),
            companion: CompanionPart::default(),
            privacy: Privacy::default(),
        }
    }
}
