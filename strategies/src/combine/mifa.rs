//! MIFA (Gu et al. 2021, Algorithm 1): the latest change of every client stands in while it is away.

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_kernel::ClientId;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`Mifa`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MifaSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// The model moves only once this share of all clients with samples was heard, in [0, 1]; 1 in the paper.
    pub start: f64,
}

impl Default for MifaSettings {
    fn default() -> Self {
        Self { rate: 1.0, start: 1.0 }
    }
}

/// `x <- x + rate * mean_k D_k`, where `D_k` is the latest change of client k, over all clients that
/// were ever heard. The weights of the batch are not used. Holds one change for every client heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mifa {
    settings: MifaSettings,
    groups: BTreeMap<u32, (Flat, BTreeMap<ClientId, Flat>)>,
}

impl Mifa {
    /// A memory with these settings.
    pub fn new(settings: MifaSettings) -> Self {
        Self { settings, groups: BTreeMap::new() }
    }
}

/// How many clients can ever be heard: those with samples.
fn able(view: &View<'_>) -> usize {
    let clients = (0..view.roster.count()).map(ClientId);
    clients.filter(|client| view.roster.samples(*client) > 0).count()
}

impl Combine for Mifa {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let fresh = || (Flat::zeros(batch.model.len()), BTreeMap::new());
        let (sum, table) = self.groups.entry(batch.group).or_insert_with(fresh);
        for (_, update) in &mut *batch.updates {
            let change = update.delta();
            sum.add_scaled(1.0, &change);
            if let Some(old) = table.insert(update.arrival.client, change) {
                sum.add_scaled(-1.0, &old);
            }
        }
        let mut model = batch.model.clone();
        let heard = table.len() as f64;
        if heard > 0.0 && heard >= self.settings.start * able(view) as f64 {
            model.add_scaled((self.settings.rate / heard) as f32, sum);
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
    fn waits_for_all_and_then_remembers_the_absent() {
        let mut part = Mifa::new(MifaSettings { rate: 0.5, start: 1.0 });
        let world = World::new(2);
        let first = combine(&mut part, &[1.0], &[update(0, &[0.0], &[4.0])], &[1.0], &world);
        close(&first, &[1.0]);
        let second = combine(&mut part, &[1.0], &[update(1, &[1.0], &[3.0])], &[1.0], &world);
        // Changes 4 and 2: mean 3.
        close(&second, &[1.0 + 0.5 * 3.0]);
        let third = combine(&mut part, &[1.0], &[update(0, &[1.0], &[1.0])], &[1.0], &world);
        // Changes 0 and 2: mean 1.
        close(&third, &[1.0 + 0.5]);
    }

    #[test]
    fn does_not_wait_for_a_client_without_samples() {
        let mut part = Mifa::new(MifaSettings::default());
        let mut world = World::new(2);
        world.samples = vec![3, 0];
        let new = combine(&mut part, &[1.0], &[update(0, &[0.0], &[4.0])], &[1.0], &world);
        close(&new, &[5.0]);
    }

    #[test]
    fn may_start_with_a_share_of_the_clients() {
        let mut part = Mifa::new(MifaSettings { rate: 1.0, start: 0.5 });
        let new = combine(&mut part, &[1.0], &[update(1, &[0.0], &[4.0])], &[1.0], &World::new(2));
        close(&new, &[5.0]);
    }
}
