//! The samples of a federation in memory, and how they drift.

use crate::population::Population;
use crate::prepare::Prepared;
use offbeat_actors::work::Shards;
use offbeat_kernel::{ClientId, Time};
use offbeat_learning::data::{Shard, turn_labels};
use offbeat_learning::reid::ClientPictures;
use std::sync::Arc;

/// The samples of all clients.
#[derive(Debug)]
pub struct Held {
    train: Vec<Arc<Shard>>,
    test: Vec<Arc<Shard>>,
    people: Option<Vec<ClientPictures>>,
    population: Population,
    /// The common test set after the population's drift, which every evaluation from then on needs.
    drifted: Option<Arc<Shard>>,
}

impl Held {
    /// The samples that were prepared.
    pub fn new(prepared: &Prepared) -> Self {
        let drift = prepared.population.shift.drift;
        Self {
            train: prepared.shards.clone(),
            test: prepared.test_shards.clone(),
            people: prepared.people.as_ref().map(|people| people.clients.clone()),
            population: prepared.population.clone(),
            drifted: drift.map(|drift| turn_labels(&prepared.test, drift.label_rotation)),
        }
    }
}

impl Shards for Held {
    fn train(&self, client: ClientId) -> Arc<Shard> {
        if let Some(people) = &self.people {
            return people[client.index() % people.len()].shard();
        }
        self.train[client.index() % self.train.len()].clone()
    }

    fn classes(&self, client: ClientId) -> Option<usize> {
        let people = self.people.as_ref()?;
        Some(people[client.index() % people.len()].classes)
    }

    fn test(&self, client: ClientId) -> Option<Arc<Shard>> {
        self.test
            .get(client.index() % self.test.len().max(1))
            .filter(|shard| !shard.is_empty())
            .cloned()
    }

    /// A client's samples drift as its group says; the common test set as `[population]` itself says.
    fn at(&self, client: Option<ClientId>, shard: Arc<Shard>, at: Time) -> Arc<Shard> {
        match client {
            Some(client) => match self.population.shift_of(client).drift {
                Some(drift) => turn_labels(&shard, drift.rotation(at)),
                None => shard,
            },
            None => match (&self.drifted, self.population.shift.drift) {
                (Some(drifted), Some(drift)) if at >= drift.begins() => drifted.clone(),
                _ => shard,
            },
        }
    }
}
