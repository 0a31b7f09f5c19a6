//! Label skew with one number: shares drawn from a Dirichlet distribution.
//!
//! By class over clients (default): M. Yurochkin et al., "Bayesian Nonparametric Federated Learning of Neural
//! Networks", ICML 2019, section 4. By client over classes (`balanced`): T.-M. H. Hsu, H. Qi, M. Brown, "Measuring the
//! Effects of Non-Identical Data Distribution for Federated Visual Classification", arXiv:1909.06335, section 3.

use super::apportion::ends;
use super::label_mix::{interleaved, with_replacement};
use super::pools::{by_label, samples_per_client};
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use rand::RngExt;
use rand_distr::{Gamma, Open01};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Label skew: small `alpha`, few labels a client; large `alpha`, close to iid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dirichlet {
    /// Concentration, above 0. Every class is given to the clients by shares from `Dir(alpha, .., alpha)`.
    pub alpha: f64,
    /// The whole draw is repeated until every client has as many samples.
    #[serde(default = "one")]
    pub min_samples: u32,
    /// How often it is drawn before that is given up.
    #[serde(default = "hundred")]
    pub attempts: u32,
    /// Instead: clients of equal size, each with a mix of labels from `Dir(alpha x share of each class)`
    /// scaled so that `alpha` counts for `classes` uniform classes as above.
    #[serde(default)]
    pub balanced: bool,
    /// With `balanced`: samples of each client, by default an equal share.
    #[serde(default)]
    pub samples: Option<u32>,
    /// With `balanced`: whether a sample may be drawn again, by the same client or another.
    #[serde(default)]
    pub replacement: bool,
    /// Whether clients without samples are fine (then `min_samples` does not count).
    #[serde(default)]
    pub allow_empty: bool,
}

fn one() -> u32 {
    1
}
fn hundred() -> u32 {
    100
}

impl Dirichlet {
    /// The usual draw with concentration `alpha`.
    pub fn new(alpha: f64) -> Self {
        Self {
            alpha,
            min_samples: one(),
            attempts: hundred(),
            balanced: false,
            samples: None,
            replacement: false,
            allow_empty: false,
        }
    }

    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        self.check(data, clients)?;
        if self.balanced {
            return self.split_balanced(data, clients, stream);
        }
        let least = if self.allow_empty { 0 } else { self.min_samples as usize };
        let mut smallest = 0;
        for _ in 0..self.attempts {
            let partition = self.draw(data, clients, stream);
            let size = partition.sizes().min().unwrap_or(0);
            if size >= least {
                return Ok(partition);
            }
            smallest = smallest.max(size);
        }
        Err(LearnError::Invalid(format!(
            "partition.dirichlet: in {} draws the smallest client never had more than {smallest} samples, wanted {least}: raise `alpha` ({}), lower `min_samples`, use fewer clients ({clients}), or set `allow_empty = true` or `balanced = true`",
            self.attempts, self.alpha
        )))
    }

    fn check(&self, data: &Dataset, clients: u32) -> Result<(), LearnError> {
        let complain =
            |reason: String| Err(LearnError::Invalid(format!("partition.dirichlet: {reason}")));
        if !self.alpha.is_finite() || self.alpha <= 0.0 {
            return complain(format!("`alpha` is {}, must be above 0 and finite", self.alpha));
        }
        if self.attempts == 0 {
            return complain("`attempts` must be at least 1".into());
        }
        if !self.balanced && (self.replacement || self.samples.is_some()) {
            return complain("`samples` and `replacement` need `balanced = true`".into());
        }
        let wanted = u64::from(self.min_samples) * u64::from(clients);
        if !self.balanced && !self.allow_empty && wanted > data.len() as u64 {
            return complain(format!(
                "{clients} clients with `min_samples = {}` need {wanted} samples, but there are {}: use fewer clients, lower `min_samples`, or set `balanced` and `replacement` to true",
                self.min_samples,
                data.len()
            ));
        }
        Ok(())
    }

    /// One draw of the whole partition.
    fn draw(&self, data: &Dataset, clients: u32, stream: &mut Stream) -> Partition {
        let mut owners = vec![0u32; data.len()];
        let concentration = vec![self.alpha; clients as usize];
        for pool in by_label(data, stream) {
            let shares = draw_shares(&concentration, stream);
            let mut client = 0;
            let ends = ends(pool.len() as u64, &shares);
            for (place, row) in pool.into_iter().enumerate() {
                while ends[client] <= place as u64 {
                    client += 1;
                }
                owners[row as usize] = client as u32;
            }
        }
        Partition::from_owners(&owners, clients)
    }

    fn split_balanced(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let samples = samples_per_client(self.samples, data, clients, self.replacement)?;
        let pools = by_label(data, stream);
        let scale = self.alpha * data.classes as f64 / data.len().max(1) as f64;
        let concentration: Vec<f64> = pools.iter().map(|pool| pool.len() as f64 * scale).collect();
        if self.replacement {
            let mix = |_: u32, stream: &mut Stream| draw_shares(&concentration, stream);
            return with_replacement(pools, clients, samples, mix, stream);
        }
        let mixes: Vec<Vec<f64>> =
            (0..clients).map(|_| draw_shares(&concentration, stream)).collect();
        // A client whose labels are used up takes what is left, in proportion to the classes.
        let fallback: Vec<f64> = pools.iter().map(|pool| pool.len() as f64).collect();
        interleaved(pools, &mixes, Some(&fallback), clients, samples, stream)
    }
}

