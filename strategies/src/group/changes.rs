//! What grouping parts work with: the clients' changes as unit vectors, the latest of each client where wanted, and
//! group numbers that stay the same from version to version.

use crate::update::Update;
use offbeat_kernel::ClientId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The memory of a grouping part: which group each client was in, and its latest change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    groups: BTreeMap<ClientId, u32>,
    changes: BTreeMap<ClientId, Vec<f32>>,
}

impl Memory {
    /// Groups `updates`, for each of which stands a unit vector of `vectors` (zero when there is none), by
    /// `cluster`, which takes them row-major with `dims` columns and gives a cluster for each row. With `remember` the latest change of every
    /// client ever seen is clustered along, so that updates that come one by one find their groups too.
    pub(super) fn group(
        &mut self,
        updates: &[Update],
        vectors: Vec<Vec<f32>>,
        remember: bool,
        cluster: impl FnOnce(&[f32], usize) -> Vec<u32>,
    ) -> Vec<u32> {
        let Some(dims) = vectors.first().map(Vec::len) else { return Vec::new() };
        let clients = updates.iter().map(|update| update.arrival.client);
        let mut fresh: BTreeMap<ClientId, Vec<f32>> = clients.zip(vectors).collect();
        if remember {
            self.changes.append(&mut fresh);
            // A model that changed its size makes old changes worthless.
            self.changes.retain(|_, change| change.len() == dims);
            fresh = std::mem::take(&mut self.changes);
        }
        let rows: Vec<f32> = fresh.values().flatten().copied().collect();
        let clusters = cluster(&rows, dims);
        let members: Vec<ClientId> = fresh.keys().copied().collect();
        if remember {
            self.changes = fresh;
        }
        let names = names(&members, &clusters, &self.groups);
        for (client, cluster) in members.iter().zip(&clusters) {
            self.groups.insert(*client, names[cluster]);
        }
        updates.iter().map(|update| self.groups[&update.arrival.client]).collect()
    }
}

/// A group number for each cluster: the number that most of its members had before, the largest agreement
/// first; a new cluster gets the smallest free number. When nobody would have number 0, whose model stands for
/// the federation, the largest cluster takes it.
fn names(
    members: &[ClientId],
    clusters: &[u32],
    before: &BTreeMap<ClientId, u32>,
) -> BTreeMap<u32, u32> {
    let mut shared: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for (client, cluster) in members.iter().zip(clusters) {
        *sizes.entry(*cluster).or_default() += 1;
        if let Some(group) = before.get(client) {
            *shared.entry((*cluster, *group)).or_default() += 1;
        }
    }
    let mut pairs: Vec<_> = shared.into_iter().map(|(pair, count)| (count, pair)).collect();
    pairs.sort_by_key(|(count, pair)| (std::cmp::Reverse(*count), *pair));
    let mut names: BTreeMap<u32, u32> = BTreeMap::new();
    let taken = |names: &BTreeMap<u32, u32>, group: u32| names.values().any(|name| *name == group);
    for (_, (cluster, group)) in pairs {
        if !names.contains_key(&cluster) && !taken(&names, group) {
            names.insert(cluster, group);
        }
    }
    for cluster in sizes.keys() {
        if !names.contains_key(cluster) {
            let free = (0..).find(|group| !taken(&names, *group)).unwrap_or(u32::MAX);
            names.insert(*cluster, free);
        }
    }
    if !taken(&names, 0) {
        let largest =
            sizes.iter().max_by_key(|(cluster, size)| (**size, std::cmp::Reverse(**cluster)));
        if let Some((cluster, _)) = largest {
            names.insert(*cluster, 0);
        }
    }
    names
}

/// Clusters numbered by their first member.
pub(super) fn by_first_member(labels: &[usize]) -> Vec<u32> {
    let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
    let number = |label: &usize| {
        let next = numbers.len() as u32;
        *numbers.entry(*label).or_insert(next)
    };
    labels.iter().map(number).collect()
}

/// Which elements belong together, by links.
#[derive(Clone, Debug)]
pub(super) struct Links(Vec<usize>);

impl Links {
    /// `count` elements, each alone.
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The element that stands for the set of `element`.
    pub(super) fn root(&mut self, mut element: usize) -> usize {
        while self.0[element] != element {
            self.0[element] = self.0[self.0[element]];
            element = self.0[element];
        }
        element
    }

    /// Joins two sets.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// The set of each element, by its root.
    pub(super) fn labels(&mut self) -> Vec<usize> {
        (0..self.0.len()).map(|element| self.root(element)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::vectors::Vectors;
    use crate::select::testing::update;

    fn clients(ids: &[u32]) -> Vec<ClientId> {
        ids.iter().copied().map(ClientId).collect()
    }

    #[test]
    fn groups_keep_their_numbers_when_members_move() {
        let before: BTreeMap<_, _> =
            clients(&[0, 1, 2, 3, 4]).into_iter().zip([0, 0, 1, 1, 1]).collect();
        let members = clients(&[0, 1, 2, 3, 4, 5]);
        // Client 2 moved over to 0 and 1; the newcomer is alone.
        let found = names(&members, &[7, 7, 7, 3, 3, 5], &before);
        assert_eq!(found, BTreeMap::from([(7, 0), (3, 1), (5, 2)]));
    }

    #[test]
    fn somebody_always_has_group_0() {
        let before = BTreeMap::from([(ClientId(0), 1), (ClientId(1), 2), (ClientId(2), 2)]);
        let found = names(&clients(&[0, 1, 2]), &[0, 1, 1], &before);
        assert_eq!(found, BTreeMap::from([(0, 1), (1, 0)]));
        let one = names(&clients(&[0, 1, 2]), &[4, 4, 4], &before);
        assert_eq!(one, BTreeMap::from([(4, 0)]));
    }

    #[test]
    fn remembered_changes_are_clustered_along() {
        let mut memory = Memory::default();
        let mut seen = Vec::new();
        for (client, change) in [(3, [2.0, 0.0]), (1, [0.0, 5.0]), (3, [-1.0, 0.0])] {
            let updates = [update(client, &[0.0; 2], &change)];
            let vectors = Vectors::Changes.of(&updates);
            let groups = memory.group(&updates, vectors, true, |rows, dims| {
                assert_eq!(dims, 2);
                seen.push(rows.to_vec());
                vec![0; rows.len() / dims]
            });
            assert_eq!(groups, [0]);
        }
        assert_eq!(seen[0], [1.0, 0.0]);
        assert_eq!(seen[1], [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(seen[2], [0.0, 1.0, -1.0, 0.0]);
        let bytes = offbeat_kernel::codec::encode(&memory).expect("plain data");
        let back: Memory = offbeat_kernel::codec::decode(&bytes).expect("what was encoded");
        assert_eq!(back, memory);
    }

    #[test]
    fn links_make_sets() {
        let mut links = Links::new(5);
        links.join(3, 1);
        links.join(4, 3);
        assert_eq!(links.labels(), [0, 1, 2, 1, 1]);
        assert_eq!(by_first_member(&[9, 4, 9, 2]), [0, 1, 0, 2]);
    }
}
