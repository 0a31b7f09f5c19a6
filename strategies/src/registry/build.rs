//! From names to parts.

use super::{
    CombinePart, CompanionPart, Custom, GroupPart, GuardPart, PacePart, Parts, RefinePart,
    SelectPart, WeighPart,
};
use crate::composed::Seams;
use crate::guard::{self, Guard};
use crate::paillier::Fitting;
use crate::resources::{BufferPolicy, Resources};
use crate::seams::{Combine, Companion, Dialogue, Group, Pace, Refine, Select, Weigh};
use crate::secure::Encodable;
use crate::{combine, companion, fediod, group, pace, refine, select, weigh};
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Makes a part from its settings, or says what is wrong with them.
type Make<T> = Arc<dyn Fn(&BTreeMap<String, f64>) -> Result<T, String> + Send + Sync>;

/// The name under which a part is registered that runs the scenario's script.
pub const SCRIPT: &str = "script";

/// The registered parts of one seam.
pub struct Shelf<T>(BTreeMap<String, Make<T>>);

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<T> Shelf<T> {
    /// Registers a part; an earlier one of the same name is replaced.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        make: impl Fn(&BTreeMap<String, f64>) -> Result<T, String> + Send + Sync + 'static,
    ) {
        self.0.insert(name.into(), Arc::new(make));
    }

    /// The names on the shelf, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The part that runs the scenario's script, registered under [`SCRIPT`] by whoever has one.
    fn scripted(&self, seam: &str) -> Result<T, String> {
        let make = self.0.get(SCRIPT).ok_or_else(|| {
            format!("strategy.{seam} is `script`, but there is no script with a function `{seam}`")
        })?;
        make(&BTreeMap::new())
    }

    /// Makes the part that is written under `key`, such as `strategy.pace`.
    fn make(&self, key: &str, custom: &Custom) -> Result<T, String> {
        let name = &custom.name;
        let Some(make) = self.0.get(name) else {
            let known: Vec<&str> = self.names().collect();
            let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
            return Err(format!(
                "{key}.custom.name is `{name}`, but no such part is registered (registered: \
                 {known}); register it before the scenario is run"
            ));
        };
        make(&custom.numbers).map_err(|reason| format!("{key}.custom `{name}`: {reason}"))
    }
}

/// The parts that a user's crate adds to those of this one, and what those of this one need.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Whom to invite.
    pub select: Shelf<Box<dyn Select>>,
    /// When to aggregate.
    pub pace: Shelf<Box<dyn Pace>>,
    /// Which updates are let in.
    pub guard: Shelf<Box<dyn Guard>>,
    /// Which updates belong together.
    pub group: Shelf<Box<dyn Group>>,
    /// How much each counts.
    pub weigh: Shelf<Box<dyn Weigh>>,
    /// How they are merged.
    pub combine: Shelf<Box<dyn Combine>>,
    /// What the server learns afterwards.
    pub refine: Shelf<Box<dyn Refine>>,
    /// The server's side of the objective.
    pub companion: Shelf<Box<dyn Companion>>,
    /// What built-in parts need beyond updates.
    pub resources: Resources,
}

impl Parts {
    /// Whether a part looks at public samples.
    pub fn look_at_public(&self) -> bool {
        let groups = match &self.group {
            GroupPart::Finch(settings) => settings.on == group::On::PublicFeatures,
            GroupPart::ValidityIndex(settings) => settings.on == group::On::PublicFeatures,
            GroupPart::KMeans(settings) => settings.on == group::On::PublicFeatures,
            _ => false,
        };
        groups || matches!(self.refine, RefinePart::Distillation(_))
    }

    /// Builds the parts.
    ///
    /// # Errors
    /// The first setting out of range, the first conflict between parts, or a custom part that is not
    /// registered; in words that name the key.
    pub fn build(&self, registry: &Registry) -> Result<Seams, String> {
        if let Some(problem) = self.check().into_iter().next() {
            return Err(problem);
        }
        if let Some(conflict) = self.validate().into_iter().next() {
            return Err(conflict.to_string());
        }
        let weigh = self.weigh.iter().map(|part| part.build(registry)).collect::<Result<_, _>>()?;
        Ok(Seams {
            select: self.select.build(registry)?,
            pace: self.pace.build(registry)?,
            guard: self.guards(registry)?,
            group: self.group.build(registry)?,
            weigh: Box::new(weigh::Product(weigh)),
            combine: self.combine.with_buffers(&self.pace, registry)?,
            refine: self.refine.build(registry)?,
            companion: self.companion.build(registry)?,
            dialogue: self.pace.dialogue(registry)?,
            protection: self.protection(),
        })
    }
}

