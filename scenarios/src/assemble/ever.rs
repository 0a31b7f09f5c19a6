//! What any strategy needs that the run can ever have: the one it begins with, the scenario's, and those that its
//! timeline or its script switches to.

use crate::script;
use crate::spec::{ScenarioFile, StrategySection};
use offbeat_strategies::registry::{CombinePart, WeighPart};

/// What scenarios call the part that needs measured distances.
const COSINE_DISTANCE: &str = "cosine-distance";

/// What has to be at hand from the beginning.
pub(super) struct Ever {
    /// Clients measure how far training moved their answers.
    pub(super) cosine_distance: bool,
    /// The server may train on samples of its own.
    pub(super) root: bool,
}

impl Ever {
    /// Of a scenario that goes on from a run that began with `begun_with`.
    pub(super) fn of(sections: &ScenarioFile, begun_with: Option<&StrategySection>) -> Self {
        let own = sections.strategies().into_iter().map(|(_, strategy)| strategy);
        let all: Vec<StrategySection> = own.chain(begun_with.cloned()).collect();
        let measures = |part: &WeighPart| matches!(part, WeighPart::CosineDistance(_));
        let trusts = |all: &StrategySection| matches!(all.combine, CombinePart::FlTrust(_));
        // A script that never says the name is refused such a switch, so that no other pays for measuring.
        let said = sections.script.as_ref().is_some_and(|own| script::says(own, COSINE_DISTANCE));
        Self {
            cosine_distance: said || all.iter().any(|strategy| strategy.weigh.iter().any(measures)),
            // What a script switches to is not known before.
            root: sections.script.is_some() || all.iter().any(trusts),
        }
    }
}
