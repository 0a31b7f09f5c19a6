//! Pisces' discount (Jiang et al. 2022): by how stale a client has been lately.

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Arrival;
use crate::weigh::known_at_arrival;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `(1 + T)^-beta`, where `T` is the client's mean staleness over its last five updates, this one included.
/// Pisces weighs by samples too and does not divide by the weights: `weigh = ["relative-samples", "pisces"]`
/// with a mean by count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pisces {
    /// Exponent, at least 0.
    pub beta: f64,
}

impl Default for Pisces {
    fn default() -> Self {
        Self { beta: 0.5 }
    }
}

/// Updates of a client that count.
const WINDOW: usize = 5;

impl Pisces {
    fn of(&self, arrival: &Arrival, view: &View<'_>) -> f64 {
        let earlier = view.ledger.get(arrival.client).map(|record| &record.recent_staleness[..]);
        let this = view.version.since(arrival.base_version);
        let latest = earlier.unwrap_or_default().iter().rev().take(WINDOW - 1);
        let (count, sum) = latest.fold((1u64, this), |(count, sum), tau| (count + 1, sum + tau));
        (1.0 + sum as f64 / count as f64).powf(-self.beta)
    }
}

impl Weigh for Pisces {
    known_at_arrival!();
    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, arrival};
    use offbeat_kernel::{ClientId, Version};

    #[test]
    fn the_last_five_count_this_one_included() {
        let mut world = World::new(2);
        world.version = Version(9);
        // 100 is too long ago; 1, 2, 3, 4 and now 5: the mean is 3. Client 1 has no past: 8.
        for staleness in [100, 1, 2, 3, 4] {
            world.ledger.entry(ClientId(0)).note_staleness(staleness);
        }
        let arrivals = [arrival(0, 1, 4), arrival(1, 1, 1)];
        let weights = Pisces { beta: 0.5 }.weigh_arrivals(&arrivals, &world.view());
        assert_eq!(weights, Some(vec![0.5, 1.0 / 3.0]));
    }
}
