//! What stands for a client when clients are grouped.

use crate::resources::{Public, Resources};
use crate::update::Update;
use offbeat_learning::Flat;
use offbeat_learning::reid::similarity::unit_rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples of the one batch that features are taken of (Zhuang et al., TOMM 2022, section 5.1).
const BATCH: usize = 32;

/// What stands for a client when clients are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The change of the shared parameters, flattened.
    #[default]
    Changes,
    /// What the client's model makes of one fixed batch of 32 public pictures: the features, one after the
    /// other. Costs a forward pass for each update and no traffic.
    PublicFeatures,
}

/// Makes the vectors.
#[derive(Clone, Debug)]
pub(super) enum Vectors {
    Changes,
    Features(Public),
}

impl Vectors {
    /// # Errors
    /// When features are wanted and there is nothing to take them of.
    pub(super) fn new(on: On, key: &str, resources: &Resources) -> Result<Self, String> {
        Ok(match on {
            On::Changes => Self::Changes,
            On::PublicFeatures => Self::Features(resources.public(key)?),
        })
    }

    /// A vector of length 1 for each update, all of the same dimension; zero when it is not finite or cannot
    /// be computed, so that it is near to nobody.
    pub(super) fn of(&self, updates: &[Update]) -> Vec<Vec<f32>> {
        let vectors: Vec<Vec<f32>> = match self {
            Self::Changes => updates.iter().map(|update| update.delta().to_vec()).collect(),
            Self::Features(public) => {
                let models: Vec<&Flat> = updates.iter().map(|update| &update.params).collect();
                let features = public.features(&models, &public.batch(BATCH));
                features.into_iter().map(Result::unwrap_or_default).collect()
            }
        };
        let dims = vectors.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let unit = |mut vector: Vec<f32>| {
            vector.resize(dims, 0.0);
            unit_rows(&vector, dims)
        };
        vectors.into_iter().map(unit).collect()
    }
}
