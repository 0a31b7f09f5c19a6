//! Clients that draw their samples by given proportions of the labels.

use super::pools::{by_label, draw, samples_per_client};
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Client `i` draws its labels by `mixes[i mod n]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelMix {
    /// Kinds of clients: for each, one weight a class, 0 or more. They need not add up to 1.
    pub mixes: Vec<Vec<f64>>,
    /// Samples of each client; by default an equal share of the data.
    #[serde(default)]
    pub samples: Option<u32>,
    /// Whether a sample may be drawn again, by the same client or another. Without it, the weights of labels
    /// that are used up go to the others of the mix.
    #[serde(default)]
    pub replacement: bool,
    /// Whether clients without samples are fine.
    #[serde(default)]
    pub allow_empty: bool,
}

impl LabelMix {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        self.check(data)?;
        let samples = samples_per_client(self.samples, data, clients, self.replacement)?;
        let pools = by_label(data, stream);
        if self.replacement {
            let mix = |client: u32, _: &mut Stream| {
                self.mixes[client as usize % self.mixes.len()].clone()
            };
            return with_replacement(pools, clients, samples, mix, stream);
        }
        interleaved(pools, &self.mixes, None, clients, samples, stream)
    }

    fn check(&self, data: &Dataset) -> Result<(), LearnError> {
        let complain =
            |reason: String| Err(LearnError::Invalid(format!("partition.label-mix: {reason}")));
        if self.mixes.is_empty() {
            return complain(
                "`mixes` is empty: give one list of weights, one weight a class".into(),
            );
        }
        for (kind, mix) in self.mixes.iter().enumerate() {
            if mix.len() != data.classes {
                return complain(format!(
                    "mix {kind} has {} weights, but the data have {} classes",
                    mix.len(),
                    data.classes
                ));
            }
            let valid = mix.iter().all(|w| w.is_finite() && *w >= 0.0);
            let sum: f64 = mix.iter().sum();
            if !valid || !sum.is_finite() || sum <= 0.0 {
                return complain(format!("mix {kind}: weights must be 0 or more, and one above 0"));
            }
        }
        Ok(())
    }
}

/// Each client in turn draws all its samples; rows stay in the pools.
pub(super) fn with_replacement(
    mut pools: Vec<Vec<u32>>,
    clients: u32,
    samples: u32,
    mix: impl Fn(u32, &mut Stream) -> Vec<f64>,
    stream: &mut Stream,
) -> Result<Partition, LearnError> {
    let mut partition = Partition::builder(clients as usize, clients as usize * samples as usize);
    for client in 0..clients {
        let mix = mix(client, stream);
        for _ in 0..samples {
            let row = draw(&mut pools, &mix, true, stream).ok_or_else(|| exhausted(client))?;
            partition.push(row);
        }
        partition.close_client();
    }
    Ok(partition)
}

/// Clients draw one sample each, in turns, so that no client is left with what the others did not want. Client `i`
/// uses `mixes[i mod n]`, and `fallback` when nothing of its mix is left.
pub(super) fn interleaved(
    mut pools: Vec<Vec<u32>>,
    mixes: &[Vec<f64>],
    fallback: Option<&[f64]>,
    clients: u32,
    samples: u32,
    stream: &mut Stream,
) -> Result<Partition, LearnError> {
    let mut rows = vec![0; clients as usize * samples as usize];
    for turn in 0..samples as usize {
        for client in 0..clients as usize {
            let mix = &mixes[client % mixes.len()];
            let own = draw(&mut pools, mix, false, stream);
            let row = match (own, fallback) {
                (None, Some(fallback)) => draw(&mut pools, fallback, false, stream),
                (own, _) => own,
            };
            rows[client * samples as usize + turn] = row.ok_or_else(|| exhausted(client as u32))?;
        }
    }
    let sizes = std::iter::repeat_n(u64::from(samples), clients as usize);
    Ok(Partition::from_sizes(rows, sizes))
}

fn exhausted(client: u32) -> LearnError {
    LearnError::Invalid(format!(
        "partition: no sample is left of any label that client {client} may hold: lower `samples`, give its mix more labels, or set `replacement = true`"
    ))
}
