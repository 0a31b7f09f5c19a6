//! The split of the first federated-averaging experiments: sort by label, cut, deal.
//!
//! Source: B. McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS
//! 2017, section 3 (200 shards of 300 images of MNIST, two for each of 100 clients).

use super::apportion::even;
use super::pools::by_label;
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The samples, sorted by label, are cut into `clients x per_client` shards (sizes differ by at most one), and each
/// client gets `per_client` of them at random.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shards {
    /// Shards of each client.
    #[serde(default = "two")]
    pub per_client: u32,
    /// Whether clients without samples are fine.
    #[serde(default)]
    pub allow_empty: bool,
}

fn two() -> u32 {
    2
}

impl Shards {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let shards = u64::from(clients) * u64::from(self.per_client);
        if shards == 0 || shards > data.len() as u64 {
            return Err(LearnError::Invalid(format!(
                "partition.shards: {clients} clients x `per_client = {}` are {shards} shards, expected 1 to {}, the number of samples",
                self.per_client,
                data.len()
            )));
        }
        let sorted: Vec<u32> = by_label(data, stream).concat();
        let mut dealt: Vec<u32> = (0..clients)
            .flat_map(|client| std::iter::repeat_n(client, self.per_client as usize))
            .collect();
        dealt.shuffle(stream);
        let sizes = even(data.len() as u64, shards);
        let owner =
            sizes.zip(dealt).flat_map(|(n, client)| std::iter::repeat_n(client, n as usize));
        let mut owners = vec![0; data.len()];
        for (row, owner) in sorted.into_iter().zip(owner) {
            owners[row as usize] = owner;
        }
        Ok(Partition::from_owners(&owners, clients))
    }
}
