//! Newtypes for everything that is counted, so that a client is never taken for a task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A participant of the federation, counted from 0 in the order of the population.
    ClientId(u32), "client "
);
id!(
    /// One invitation of one client: download, local work, upload. Never used twice in a run.
    TaskId(u64), "task "
);
id!(
    /// One piece of real compute handed to the pool. Never used twice in a run.
    JobId(u64), "job "
);
id!(
    /// The count of aggregations that a global model has seen.
    Version(u64), "version "
);

impl ClientId {
    /// The client's position in tables that are indexed by client.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Version {
    /// The version after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Staleness of an update that started from `base` when the model is at `self`, in versions.
    pub fn since(self, base: Version) -> u64 {
        self.0.saturating_sub(base.0)
    }
}
