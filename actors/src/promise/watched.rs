//! What edge servers' guards find in the answers of their clients. They stand at the book, since that is where values
//! are taken: what an edge server merges is computed, and judged, only when somebody takes its update.

use super::Book;
use super::joint::Merge;
use crate::ideal::Ideal;
use crate::record::Record;
use crate::tally::Tally;
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, SeedTree};
use offbeat_strategies::guard::{Guard, Incident, Measure, Watch};
use offbeat_strategies::seams::View;
use offbeat_strategies::{Arrival, Ledger, Roster, Update};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The guards of all edge servers, and what they have found since the driver last asked.
#[derive(Debug)]
pub(crate) struct Watches {
    /// By edge server.
    watches: Vec<Watch>,
    roster: Rc<dyn Roster>,
    seeds: SeedTree,
    /// Edge servers keep no book of what they have learnt of their clients.
    ledger: Ledger,
    busy: BTreeSet<ClientId>,
    found: Vec<Record>,
}

impl Default for Watches {
    /// Of a federation without edge servers.
    fn default() -> Self {
        Self::new(Vec::new(), Rc::new(Ideal::equal(Vec::new(), 0.0)), SeedTree::new(0))
    }
}

impl Watches {
    /// Edge server `e` asks `guards[e]`; where there is no such entry, nothing but what is always asked.
    /// `roster` knows the clients by the numbers that they have in a star.
    pub(crate) fn new(
        guards: Vec<Vec<Box<dyn Guard>>>,
        roster: Rc<dyn Roster>,
        seeds: SeedTree,
    ) -> Self {
        let watches = (0..).zip(guards).map(|(edge, own)| Watch::new(edge, own)).collect();
        let (ledger, busy, found) = (Ledger::default(), BTreeSet::new(), Vec::new());
        Self { watches, roster, seeds, ledger, busy, found }
    }

    /// Lets an edge server's guards work, and notes what they find.
    fn ask<T>(
        &mut self,
        merge: Merge,
        tally: &Tally,
        work: impl FnOnce(&mut Watch, &View<'_>, &mut dyn FnMut(Incident, String)) -> T,
    ) -> T {
        let Self { watches, roster, seeds, ledger, busy, found } = self;
        let Merge { edge, of, round, version, at } = merge;
        let (seeds, roster) = (*seeds, &**roster);
        let view = View { now: at, version, seeds, roster, ledger, busy };
        let mut note = |incident: Incident, reason: String| {
            tally.guarded_below(edge, &incident, &reason, at);
            found.push(Record::EdgeGuarded { at, edge, of, round, version, incident });
        };
        match watches.get_mut(edge as usize) {
            Some(watch) => work(watch, &view, &mut note),
            None => work(&mut Watch::new(edge, Vec::new()), &view, &mut note),
        }
    }

    /// What is let in of `batch`, as far as that is known before the values are.
    pub(super) fn arrivals(
        &mut self,
        merge: Merge,
        batch: Vec<Arrival>,
        tally: &Tally,
    ) -> Vec<Arrival> {
        self.ask(merge, tally, |watch, view, note| watch.arrivals(batch, view, note))
    }

    /// Judges an update with its values.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn update(
        &mut self,
        merge: Merge,
        update: &mut Update,
        tally: &Tally,
    ) -> Result<(), String> {
        let mut refused = String::from("refused");
        let let_in = self.ask(merge, tally, |watch, view, note| {
            watch.update(update, view, &mut |incident, reason| {
                if incident.measure == Measure::Refused {
                    refused = format!("{} of {}: {reason}", incident.task, incident.client);
                }
                note(incident, reason);
            })
        });
        if let_in { Ok(()) } else { Err(refused) }
    }

    /// What the guards of each edge server know.
    pub(super) fn save(&self) -> Result<Vec<Vec<Vec<u8>>>, CodecError> {
        // Every field by its name: one that is added and forgotten here does not compile. What was found is with the
        // driver between two events.
        let Self { watches, roster: _, seeds: _, ledger: _, busy: _, found: _ } = self;
        watches.iter().map(Watch::save).collect()
    }

