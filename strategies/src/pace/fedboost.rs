//! Rounds in which clients judge each other's models before they are merged (FedBoosting, Ren et al. 2023).

use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings of [`FedBoost`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedBoostSettings {
    /// Clients in a round, at least 1. Each is sent the models of all: traffic grows with their square.
    pub clients: usize,
}

impl Default for FedBoostSettings {
    fn default() -> Self {
        Self { clients: 10 }
    }
}

/// Synchronous rounds of three phases: clients train; each is sent the models of all that answered and returns a loss
/// for each, on samples that it held back; the server merges. A client that is lost in the second phase has no say; its
/// own model counts by what the others say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FedBoost {
    settings: FedBoostSettings,
    /// The models of the round are with the judges.
    judging: bool,
}

impl FedBoost {
    /// The part.
    pub fn new(settings: FedBoostSettings) -> Self {
        Self { settings, judging: false }
    }
}

impl Pace for FedBoost {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        match signal {
            PaceSignal::Timer(_) => {}
            _ if !desk.flights.is_empty() => {}
            _ if std::mem::take(&mut self.judging) => desk.aggregate(desk.arrived_tasks()),
            _ if desk.arrived.is_empty() => desk.invite(self.settings.clients),
            _ => {
                self.judging = true;
                desk.judge(desk.arrived_tasks());
            }
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    #[test]
    fn trains_then_judges_then_merges() {
        let mut bench = Bench::new(FedBoost::new(FedBoostSettings { clients: 3 }), 9);
        bench.start().arrive(1).arrive(0);
        assert_eq!((bench.merged.len(), bench.working()), (0, vec![2]));
        bench.lose(2);
        assert_eq!((bench.merged.len(), bench.working()), (0, vec![0, 1]), "the judges");
        assert!(bench.assignment(0).is_judging());
        bench.arrive(0).arrive(1);
        assert_eq!((bench.merged.len(), bench.working()), (1, vec![0, 1, 2]));
        assert!(!bench.assignment(0).is_judging());
    }

    #[test]
    fn judges_that_are_lost_hold_nothing_up() {
        let mut bench = Bench::new(FedBoost::new(FedBoostSettings { clients: 2 }), 9);
        bench.start().arrive(0).arrive(1).lose(0).lose(1);
        assert_eq!((bench.merged.len(), bench.working()), (1, vec![0, 1]));
    }
}
