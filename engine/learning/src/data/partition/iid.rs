//! Independent and identically distributed: every client draws from the whole.

use super::apportion::even;
use super::pools::samples_per_client;
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use rand::seq::{SliceRandom, index};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shuffle, then cut into equal parts (sizes differ by at most one).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Iid {
    /// Samples of each client; by default an equal share of the data. With it, some may stay unassigned.
    pub samples: Option<u32>,
    /// Whether several clients may hold the same sample. No client holds one twice.
    pub replacement: bool,
    /// Whether clients without samples are fine.
    pub allow_empty: bool,
}

impl Iid {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let samples = samples_per_client(self.samples, data, clients, self.replacement)?;
        if self.replacement {
            return shared(data, clients, samples, stream);
        }
        let mut rows: Vec<u32> = (0..data.len() as u32).collect();
        rows.shuffle(stream);
        Ok(match self.samples {
            Some(samples) => {
                let sizes = std::iter::repeat_n(u64::from(samples), clients as usize);
                Partition::from_sizes(rows, sizes)
            }
            None => {
                let sizes = even(data.len() as u64, u64::from(clients));
                Partition::from_sizes(rows, sizes)
            }
        })
    }
}

fn shared(
    data: &Dataset,
    clients: u32,
    samples: u32,
    stream: &mut Stream,
) -> Result<Partition, LearnError> {
    if samples as usize > data.len() {
        return Err(LearnError::Invalid(format!(
            "partition: `samples = {samples}`, but there are {} samples and no client may hold one twice: lower `samples`",
            data.len()
        )));
    }
    let mut partition = Partition::builder(clients as usize, clients as usize * samples as usize);
    for _ in 0..clients {
        for row in index::sample(stream, data.len(), samples as usize) {
            partition.push(row as u32);
        }
        partition.close_client();
    }
    Ok(partition)
}
