//! Over-selection (Bonawitz et al. 2019): invite more than are needed, take the first.

use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use crate::signal::Assignment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Invites `ceil(factor * clients)`, aggregates the first `clients` updates and takes the other
/// invitations back. The work is speculative: what is taken back is never computed.
///
/// When too many are lost, the round closes with what came once nobody is at work any more; when nothing
/// came, it starts again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OverSelection {
    /// Updates in a round, at least 1.
    pub clients: usize,
    /// Invitations for each update that is needed, at least 1; 1.3 in the paper's system.
    pub factor: f64,
}

impl Default for OverSelection {
    fn default() -> Self {
        Self { clients: 10, factor: 1.3 }
    }
}

impl OverSelection {
    /// How many are invited. A product that misses a whole number by rounding alone is that number.
    fn invitations(&self) -> usize {
        ((self.factor * self.clients as f64) - 1e-9).ceil().max(self.clients as f64) as usize
    }
}

impl Pace for OverSelection {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        if matches!(signal, PaceSignal::Timer(_)) {
            return;
        }
        let (waiting, came) = (!desk.flights.is_empty(), desk.arrived.len());
        if came >= self.clients || (!waiting && came > 0) {
            let first = desk.arrived_tasks().into_iter().take(self.clients).collect();
            desk.cancel_all();
            desk.aggregate(first);
        } else if !waiting {
            let speculative = Assignment { speculative: true, ..Assignment::default() };
            desk.invite_with(self.invitations(), speculative);
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;

    #[test]
    fn the_first_count_and_the_rest_is_cancelled() {
        let mut bench = Bench::new(OverSelection { clients: 3, factor: 1.3 }, 9);
        bench.start();
        assert_eq!(bench.working(), [0, 1, 2, 3], "ceil(3.9) are invited");
        assert!(bench.assignment(0).speculative);
        bench.arrive(3).arrive(1);
        assert!(bench.merged.is_empty());
        bench.arrive(2);
        assert_eq!(bench.merged, [(vec![3, 1, 2], 0)]);
        assert_eq!(bench.cancelled, [0]);
        assert_eq!(bench.working(), [0, 1, 2, 3]);
    }

    #[test]
    fn invitations_are_not_fooled_by_rounding() {
        // 1.1 * 100 is 110.00000000000001 in f64.
        assert_eq!(OverSelection { clients: 100, factor: 1.1 }.invitations(), 110);
        assert_eq!(OverSelection { clients: 10, factor: 1.3 }.invitations(), 13);
        assert_eq!(OverSelection { clients: 10, factor: 1.31 }.invitations(), 14);
    }

    #[test]
    fn losses_close_the_round_early_or_start_it_again() {
        let mut bench = Bench::new(OverSelection { clients: 2, factor: 1.5 }, 3);
        bench.start().lose(0).arrive(1).lose(2);
        assert_eq!(bench.merged, [(vec![1], 0)]);
        bench.lose(0).lose(1).lose(2);
        assert_eq!((bench.merged.len(), bench.working()), (1, vec![0, 1, 2]));
    }
}
