//! `[strategy]`: how the federation learns.

use crate::catalogue::Item;
use offbeat_strategies::Parts;
use offbeat_strategies::privacy::Privacy;
use offbeat_strategies::registry::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, RefinePart, SelectPart, WeighPart,
    catalogue,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the federation learns: one part for each seam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StrategySection {
    /// Whom to invite.
    pub select: SelectPart,
    /// For `select = "schedule"`: a text file with one line a round, the ids of its clients separated
    /// by commas or blanks. A relative path counts from the scenario file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_file: Option<PathBuf>,
    /// When to aggregate.
    pub pace: PacePart,
    /// Which updates are let in, beside what is always refused: asked in this order. In a tree they judge what
    /// edge servers send; what edge servers get from their clients, those of `topology.tree.guard` judge.
    pub guard: Vec<GuardPart>,
    /// Which updates belong together.
    pub group: GroupPart,
    /// How much each update counts: the product of all.
    pub weigh: Vec<WeighPart>,
    /// How updates are merged.
    pub combine: CombinePart,
    /// What the server learns afterwards.
    pub refine: RefinePart,
    /// The server's side of the objective.
    pub companion: CompanionPart,
    /// What protects the clients' data.
    #[serde(skip_serializing_if = "Privacy::is_none")]
    pub privacy: Privacy,
    /// What travels between clients and server.
    pub travel: Travel,
    /// What becomes of buffers, such as the running statistics of batch normalisation.
    #[serde(skip_serializing_if = "Buffers::is_usual")]
    pub buffers: Buffers,
}

/// What becomes of buffers, such as the running statistics of batch normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Buffers {
    /// The mean of the merged clients' own, by their weights; what a robust rule makes of them.
    #[default]
    Average,
    /// The server takes those of the merged client with the lowest id.
    First,
    /// Each client keeps its own (FedBN); needs `travel = "backbone"`.
    KeepLocal,
}

impl Buffers {
    fn is_usual(&self) -> bool {
        *self == Self::Average
    }
}

/// What travels between clients and server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Travel {
    /// All parameters (FedAvg).
    #[default]
    All,
    /// All but the head: every client keeps a head of its own, which never leaves it (FedPav).
    Backbone,
}

impl Default for StrategySection {
    fn default() -> Self {
        let Parts { select, pace, guard, group, weigh, combine, refine, companion, privacy } =
            Parts::default();
        Self {
            select,
            schedule_file: None,
            pace,
            guard,
            group,
            weigh,
            combine,
            refine,
            companion,
            privacy,
            travel: Travel::default(),
            buffers: Buffers::default(),
        }
    }
}

impl StrategySection {
    /// Whether a part looks at the public pictures.
    pub fn looks_at_public(&self) -> bool {
        self.parts().look_at_public()
    }

    /// The parts, as the registry builds them.
    pub fn parts(&self) -> Parts {
        Parts {
            select: self.select.clone(),
            pace: self.pace.clone(),
            guard: self.guard.clone(),
            group: self.group.clone(),
            weigh: self.weigh.clone(),
            combine: self.combine.clone(),
            refine: self.refine.clone(),
            companion: self.companion.clone(),
            privacy: self.privacy.clone(),
        }
    }
}

/// The parts of strategies with a line on each: `pace.buffered` and so on.
pub fn strategy_parts() -> Vec<Item> {
    let travel = [
        ("travel.all", "all parameters travel", "McMahan et al. 2017"),
        ("travel.backbone", "heads stay with their clients", "FedPav, Zhuang et al. 2020"),
    ];
    let parts = catalogue()
        .iter()
        .map(|part| (format!("{}.{}", part.seam, part.name), part.summary, part.source));
    let travel = travel.into_iter().map(|(name, about, source)| (name.to_string(), about, source));
    let item = |(name, about, source): (String, &str, &str)| match source {
        "" => Item { name, about: about.into() },
        source => Item { name, about: format!("{} ({source})", about.trim_end_matches('.')) },
    };
    parts.chain(travel).map(item).collect()
}
