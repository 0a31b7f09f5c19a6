//! A check of what clients report beside their parameters.

use super::{Fault, Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::{Arrival, Update};
use offbeat_learning::reid::COSINE_DISTANCE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Refuses answers whose scalars cannot be right: another number of samples than the client registered,
/// a share of work outside `(0, 1]`, a negative loss, a cosine distance outside `[0, 2]`. A cosine
/// distance inside its range may still be a lie; `most_cosine_distance` caps what anybody can claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scalars {
    /// More samples than this count as so many, at least 1; no cap when left out.
    pub most_samples: Option<u64>,
    /// A larger cosine distance counts as this, above 0 and at most 2; no cap when left out.
    pub most_cosine_distance: Option<f64>,
}

impl Guard for Scalars {
    fn arrival(&mut self, arrival: &mut Arrival, view: &View<'_>) -> Option<Finding> {
        let (told, known) = (arrival.samples, view.roster.samples(arrival.client));
        if told != known {
            let reason = format!("reports {told} samples, but registered {known}");
            return Some(Finding::refuse(Fault::Samples, reason));
        }
        if !(arrival.completeness > 0.0 && arrival.completeness <= 1.0) {
            let reason = format!("reports a completeness of {}", arrival.completeness);
            return Some(Finding::refuse(Fault::Scalar, reason));
        }
        let most = self.most_samples.filter(|most| told > *most)?;
        arrival.samples = most;
        Some(Finding::clip(Fault::Samples, format!("{told} samples count as {most}")))
    }

    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let squared = update.loss_squared;
        if update.loss < 0.0 || squared < 0.0 {
            let reason = format!("reports a loss of {} and {squared} squared", update.loss);
            return Some(Finding::refuse(Fault::Scalar, reason));
        }
        let told = update.scalars.get_mut(COSINE_DISTANCE)?;
        if !(0.0..=2.0).contains(told) {
            let reason = format!("reports a cosine distance of {told}, outside 0 to 2");
            return Some(Finding::refuse(Fault::Scalar, reason));
        }
        let most = self.most_cosine_distance.filter(|most| *told > *most)?;
        let reason = format!("a cosine distance of {told} counts as {most}");
        *told = most;
        Some(Finding::clip(Fault::Scalar, reason))
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Measure;
    use crate::select::testing::{World, arrival, update};

    #[test]
    fn samples_by_hand() {
        let mut world = World::new(2);
        world.samples = vec![40, 5];
        let mut part = Scalars { most_samples: Some(10), ..Scalars::default() };
        let mut honest = arrival(1, 5, 0);
        assert_eq!(part.arrival(&mut honest, &world.view()), None);
        let mut large = arrival(0, 40, 0);
        let found = part.arrival(&mut large, &world.view()).expect("above the cap");
        assert_eq!((found.fault, found.measure), (Fault::Samples, Measure::Clipped));
        assert_eq!(large.samples, 10);
        let mut liar = arrival(1, 5000, 0);
        let found = part.arrival(&mut liar, &world.view()).expect("not what was registered");
        assert_eq!((found.fault, found.measure), (Fault::Samples, Measure::Refused));
        let mut idle = arrival(1, 5, 0);
        idle.completeness = 1.5;
        assert!(part.arrival(&mut idle, &world.view()).is_some());
    }

    #[test]
    fn cosine_distances_and_losses_by_hand() {
        let world = World::new(1);
        let mut part = Scalars { most_cosine_distance: Some(0.5), ..Scalars::default() };
        let mut judge = |distance: f64, loss: f64| {
            let mut update = update(0, &[0.0], &[1.0]);
            update.loss = loss;
            update.scalars.insert(COSINE_DISTANCE.into(), distance);
            let found = part.update(&mut update, &world.view());
            (found.map(|f| f.measure), update.scalars[COSINE_DISTANCE])
        };
        assert_eq!(judge(0.25, 1.0), (None, 0.25));
        assert_eq!(judge(1.75, 1.0), (Some(Measure::Clipped), 0.5));
        assert_eq!(judge(2.5, 1.0), (Some(Measure::Refused), 2.5));
        assert_eq!(judge(-0.1, 1.0), (Some(Measure::Refused), -0.1));
        assert_eq!(judge(0.25, -1.0), (Some(Measure::Refused), 0.25));
    }
}
