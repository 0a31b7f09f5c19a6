//! Grouping by clusters of what stands for the clients: what the rules that look for clusters share.

use super::changes::Memory;
use super::vectors::{On, Vectors};
use crate::resources::Resources;
use crate::seams::{Group, View};
use crate::update::Update;
use offbeat_kernel::codec::{self, CodecError};
use std::fmt::Debug;

/// A rule that finds clusters, with its settings.
pub trait Clustering: Debug + Send {
    /// Its key in a scenario.
    const KEY: &str;

    /// What stands for a client.
    fn on(&self) -> On;

    /// Whether the latest change of every client is clustered along.
    fn remembers(&self) -> bool;

    /// A cluster for each of `rows`: unit vectors (zero where there is none), row-major with `dims` columns.
    fn clusters(&self, rows: &[f32], dims: usize) -> Vec<u32>;
}

/// Groups updates by the clusters that a rule finds. Groups are found anew each time and keep their numbers by most
/// members.
#[derive(Clone, Debug)]
pub struct Clustered<R> {
    pub(super) rule: R,
    vectors: Vectors,
    pub(super) memory: Memory,
}

impl<R: Clustering> Clustered<R> {
    /// The part without memory yet.
    ///
    /// # Errors
    /// When it should look at public pictures and there are none.
    pub fn new(rule: R, resources: &Resources) -> Result<Self, String> {
        let vectors = Vectors::new(rule.on(), R::KEY, resources)?;
        Ok(Self { rule, vectors, memory: Memory::default() })
    }
}

impl<R: Clustering> Group for Clustered<R> {
    fn group(&mut self, updates: &[Update], _: &View<'_>) -> Vec<u32> {
        let (rule, vectors) = (&self.rule, self.vectors.of(updates));
        let clusters = |rows: &[f32], dims| rule.clusters(rows, dims);
        self.memory.group(updates, vectors, rule.remembers(), clusters)
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(&self.memory)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.memory = codec::decode(bytes)?;
        Ok(())
    }
}
