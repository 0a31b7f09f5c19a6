//! The edge servers as the server sees them.

use crate::topology::Tree;
use offbeat_kernel::{ClientId, Time};
use offbeat_strategies::Roster;
use std::rc::Rc;

/// Edge servers as clients of the server: there when they can be reached and somebody of theirs is
/// there, with the samples of all their clients.
#[derive(Debug)]
pub struct EdgeRoster {
    tree: Rc<Tree>,
    /// All participants of the network.
    all: Rc<dyn Roster>,
}

impl EdgeRoster {
    /// The edge servers of `tree`; `all` knows its clients and, under their numbers as participants, the
    /// edge servers' own presence and links.
    pub fn new(tree: Rc<Tree>, all: Rc<dyn Roster>) -> Self {
        Self { tree, all }
    }

    fn members(&self, edge: ClientId) -> impl Iterator<Item = ClientId> {
        self.tree.members(edge.0).iter().copied()
    }

    fn working(&self, edge: ClientId) -> impl Iterator<Item = ClientId> {
        self.members(edge).filter(|client| self.all.samples(*client) > 0)
    }
}

impl Roster for EdgeRoster {
    fn count(&self) -> u32 {
        self.tree.edges()
    }

    fn present(&self, edge: ClientId, now: Time) -> bool {
        self.all.present(self.tree.participant(edge.0), now)
            && self.working(edge).any(|client| self.all.present(client, now))
    }

    fn next_change(&self, edge: ClientId, now: Time) -> Time {
        let own = self.all.next_change(self.tree.participant(edge.0), now);
        self.working(edge).map(|client| self.all.next_change(client, now)).fold(own, Time::min)
    }

    fn samples(&self, edge: ClientId) -> u64 {
        self.members(edge).map(|client| self.all.samples(client)).sum()
    }

    /// The slowest of its clients once a round, and its own way to the server and back.
    fn expected_seconds(&self, edge: ClientId) -> f64 {
        let own = self.all.expected_seconds(self.tree.participant(edge.0));
        let slowest = self.working(edge).map(|client| self.all.expected_seconds(client));
        own + f64::from(self.tree.rules().rounds) * slowest.fold(0.0, f64::max)
    }
}
