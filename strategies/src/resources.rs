//! What some parts need beyond updates: the network's trainer and pictures that the server may look at.

use crate::companion::FirstHeads;
use offbeat_kernel::Stream;
use offbeat_learning::data::Shard;
use offbeat_learning::{Flat, LearnError, LocalPlan, Trainer};
use rand::seq::SliceRandom;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;

/// Plain resources, given when a strategy is built. The default is none.
#[derive(Clone, Default)]
pub struct Resources {
    /// Computes features and trains at the server.
    pub trainer: Option<Arc<dyn Trainer>>,
    /// Samples that the server may look at; their labels mean nothing.
    pub public: Option<Arc<Shard>>,
    /// Where labelled samples of the server's own are drawn from.
    pub root: Option<RootPool>,
    /// Where the shared parameters hold buffers; empty for none.
    pub buffers: Range<usize>,
    /// What becomes of them.
    pub buffer_policy: BufferPolicy,
    /// The class embeddings that a server which keeps them begins with.
    pub heads: Option<Arc<FirstHeads>>,
    /// Threads that may compute at the same time; results do not depend on it.
    pub threads: usize,
    /// Whether nothing is learnt: only time and bytes count.
    pub timing_only: bool,
}

/// Labelled samples, some of which are the server's own.
#[derive(Clone)]
pub struct RootPool {
    /// All samples; how many of them are drawn says the part that needs them.
    pub shard: Arc<Shard>,
    /// How the server trains: as the clients do.
    pub plan: Arc<LocalPlan>,
    /// What draws.
    pub stream: Stream,
}

/// What the server does with buffers (running statistics of batch normalisation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BufferPolicy {
    /// The weighted mean of the merged clients' own.
    #[default]
    Average,
    /// Those of the merged client with the lowest id are taken.
    First,
}

impl Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("public", &self.public.as_ref().map(|shard| shard.len()))
            .field("buffers", &self.buffers)
            .finish_non_exhaustive()
    }
}

/// A trainer and the pictures that the server may look at.
#[derive(Clone)]
pub struct Public {
    /// Computes features and trains at the server.
    pub trainer: Arc<dyn Trainer>,
    /// The samples.
    pub shard: Arc<Shard>,
    /// Threads that may compute at the same time, at least 1.
    pub threads: usize,
}

/// A trainer and labelled samples of the server's own.
#[derive(Clone)]
pub struct Root {
    /// Trains at the server.
    pub trainer: Arc<dyn Trainer>,
    /// The samples.
    pub shard: Arc<Shard>,
    /// How it trains: as the clients do.
    pub plan: Arc<LocalPlan>,
}

impl Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("samples", &self.shard.len()).finish_non_exhaustive()
    }
}

impl Debug for RootPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootPool").field("samples", &self.shard.len()).finish_non_exhaustive()
    }
}

impl Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Public").field("samples", &self.shard.len()).finish_non_exhaustive()
    }
}

impl Resources {
    /// What a part that looks at public samples needs.
    ///
    /// # Errors
    /// In words, for the part at `key`, when there is no trainer or no public sample.
    pub fn public(&self, key: &str) -> Result<Public, String> {
        match (&self.trainer, &self.public) {
            (Some(trainer), Some(shard)) if !shard.is_empty() => {
                let (trainer, shard) = (trainer.clone(), shard.clone());
                Ok(Public { trainer, shard, threads: self.threads.max(1) })
            }
            _ => Err(format!(
                "{key} looks at public pictures, and there are none; take a data set that has some, such as \
                 `nine-domains`"
            )),
        }
    }
}

impl Resources {
    /// What a part that trains at the server on so many samples needs.
    ///
    /// # Errors
    /// In words, for the part at `key`, when there is no trainer or no labelled sample.
    pub fn root(&self, key: &str, samples: usize) -> Result<Root, String> {
        match (&self.trainer, &self.root) {
            (Some(trainer), Some(pool)) if !pool.shard.is_empty() => {
                let mut rows: Vec<u32> = pool.shard.rows.to_vec();
                let rows = rows.partial_shuffle(&mut pool.stream.clone(), samples).0.to_vec();
                let shard = Arc::new(Shard { data: pool.shard.data.clone(), rows: rows.into() });
                Ok(Root { trainer: trainer.clone(), shard, plan: pool.plan.clone() })
            }
            _ => Err(format!(
                "{key} trains on samples of the server's own, and there are none; take a data set whose samples \
                 have labels that all clients share"
            )),
        }
    }
}

impl Public {
    /// At most `count` samples, spread evenly over all: always the same.
    pub fn batch(&self, count: usize) -> Shard {
        let all = self.shard.len();
        let take = count.min(all);
        let rows = (0..take).map(|place| self.shard.rows[place * all / take]).collect();
        Shard { data: self.shard.data.clone(), rows }
    }

    /// The features that each model gives to all of `shard`, in evaluation mode, row-major; models side by side
    /// on several threads, in the order given.
    pub fn features(&self, models: &[&Flat], shard: &Shard) -> Vec<Result<Vec<f32>, LearnError>> {
        let one = |model: &Flat| self.trainer.features(model, shard, 0..shard.len(), false);
        if self.threads == 1 || models.len() < 2 {
            return models.iter().map(|model| one(model)).collect();
        }
        let share = models.len().div_ceil(self.threads);
        std::thread::scope(|scope| {
            let parts: Vec<_> = models
                .chunks(share)
                .map(|part| scope.spawn(|| part.iter().map(|model| one(model)).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }
}
