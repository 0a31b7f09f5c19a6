//! A check of what clients report against what the other clients report.

use super::norm::Excess;
use super::{Fault, Finding, Guard};
use crate::seams::{View, state_in_bytes};
use crate::update::{Arrival, Update};
use offbeat_kernel::ClientId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Figures beyond so many names are not followed: a client invents names for nothing.
const NAMES: usize = 64;

/// The scale of the median absolute deviation of a normal distribution: `1 / phi^-1(3/4)`.
const NORMAL: f64 = 1.4826;

/// A reported figure (samples, steps, losses and every further scalar) may be away from the median of what other
/// clients reported last by `deviations` of their scaled median absolute deviations, or by `ratio - 1` times the
/// median, whichever is more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelativeScalarsSettings {
    /// How many scaled median absolute deviations (1.4826 of them are a standard deviation where figures are
    /// normal) a figure may be away from the median, above 0.
    pub deviations: f64,
    /// A figure up to so many times the median is never far away, at least 1.
    pub ratio: f64,
    /// How many clients the median is of: those who reported last, each with its last figure; at least 1.
    pub window: usize,
    /// So many other clients have to be known before anybody is judged, at most `window`.
    pub warm_up: usize,
    /// What becomes of a figure that is further away: cut to the bound, or its update left out.
    pub excess: Excess,
}

impl Default for RelativeScalarsSettings {
    fn default() -> Self {
        Self { deviations: 6.0, ratio: 3.0, window: 100, warm_up: 5, excess: Excess::Clip }
    }
}

/// [`RelativeScalarsSettings`] at work. A client is held to the figures of others, each with one of its own, so
/// that nobody moves the bound by reporting often; as long as fewer than half of them lie, the median stays
/// between honest figures (Hampel 1974 for the median absolute deviation). What is followed is what was
/// reported, before it was cut. The samples of all that is merged together are known before any is judged;
/// the other figures become known one by one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RelativeScalars {
    settings: RelativeScalarsSettings,
    reported: BTreeMap<String, VecDeque<(ClientId, f64)>>,
}

/// The middle of `values`, which are at least one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        // Halves first: the sum of two large figures may be infinite.
        _ => 0.5 * values[middle - 1] + 0.5 * values[middle],
    }
}

impl RelativeScalars {
    /// A guard that knows no figures yet.
    pub fn new(settings: RelativeScalarsSettings) -> Self {
        Self { settings, reported: BTreeMap::new() }
    }

    /// The last figure of a client.
    fn follow(&mut self, name: &str, client: ClientId, value: f64) {
        if !value.is_finite() || (!self.reported.contains_key(name) && self.reported.len() >= NAMES)
        {
            return;
        }
        let figures = self.reported.entry(name.to_string()).or_default();
        figures.retain(|(own, _)| *own != client);
        if figures.len() >= self.settings.window.max(1) {
            figures.pop_front();
        }
        figures.push_back((client, value));
    }

    /// The least and the most that others let `client` report; nothing while too few are known.
    fn bounds(&self, name: &str, client: ClientId) -> Option<(f64, f64)> {
        let figures = self.reported.get(name)?.iter();
        let mut others: Vec<f64> =
            figures.filter(|(own, _)| *own != client).map(|(_, value)| *value).collect();
        if others.len() < self.settings.warm_up.max(1) {
            return None;
        }
        let middle = median(&mut others);
        others.iter_mut().for_each(|value| *value = (*value - middle).abs());
        let spread = NORMAL * median(&mut others);
        // Squares lie as far apart as the squares of what they are made of.
        let ratio = match name {
            SQUARED => self.settings.ratio * self.settings.ratio,
            _ => self.settings.ratio,
        };
        let away = (self.settings.deviations * spread).max((ratio - 1.0) * middle.abs());
        Some((middle - away, middle + away))
    }

    /// What is found of a figure, and what it counts as.
    fn judge(&self, name: &str, client: ClientId, value: f64) -> Option<(Finding, f64)> {
        let (least, most) = self.bounds(name, client)?;
        if (least..=most).contains(&value) {
            return None;
        }
        let fault = if name == SAMPLES { Fault::Samples } else { Fault::Scalar };
        let bound = value.clamp(least, most);
        let side = if value > most { "above" } else { "below" };
        let reason = format!("a {name} of {value:.4e} is far from others', {side} {bound:.4e}");
        Some(match self.settings.excess {
            Excess::Refuse => (Finding::refuse(fault, reason), value),
            Excess::Clip => (Finding::clip(fault, reason), bound),
        })
    }
}

const SAMPLES: &str = "number of samples";
const STEPS: &str = "number of steps";
const SQUARED: &str = "squared loss";

impl Guard for RelativeScalars {
    fn arrivals(&mut self, arrivals: &[Arrival], _: &View<'_>) {
        for arrival in arrivals {
            self.follow(SAMPLES, arrival.client, arrival.samples as f64);
        }
    }

    fn arrival(&mut self, arrival: &mut Arrival, _: &View<'_>) -> Option<Finding> {
        let (finding, bound) = self.judge(SAMPLES, arrival.client, arrival.samples as f64)?;
        arrival.samples = bound.round().max(0.0) as u64;
        Some(finding)
    }

