//! Every strategy that a scenario can come to.

use super::{ScenarioFile, StrategySection, SwitchPart};

impl ScenarioFile {
    /// The strategy as it is written, and as each switch of the timeline makes it, with the switch's entry.
    pub fn strategies(&self) -> Vec<(Option<usize>, StrategySection)> {
        let switched = self.timeline.iter().enumerate().filter_map(|(index, entry)| {
            Some((Some(index), self.strategy.switched(entry.switch.as_ref()?)))
        });
        std::iter::once((None, self.strategy.clone())).chain(switched).collect()
    }

    /// Whether a part that can ever be in use looks at public pictures.
    pub fn ever_looks_at_public(&self) -> bool {
        self.strategies().iter().any(|(_, strategy)| strategy.looks_at_public())
    }
}

impl StrategySection {
    /// The same with another part.
    pub(crate) fn switched(&self, switch: &SwitchPart) -> Self {
        let mut strategy = self.clone();
        match switch.clone() {
            SwitchPart::Select(part) => strategy.select = part,
            SwitchPart::Pace(part) => strategy.pace = part,
            SwitchPart::Group(part) => strategy.group = part,
            SwitchPart::Weigh(part) => strategy.weigh = part,
            SwitchPart::Combine(part) => strategy.combine = part,
        }
        strategy
    }
}