    /// Puts back what [`Watches::save`] gave.
    pub(super) fn restore(&mut self, states: &[Vec<Vec<u8>>]) -> Result<(), CodecError> {
        let (own, kept) = (self.watches.len(), states.len());
        if own != kept {
            let told = format!("{own} edge servers have guards, and those of {kept} were saved");
            return Err(CodecError::Refused(told));
        }
        self.watches.iter_mut().zip(states).try_for_each(|(watch, state)| watch.restore(state))
    }
}

impl Book {
    /// Notes a finding about an answer that is no part of a merge.
    pub(crate) fn note_below(&self, merge: Merge, incident: Incident, reason: &str) {
        let mut inner = self.0.borrow_mut();
        let super::Inner { watches, tally, .. } = &mut *inner;
        watches.ask(merge, tally, |_, _, note| note(incident, reason.to_string()));
    }

    /// What the guards of edge servers have found since the last call, for the driver to record.
    pub(crate) fn take_found(&self) -> Vec<Record> {
        std::mem::take(&mut self.0.borrow_mut().watches.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::joint::{Joint, Part, let_in};
    use offbeat_kernel::{TaskId, Time, Version};
    use offbeat_learning::Flat;
    use offbeat_strategies::composed::Reply;
    use offbeat_strategies::guard::{Excess, Fault, Norm};
    use std::collections::BTreeMap;

    const MERGE: Merge =
        Merge { edge: 1, of: TaskId(5), round: 2, version: Version(7), at: Time::ZERO };

    fn part(client: u32, samples: u64) -> Part {
        let arrival = Arrival {
            task: TaskId(100 + u64::from(client)),
            client: ClientId(client),
            base_version: Version(7),
            samples,
            completeness: 1.0,
            invited: Time::ZERO,
            arrived: Time::ZERO,
            tag: 0,
        };
        Part { arrival, steps: 1 }
    }

    fn reply(params: &[f32]) -> Reply {
        let (scalars, extras) = (BTreeMap::new(), BTreeMap::new());
        let params = Flat::new(params.to_vec());
        Reply { params, steps: 1, loss: 1.0, loss_squared: 1.0, scalars, extras, payload: None }
    }

    /// From (1, 1) the clients go (3, 4), (0, 2), and nowhere; 2.5 are allowed. The first change of norm 5 counts
    /// half, the third client is left out: 1 + (3 * 1.5 + 1 * 0) / 4 and 1 + (3 * 2 + 1 * 2) / 4.
    #[test]
    fn a_merge_behind_guards_by_hand() {
        let clip: Box<dyn Guard> = Box::new(Norm { most: 2.5, excess: Excess::Clip });
        let roster = Rc::new(Ideal::equal(vec![3, 1, 4], 0.0));
        let mut watches = Watches::new(vec![Vec::new(), vec![clip]], roster, SeedTree::new(0));
        let tally = Tally::default();
        let joint = Joint {
            merge: MERGE,
            base: Flat::new(vec![1.0, 1.0]),
            parts: vec![part(0, 3), part(1, 1), part(2, 4)],
            steps_before: 0,
            loss_before: (0.0, 0.0),
        };
        let replies = [reply(&[4.0, 5.0]), reply(&[1.0, 3.0]), reply(&[f32::NAN, 1.0])];
        let merged = joint.merge(|part| {
            let mut update = joint.update(part, replies[part.arrival.client.index()].clone());
            watches.update(joint.merge, &mut update, &tally).map(|()| let_in(update))
        });
        assert_eq!(merged.expect("two are let in").params.to_vec(), [2.125, 3.0]);
        let found: Vec<_> = watches
            .found
            .iter()
            .map(|record| match record {
                Record::EdgeGuarded { edge, of, round, version, incident, .. } => {
                    assert_eq!((*edge, *of, *round, version.0), (1, TaskId(5), 2, 7));
                    (incident.client.0, incident.fault, incident.measure)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let refused = (2, Fault::NotFinite, Measure::Refused);
        assert_eq!(found, [(0, Fault::Norm, Measure::Clipped), refused]);
        assert_eq!(tally.counts().below.refused, 1);
        // Edge server 0 has no guards, and lets the same change in as it is.
        let mut update = joint.update(&joint.parts[0], replies[0].clone());
        let other = Merge { edge: 0, ..MERGE };
        assert_eq!(watches.update(other, &mut update, &tally), Ok(()));
        assert_eq!(update.params.to_vec(), [4.0, 5.0]);
    }
}
