//! Verification and open-set identification.
//!
//! Verification compares every query with every picture of the gallery: a pair is genuine when both show the same
//! person. A threshold on the similarity accepts a share of the genuine pairs (true accept rate, TAR) and of the
//! others (false accept rate, FAR); ISO/IEC 19795-1 has the terms. Open-set identification enrols every other person
//! of those in both query and gallery, in the order of their numbers; queries of the rest are strangers and should
//! raise no alarm.

use crate::LearnError;
use crate::reid::{Features, similarity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The false accept rates at which the true accept rate is reported.
pub const FALSE_ACCEPTS: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];

/// The shares of strangers that raise an alarm at which the rate of identification is reported.
pub const FALSE_ALARMS: [f64; 2] = [1e-1, 1e-2];

/// A rate is reported where at least so many errors are expected: with fewer, chance decides.
const ENOUGH: usize = 10;

/// Pairs that are compared at most; of more queries, evenly spread ones are taken.
const MOST_PAIRS: usize = 1 << 24;

/// Points of a curve in each factor of ten of the false accept rate.
const POINTS_PER_DECADE: usize = 6;

/// How well features tell whether two pictures show the same face.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaceFigures {
    /// Pairs of the same person.
    pub genuine: u64,
    /// Pairs of different persons.
    pub impostor: u64,
    /// True accept rate at each of [`FALSE_ACCEPTS`]; `None` where there are too few pairs to say.
    pub tar: [Option<f64>; 4],
    /// Equal error rate: where as many genuine pairs are rejected as others accepted; `None` without pairs of
    /// both kinds.
    pub eer: Option<f64>,
    /// False and true accept rates, the former ascending.
    pub roc: Vec<[f64; 2]>,
    /// Queries of persons that are enrolled.
    pub known: u64,
    /// Queries of persons that are not.
    pub strangers: u64,
    /// Share of the known that are most similar to the right person, whatever the threshold.
    pub known_rank_1: f64,
    /// Share of the known that are found first and above the threshold that lets each of [`FALSE_ALARMS`]
    /// strangers pass; `None` where there are too few strangers to say.
    pub identified: [Option<f64>; 2],
}

impl FaceFigures {
    /// Compares all queries with all pictures of the gallery by the cosine of their features. Junk and
    /// distractors are left out.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when rows and marks do not fit, [`LearnError::NotFinite`] for a feature that is not.
    pub fn new(query: Features<'_>, gallery: Features<'_>) -> Result<Self, LearnError> {
        let (query, gallery) = (Persons::of("query", query)?, Persons::of("gallery", gallery)?);
        let every = (query.of.len() * gallery.of.len()).div_ceil(MOST_PAIRS).max(1);
        let mut pairs = Pairs::default();
        let mut open = OpenSet::new(&query, &gallery);
        let mut scores = vec![0.0; gallery.of.len()];
        for row in (0..query.of.len()).step_by(every) {
            similarity::products(query.row(row), &gallery.unit, query.dims, &mut scores);
            let person = query.of[row];
            for (score, of) in scores.iter().zip(&gallery.of) {
                let side = if *of == person { &mut pairs.genuine } else { &mut pairs.impostor };
                side.push(*score);
            }
            open.add(person, &scores, &gallery.of);
        }
        let mut figures = pairs.figures();
        open.into_figures(&mut figures);
        Ok(figures)
    }

    /// The mean of several models' figures; `None` of none. A rate counts where all have it, the curve is that of
    /// the first.
    pub fn mean<'a>(all: impl IntoIterator<Item = &'a FaceFigures>) -> Option<FaceFigures> {
        let all: Vec<&FaceFigures> = all.into_iter().collect();
        let share = 1.0 / all.len().max(1) as f64;
        let rate = |of: &dyn Fn(&FaceFigures) -> Option<f64>| {
            all.iter().map(|one| of(one)).sum::<Option<f64>>().map(|sum| sum * share)
        };
        let first = all.first()?;
        Some(FaceFigures {
            tar: std::array::from_fn(|place| rate(&|f| f.tar[place])),
            identified: std::array::from_fn(|place| rate(&|f| f.identified[place])),
            eer: rate(&|f| f.eer),
            known_rank_1: share * all.iter().map(|f| f.known_rank_1).sum::<f64>(),
            ..(*first).clone()
        })
    }
}

/// Features of length 1, with the person in each picture.
struct Persons {
    unit: Vec<f32>,
    dims: usize,
    of: Vec<u32>,
}

impl Persons {
    fn of(what: &'static str, features: Features<'_>) -> Result<Self, LearnError> {
        let Features { values, dims, marks } = features;
        if dims == 0 || values.len() != marks.len() * dims {
            return Err(LearnError::Invalid(format!(
                "faces: {} numbers for {} {what} pictures of {dims} features each; give one row for every picture",
                values.len(),
                marks.len()
            )));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(LearnError::NotFinite { what, step: at / dims });
        }
        let (mut kept, mut of) = (Vec::with_capacity(values.len()), Vec::new());
        for (row, mark) in values.chunks_exact(dims).zip(marks) {
            if let Some(person) = mark.person() {
                kept.extend_from_slice(row);
                of.push(person);
            }
        }
        Ok(Self { unit: similarity::unit_rows(&kept, dims), dims, of })
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.unit[row * self.dims..(row + 1) * self.dims]
    }
}

