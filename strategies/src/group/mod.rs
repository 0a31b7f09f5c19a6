//! Which updates belong together: one file per rule.

pub mod by_client;
pub mod by_tag;
mod changes;
pub mod clustered;
pub mod finch;
pub mod kmeans;
pub mod levels;
pub mod one;
pub mod validity;
mod vectors;

pub use by_client::ByClient;
pub use by_tag::ByTag;
pub use clustered::{Clustered, Clustering};
pub use finch::{Finch, FinchSettings};
pub use kmeans::{KMeans, KMeansSettings};
pub use one::One;
pub use validity::{ValidityIndex, ValiditySettings};
pub use vectors::On;
