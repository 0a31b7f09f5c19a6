//! CA2FL (Wang et al. 2024): cached update calibration for asynchronous aggregation.

use crate::seams::{Batch, Combine, View, state_in_bytes};
use offbeat_kernel::ClientId;
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `x <- x + rate * (h + sum_k (D_k - h_k) / |B|)` over the updates of the buffer B, where `h_k` is the
/// change that client k sent last (0 at first) and `h` the mean of all `h_k` over all clients, both as
/// they were before this buffer. The weights of the batch are not used. Holds one change for every client
/// heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ca2fl {
    rate: f64,
    groups: BTreeMap<u32, (Flat, BTreeMap<ClientId, Flat>)>,
}

impl Ca2fl {
    /// A cache with this server learning rate.
    pub fn new(rate: f64) -> Self {
        Self { rate, groups: BTreeMap::new() }
    }
}

impl Combine for Ca2fl {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let zeros = Flat::zeros(batch.model.len());
        let fresh = || (zeros.clone(), BTreeMap::new());
        let (sum, cache) = self.groups.entry(batch.group).or_insert_with(fresh);
        let clients = f64::from(view.roster.count().max(1));
        let (before, mut calibration, mut count) = (sum.clone(), zeros.clone(), 0u64);
        // What clients with several updates in this buffer had sent before it.
        let mut earlier: BTreeMap<ClientId, Flat> = BTreeMap::new();
        for (_, update) in &mut *batch.updates {
            let change = update.delta();
            let client = update.arrival.client;
            let old = cache.insert(client, change.clone()).unwrap_or_else(|| zeros.clone());
            sum.add_scaled_difference(1.0, &change, &old);
            calibration.add_scaled_difference(1.0, &change, earlier.entry(client).or_insert(old));
            count += 1;
        }
        let mut model = batch.model.clone();
        if count > 0 {
            model.add_scaled((self.rate / clients) as f32, &before);
            model.add_scaled((self.rate / count as f64) as f32, &calibration);
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
    fn two_buffers_by_hand() {
        let mut part = Ca2fl::new(0.5);
        let world = World::new(4);
        let pair = [update(0, &[0.0], &[4.0]), update(1, &[0.0], &[8.0])];
        // Nothing is cached: the plain mean 6.
        close(&combine(&mut part, &[1.0], &pair, &[1.0, 1.0], &world), &[4.0]);
        // h = (4 + 8) / 4 = 3; (2 - 4) + (6 - 0) = 4, over 2.
        let pair = [update(0, &[0.0], &[2.0]), update(2, &[0.0], &[6.0])];
        close(&combine(&mut part, &[1.0], &pair, &[1.0, 1.0], &world), &[1.0 + 0.5 * 5.0]);
        // h = (2 + 8 + 6) / 4 = 4; 8 - 8.
        let again = [update(1, &[0.0], &[8.0])];
        close(&combine(&mut part, &[1.0], &again, &[1.0], &world), &[1.0 + 0.5 * 4.0]);
    }

    #[test]
    fn a_client_twice_in_a_buffer_is_calibrated_by_what_it_sent_before() {
        let mut part = Ca2fl::new(1.0);
        let world = World::new(2);
        close(&combine(&mut part, &[0.0], &[update(0, &[0.0], &[4.0])], &[1.0], &world), &[4.0]);
        // h = 4 / 2 = 2; (6 - 4) + (10 - 4) = 8, over 2.
        let pair = [update(0, &[0.0], &[6.0]), update(0, &[0.0], &[10.0])];
        close(&combine(&mut part, &[0.0], &pair, &[1.0, 1.0], &world), &[2.0 + 4.0]);
        // h_0 is the latest, 10: h = 5; 10 - 10.
        let again = [update(0, &[0.0], &[10.0])];
        close(&combine(&mut part, &[0.0], &again, &[1.0], &world), &[5.0]);
    }
}
