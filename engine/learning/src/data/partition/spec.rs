//! Which partition a scenario asks for.

use super::{
    Dirichlet, FromFile, Iid, LabelMix, Natural, Partition, Pathological, Quantity, Shards,
};
use crate::LearnError;
use crate::data::Dataset;
use crate::reid::Architecture;
use offbeat_kernel::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A partition by name. In TOML: `[partition.dirichlet]` with `alpha = 0.3`, or `[partition.iid]` alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PartitionSpec {
    /// Equal parts at random.
    Iid(Iid),
    /// Label skew by a Dirichlet distribution.
    Dirichlet(Dirichlet),
    /// A fixed number of labels a client.
    Pathological(Pathological),
    /// Shards of the samples sorted by label.
    Shards(Shards),
    /// Sizes by a law.
    Quantity(Quantity),
    /// Given proportions of labels.
    LabelMix(LabelMix),
    /// The natural owners of the data.
    Natural(Natural),
    /// A file.
    File(FromFile),
    /// Pictures of persons: each data set is a client, an edge server that holds what its cameras send.
    ByDataset,
    /// Pictures of persons: each camera is a client.
    ByCamera,
    /// Pictures of persons: the persons are dealt to the clients in equal numbers.
    ByIdentity,
}

impl PartitionSpec {
    /// Splits `data` over `clients`. A relative path starts at `base_dir`.
    ///
    /// # Errors
    /// Settings that cannot work with these data, malformed files, and clients without samples unless
    /// `allow_empty` is set.
    pub fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
        base_dir: &Path,
    ) -> Result<Partition, LearnError> {
        self.check(data, clients)?;
        let partition = match self {
            Self::Iid(scheme) => scheme.split(data, clients, stream),
            Self::Dirichlet(scheme) => scheme.split(data, clients, stream),
            Self::Pathological(scheme) => scheme.split(data, clients, stream),
            Self::Shards(scheme) => scheme.split(data, clients, stream),
            Self::Quantity(scheme) => scheme.split(data, clients, stream),
            Self::LabelMix(scheme) => scheme.split(data, clients, stream),
            Self::Natural(scheme) => scheme.split(data, clients, stream),
            Self::File(scheme) => scheme.split(data, clients, base_dir),
            Self::ByDataset | Self::ByCamera | Self::ByIdentity => Err(LearnError::Invalid(
                "these data have no persons and no cameras; take a partition such as `iid` or `dirichlet`"
                    .into(),
            )),
        }?;
        self.refuse_empty(&partition)?;
        Ok(partition)
    }

    /// Whether clients may share samples.
    fn replacement(&self) -> bool {
        match self {
            Self::Iid(scheme) => scheme.replacement,
            Self::Dirichlet(scheme) => scheme.replacement,
            Self::LabelMix(scheme) => scheme.replacement,
            Self::File(scheme) => scheme.replacement,
            Self::Pathological(_) | Self::Shards(_) | Self::Quantity(_) | Self::Natural(_) => false,
            Self::ByDataset | Self::ByCamera | Self::ByIdentity => false,
        }
    }

    fn allow_empty(&self) -> bool {
        match self {
            Self::Iid(scheme) => scheme.allow_empty,
            Self::Dirichlet(scheme) => scheme.allow_empty,
            Self::Pathological(scheme) => scheme.allow_empty,
            Self::Shards(scheme) => scheme.allow_empty,
            Self::Quantity(scheme) => scheme.allow_empty,
            Self::LabelMix(scheme) => scheme.allow_empty,
            Self::Natural(scheme) => scheme.allow_empty,
            Self::File(scheme) => scheme.allow_empty,
            Self::ByDataset | Self::ByCamera | Self::ByIdentity => false,
        }
    }

    /// How pictures of persons are split, if this splits those.
    pub fn architecture(&self) -> Option<Architecture> {
        match self {
            Self::ByDataset => Some(Architecture::Datasets),
            Self::ByCamera => Some(Architecture::Cameras),
            Self::ByIdentity => Some(Architecture::Identities),
            _ => None,
        }
    }

    fn check(&self, data: &Dataset, clients: u32) -> Result<(), LearnError> {
        let complain = |reason: String| Err(LearnError::Invalid(format!("partition: {reason}")));
        if clients == 0 {
            return complain("there are no clients: set at least 1".into());
        }
        if data.is_empty() {
            return complain("the training data hold no samples".into());
        }
        if u32::try_from(data.len()).is_err() {
            return complain(format!("{} samples are more than {}", data.len(), u32::MAX));
        }
        if clients as usize > data.len() && !self.replacement() && !self.allow_empty() {
            return complain(format!(
                "{clients} clients, but only {} samples: use fewer clients, or let them share samples (`replacement = true` with iid, label-mix, file, or dirichlet with `balanced = true`), or set `allow_empty = true`",
                data.len()
            ));
        }
        Ok(())
    }

    fn refuse_empty(&self, partition: &Partition) -> Result<(), LearnError> {
        if self.allow_empty() {
            return Ok(());
        }
        let Some(first) = partition.sizes().position(|size| size == 0) else {
            return Ok(());
        };
        let empty = partition.sizes().filter(|&size| size == 0).count();
        Err(LearnError::Invalid(format!(
            "partition: client {first} has no samples ({empty} of {} clients have none): use fewer clients, a milder skew, or set `allow_empty = true`",
            partition.clients()
        )))
    }
}
