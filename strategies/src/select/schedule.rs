//! A fixed schedule: who takes part in which round is written down beforehand.

use crate::seams::{Select, View, state_in_bytes};
use offbeat_kernel::{ClientId, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For version `v` the clients of `rounds[v]`, in the order written, those that are free. After the
/// last round nobody is selected, or the schedule begins again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Client ids by round.
    pub rounds: Vec<Vec<u32>>,
    /// Begin again after the last round.
    pub repeat: bool,
}

impl Select for Schedule {
    fn select(&mut self, want: usize, view: &View<'_>, _: &mut Stream) -> Vec<ClientId> {
        let round = view.version.0;
        let length = self.rounds.len() as u64;
        let index = if self.repeat && length > 0 { round % length } else { round };
        let Some(clients) = usize::try_from(index).ok().and_then(|i| self.rounds.get(i)) else {
            return Vec::new();
        };
        let mut chosen: Vec<ClientId> = Vec::with_capacity(want.min(clients.len()));
        for client in clients.iter().map(|id| ClientId(*id)) {
            let known = client.0 < view.roster.count();
            if chosen.len() < want && known && view.free(client) && !chosen.contains(&client) {
                chosen.push(client);
            }
        }
        chosen
    }

    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, stream};
    use offbeat_kernel::Version;

    #[test]
    fn follows_the_rounds_and_ends_or_repeats() {
        let mut part = Schedule { rounds: vec![vec![3, 1, 9, 3], vec![2]], repeat: false };
        let mut world = World::new(5);
        let mut at = |part: &mut Schedule, version| {
            world.version = Version(version);
            part.select(10, &world.view(), &mut stream(0)).iter().map(|c| c.0).collect::<Vec<_>>()
        };
        assert_eq!(at(&mut part, 0), [3, 1]);
        assert_eq!(at(&mut part, 1), [2]);
        assert!(at(&mut part, 2).is_empty());
        part.repeat = true;
        assert_eq!(at(&mut part, 2), [3, 1]);
    }
}
