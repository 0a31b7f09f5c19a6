//! Rounds of judges that are broken off.

use super::*;
use crate::registry::{NewPart, Switch};

/// In the middle of the judging the pace is switched: the judges are taken back, what they said and what they were to
/// judge is thrown away and counted, and the new pace merges updates as ever.
#[test]
fn another_pace_leaves_nothing_of_the_judging_behind() {
    for said in 0..3 {
        let settings = pace::FedBoostSettings { clients: 3 };
        let parts = Parts {
            pace: PacePart::FedBoost(settings),
            weigh: vec![WeighPart::Uniform],
            ..Parts::default()
        };
        let mut play = Play::with(&parts, 6);
        play.on(Signal::Start);
        (0..3).for_each(|_| drop(play.end(0, true)));
        assert_eq!(
            (play.strategy.candidates.len(), play.invited.len()),
            (3, 3),
            "judges are asked"
        );
        (0..said).for_each(|_| drop(play.end(0, true)));
        let new = NewPart::Pace(PacePart::Synchronous(pace::Synchronous { clients: 3 }));
        let switch = Switch::new(&parts, new).expect("it goes with the others");
        let mut cx = Context {
            now: play.now,
            seeds: SeedTree::new(1),
            roster: &play.clients,
            promises: &mut play.promises,
        };
        let orders = play.strategy.switch(&switch, &Registry::default(), &mut cx).expect("built");
        let count = |is: fn(&Order) -> bool| orders.iter().filter(|order| is(order)).count();
        assert_eq!(count(|order| matches!(order, Order::Failed { .. })), 3);
        assert_eq!(count(|order| matches!(order, Order::Cancel { .. })), 3 - said);
        assert!(play.strategy.candidates.is_empty() && play.strategy.arrived.is_empty());
        play.invited.clear();
        play.invited.extend(orders.into_iter().filter_map(|order| match order {
            Order::Invite(invitation) => Some(*invitation),
            _ => None,
        }));
        assert_eq!((play.invited.len(), play.strategy.flights.len()), (3, 3));
        let published: Vec<Publication> = (0..3).flat_map(|_| play.end(0, true)).collect();
        assert_eq!(published.len(), 1);
        assert_eq!((published[0].model.len(), published[0].used.len()), (4, 3));
    }
}
