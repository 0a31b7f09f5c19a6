//! What a tree needs beside a star: its edge servers, and the server's view of them.

use crate::client::ClientSetup;
use crate::edge::{Edge, EdgeRoster, EdgeSetup};
use crate::tally::Tally;
use crate::topology::Topology;
use offbeat_kernel::SeedTree;
use offbeat_strategies::Roster;
use std::rc::Rc;

/// The edge servers; none in a star.
pub(super) fn edges(
    topology: &Topology,
    clients: &ClientSetup,
    roster: &Rc<dyn Roster>,
    tally: &Tally,
    seeds: SeedTree,
) -> Vec<Edge> {
    let Topology::Tree(tree) = topology else { return Vec::new() };
    let setup = EdgeSetup {
        tree: tree.clone(),
        conditions: clients.conditions.clone(),
        roster: roster.clone(),
        samples: clients.samples.clone(),
        plan: clients.plan.clone(),
        coded: clients.coded.clone(),
        cosine_distance: clients.cosine_distance,
        book: clients.book.clone(),
        tally: tally.clone(),
        seeds,
    };
    (0..tree.edges()).map(|id| Edge::new(id, setup.clone())).collect()
}

/// The clients of the server.
pub(super) fn as_the_server_sees(topology: &Topology, all: Rc<dyn Roster>) -> Rc<dyn Roster> {
    match topology {
        Topology::Star => all,
        Topology::Tree(tree) => Rc::new(EdgeRoster::new(tree.clone(), all)),
    }
}
