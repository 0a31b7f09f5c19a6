//! Who is connected to whom: a star, or a tree with edge servers between server and clients.
//!
//! In a tree the server's clients are its edge servers, which it knows as clients 0, 1, ...; their own clients
//! keep the numbers that they have in a star. On the network, and to [`crate::Conditions`], edge server `e` of
//! a federation of `n` clients is participant `n + e`.

use crate::message::Address;
use offbeat_kernel::{ClientId, Span, TaskId};
use offbeat_strategies::signal::Clusters;
use std::rc::Rc;

/// Tasks that edge servers give have numbers from here on; those of the server stay far below.
const OF_EDGES: u64 = 1 << 40;

/// Who is connected to whom.
#[derive(Clone, Debug, Default)]
pub enum Topology {
    /// All clients are the server's own.
    #[default]
    Star,
    /// The server's clients are edge servers.
    Tree(Rc<Tree>),
}

/// Edge servers and their clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    members: Vec<Vec<ClientId>>,
    edge_of: Vec<u32>,
    rules: EdgeRules,
    /// Most clients of one edge server, at least 1: how many numbers one of its rounds takes up.
    width: u64,
}

/// What an edge server does between an invitation and its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeRules {
    /// How often it aggregates its clients' updates before it answers, at least 1.
    pub rounds: u32,
    /// How many of its clients it invites for each of these rounds; all that are free when `None`.
    pub clients: Option<u32>,
    /// What it waits for before it aggregates.
    pub wait: Wait,
}

/// What an edge server waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// Until each of the invited has answered or is lost.
    All,
    /// As [`Wait::All`], but no longer than this; if nobody has answered by then, until one has.
    Deadline(Span),
    /// Until this share of the invited, above 0 and at most 1, has answered, or nobody is left.
    Share(f64),
}

impl Default for EdgeRules {
    fn default() -> Self {
        Self { rounds: 1, clients: None, wait: Wait::All }
    }
}

/// What is wrong with a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// An edge server has no clients.
    #[error("edge server {0} has no clients; give it some, or have fewer edge servers")]
    Childless(u32),
    /// An edge server would never do anything.
    #[error("an edge server must do at least one round before it answers")]
    NoRounds,
}

impl Tree {
    /// A tree in which client `i` belongs to edge server `edge_of[i]`. Edge servers are counted from 0.
    ///
    /// # Errors
    /// When an edge server below the highest has no clients, or there are no rounds.
    pub fn new(edge_of: Vec<u32>, rules: EdgeRules) -> Result<Self, TreeError> {
        if rules.rounds == 0 {
            return Err(TreeError::NoRounds);
        }
        let edges = edge_of.iter().max().map_or(0, |last| *last as usize + 1);
        let mut members = vec![Vec::new(); edges];
        for (client, edge) in edge_of.iter().enumerate() {
            members[*edge as usize].push(ClientId(client as u32));
        }
        if let Some(edge) = members.iter().position(Vec::is_empty) {
            return Err(TreeError::Childless(edge as u32));
        }
        let width = members.iter().map(|own| own.len() as u64).max().unwrap_or(1);
        Ok(Self { members, edge_of, rules, width })
    }

    /// How many edge servers there are.
    pub fn edges(&self) -> u32 {
        self.members.len() as u32
    }

    /// How many clients they have together.
    pub fn clients(&self) -> u32 {
        self.edge_of.len() as u32
    }

    /// The clients of an edge server, in the order of their ids.
    pub fn members(&self, edge: u32) -> &[ClientId] {
        self.members.get(edge as usize).map_or(&[], Vec::as_slice)
    }

    /// The edge server of a client; `None` for what is no client.
    pub fn edge_of(&self, client: ClientId) -> Option<u32> {
        self.edge_of.get(client.index()).copied()
    }

    /// What edge servers do.
    pub fn rules(&self) -> EdgeRules {
        self.rules
    }

    /// The participant that edge server `edge` is to the network.
    pub fn participant(&self, edge: u32) -> ClientId {
        ClientId(self.clients() + edge)
    }

    /// The edge server that a participant of the network is, if it is one.
    pub fn as_edge(&self, participant: ClientId) -> Option<u32> {
        participant.0.checked_sub(self.clients())
    }

    /// Number of a round of an edge server's `task`: unlike that of every other round. With one round
    /// a task it is the task's own number.
    pub(crate) fn turn(&self, task: TaskId, round: u32) -> u64 {
        task.0 * u64::from(self.rules.rounds) + u64::from(round)
    }

    /// Whether `task` is one that edge server `edge` may have given to `client` by the rounds of its own task `last`.
    pub(crate) fn was_given(
        &self,
        task: TaskId,
        client: ClientId,
        edge: u32,
        last: TaskId,
    ) -> bool {
        let Some(number) = task.0.checked_sub(OF_EDGES) else { return false };
        let (turn, place) = (number / self.width, (number % self.width) as usize);
        turn < self.turn(last, 0).saturating_add(u64::from(self.rules.rounds))
            && self.members(edge).get(place) == Some(&client)
    }

    /// The task that the client at `place` among its edge server's has in this turn.
    pub(crate) fn task(&self, turn: u64, place: usize) -> TaskId {
        TaskId(OF_EDGES + turn * self.width + place as u64)
    }
}