impl Parts {
    /// The guards; with hidden or encrypted sums, what a client's own software does not send comes last.
    fn guards(&self, registry: &Registry) -> Result<Vec<Box<dyn Guard>>, String> {
        let mut guards = guards("strategy.guard", &self.guard, registry)?;
        // Central noise comes with a clip, which keeps every change in the range.
        if let (Some(secure), None) = (self.privacy.secure, self.privacy.central) {
            guards.push(Box::new(Encodable { range: secure.range }));
        }
        if let Some(paillier) = self.privacy.paillier {
            guards.push(Box::new(Fitting { limit: paillier.limit() }));
        }
        Ok(guards)
    }
}

impl SelectPart {
    fn build(&self, registry: &Registry) -> Result<Box<dyn Select>, String> {
        Ok(match self.clone() {
            Self::Uniform => Box::new(select::Uniform),
            Self::Poisson => Box::new(select::Poisson),
            Self::All => Box::new(select::All),
            Self::BySamples => Box::new(select::BySamples::default()),
            Self::Schedule(part) => Box::new(part),
            Self::PowerOfChoice(part) => Box::new(part),
            Self::Oort(settings) => Box::new(select::Oort::new(settings)),
            Self::Tiers(settings) => Box::new(select::Tiers::new(settings)),
            Self::Tifl(settings) => Box::new(select::Tifl::new(settings)),
            Self::Refl(settings) => Box::new(select::Refl::new(settings)),
            Self::Pisces(settings) => Box::new(select::Pisces::new(settings)),
            Self::Script => registry.select.scripted("select")?,
            Self::Custom(custom) => registry.select.make("strategy.select", &custom)?,
        })
    }
}

impl PacePart {
    fn build(&self, registry: &Registry) -> Result<Box<dyn Pace>, String> {
        Ok(match self.clone() {
            Self::Synchronous(part) => Box::new(part),
            Self::OverSelection(part) => Box::new(part),
            Self::Deadline(settings) => Box::new(pace::Deadline::new(settings)),
            Self::Buffered(part) => Box::new(part),
            Self::Immediate(part) => Box::new(part),
            Self::Tiers(settings) => Box::new(pace::Tiers::new(settings)),
            Self::Safa(settings) => Box::new(pace::Safa::new(settings)),
            Self::Port(part) => Box::new(part),
            Self::FedBoost(settings) => Box::new(pace::FedBoost::new(settings)),
            Self::FedIod(_) => Box::new(pace::FedIod::default()),
            Self::FedCompass(settings) => Box::new(pace::FedCompass::new(settings)),
            Self::Pisces(settings) => Box::new(pace::Pisces::new(settings)),
            Self::Custom(custom) => registry.pace.make("strategy.pace", &custom)?,
        })
    }

    /// What the server asks its clients under this pace.
    fn dialogue(&self, registry: &Registry) -> Result<Option<Box<dyn Dialogue>>, String> {
        let Self::FedIod(settings) = self else { return Ok(None) };
        Ok(Some(Box::new(fediod::FedIod::new((**settings).clone(), &registry.resources)?)))
    }
}

/// Builds the guards that are listed under `key`, such as `strategy.guard`.
///
/// # Errors
/// The first setting out of range, or a custom part that is not registered; in words that begin with the key.
pub fn guards(
    key: &str,
    parts: &[GuardPart],
    registry: &Registry,
) -> Result<Vec<Box<dyn Guard>>, String> {
    match GuardPart::check_all(key, parts).into_iter().next() {
        Some(problem) => Err(problem),
        None => parts.iter().map(|part| part.build(key, registry)).collect(),
    }
}

impl GuardPart {
    fn build(&self, key: &str, registry: &Registry) -> Result<Box<dyn Guard>, String> {
        Ok(match self.clone() {
            Self::Norm(part) => Box::new(part),
            Self::RelativeNorm(settings) => Box::new(guard::RelativeNorm::new(settings)),
            Self::Scalars(part) => Box::new(part),
            Self::RelativeScalars(settings) => Box::new(guard::RelativeScalars::new(settings)),
            Self::Custom(custom) => registry.guard.make(key, &custom)?,
        })
    }
}

impl GroupPart {
    fn build(&self, registry: &Registry) -> Result<Box<dyn Group>, String> {
        Ok(match self {
            Self::One => Box::new(group::One),
            Self::ByTag => Box::new(group::ByTag),
            Self::ByClient => Box::new(group::ByClient),
            Self::Finch(settings) => Box::new(group::Finch::new(*settings, &registry.resources)?),
            Self::ValidityIndex(settings) => {
                Box::new(group::ValidityIndex::new(*settings, &registry.resources)?)
            }
            Self::KMeans(settings) => Box::new(group::KMeans::new(*settings, &registry.resources)?),
            Self::Custom(custom) => registry.group.make("strategy.group", custom)?,
        })
    }
}

