//! The names of the parts and their settings.

use crate::{combine, companion, fediod, group, guard, pace, refine, select, weigh};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A part of one's own, registered by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// The name under which it was registered.
    pub name: String,
    /// Its settings.
    #[serde(default)]
    pub numbers: BTreeMap<String, f64>,
}

/// Whom to invite.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SelectPart {
    /// Everybody with the same probability.
    #[default]
    Uniform,
    /// Everybody independently of the others.
    Poisson,
    /// The lowest ids.
    All,
    /// In proportion to the samples.
    BySamples,
    /// A fixed list.
    Schedule(select::Schedule),
    /// The largest losses among candidates.
    PowerOfChoice(select::PowerOfChoice),
    /// Statistical and system utility.
    Oort(select::OortSettings),
    /// One latency tier at a time.
    Tiers(select::TiersSettings),
    /// Latency tiers with credits.
    Tifl(select::TiflSettings),
    /// Least available first.
    Refl(select::ReflSettings),
    /// Utility discounted by staleness.
    Pisces(select::PiscesSettings),
    /// The function `select` of the scenario's script: the slow path.
    Script,
    /// A registered part.
    Custom(Custom),
}

/// When to aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PacePart {
    /// Rounds that wait for everybody.
    Synchronous(pace::Synchronous),
    /// Rounds that take the first.
    OverSelection(pace::OverSelection),
    /// Rounds with a deadline.
    Deadline(pace::DeadlineSettings),
    /// Whenever a buffer is full.
    Buffered(pace::Buffered),
    /// Every update at once.
    Immediate(pace::Immediate),
    /// Synchronous inside a tier, asynchronous across tiers.
    Tiers(pace::TiersSettings),
    /// Semi-asynchronous rounds with lag tolerance.
    Safa(pace::SafaSettings),
    /// A buffer with a bound on staleness.
    Port(pace::Port),
    /// Rounds in which clients judge each other's models.
    #[serde(rename = "fedboost")]
    FedBoost(pace::FedBoostSettings),
    /// Questions and answers instead of models.
    #[serde(rename = "fediod")]
    FedIod(Box<fediod::FedIodSettings>),
    /// Groups that arrive together.
    #[serde(rename = "fedcompass")]
    FedCompass(pace::FedCompassSettings),
    /// As often as staleness asks for.
    Pisces(pace::PiscesSettings),
    /// A registered part.
    Custom(Custom),
}

impl Default for PacePart {
    fn default() -> Self {
        Self::Synchronous(pace::Synchronous::default())
    }
}

/// Which updates are let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GuardPart {
    /// A bound on the norm of a change.
    Norm(guard::Norm),
    /// A bound on the norm of a change, relative to what is usual.
    RelativeNorm(guard::RelativeNormSettings),
    /// A check of what clients report beside their parameters.
    Scalars(guard::Scalars),
    /// A check of what clients report against what others report.
    RelativeScalars(guard::RelativeScalarsSettings),
    /// A registered part.
    Custom(Custom),
}

/// Which updates belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GroupPart {
    /// All.
    #[default]
    One,
    /// Those with the same tag.
    ByTag,
    /// Those of the same client: updates never meet.
    ByClient,
    /// Those linked by nearest neighbours.
    Finch(group::FinchSettings),
    /// As many groups as an index finds, one if it finds none.
    ValidityIndex(group::ValiditySettings),
    /// k-means, with as many groups as are asked for or as the validity index finds.
    KMeans(group::KMeansSettings),
    /// A registered part.
    Custom(Custom),
}

/// How much an update counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WeighPart {
    /// By its samples.
    Samples,
    /// By its samples against the mean of the aggregation's.
    RelativeSamples,
    /// As all others.
    Uniform,
    /// Less when it is stale.
    Staleness(weigh::Staleness),
    /// By `1 / sqrt(1 + staleness)`.
    #[serde(rename = "fedbuff")]
    FedBuff,
    /// By samples and staleness against averages.
    Flsim(weigh::Flsim),
    /// Less when its client has been stale lately.
    Pisces(weigh::Pisces),
    /// More when it is stale and says something new.
    Refl(weigh::Refl),
    /// By similarity and staleness.
    Port(weigh::Port),
    /// By the share of the work that was done.
    Completeness,
    /// By how far training moved the client's answers.
    CosineDistance(weigh::CosineDistance),
    /// By training losses and those that other clients find.
    #[serde(rename = "fedboost")]
    FedBoost(weigh::FedBoost),
    /// By the function `weigh` of the scenario's script: the slow path.
    Script,
    /// A registered part.
    Custom(Custom),
}

