//! What was done to the clients so far: cuts, crashes, absences for good, slow-downs, changed
//! distributions and meanings of labels.
//!
//! The list is plain data. Together with the seed it says all about the present state, so that the
//! world stays a function of (seed, arguments, interventions so far).

#[cfg(test)]
mod tests;

use super::{Availability, Completeness, DeviceSpec, LinkSpec};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree};
use rand::seq::index;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Counters of [`Purpose::Custom`] from here on belong to the draws of interventions.
const DRAWS: u64 = 1 << 62;

/// Some of the clients, as somebody asks for them: those with an id in `range`, or a part of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clients {
    /// Ids to choose from.
    pub range: Range<u32>,
    /// Which of them.
    pub pick: Pick,
}

/// Which clients of a range are meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Pick {
    /// All.
    All,
    /// So many, drawn among those to whom it can happen; all of them when there are fewer.
    Count(u32),
    /// This share (0..=1) of those to whom it can happen, rounded to a whole number, drawn.
    Share(f64),
    /// These.
    Ids(Vec<u32>),
}

/// Clients that were chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Members {
    /// All with an id in the range.
    Range(Range<u32>),
    /// These ids, in ascending order.
    Listed(Vec<u32>),
}

impl Members {
    /// Whether `client` is one of them.
    pub fn holds(&self, client: ClientId) -> bool {
        match self {
            Self::Range(range) => range.contains(&client.0),
            Self::Listed(ids) => ids.binary_search(&client.0).is_ok(),
        }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Listed(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What becomes of messages that meet a cut link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[derive(schemars::JsonSchema)]
pub enum Transit {
    /// They are lost, and with them the tasks of the clients that are cut off.
    #[default]
    Lost,
    /// They wait until the link is healed, and then go on where they stopped.
    Wait,
}

/// New distributions for a group, from now on. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// How fast the clients compute.
    pub device: Option<DeviceSpec>,
    /// Their links.
    pub link: Option<LinkSpec>,
    /// When they are present.
    pub availability: Option<Availability>,
    /// Whether they carry a task through.
    pub completeness: Option<Completeness>,
}

/// What is done to clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Intervention {
    /// Their links are cut until a cut of this name is healed.
    Cut {
        /// The name.
        name: String,
        /// What becomes of messages.
        transit: Transit,
    },
    /// They stop and lose what they do.
    Crash,
    /// They run again.
    Restart,
    /// They no longer take part in the federation.
    Leave,
    /// They take part again.
    Join,
    /// Their work takes so many times as long as usual; 1 is normal.
    SlowWork(f64),
    /// Their messages take so many times as long as usual; 1 is normal.
    SlowLink(f64),
}

/// Why a client cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// It does not take part.
    Left,
    /// It has crashed.
    Crashed,
    /// Its link is cut.
    Cut(Transit),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Standing {
    members: Members,
    what: Intervention,
}

/// All that was done so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interventions {
    tree: SeedTree,
    clients: u32,
    standing: Vec<Standing>,
    changes: Vec<(Range<u32>, Change)>,
    /// Turns of labels: of a range of clients, or of everybody and the common test samples.
    turns: Vec<(Option<Range<u32>>, u32)>,
    drawn: u64,
    /// Something is still to come at a fixed time, which may bring clients back.
    pub more_to_come: bool,
}

impl Interventions {
    /// Nothing was done yet to `clients` clients, edge servers included where there are any.
    pub fn new(tree: SeedTree, clients: u32) -> Self {
        let (standing, changes, turns) = (Vec::new(), Vec::new(), Vec::new());
        Self { tree, clients, standing, changes, turns, drawn: 0, more_to_come: false }
    }

    /// Chooses clients to whom `what` can happen: only who takes part can leave, and so on. Costs
    /// `O(range)` for a count or a share.
    pub fn choose(&mut self, clients: &Clients, what: &Intervention) -> Members {
        let range = clients.range.start..clients.range.end.min(self.clients);
        let share = match &clients.pick {
            Pick::All => return Members::Range(range),
            Pick::Ids(ids) => {
                let mut ids: Vec<u32> =
                    ids.iter().copied().filter(|id| range.contains(id)).collect();
                ids.sort_unstable();
                ids.dedup();
                return Members::Listed(ids);
            }
            Pick::Count(_) => None,
            Pick::Share(share) => Some(share.clamp(0.0, 1.0)),
        };
        let able: Vec<u32> = range.filter(|id| self.can_happen(ClientId(*id), what)).collect();
        let wanted = match (&clients.pick, share) {
            (Pick::Count(count), _) => *count as usize,
            (_, share) => (share.unwrap_or(1.0) * able.len() as f64).round() as usize,
        };
        let mut stream = self.tree.stream(Purpose::Custom, 0, DRAWS + self.drawn);
        self.drawn += 1;
        let places = index::sample(&mut stream, able.len(), wanted.min(able.len()));
        let mut ids: Vec<u32> = places.into_iter().map(|place| able[place]).collect();
        ids.sort_unstable();
        Members::Listed(ids)
    }