impl WeighPart {
    fn build(&self, registry: &Registry) -> Result<Box<dyn Weigh>, String> {
        Ok(match self.clone() {
            Self::Samples => Box::new(weigh::Samples),
            Self::RelativeSamples => Box::new(weigh::RelativeSamples),
            Self::Uniform => Box::new(weigh::Uniform),
            Self::Staleness(part) => Box::new(part),
            Self::FedBuff => Box::new(weigh::FedBuff),
            Self::Flsim(part) => Box::new(part),
            Self::Pisces(part) => Box::new(part),
            Self::Refl(part) => Box::new(part),
            Self::Port(part) => Box::new(part),
            Self::Completeness => Box::new(weigh::Completeness),
            Self::CosineDistance(part) => Box::new(part),
            Self::FedBoost(part) => Box::new(part),
            Self::Script => registry.weigh.scripted("weigh")?,
            Self::Custom(custom) => registry.weigh.make("strategy.weigh", &custom)?,
        })
    }
}

impl CombinePart {
    /// The rule, with buffers merged as values where the network has any. Rules that average models, not
    /// changes, do so by themselves.
    pub(crate) fn with_buffers(
        &self,
        pace: &PacePart,
        registry: &Registry,
    ) -> Result<Box<dyn Combine>, String> {
        let inner = self.build(pace, registry)?;
        let Resources { buffers, buffer_policy, .. } = &registry.resources;
        let of_models = matches!(self, Self::Mix(_) | Self::FedAt | Self::Safa);
        if buffers.is_empty() || (of_models && *buffer_policy == BufferPolicy::Average) {
            return Ok(inner);
        }
        let merge = combine::MergeBuffers::new(*buffer_policy, self.is_robust());
        Ok(Box::new(combine::BuffersApart { inner, range: buffers.clone(), merge }))
    }

    fn build(&self, pace: &PacePart, registry: &Registry) -> Result<Box<dyn Combine>, String> {
        Ok(match self.clone() {
            Self::Mean(part) => Box::new(part),
            Self::Mix(part) => Box::new(part),
            Self::FedAvgM(settings) => Box::new(combine::FedAvgM::new(settings)),
            Self::FedAdagrad(settings) => Box::new(combine::FedAdagrad::new(settings)),
            Self::FedAdam(settings) => Box::new(combine::FedAdam::new(settings)),
            Self::FedYogi(settings) => Box::new(combine::FedYogi::new(settings)),
            Self::FedAt => match pace {
                PacePart::Tiers(tiers) => Box::new(combine::FedAt::new(tiers.tiers)),
                _ => return Err("strategy.combine `fedat` needs the pace `tiers`".into()),
            },
            Self::Safa => match pace {
                PacePart::Safa(safa) => Box::new(combine::Safa::new(safa.lag)),
                _ => return Err("strategy.combine `safa` needs the pace `safa`".into()),
            },
            Self::Mifa(settings) => Box::new(combine::Mifa::new(settings)),
            Self::Ca2fl { rate } => Box::new(combine::Ca2fl::new(rate)),
            Self::Fadas(settings) => Box::new(combine::Fadas::new(settings)),
            Self::FedNova(part) => Box::new(part),
            Self::Median => Box::new(combine::Median),
            Self::TrimmedMean(part) => Box::new(part),
            Self::Krum { byzantine } => Box::new(combine::Krum { byzantine, keep: 1 }),
            Self::MultiKrum { byzantine, keep } => Box::new(combine::Krum { byzantine, keep }),
            Self::Bulyan { byzantine } => Box::new(combine::Bulyan { byzantine }),
            Self::FlTrust(settings) => {
                Box::new(combine::FlTrust::new(settings, &registry.resources)?)
            }
            Self::Custom(custom) => registry.combine.make("strategy.combine", &custom)?,
        })
    }
}

impl RefinePart {
    fn build(&self, registry: &Registry) -> Result<Option<Box<dyn Refine>>, String> {
        match self {
            Self::None => Ok(None),
            Self::Distillation(settings) => {
                Ok(Some(Box::new(refine::Distillation::new(*settings, &registry.resources)?)))
            }
            Self::Custom(custom) => registry.refine.make("strategy.refine", custom).map(Some),
        }
    }
}

impl CompanionPart {
    fn build(&self, registry: &Registry) -> Result<Option<Box<dyn Companion>>, String> {
        match self {
            Self::None => Ok(None),
            Self::Scaffold => Ok(Some(Box::new(companion::Scaffold::default()))),
            Self::FedGc(settings) => {
                Ok(Some(Box::new(companion::FedGc::new(*settings, &registry.resources)?)))
            }
            Self::PrivacyFace(settings) => {
                Ok(Some(Box::new(companion::PrivacyFace::new(*settings))))
            }
            Self::Custom(custom) => registry.companion.make("strategy.companion", custom).map(Some),
        }
    }
}