/// How updates are merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CombinePart {
    /// The weighted mean.
    Mean(combine::Mean),
    /// One after the other.
    Mix(combine::Mix),
    /// Server momentum.
    #[serde(rename = "fedavgm")]
    FedAvgM(combine::FedAvgMSettings),
    /// Adagrad at the server.
    #[serde(rename = "fedadagrad")]
    FedAdagrad(combine::FedAdagradSettings),
    /// Adam at the server.
    #[serde(rename = "fedadam")]
    FedAdam(combine::FedAdamSettings),
    /// Yogi at the server.
    #[serde(rename = "fedyogi")]
    FedYogi(combine::FedYogiSettings),
    /// Slow tiers count more. The number of tiers is the pace's.
    #[serde(rename = "fedat")]
    FedAt,
    /// A cache of all clients' models. The lag is the pace's.
    Safa,
    /// A memory of all clients' changes.
    Mifa(combine::MifaSettings),
    /// Cached update calibration.
    Ca2fl {
        /// Server learning rate, above 0.
        #[serde(default = "one")]
        rate: f64,
    },
    /// AMSGrad at the server, adapted to delays.
    Fadas(combine::FadasSettings),
    /// Normalised by local steps.
    #[serde(rename = "fednova")]
    FedNova(combine::FedNova),
    /// The median of every coordinate.
    Median,
    /// The mean of every coordinate without its extremes.
    TrimmedMean(combine::TrimmedMean),
    /// The one change that is nearest to the others.
    Krum {
        /// How many clients may be hostile.
        byzantine: usize,
    },
    /// The mean of the changes that are nearest to the others.
    MultiKrum {
        /// How many clients may be hostile.
        byzantine: usize,
        /// How many changes are kept, at least 1.
        keep: usize,
    },
    /// As far as the server's own samples trust them.
    #[serde(rename = "fltrust")]
    FlTrust(combine::FlTrustSettings),
    /// Krum's choice, then the middle of every coordinate.
    Bulyan {
        /// How many clients may be hostile.
        byzantine: usize,
    },
    /// A registered part.
    Custom(Custom),
}

impl CombinePart {
    /// Whether the rule holds against some hostile clients: it chooses, orders or cuts.
    pub fn is_robust(&self) -> bool {
        matches!(
            self,
            Self::Median
                | Self::TrimmedMean(_)
                | Self::Krum { .. }
                | Self::MultiKrum { .. }
                | Self::Bulyan { .. }
                | Self::FlTrust(_)
        )
    }

    /// Whether a weight that all updates of an aggregation share cancels out.
    pub(super) fn divides_by_weights(&self) -> bool {
        match self {
            Self::Mean(mean) => mean.by == combine::By::Sum,
            Self::FedAvgM(_) | Self::FedAdagrad(_) | Self::FedAdam(_) | Self::FedYogi(_) => true,
            _ => false,
        }
    }
}

fn one() -> f64 {
    1.0
}

impl Default for CombinePart {
    fn default() -> Self {
        Self::Mean(combine::Mean::default())
    }
}

/// What the server learns after merging.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RefinePart {
    /// Nothing.
    #[default]
    None,
    /// What the merged clients' models make of public pictures.
    Distillation(refine::DistillationSettings),
    /// A registered part.
    Custom(Custom),
}

/// The server's side of the objective.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CompanionPart {
    /// Nothing travels beside the model.
    #[default]
    None,
    /// Control variates.
    Scaffold,
    /// Class embeddings at the server, corrected across clients.
    #[serde(rename = "fedgc")]
    FedGc(companion::FedGcSettings),
    /// Differentially private clusters of class centres, for others to keep away from.
    PrivacyFace(companion::PrivacyFaceSettings),
    /// A registered part.
    Custom(Custom),
}
