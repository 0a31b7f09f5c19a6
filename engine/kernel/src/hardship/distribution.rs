//! Named distributions: how any property of a client, a link or a task is spread.
//!
//! In a scenario a distribution is one externally tagged value, such as `{ constant = 1.0 }`,
//! `{ lognormal = { median = 6.1, sigma = 1.1 } }` or `"phones"`.

mod check;
mod closed;
#[cfg(test)]
mod tests;

pub(crate) use check::{above_zero, finite, not_negative, share, within};

use super::math::normal_cdf;
use crate::id::ClientId;
use crate::seed::Stream;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a number is spread over clients, tasks or messages. Units are those of the field it fills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same number.
    Constant(f64),
    /// Every number between two bounds alike.
    Uniform {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// The normal distribution; values below `min` are raised to `min`.
    Normal {
        /// The mean before `min` acts.
        mean: f64,
        /// The standard deviation before `min` acts.
        sd: f64,
        /// The smallest value, if there is one.
        #[serde(default)]
        min: Option<f64>,
    },
    /// exp(N(ln median, sigma²)).
    Lognormal {
        /// Half of the values lie below it.
        median: f64,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// One of several lognormal distributions, chosen by weight.
    LognormalMixture {
        /// The parts; their weights need not sum to one.
        parts: Vec<LognormalPart>,
    },
    /// Relative speed of phones, with median 1; the 95th percentile is 50 times the 5th.
    ///
    /// The reciprocal of milliseconds per inference, 0.596·LN(2.82, 0.575) + 0.404·LN(5.377, 0.489):
    /// phones with an accelerator and phones without, a fit to the times of 403 phones running
    /// MobileNet-V2 in AI-Benchmark (Ignatov et al. 2019).
    Phones,
    /// Pareto's heavy tail: P(value > x) = (scale/x)^shape.
    Pareto {
        /// The smallest value.
        scale: f64,
        /// The smaller, the heavier the tail; up to 1 the mean is infinite unless there is a cap.
        shape: f64,
        /// Larger values are lowered to it, if it is given.
        #[serde(default)]
        cap: Option<f64>,
    },
    /// The memoryless distribution of waiting times.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// P(value > x) = exp(−(x/scale)^shape).
    Weibull {
        /// 63 % of the values lie below it.
        scale: f64,
        /// Below 1 a heavier tail than the exponential, above 1 a lighter one.
        shape: f64,
    },
    /// Ranks 1 to `ranks` with probability proportional to rank^−exponent.
    Zipf {
        /// The largest value, at most a million.
        ranks: u32,
        /// Zero gives all ranks alike.
        exponent: f64,
    },
    /// One of a list of values.
    Choice {
        /// The values.
        values: Vec<f64>,
        /// How much each counts; left out, all count alike (the empirical distribution).
        #[serde(default)]
        weights: Vec<f64>,
    },
    /// A measured value for each client: client `c` has `values[c mod length]`.
    Trace {
        /// The values in the order of clients.
        values: Vec<f64>,
    },
}

/// One part of a [`Distribution::LognormalMixture`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LognormalPart {
    /// How often this part is chosen, relative to the others.
    pub weight: f64,
    /// Half of the part's values lie below it.
    pub median: f64,
    /// Standard deviation of the natural logarithm.
    pub sigma: f64,
}

/// [`Distribution::Phones`] as a mixture of speeds: the medians are the overall median time,
/// exp(3.389 242 825 381 173) ms, over the parts' median times exp(2.82) ms and exp(5.377) ms.
const PHONES: [LognormalPart; 2] = [
    LognormalPart { weight: 0.596, median: 1.766_928_671_260_772_4, sigma: 0.575 },
    LognormalPart { weight: 0.404, median: 0.137_002_353_479_534_95, sigma: 0.489 },
];

impl Distribution {
    /// One value.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Normal { .. } | Self::Lognormal { .. } => self.at_score(normal(stream)),
            Self::LognormalMixture { parts } => sample_mixture(parts, stream),
            Self::Phones => sample_mixture(&PHONES, stream),
            Self::Zipf { ranks, exponent } => sample_zipf(*ranks, *exponent, stream),
            _ => self.quantile(open_unit(stream)),
        }
    }

    /// The value of `client`: as [`Distribution::sample`], but a trace gives the client's own entry.
    pub fn sample_for(&self, client: ClientId, stream: &mut Stream) -> f64 {
        match self {
            Self::Trace { values } => of_trace(values, client),
            _ => self.sample(stream),
        }
    }

    /// The value that ranks where `score` ranks among standard normal values. This is how two
    /// properties are correlated: draw correlated scores, then look the values up (Gaussian copula).
    pub fn at_score(&self, score: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Normal { mean, sd, min } => {
                (mean + sd * score).max(min.unwrap_or(f64::NEG_INFINITY))
            }
            Self::Lognormal { median, sigma } => median * (sigma * score).exp(),
            _ => self.quantile(normal_cdf(score)),
        }
    }

    /// As [`Distribution::at_score`], but a trace gives the client's own entry.
    pub fn at_score_for(&self, client: ClientId, score: f64) -> f64 {
        match self {
            Self::Trace { values } => of_trace(values, client),
            _ => self.at_score(score),
        }
    }
}

/// A standard normal score.
pub(crate) fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}

/// A number strictly between 0 and 1.
pub(crate) fn open_unit(stream: &mut Stream) -> f64 {
    ((stream.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

fn of_trace(values: &[f64], client: ClientId) -> f64 {
    match values.len() {
        0 => 0.0,
        length => values[client.index() % length],
    }
}

fn sample_mixture(parts: &[LognormalPart], stream: &mut Stream) -> f64 {
    let total: f64 = parts.iter().map(|part| part.weight).sum();
    let mut left = open_unit(stream) * total;
    let score = normal(stream);
    for part in parts {
        left -= part.weight;
        if left < 0.0 {
            return part.median * (part.sigma * score).exp();
        }
    }
    parts.last().map_or(0.0, |part| part.median * (part.sigma * score).exp())
}

/// Rejection from the continuous envelope, in constant time; a rank of 1 where the parameters were
/// never checked.
fn sample_zipf(ranks: u32, exponent: f64, stream: &mut Stream) -> f64 {
    rand_distr::Zipf::new(f64::from(ranks), exponent).map_or(1.0, |zipf| zipf.sample(stream))
}