impl Topology {
    /// Who gives tasks to a client.
    pub fn above(&self, client: ClientId) -> Address {
        match self {
            Topology::Star => Address::Server,
            Topology::Tree(tree) => tree.edge_of(client).map_or(Address::Server, Address::Edge),
        }
    }

    /// The network's participant and the address of one whom the server knows as `client`.
    pub fn below(&self, client: ClientId) -> (ClientId, Address) {
        match self {
            Topology::Star => (client, Address::Client(client)),
            Topology::Tree(tree) => (tree.participant(client.0), Address::Edge(client.0)),
        }
    }

    /// Who learns that the connection of a network's participant broke, and what it calls the participant.
    pub fn hears_of(&self, participant: ClientId) -> (Address, ClientId) {
        match self {
            Topology::Star => (Address::Server, participant),
            Topology::Tree(tree) => match tree.as_edge(participant) {
                Some(edge) => (Address::Server, ClientId(edge)),
                None => (self.above(participant), participant),
            },
        }
    }

    /// The edge servers whose participants are such.
    pub fn edges_among(&self, such: impl Fn(ClientId) -> bool) -> Vec<u32> {
        match self {
            Topology::Star => Vec::new(),
            Topology::Tree(tree) => {
                (0..tree.edges()).filter(|edge| such(tree.participant(*edge))).collect()
            }
        }
    }

    /// The groups of clients that those of the server's own clients come to: in a tree each client is in the
    /// group of its edge server.
    pub fn down_to_clients(&self, clusters: &Clusters) -> Clusters {
        let Topology::Tree(tree) = self else { return clusters.clone() };
        let own = clusters
            .of
            .iter()
            .flat_map(|(edge, group)| tree.members(edge.0).iter().map(|client| (*client, *group)));
        Clusters { models: clusters.models.clone(), of: own.collect() }
    }

    /// Whether a participant talks to an edge server.
    pub fn is_below_an_edge(&self, participant: ClientId) -> bool {
        matches!(self.above(participant), Address::Edge(_))
    }

    /// What names the random stream of a task among those of its client: the task's number in a star, that of
    /// the edge server's turn in a tree. So that a tree whose edge servers have one client and one
    /// round learns what the star learns.
    pub fn draw(&self, task: TaskId) -> u64 {
        match self {
            Topology::Tree(tree) if task.0 >= OF_EDGES => (task.0 - OF_EDGES) / tree.width,
            _ => task.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_edge_servers_never_meet_and_lead_back_to_their_turn() {
        let rules = EdgeRules { rounds: 3, ..EdgeRules::default() };
        let tree = Tree::new(vec![0, 1, 0, 1, 1], rules).expect("a tree");
        let topology = Topology::Tree(Rc::new(tree.clone()));
        let mut seen = std::collections::BTreeSet::new();
        for task in (0..20).map(TaskId) {
            for round in 0..3 {
                let turn = tree.turn(task, round);
                for place in 0..3 {
                    let own = tree.task(turn, place);
                    assert!(seen.insert(own), "{own} twice");
                    assert_eq!(topology.draw(own), turn);
                }
            }
            assert_eq!(topology.draw(task), task.0);
        }
    }

    #[test]
    fn only_tasks_of_rounds_that_began_were_given_and_only_to_their_client() {
        let rules = EdgeRules { rounds: 2, ..EdgeRules::default() };
        let tree = Tree::new(vec![0, 1, 0], rules).expect("a tree");
        let last = TaskId(4);
        let own = |task: u64, round: u32| tree.task(tree.turn(TaskId(task), round), 1);
        for given in [own(0, 0), own(4, 1)] {
            assert!(tree.was_given(given, ClientId(2), 0, last), "{given}");
            assert!(!tree.was_given(given, ClientId(0), 0, last), "{given}");
            assert!(!tree.was_given(given, ClientId(2), 1, last), "{given}");
        }
        for never in [own(5, 0), TaskId(3), TaskId(u64::MAX)] {
            assert!(!tree.was_given(never, ClientId(2), 0, last), "{never}");
        }
    }

    #[test]
    fn everybody_is_somebodys_client() {
        let rules = EdgeRules::default();
        let tree = Topology::Tree(Rc::new(Tree::new(vec![1, 0, 1], rules).expect("a tree")));
        assert_eq!(tree.above(ClientId(2)), Address::Edge(1));
        assert_eq!(tree.below(ClientId(1)), (ClientId(4), Address::Edge(1)));
        assert_eq!(tree.hears_of(ClientId(4)), (Address::Server, ClientId(1)));
        assert_eq!(tree.hears_of(ClientId(0)), (Address::Edge(1), ClientId(0)));
        assert!(tree.is_below_an_edge(ClientId(0)) && !tree.is_below_an_edge(ClientId(3)));
        let star = Topology::Star;
        assert_eq!(star.below(ClientId(1)), (ClientId(1), Address::Client(ClientId(1))));
        assert_eq!(star.hears_of(ClientId(4)), (Address::Server, ClientId(4)));
        assert_eq!(Tree::new(vec![0, 2], rules), Err(TreeError::Childless(1)));
        let none = EdgeRules { rounds: 0, ..rules };
        assert_eq!(Tree::new(vec![0], none), Err(TreeError::NoRounds));
    }
}