    fn update(&mut self, update: &mut Update, _: &View<'_>) -> Option<Finding> {
        let client = update.arrival.client;
        let mut figures = vec![
            (STEPS.to_string(), update.steps as f64),
            ("loss".to_string(), update.loss),
            (SQUARED.to_string(), update.loss_squared),
        ];
        figures.extend(update.scalars.iter().map(|(name, value)| (name.clone(), *value)));
        let mut first = None;
        for (name, value) in figures {
            let found = self.judge(&name, client, value);
            self.follow(&name, client, value);
            let Some((finding, bound)) = found else { continue };
            match name.as_str() {
                STEPS => update.steps = bound.round().max(0.0) as u64,
                "loss" => update.loss = bound,
                SQUARED => update.loss_squared = bound,
                _ => {
                    update.scalars.insert(name, bound);
                }
            }
            first.get_or_insert(finding);
        }
        first
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Measure;
    use crate::select::testing::{World, arrival, update};

    fn part(excess: Excess) -> RelativeScalars {
        let settings =
            RelativeScalarsSettings { deviations: 2.0, ratio: 1.5, window: 5, warm_up: 3, excess };
        RelativeScalars::new(settings)
    }

    #[test]
    fn huge_figures_have_a_middle() {
        assert_eq!(median(&mut [1e308, 1.5e308]), 1.25e308);
        assert_eq!(median(&mut [3.0, 1.0, 4.0]), 3.0);
    }

    /// Others report 10, 20, 30: the median is 20, deviations are 10, 0, 10 with the median 10, so that 2 of
    /// them are 29.652; half of the median is less. 49 is near enough, 60 counts as 49.652, 50 samples.
    #[test]
    fn samples_by_hand() {
        let world = World::new(9);
        let mut part = part(Excess::Clip);
        let told = |samples: &[u64]| -> Vec<Arrival> {
            (0..).zip(samples).map(|(client, samples)| arrival(client, *samples, 0)).collect()
        };
        part.arrivals(&told(&[10, 20, 30]), &world.view());
        assert_eq!(part.arrival(&mut arrival(7, 49, 0), &world.view()), None);
        let mut liar = arrival(7, 60, 0);
        let found = part.arrival(&mut liar, &world.view()).expect("far away");
        assert_eq!((found.fault, found.measure), (Fault::Samples, Measure::Clipped));
        assert_eq!(liar.samples, 50);
        // It is not one of its own judges, and of the others too few are left.
        assert_eq!(part.arrival(&mut arrival(1, 60, 0), &world.view()), None);
    }

    /// All alike: the deviation is 0 and the ratio holds. Half above the median is let in, more is not.
    #[test]
    fn where_all_are_alike_the_ratio_holds() {
        let world = World::new(9);
        let mut part = part(Excess::Refuse);
        let mut judge = |client: u32, loss: f64, distance: f64| {
            let mut update = update(client, &[0.0], &[1.0]);
            (update.loss, update.loss_squared) = (loss, 1.0);
            update.scalars.insert("cosine_distance".into(), distance);
            let found = part.update(&mut update, &world.view());
            found.map(|found| (found.fault, found.measure, found.reason))
        };
        for client in 0..3 {
            assert_eq!(judge(client, 1.0, 0.1), None);
        }
        assert_eq!(judge(3, 1.5, 0.1), None);
        let (fault, measure, reason) = judge(4, 1.0, 2.0).expect("far away");
        assert_eq!((fault, measure), (Fault::Scalar, Measure::Refused));
        assert!(
            reason.contains("cosine_distance of 2") && reason.contains("above 1.5"),
            "{reason}"
        );
        assert!(judge(4, 9.0, 0.1).is_some());
        assert!(judge(5, 0.4, 0.1).is_some_and(|(_, _, reason)| reason.contains("below")));
    }

    #[test]
    fn one_client_that_reports_often_moves_nothing() {
        let world = World::new(9);
        let mut part = part(Excess::Clip);
        let mut judge = |client: u32, distance: f64| {
            let mut update = update(client, &[0.0], &[1.0]);
            update.scalars.insert("d".into(), distance);
            part.update(&mut update, &world.view());
            update.scalars["d"]
        };
        for client in 0..4 {
            judge(client, 1.0);
        }
        for _ in 0..50 {
            assert_eq!(judge(8, 100.0), 1.5);
        }
        assert_eq!(judge(5, 1.2), 1.2);
    }

    #[test]
    fn its_state_survives_a_snapshot() {
        let world = World::new(9);
        let mut first = part(Excess::Clip);
        first.arrivals(&[arrival(0, 9, 0), arrival(1, 9, 0), arrival(2, 9, 0)], &world.view());
        let mut restored = RelativeScalars::new(RelativeScalarsSettings::default());
        restored.restore(&first.save().expect("plain data")).expect("what was saved");
        let mut liar = arrival(3, 900, 0);
        assert!(restored.arrival(&mut liar, &world.view()).is_some());
        assert_eq!(liar.samples, 14);
    }
}
