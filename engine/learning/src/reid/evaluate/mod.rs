//! How well features find persons again: cumulative matching characteristic and mean average precision.
//!
//! Source of the task: Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015, section 4.3;
//! its script's average precision is the trapezoid form.

mod rank;

use super::images::{Mark, Who};
use super::similarity::{products, unit_rows};
use crate::LearnError;
use rank::{Sort, ranks, standard, trapezoid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Queries that are scored against the whole gallery together: their scores are all that is held at a time
/// (32 x 20,000 scores are 2.6 MB).
const TOGETHER: usize = 32;

/// The ranks of the cumulative matching characteristic.
pub const CMC_RANKS: [usize; 3] = [1, 5, 10];

/// Features of pictures with their marks.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Row-major, one row a picture, `dims` columns.
    pub values: &'a [f32],
    /// Numbers in one row.
    pub dims: usize,
    /// Who is seen in each picture, and by which camera.
    pub marks: &'a [Mark],
}

/// How near two features are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// By the cosine of the angle between them; a feature that is zero is near to nothing.
    #[default]
    Cosine,
    /// By the Euclidean distance.
    Euclidean,
}

/// What a query counts that has no right picture in the gallery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unmatched {
    /// As a query that found nothing: sums are divided by all queries, as the benchmarks' scripts do.
    #[default]
    Miss,
    /// Nothing: sums are divided by the queries that have a right picture.
    LeaveOut,
}

/// The rules of an evaluation; the defaults are those of the benchmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetrievalOptions {
    /// How near two features are.
    pub distance: Distance,
    /// Whether pictures of the query's person by the query's camera are taken out of its ranking.
    pub exclude_same_camera: bool,
    /// What a query without a right picture counts.
    pub unmatched: Unmatched,
}

impl Default for RetrievalOptions {
    fn default() -> Self {
        let (distance, unmatched) = (Distance::Cosine, Unmatched::Miss);
        Self { distance, exclude_same_camera: true, unmatched }
    }
}

/// What a retrieval comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    /// Queries.
    pub queries: usize,
    /// Queries that have a right picture in the gallery.
    pub matched: usize,
    /// Share of queries with a right picture among the first 1, 5 and 10 ([`CMC_RANKS`]).
    pub cmc: [f64; 3],
    /// Mean average precision, trapezoid form: what published tables of Market-1501 and its kin show.
    pub map_trapezoid: f64,
    /// Mean average precision, standard form.
    pub map_standard: f64,
}

impl Retrieval {
    /// Joins retrievals of disjoint queries. `unmatched` must be what they were made with.
    pub fn merge<'a>(
        parts: impl IntoIterator<Item = &'a Retrieval>,
        unmatched: Unmatched,
    ) -> Retrieval {
        let mut sums = Retrieval::default();
        for part in parts {
            let divisor = part.divisor(unmatched);
            sums.queries += part.queries;
            sums.matched += part.matched;
            for (sum, share) in sums.cmc.iter_mut().zip(part.cmc) {
                *sum += share * divisor;
            }
            sums.map_trapezoid += part.map_trapezoid * divisor;
            sums.map_standard += part.map_standard * divisor;
        }
        sums.divided(unmatched)
    }

    fn divisor(&self, unmatched: Unmatched) -> f64 {
        match unmatched {
            Unmatched::Miss => self.queries as f64,
            Unmatched::LeaveOut => self.matched as f64,
        }
    }

    /// Adds a query whose right pictures stand at `ranks`.
    fn add(&mut self, ranks: &[u32]) {
        self.queries += 1;
        let Some(first) = ranks.first() else { return };
        self.matched += 1;
        for (sum, rank) in self.cmc.iter_mut().zip(CMC_RANKS) {
            *sum += f64::from((*first as usize) < rank);
        }
        self.map_trapezoid += trapezoid(ranks);
        self.map_standard += standard(ranks);
    }

    /// Sums over queries made means.
    fn divided(mut self, unmatched: Unmatched) -> Self {
        let divisor = self.divisor(unmatched);
        if divisor > 0.0 {
            self.cmc.iter_mut().for_each(|sum| *sum /= divisor);
            self.map_trapezoid /= divisor;
            self.map_standard /= divisor;
        }
        self
    }
}