/// Similarities of pairs.
#[derive(Default)]
struct Pairs {
    genuine: Vec<f32>,
    impostor: Vec<f32>,
}

impl Pairs {
    fn figures(mut self) -> FaceFigures {
        descending(&mut self.genuine);
        descending(&mut self.impostor);
        let mut figures = FaceFigures {
            genuine: self.genuine.len() as u64,
            impostor: self.impostor.len() as u64,
            ..FaceFigures::default()
        };
        if self.genuine.is_empty() || self.impostor.is_empty() {
            return figures;
        }
        let enough = ENOUGH as f64 / self.impostor.len() as f64;
        let tar = |far: f64| (far >= enough).then(|| self.true_accepts(far));
        figures.tar = FALSE_ACCEPTS.map(tar);
        figures.eer = Some(self.equal_error());
        let points = POINTS_PER_DECADE as i32;
        let rates = (-4 * points..=0).map(|step| 10f64.powf(f64::from(step) / f64::from(points)));
        figures.roc = rates.filter_map(|far| Some([far, tar(far)?])).collect();
        figures
    }

    /// The share of genuine pairs above the similarity that no more than a share `far` of the others exceed.
    fn true_accepts(&self, far: f64) -> f64 {
        let least = threshold(&self.impostor, far);
        above(&self.genuine, least) as f64 / self.genuine.len() as f64
    }

    /// Where the share of genuine pairs at or below a threshold meets that of the others above it: the mean of both at
    /// the threshold, among all similarities, where they are nearest.
    fn equal_error(&self) -> f64 {
        let mut thresholds = [&self.genuine[..], &self.impostor[..]].concat();
        thresholds.push(f32::NEG_INFINITY);
        descending(&mut thresholds);
        let rates = |place: usize| {
            let least = thresholds[place];
            let accepts = above(&self.impostor, least) as f64 / self.impostor.len() as f64;
            let rejects = 1.0 - above(&self.genuine, least) as f64 / self.genuine.len() as f64;
            (accepts, rejects)
        };
        // The lower the threshold, the more of the others are accepted and the fewer genuine pairs rejected.
        let (mut low, mut high) = (0, thresholds.len() - 1);
        while low < high {
            let middle = (low + high) / 2;
            let (accepts, rejects) = rates(middle);
            if accepts >= rejects { high = middle } else { low = middle + 1 }
        }
        let (here, before) = (rates(low), rates(low.saturating_sub(1)));
        let gap = |(accepts, rejects): (f64, f64)| (accepts - rejects).abs();
        let (accepts, rejects) = if gap(here) <= gap(before) { here } else { before };
        (accepts + rejects) / 2.0
    }
}

/// The similarity that at most a share `rate` of `scores`, which fall, exceed.
fn threshold(scores: &[f32], rate: f64) -> f32 {
    let most = (rate * scores.len() as f64 + 1e-9) as usize;
    scores.get(most).copied().unwrap_or(f32::NEG_INFINITY)
}

/// How many of `scores`, which fall, are above `least`.
fn above(scores: &[f32], least: f32) -> usize {
    scores.partition_point(|score| *score > least)
}

fn descending(scores: &mut [f32]) {
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
}

/// Open-set identification under way.
struct OpenSet {
    enrolled: BTreeSet<u32>,
    /// Highest similarities of strangers.
    strangers: Vec<f32>,
    /// Highest similarities of known queries whose nearest picture is right.
    right: Vec<f32>,
    known: u64,
}

impl OpenSet {
    fn new(query: &Persons, gallery: &Persons) -> Self {
        let both: BTreeSet<u32> = gallery.of.iter().copied().collect();
        let searched: BTreeSet<u32> = query.of.iter().copied().collect();
        let both = both.intersection(&searched).copied();
        let enrolled = both.step_by(2).collect();
        Self { enrolled, strangers: Vec::new(), right: Vec::new(), known: 0 }
    }

    fn add(&mut self, person: u32, scores: &[f32], of: &[u32]) {
        let enrolled = scores.iter().zip(of).filter(|(_, of)| self.enrolled.contains(of));
        let best = enrolled.fold(None, |best: Option<(f32, u32)>, (score, of)| match best {
            Some((most, _)) if most >= *score => best,
            _ => Some((*score, *of)),
        });
        let Some((score, found)) = best else { return };
        if !self.enrolled.contains(&person) {
            self.strangers.push(score);
            return;
        }
        self.known += 1;
        if found == person {
            self.right.push(score);
        }
    }

    fn into_figures(mut self, figures: &mut FaceFigures) {
        descending(&mut self.strangers);
        descending(&mut self.right);
        (figures.known, figures.strangers) = (self.known, self.strangers.len() as u64);
        let known = self.known.max(1) as f64;
        figures.known_rank_1 = self.right.len() as f64 / known;
        let enough = ENOUGH as f64 / self.strangers.len().max(1) as f64;
        figures.identified = FALSE_ALARMS.map(|rate| {
            let told = rate >= enough && self.known > 0;
            told.then(|| above(&self.right, threshold(&self.strangers, rate)) as f64 / known)
        });
    }
}

#[cfg(test)]
mod tests;
