//! Rounds of questions and answers (FedIOD, Gong et al. 2024).

use crate::seams::{Desk, Pace, PaceSignal, state_in_bytes};
use serde::{Deserialize, Serialize};

/// Asks, waits for the answers, and asks again. At first it waits for all teachers; later a client whose training was
/// lost trains again while the others are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FedIod {
    /// The first teachers are there.
    begun: bool,
}

impl Pace for FedIod {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        let nobody = desk.flights.is_empty();
        let asked = desk.flights.values().any(|flight| !flight.assignment.is_teaching());
        self.begun |= nobody && !desk.arrived.is_empty();
        let wait = asked || !(nobody || self.begun && !desk.arrived.is_empty());
        if !wait && !matches!(signal, PaceSignal::Timer(_)) {
            desk.ask(desk.arrived_tasks());
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::testing::Bench;
    use crate::signal::Duty;

    #[test]
    fn waits_for_all_teachers_and_then_for_all_answers() {
        let mut bench = Bench::new(FedIod::default(), 3);
        bench.start();
        assert_eq!(bench.working(), [0, 1, 2]);
        assert!(bench.assignment(1).is_teaching());
        bench.arrive(2).arrive(0);
        assert_eq!(bench.merged.len(), 1, "one teacher is missing");
        bench.arrive(1);
        assert_eq!(bench.merged.last().expect("heard").0, [2, 0, 1]);
        assert_eq!(bench.assignment(0).duty(), Duty::Answer);
        bench.arrive(0).lose(1);
        assert_eq!(bench.merged.len(), 2);
        bench.arrive(2);
        assert_eq!(bench.merged.last().expect("heard").0, [0, 2]);
    }

    #[test]
    fn a_teacher_that_comes_late_holds_nobody_up() {
        let mut bench = Bench::new(FedIod::default(), 3);
        bench.start().arrive(0).lose(2).arrive(1);
        assert!(bench.assignment(2).is_teaching() && !bench.assignment(0).is_teaching());
        bench.arrive(0).arrive(1);
        assert_eq!(bench.merged.last().expect("heard").0, [0, 1], "client 2 still trains");
        bench.arrive(2).arrive(0).arrive(1);
        assert_eq!(bench.merged.last().expect("heard").0, [2, 0, 1]);
        assert_eq!(bench.assignment(2).duty(), Duty::Answer);
    }

    #[test]
    fn lost_answers_hold_nothing_up() {
        let mut bench = Bench::new(FedIod::default(), 2);
        bench.start().arrive(0).arrive(1).lose(0).lose(1);
        assert_eq!(bench.working(), [0, 1], "asked again");
    }
}
