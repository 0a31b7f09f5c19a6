//! SAFA's cache (Wu et al. 2021, equations 6 to 8): the mean over all clients, present or not.

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_kernel::{ClientId, Version};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `W(t) = sum_k n_k / n * w_k` over all clients, where `w_k` is the model that client k returned last;
/// the initial model at first; and `W(t - 1)` for a client that is deprecated: its entry's version is below
/// `t - lag`. A returned model has the version after the one that it started from. `n_k` are the registered samples; the weights of the batch are not used. Use with the pace
/// `safa`, which brings undrafted updates one aggregation later.
///
/// Holds one model for every client that was heard within the lag; the others share theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Safa {
    lag: u64,
    groups: BTreeMap<u32, BTreeMap<ClientId, Cached>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cached {
    model: Flat,
    version: Version,
}

impl Safa {
    /// A cache whose entries are good for `lag` versions.
    pub fn new(lag: u64) -> Self {
        Self { lag, groups: BTreeMap::new() }
    }
}

impl Combine for Safa {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let cache = self.groups.entry(batch.group).or_default();
        let present = Cached { model: batch.model.clone(), version: view.version };
        for client in (0..view.roster.count()).map(ClientId) {
            let entry = cache.entry(client).or_insert_with(|| present.clone());
            // This is round t = version + 1.
            if view.version.next().since(entry.version) > self.lag {
                *entry = present.clone();
            }
        }
        for (_, update) in &mut *batch.updates {
            let version = update.arrival.base_version.next();
            cache.insert(update.arrival.client, Cached { model: update.params, version });
        }
        let samples = |client: &ClientId| view.roster.samples(*client) as f64;
        let total: f64 = cache.keys().map(samples).sum();
        if total <= 0.0 {
            return batch.model.clone();
        }
        let mut model = batch.model.zeros_like();
        for (client, cached) in cache.iter() {
            model.add_scaled((samples(client) / total) as f32, &cached.model);
        }
        model
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    #[test]
    fn all_clients_count_and_the_deprecated_are_replaced() {
        let mut part = Safa::new(1);
        let mut world = World::new(3);
        world.samples = vec![2, 1, 1];
        let from = |client, version, value: f32| {
            let mut update = update(client, &[0.0], &[value]);
            update.arrival.base_version = Version(version);
            update
        };
        // 0 returns 4; 1 and 2 have the initial model 0: 2/4 * 4.
        close(&combine(&mut part, &[0.0], &[from(0, 0, 4.0)], &[9.0], &world), &[2.0]);
        world.version = Version(1);
        // Round 2: 2 still has version 0, below 2 - 1, and takes W = 2; 0's model has version 1; 1 returns 8.
        close(&combine(&mut part, &[2.0], &[from(1, 1, 8.0)], &[9.0], &world), &[2.0 + 2.0 + 0.5]);
        world.version = Version(2);
        // Round 3: 0 and 2 have version 1, below 3 - 1, and take W = 4.5; 1 keeps 8.
        close(&combine(&mut part, &[4.5], &[], &[], &world), &[2.25 + 2.0 + 1.125]);
    }
}