    fn can_happen(&self, client: ClientId, what: &Intervention) -> bool {
        match what {
            Intervention::Crash => !self.is_crashed(client) && self.takes_part(client),
            Intervention::Restart => self.is_crashed(client),
            Intervention::Join => !self.takes_part(client),
            _ => self.takes_part(client),
        }
    }

    /// Lets `what` happen to `members`.
    pub fn apply(&mut self, members: Members, what: Intervention) {
        // What the same clients had of the same kind before says nothing any more.
        let kind = std::mem::discriminant(&what);
        if !matches!(what, Intervention::Cut { .. }) {
            self.standing.retain(|standing| {
                standing.members != members
                    || (std::mem::discriminant(&standing.what) != kind
                        && opposite(&standing.what) != Some(kind))
            });
        }
        self.standing.push(Standing { members, what });
    }

    /// Heals the cuts of this name: whether there was one.
    pub fn heal(&mut self, name: &str) -> bool {
        let before = self.standing.len();
        self.standing.retain(
            |standing| !matches!(&standing.what, Intervention::Cut { name: own, .. } if own == name),
        );
        self.standing.len() < before
    }

    /// Gives the clients of a range new distributions.
    pub fn change(&mut self, range: Range<u32>, change: Change) {
        self.changes.push((range, change));
    }

    /// All changes of distributions, in order.
    pub fn changes(&self) -> &[(Range<u32>, Change)] {
        &self.changes
    }

    /// Class `c` becomes `(c + by) mod classes`: for a range of clients, or for everybody and the
    /// common test samples.
    pub fn turn_labels(&mut self, range: Option<Range<u32>>, by: u32) {
        self.turns.push((range, by));
    }

    /// By how much the labels of `client`, or of the common test samples, have turned so far.
    pub fn label_turn(&self, client: Option<ClientId>) -> u32 {
        let applies = |range: &Option<Range<u32>>| match (range, client) {
            (None, _) => true,
            (Some(range), Some(client)) => range.contains(&client.0),
            (Some(_), None) => false,
        };
        let turns = self.turns.iter().filter(|(range, _)| applies(range));
        turns.fold(0, |sum, (_, by)| sum.wrapping_add(*by))
    }

    /// Why the client cannot be reached, if it cannot.
    pub fn barrier(&self, client: ClientId) -> Option<Barrier> {
        if self.standing.is_empty() {
            return None;
        }
        if !self.takes_part(client) {
            return Some(Barrier::Left);
        }
        if self.is_crashed(client) {
            return Some(Barrier::Crashed);
        }
        let cuts = self.standing.iter().filter(|standing| standing.members.holds(client));
        // Where two cuts meet, the worse one decides.
        let found = cuts.filter_map(|standing| match standing.what {
            Intervention::Cut { transit, .. } => Some(transit),
            _ => None,
        });
        found.reduce(|a, b| if a == Transit::Lost { a } else { b }).map(Barrier::Cut)
    }

    /// By how much the client's work is stretched.
    pub fn work_factor(&self, client: ClientId) -> f64 {
        let last = self.last(client, |what| match what {
            Intervention::SlowWork(factor) => Some(*factor),
            _ => None,
        });
        last.unwrap_or(1.0)
    }

    /// By how much the client's messages are stretched.
    pub fn link_factor(&self, client: ClientId) -> f64 {
        let last = self.last(client, |what| match what {
            Intervention::SlowLink(factor) => Some(*factor),
            _ => None,
        });
        last.unwrap_or(1.0)
    }

    fn is_crashed(&self, client: ClientId) -> bool {
        let last = self.last(client, |what| match what {
            Intervention::Crash => Some(true),
            Intervention::Restart => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    fn takes_part(&self, client: ClientId) -> bool {
        let last = self.last(client, |what| match what {
            Intervention::Leave => Some(false),
            Intervention::Join => Some(true),
            _ => None,
        });
        last.unwrap_or(true)
    }

    /// What the latest intervention on `client` that says anything says.
    fn last<T>(&self, client: ClientId, says: impl Fn(&Intervention) -> Option<T>) -> Option<T> {
        let mut found =
            self.standing.iter().rev().filter_map(|standing| {
                says(&standing.what).filter(|_| standing.members.holds(client))
            });
        found.next()
    }
}

/// The kind that undoes, and is undone by, this one.
fn opposite(what: &Intervention) -> Option<std::mem::Discriminant<Intervention>> {
    let other = match what {
        Intervention::Crash => Intervention::Restart,
        Intervention::Restart => Intervention::Crash,
        Intervention::Leave => Intervention::Join,
        Intervention::Join => Intervention::Leave,
        _ => return None,
    };
    Some(std::mem::discriminant(&other))
}