/// Ranks the gallery for every query. Time is queries x gallery x dims; memory beyond the features is one
/// copy of them and the scores of 32 queries. Equal scores rank by place in the gallery.
///
/// # Errors
/// [`LearnError::Invalid`] when rows and marks do not fit; [`LearnError::NotFinite`] when a feature is not finite
/// (`step` is then its row).
pub fn retrieve(
    query: Features<'_>,
    gallery: Features<'_>,
    options: RetrievalOptions,
) -> Result<Retrieval, LearnError> {
    check("query", query, gallery.dims)?;
    check("gallery", gallery, query.dims)?;
    let dims = query.dims;
    let scored = Scored::new(query, gallery, options.distance);
    let mut sums = Retrieval::default();
    let mut scores = vec![0.0; TOGETHER * gallery.marks.len()];
    let blocks = scored.query.chunks(TOGETHER * dims);
    for (block, marks) in blocks.zip(query.marks.chunks(TOGETHER)) {
        let scores = &mut scores[..marks.len() * gallery.marks.len()];
        scored.scores(block, dims, scores);
        for (at, mark) in marks.iter().enumerate() {
            let row = &scores[at * gallery.marks.len()..(at + 1) * gallery.marks.len()];
            sums.add(&ranks(row, |place| sort(*mark, gallery.marks[place], options)));
        }
    }
    Ok(sums.divided(options.unmatched))
}

/// What a picture of the gallery is to a query.
fn sort(query: Mark, picture: Mark, options: RetrievalOptions) -> Sort {
    match picture.who {
        Who::Junk => Sort::Junk,
        Who::Distractor => Sort::Wrong,
        Who::Person(_) if picture.who != query.who => Sort::Wrong,
        Who::Person(_) if options.exclude_same_camera && picture.camera == query.camera => {
            Sort::Junk
        }
        Who::Person(_) => Sort::Right,
    }
}

/// Features made ready, so that a score is an inner product and an offset of the gallery's row.
struct Scored {
    query: Vec<f32>,
    gallery: Vec<f32>,
    /// Subtracted from the product: half the squared length for Euclidean distances, whose order it gives,
    /// since `-|q - g|^2 / 2 = q g - |g|^2 / 2 - |q|^2 / 2`.
    offsets: Vec<f32>,
}

impl Scored {
    fn new(query: Features<'_>, gallery: Features<'_>, distance: Distance) -> Self {
        let dims = gallery.dims;
        match distance {
            Distance::Cosine => Self {
                query: unit_rows(query.values, dims),
                gallery: unit_rows(gallery.values, dims),
                offsets: vec![0.0; gallery.marks.len()],
            },
            Distance::Euclidean => Self::euclidean(query.values, gallery.values, dims),
        }
    }

    /// Distances do not change when both sides are moved; about the gallery's mean, rounding is least.
    fn euclidean(query: &[f32], gallery: &[f32], dims: usize) -> Self {
        let mut mean = vec![0.0f64; dims];
        let rows = (gallery.len() / dims).max(1) as f64;
        for row in gallery.chunks_exact(dims) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x) / rows);
        }
        let centred = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks_exact(dims);
            rows.flat_map(|row| row.iter().zip(&mean).map(|(x, m)| (f64::from(*x) - m) as f32))
                .collect()
        };
        let gallery = centred(gallery);
        let half =
            |row: &[f32]| row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / 2.0;
        let offsets = gallery.chunks_exact(dims).map(|row| half(row) as f32).collect();
        Self { query: centred(query), gallery, offsets }
    }

    /// The higher, the nearer.
    fn scores(&self, block: &[f32], dims: usize, out: &mut [f32]) {
        products(block, &self.gallery, dims, out);
        for row in out.chunks_exact_mut(self.offsets.len().max(1)) {
            // Adding 0 makes -0 and 0 equal.
            row.iter_mut()
                .zip(&self.offsets)
                .for_each(|(score, offset)| *score = *score - offset + 0.0);
        }
    }
}

fn check(what: &'static str, features: Features<'_>, other_dims: usize) -> Result<(), LearnError> {
    let Features { values, dims, marks } = features;
    if dims == 0 || dims != other_dims || values.len() != marks.len() * dims {
        return Err(LearnError::Invalid(format!(
            "re-ID evaluation: {} numbers for {} {what} pictures of {dims} features each, {other_dims} on the \
             other side: give one row for every picture, of the same width on both sides",
            values.len(),
            marks.len()
        )));
    }
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(LearnError::NotFinite { what, step: at / dims }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
