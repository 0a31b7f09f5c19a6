//! Every client for itself.

use crate::seams::{Group, View};
use crate::update::Update;

/// Every client has a model of its own: updates never meet. What clients would reach without a federation, in
/// the same rounds (standalone training).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByClient;

impl Group for ByClient {
    fn group(&mut self, updates: &[Update], _: &View<'_>) -> Vec<u32> {
        updates.iter().map(|update| update.arrival.client.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, update};

    #[test]
    fn nobody_shares_a_group() {
        let updates = [update(4, &[0.0], &[1.0]), update(0, &[0.0], &[1.0])];
        assert_eq!(ByClient.group(&updates, &World::new(5).view()), [4, 0]);
    }
}
