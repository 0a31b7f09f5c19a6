//! Parts that make no sense together, with the reason.

use super::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, Parts, RefinePart, SelectPart,
    WeighPart,
};
use crate::combine::By;
use crate::weigh::Staleness;
use serde::Serialize;
use std::fmt;

/// Two parts that make no sense together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The key and name of one part, such as `strategy.combine = fedat`.
    pub a: String,
    /// The key and name of the other.
    pub b: String,
    /// Why, and what to do.
    pub reason: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not go with {}: {}", self.a, self.b, self.reason)
    }
}

/// The name of a part as a scenario writes it: the tag of its enum.
pub(super) fn name(part: &impl fmt::Debug) -> String {
    let text = format!("{part:?}");
    let word: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let fused = [
        "FedAvgM",
        "FedAdagrad",
        "FedAdam",
        "FedYogi",
        "FedAt",
        "FedNova",
        "FlTrust",
        "FedBuff",
        "FedCompass",
        "FedBoost",
        "FedIod",
        "FedGc",
    ];
    if fused.contains(&word.as_str()) {
        return word.to_lowercase();
    }
    let mut kebab = String::new();
    for (index, letter) in word.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

impl Parts {
    /// Every pair of parts that makes no sense together; none when all is well. What custom parts do is
    /// not known: they go with everything.
    pub fn validate(&self) -> Vec<Conflict> {
        let select = format!("strategy.select = {}", name(&self.select));
        let pace = format!("strategy.pace = {}", name(&self.pace));
        let group = format!("strategy.group = {}", name(&self.group));
        let combine = format!("strategy.combine = {}", name(&self.combine));
        let mut found = Vec::new();
        let mut refuse = |a: &str, b: &str, reason: Option<&str>| {
            if let Some(reason) = reason {
                found.push(Conflict { a: a.into(), b: b.into(), reason: reason.into() });
            }
        };
        refuse(&combine, &pace, self.combine_and_pace());
        refuse(&select, &pace, self.select_and_pace());
        refuse(&group, &pace, self.group_and_pace());
        refuse(&group, &combine, self.group_and_combine());
        let companion = format!("strategy.companion = {}", name(&self.companion));
        refuse(&companion, &combine, self.companion_and_combine());
        refuse(&companion, &group, self.companion_and_group());
        for part in &self.weigh {
            let weigh = format!("strategy.weigh = {}", name(part));
            refuse(&weigh, &combine, self.weigh_and_combine(part));
            refuse(&weigh, &pace, self.weigh_and_pace(part));
        }
        found.extend(self.privacy_conflicts());
        found.extend(self.dialogue_conflicts());
        found
    }

    /// Parts that have nothing to do where no model travels.
    fn dialogue_conflicts(&self) -> Vec<Conflict> {
        if !matches!(self.pace, PacePart::FedIod(_)) {
            return Vec::new();
        }
        let reason = "with this pace no model travels and none is merged";
        let guard = self.guard.iter().find(|part| !matches!(part, GuardPart::Scalars(_)));
        let weigh = self.weigh.iter().find(|part| **part != WeighPart::Samples);
        let idle = [
            ("guard", guard.map(name)),
            ("group", (self.group != GroupPart::One).then(|| name(&self.group))),
            ("weigh", weigh.map(name)),
            ("combine", (self.combine != CombinePart::default()).then(|| name(&self.combine))),
            ("refine", (self.refine != RefinePart::None).then(|| name(&self.refine))),
            ("companion", (self.companion != CompanionPart::None).then(|| name(&self.companion))),
            ("privacy", (!self.privacy.is_none()).then(|| "set".to_string())),
        ];
        let conflict = |(seam, part): (&str, Option<String>)| {
            Some(Conflict {
                a: format!("strategy.{seam} = {}", part?),
                b: "strategy.pace = fediod".into(),
                reason: format!("{reason}; leave `{seam}` out"),
            })
        };
        idle.into_iter().filter_map(conflict).collect()
    }

    fn combine_and_pace(&self) -> Option<&'static str> {
        match (&self.combine, &self.pace) {
            (_, PacePart::Custom(_))
                if !matches!(self.combine, CombinePart::FedAt | CombinePart::Safa) =>
            {
                None
            }
            (CombinePart::FedAt, pace) if !matches!(pace, PacePart::Tiers(_)) => Some(
                "it weighs latency tiers against each other and needs to know them; use the pace `tiers`, such as `pace = { tiers = { tiers = 5, clients = 4 } }` in `[strategy]`",
            ),
            (CombinePart::Safa, pace) if !matches!(pace, PacePart::Safa(_)) => Some(
                "its cache relies on the pace to pick and to hold back updates; use the pace `safa`, as `pace = \"safa\"` in `[strategy]`",
            ),
            _ => None,
        }
    }

    fn select_and_pace(&self) -> Option<&'static str> {
        if self.select == SelectPart::Poisson && !matches!(self.pace, PacePart::Synchronous(_)) {
            return Some(
                "it draws every client by chance, not a number of them, which only whole rounds can wait for; use \
                 the pace `synchronous`",
            );
        }
        let rounds = matches!(
            self.pace,
            PacePart::Synchronous(_)
                | PacePart::OverSelection(_)
                | PacePart::Deadline(_)
                | PacePart::FedBoost(_)
                | PacePart::Custom(_)
        );
        match (&self.select, &self.pace) {
            (SelectPart::Schedule(_), _) if !rounds => Some(
                "a schedule lists clients by round and this pace has no rounds; use `synchronous`, \
                 `over-selection` or `deadline`",
            ),
            (SelectPart::Uniform, PacePart::Tiers(_) | PacePart::Safa(_)) => None,
            (SelectPart::All, PacePart::Safa(_)) => None,
            (_, PacePart::Tiers(_)) => Some(
                "this pace chooses uniformly inside its tiers and never asks the selector; use `uniform`",
            ),
            (_, PacePart::Safa(_)) => Some(
                "this pace invites everybody and chooses after training; use `uniform` or `all`",
            ),
            _ => None,
        }
    }

    fn group_and_pace(&self) -> Option<&'static str> {
        let remembers = match &self.group {
            GroupPart::Finch(finch) => finch.remember,
            GroupPart::ValidityIndex(index) => index.remember,
            GroupPart::KMeans(means) => means.remember,
            _ => true,
        };
        if !remembers && matches!(self.pace, PacePart::Immediate(_)) {
            return Some(
                "this pace merges one update at a time, which is near to nothing else; set `remember = true` to \
                 compare it with the latest change of every client",
            );
        }
        let tagged = matches!(self.pace, PacePart::Tiers(_) | PacePart::Custom(_));
        (self.group == GroupPart::ByTag && !tagged)
            .then_some("only the pace `tiers` gives clients lasting tags; use the group `one`")
    }

    fn group_and_combine(&self) -> Option<&'static str> {
        let clusters = matches!(
            self.group,
            GroupPart::Finch(_)
                | GroupPart::ValidityIndex(_)
                | GroupPart::KMeans(_)
                | GroupPart::ByClient
        );
        if clusters && matches!(self.combine, CombinePart::FedAt | CombinePart::Safa) {
            return Some("this combiner joins all clients in one model; use the group `one`");
        }
        let apart = self.group == GroupPart::ByTag && self.combine == CombinePart::FedAt;
        apart.then_some("one keeps the tiers apart, the other joins them; use the group `one`")
    }

    fn companion_and_combine(&self) -> Option<&'static str> {
        let robust = self.combine.is_robust();
        (self.companion == CompanionPart::Scaffold && robust).then_some(
            "control variates are averaged over all clients, so one hostile client steers what the robust \
             combiner protects; use the companion `none`",
        )
    }

    fn companion_and_group(&self) -> Option<&'static str> {
        let across =
            matches!(self.companion, CompanionPart::FedGc(_) | CompanionPart::PrivacyFace(_));
        (across && self.group != GroupPart::One)
            .then_some("embeddings of different models cannot be compared; use the group `one`")
    }

    fn weigh_and_pace(&self, weigh: &WeighPart) -> Option<&'static str> {
        let judged = matches!(self.pace, PacePart::FedBoost(_) | PacePart::Custom(_));
        if matches!(weigh, WeighPart::FedBoost(_)) && !judged {
            return Some(
                "it weighs by what clients say of each other's models, and only the pace `fedboost` asks them",
            );
        }
        let discounts = matches!(
            weigh,
            WeighPart::Staleness(_)
                | WeighPart::FedBuff
                | WeighPart::Flsim(_)
                | WeighPart::Pisces(_)
        );
        let constant = matches!(weigh, WeighPart::Staleness(Staleness::Constant));
        let alone =
            matches!(self.pace, PacePart::Immediate(_)) && self.combine.divides_by_weights();
        (discounts && !constant && alone).then_some(
            "this pace merges one update at a time and the combiner divides by its weight, so a discount does nothing; \
             use `combine = { mix = {} }` or `combine = { mean = { by = \"count\" } }`",
        )
    }

    fn weigh_and_combine(&self, weigh: &WeighPart) -> Option<&'static str> {
        let counts = match weigh {
            WeighPart::Samples | WeighPart::CosineDistance(_) | WeighPart::FedBoost(_) => true,
            WeighPart::Flsim(flsim) => flsim.average_samples.is_none(),
            _ => false,
        };
        // These are meant to be divided by their sum.
        let relative = matches!(weigh, WeighPart::Port(_));
        let above_one = matches!(weigh, WeighPart::Flsim(_) | WeighPart::RelativeSamples);
        let plain = matches!(weigh, WeighPart::Samples | WeighPart::Uniform | WeighPart::Custom(_));
        let discount = matches!(
            weigh,
            WeighPart::Uniform
                | WeighPart::Staleness(_)
                | WeighPart::FedBuff
                | WeighPart::Pisces(_)
                | WeighPart::Completeness
                | WeighPart::Custom(_)
        );
        match &self.combine {
            CombinePart::FlTrust(_) if !discount => Some(
                "trust decides how much a client counts, and no figure of its own; use `uniform`, `staleness` or \
                 `fedbuff`",
            ),
            CombinePart::Mix(_) if counts || relative || above_one => Some(
                "mixing takes weights between 0 and 1 as they are, these can be above 1; use `staleness`, \
                 `fedbuff` or `uniform`",
            ),
            CombinePart::Mean(mean) if mean.by == By::Count && (counts || relative) => Some(
                "a mean by count does not divide by the weights, so weights that are no shares of 1 would multiply \
                 the step; use `relative-samples`, `fedbuff`, `staleness` or `uniform`, or a mean by sum",
            ),
            CombinePart::Median
            | CombinePart::TrimmedMean(_)
            | CombinePart::Krum { .. }
            | CombinePart::MultiKrum { .. }
            | CombinePart::Bulyan { .. }
            | CombinePart::Safa
            | CombinePart::Mifa(_)
            | CombinePart::Ca2fl { .. }
                if !plain =>
            {
                Some("this combiner does not use weights; use `uniform`")
            }
            _ => None,
        }
    }
}