/// Shares from a Dirichlet distribution. Gamma variates are drawn as logarithms (`Gamma(a) = Gamma(a + 1) U^(1/a)`),
/// because for small `alpha` all of them can underflow. A concentration of 0 gets a share of 0.
fn draw_shares(concentration: &[f64], stream: &mut Stream) -> Vec<f64> {
    let logs: Vec<f64> = concentration
        .iter()
        .map(|&a| {
            let gamma = Gamma::new(a + 1.0, 1.0).map_or(1.0, |law| stream.sample(law));
            let uniform: f64 = stream.sample(Open01);
            gamma.ln() + uniform.ln() / a
        })
        .collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut shares: Vec<f64> = if largest.is_finite() {
        logs.iter().map(|log| (log - largest).exp()).collect()
    } else {
        // Beyond double precision `alpha` is 0: one takes all.
        let mut shares = vec![0.0; logs.len()];
        let positive: Vec<usize> = (0..logs.len()).filter(|&i| concentration[i] > 0.0).collect();
        if !positive.is_empty() {
            shares[positive[stream.random_range(0..positive.len())]] = 1.0;
        }
        return shares;
    };
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    fn stream() -> Stream {
        SeedTree::new(1).stream(Purpose::Partition, 0, 0)
    }

    #[test]
    fn shares_have_the_moments_of_the_distribution() {
        let mut stream = stream();
        let concentration = [0.5, 1.5, 2.0];
        let draws: Vec<Vec<f64>> =
            (0..20_000).map(|_| draw_shares(&concentration, &mut stream)).collect();
        for (i, a) in concentration.iter().enumerate() {
            let mean = draws.iter().map(|d| d[i]).sum::<f64>() / draws.len() as f64;
            let square = draws.iter().map(|d| d[i] * d[i]).sum::<f64>() / draws.len() as f64;
            // Mean a/A and variance a(A-a)/(A^2(A+1)), A = 4; the bounds are five standard errors.
            let variance = a * (4.0 - a) / (16.0 * 5.0);
            assert!((mean - a / 4.0).abs() < 5.0 * (variance / 20_000.0).sqrt());
            assert!((square - mean * mean - variance).abs() < 0.003);
        }
    }

    #[test]
    fn tiny_concentrations_still_give_shares() {
        for alpha in [1e-3, 1e-10, 1e-300, 5e-324] {
            let shares = draw_shares(&[alpha; 5], &mut stream());
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{alpha}: {shares:?}");
        }
    }
}
