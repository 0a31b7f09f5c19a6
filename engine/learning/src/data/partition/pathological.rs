//! Every client holds a few labels only.
//!
//! Source: Q. Li et al., "Federated Learning on Non-IID Data Silos: An Experimental Study", ICDE 2022, section 4.1
//! (`#C = k`): each client is given `k` labels, and the samples of a label are divided equally among its holders.

use super::apportion::even;
use super::pools::by_label;
use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use offbeat_kernel::Stream;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At most `labels` different labels a client. Labels are dealt so that the numbers of their holders differ by
/// at most one; with fewer than `classes` places in all, samples of the labels that no one got stay unassigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pathological {
    /// Labels of each client.
    pub labels: u32,
    /// Whether clients without samples are fine.
    #[serde(default)]
    pub allow_empty: bool,
}

impl Pathological {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let pools = by_label(data, stream);
        let present: Vec<usize> = (0..pools.len()).filter(|&l| !pools[l].is_empty()).collect();
        if self.labels == 0 || self.labels as usize > present.len() {
            return Err(LearnError::Invalid(format!(
                "partition.pathological: `labels = {}`, expected 1 to {}, the labels that occur in the data",
                self.labels,
                present.len()
            )));
        }
        let holders = self.deal(present.len(), clients, stream);
        let mut owners = vec![u32::MAX; data.len()];
        for (&label, holders) in present.iter().zip(&holders) {
            let pool = &pools[label];
            let parts = even(pool.len() as u64, holders.len() as u64);
            let owner = parts.zip(holders).flat_map(|(n, &c)| std::iter::repeat_n(c, n as usize));
            for (&row, owner) in pool.iter().zip(owner) {
                owners[row as usize] = owner;
            }
        }
        Ok(Partition::from_owners(&owners, clients))
    }

    /// The clients that hold each label: every client takes the labels with the fewest holders so far, ties at random.
    fn deal(&self, labels: usize, clients: u32, stream: &mut Stream) -> Vec<Vec<u32>> {
        let mut holders = vec![Vec::new(); labels];
        let mut order: Vec<(usize, u32, usize)> = Vec::with_capacity(labels);
        for client in 0..clients {
            order.clear();
            order.extend((0..labels).map(|l| (holders[l].len(), stream.random(), l)));
            order.sort_unstable();
            for &(_, _, label) in order.iter().take(self.labels as usize) {
                holders[label].push(client);
            }
        }
        holders
    }
}
