//! Guards away from the strategy: those of an edge server, which merges answers before the server sees any.

use super::{Finding, Guard, Incident, admit, admit_arrival};
use crate::composed::place;
use crate::seams::View;
use crate::update::{Arrival, Update};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, TaskId};

/// The guards of one edge server, in the order in which they are asked; [`super::plausible()`] comes first and
/// always. Without any, that is all.
#[derive(Debug, Default)]
pub struct Watch {
    edge: u32,
    guards: Vec<Box<dyn Guard>>,
}

/// What is told of findings, with the reason in words.
type Note<'a> = &'a mut dyn FnMut(Incident, String);

impl Watch {
    /// Edge server `edge` with these guards.
    pub fn new(edge: u32, guards: Vec<Box<dyn Guard>>) -> Self {
        Self { edge, guards }
    }

    /// Judges all that is merged together, as far as it is known before the values are: gives what is let in, in
    /// the same order, and tells `note` of the rest and of what was cut. `view` is the edge server's.
    pub fn arrivals(
        &mut self,
        mut batch: Vec<Arrival>,
        view: &View<'_>,
        note: Note<'_>,
    ) -> Vec<Arrival> {
        let Self { edge, guards } = self;
        place::below(*edge, None, || {
            guards.iter_mut().for_each(|guard| guard.arrivals(&batch, view));
        });
        batch.retain_mut(|arrival| {
            let answer = (arrival.task, arrival.client);
            let mut told = |finding: Finding| tell(finding, answer, note);
            place::below(*edge, Some(answer), || admit_arrival(guards, arrival, view, &mut told))
        });
        batch
    }

    /// Judges an update with its values, and says whether it is let in.
    pub fn update(&mut self, update: &mut Update, view: &View<'_>, note: Note<'_>) -> bool {
        let answer = (update.arrival.task, update.arrival.client);
        let mut told = |finding: Finding| tell(finding, answer, note);
        let guards = &mut self.guards;
        place::below(self.edge, Some(answer), || admit(guards, update, view, &mut told))
    }

    /// What each guard knows, for a snapshot.
    ///
    /// # Errors
    /// When the state of a guard refuses to be serialised.
    pub fn save(&self) -> Result<Vec<Vec<u8>>, CodecError> {
        place::below(self.edge, None, || self.guards.iter().map(|guard| guard.save()).collect())
    }

    /// Puts back what [`Watch::save`] gave.
    ///
    /// # Errors
    /// When it is not the state of such guards.
    pub fn restore(&mut self, states: &[Vec<u8>]) -> Result<(), CodecError> {
        if states.len() != self.guards.len() {
            let (edge, own, kept) = (self.edge, self.guards.len(), states.len());
            let told = format!("edge server {edge} has {own} guards, and {kept} were saved");
            return Err(CodecError::Refused(told));
        }
        self.guards.iter_mut().zip(states).try_for_each(|(guard, state)| guard.restore(state))
    }
}

fn tell(finding: Finding, (task, client): (TaskId, ClientId), note: Note<'_>) {
    let Finding { fault, measure, reason } = finding;
    note(Incident { task, client, fault, measure }, reason);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Excess, Fault, Measure, Norm, RelativeNorm, RelativeNormSettings, Scalars};
    use crate::select::testing::{World, arrival, update};

    fn bound(most: f64) -> Box<dyn Guard> {
        Box::new(Norm { most, excess: Excess::Clip })
    }

    /// What is found of a change, and the change that is let in.
    fn judged(watch: &mut Watch, change: &[f32]) -> (Vec<(Fault, Measure)>, bool, Vec<f32>) {
        let world = World::new(9);
        let mut update = update(3, &vec![1.0; change.len()], change);
        update.params.add_scaled(1.0, &update.base);
        let mut found = Vec::new();
        let let_in = watch.update(&mut update, &world.view(), &mut |incident, reason| {
            assert!(incident.client == ClientId(3) && !reason.is_empty());
            found.push((incident.fault, incident.measure));
        });
        (found, let_in, update.delta().to_vec())
    }

    #[test]
    fn without_guards_only_what_is_no_update_is_refused() {
        let mut watch = Watch::default();
        assert_eq!(judged(&mut watch, &[3.0, 4.0]), (vec![], true, vec![3.0, 4.0]));
        let (found, let_in, _) = judged(&mut watch, &[f32::NAN, 4.0]);
        assert_eq!((found, let_in), (vec![(Fault::NotFinite, Measure::Refused)], false));
    }

    /// A guard that would clip what is not finite is not even asked.
    #[test]
    fn what_is_plausible_is_asked_first() {
        let mut watch = Watch::new(0, vec![bound(2.5)]);
        assert_eq!(
            judged(&mut watch, &[3.0, 4.0]),
            (vec![(Fault::Norm, Measure::Clipped)], true, vec![1.5, 2.0])
        );
        let (found, let_in, _) = judged(&mut watch, &[f32::INFINITY, 4.0]);
        assert_eq!((found, let_in), (vec![(Fault::NotFinite, Measure::Refused)], false));
    }

    #[test]
    fn arrivals_are_judged_together_and_keep_their_order() {
        let world = World::new(3);
        let mut watch = Watch::new(1, vec![Box::new(Scalars::default())]);
        let honest = |client| arrival(client, world.view().roster.samples(ClientId(client)), 0);
        let mut batch = vec![honest(0), arrival(1, 1_000_000, 0), honest(2), honest(2)];
        batch[3].completeness = f64::NAN;
        let mut found = Vec::new();
        let left = watch.arrivals(batch, &world.view(), &mut |incident, _| {
            found.push((incident.client.0, incident.fault));
        });
        let clients: Vec<u32> = left.iter().map(|arrival| arrival.client.0).collect();
        assert_eq!(clients, [0, 2]);
        assert_eq!(found, [(1, Fault::Samples), (2, Fault::NotFinite)]);
    }

    #[test]
    fn its_state_survives_a_snapshot_and_fits_no_other_guards() {
        let relative = || -> Box<dyn Guard> {
            let settings = RelativeNormSettings { warm_up: 1, ..RelativeNormSettings::default() };
            Box::new(RelativeNorm::new(settings))
        };
        let mut first = Watch::new(4, vec![bound(9.0), relative()]);
        judged(&mut first, &[2.0]);
        let saved = first.save().expect("plain data");
        let mut second = Watch::new(4, vec![bound(1.0), relative()]);
        second.restore(&saved).expect("what was saved");
        // 9 at most by the one guard, 3 times the median of 2 by the other.
        assert_eq!(judged(&mut second, &[50.0]).2, [6.0]);
        let error = Watch::new(4, vec![relative()]).restore(&saved).expect_err("one too few");
        assert!(error.to_string().contains("edge server 4 has 1 guards"), "{error}");
    }
}
