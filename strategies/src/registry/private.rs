//! What the parts mean for privacy: what a release is divided by, and which parts would break the promise.

use super::conflict::{Conflict, name};
use super::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, Parts, RefinePart, SelectPart,
    WeighPart,
};
use crate::privacy::{Plan, Protection};

const CENTRAL: &str = "strategy.privacy.central";
const LOCAL: &str = "strategy.privacy.local";

impl Parts {
    /// Updates in a release as far as they can be foreseen; `None` for paces that merge as many as come.
    pub fn expected_updates(&self) -> Option<usize> {
        match &self.pace {
            PacePart::Synchronous(pace) => Some(pace.clients),
            PacePart::OverSelection(pace) => Some(pace.clients),
            PacePart::Deadline(pace) => Some(pace.clients),
            PacePart::Buffered(pace) => Some(pace.buffer),
            PacePart::Immediate(_) => Some(1),
            _ => None,
        }
    }

    /// What protects the clients' data under these parts.
    pub(super) fn protection(&self) -> Option<Protection> {
        let expected = self.expected_updates().unwrap_or(1).max(1) as f64;
        let sampled = self.select == SelectPart::Poisson;
        Protection::new(&self.privacy, Plan { expected, sampled })
    }

    /// Parts that would break what `[strategy.privacy]` promises. A custom part is taken at its word.
    pub(super) fn privacy_conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        let mut refuse = |a: &str, b: String, reason: Option<&str>| {
            if let Some(reason) = reason {
                found.push(Conflict { a: a.into(), b, reason: reason.into() });
            }
        };
        for key in self.noise_keys() {
            refuse(key, key_of("select", &self.select), self.looks_at_losses());
            refuse(key, key_of("companion", &self.companion), self.sends_beside());
        }
        if self.privacy.local.is_some() {
            for part in &self.weigh {
                refuse(LOCAL, key_of("weigh", part), says_too_much(part));
            }
        }
        if self.privacy.central.is_some() {
            refuse(CENTRAL, key_of("pace", &self.pace), self.no_denominator());
            refuse(CENTRAL, key_of("group", &self.group), self.several_models());
            refuse(CENTRAL, key_of("combine", &self.combine), self.looks_at_single());
            refuse(CENTRAL, key_of("refine", &self.refine), self.refines());
            for part in &self.weigh {
                refuse(CENTRAL, key_of("weigh", part), unbounded(part));
            }
            for part in &self.guard {
                refuse(CENTRAL, key_of("guard", part), looks_at_others(part));
            }
        }
        found
    }

    fn noise_keys(&self) -> Vec<&'static str> {
        let privacy = &self.privacy;
        let both = [(privacy.central.is_some(), CENTRAL), (privacy.local.is_some(), LOCAL)];
        both.into_iter().filter_map(|(is, key)| is.then_some(key)).collect()
    }

    fn looks_at_losses(&self) -> Option<&'static str> {
        let looks = matches!(
            self.select,
            SelectPart::Oort(_)
                | SelectPart::PowerOfChoice(_)
                | SelectPart::Tifl(_)
                | SelectPart::Pisces(_)
        );
        looks.then_some(
            "it chooses by losses, which say something of the clients that no noise covers; use `uniform` or `poisson`",
        )
    }

    fn sends_beside(&self) -> Option<&'static str> {
        (self.companion == CompanionPart::Scaffold)
            .then_some("its control variates travel without noise; use the companion `none`")
    }

    fn no_denominator(&self) -> Option<&'static str> {
        self.expected_updates().is_none().then_some(
            "the sum is divided by a fixed number of updates, and this pace merges as many as come; use \
             `synchronous`, `over-selection`, `deadline`, `buffered` or `immediate`",
        )
    }

    fn several_models(&self) -> Option<&'static str> {
        (self.group != GroupPart::One).then_some(
            "which client is in which group says something of its data that no noise covers; use the group `one`",
        )
    }

    fn looks_at_single(&self) -> Option<&'static str> {
        let sum_is_enough = matches!(
            self.combine,
            CombinePart::Mean(_)
                | CombinePart::Mix(_)
                | CombinePart::FedAvgM(_)
                | CombinePart::FedAdagrad(_)
                | CombinePart::FedAdam(_)
                | CombinePart::FedYogi(_)
                | CombinePart::Custom(_)
        );
        (!sum_is_enough).then_some(
            "it looks at single updates or keeps them, and only their noisy sum is protected; use `mean` or a server \
             optimizer",
        )
    }

    fn refines(&self) -> Option<&'static str> {
        matches!(self.refine, RefinePart::Distillation(_)).then_some(
            "it learns from single updates, and only their noisy sum is protected; use the refine `none`",
        )
    }
}

/// The key and name of a part.
fn key_of(seam: &str, part: &impl std::fmt::Debug) -> String {
    format!("strategy.{seam} = {}", name(part))
}

/// A weight that is told without noise.
fn says_too_much(part: &WeighPart) -> Option<&'static str> {
    matches!(part, WeighPart::CosineDistance(_)).then_some(
        "clients would report how far their answers moved, without noise; use `uniform` or `samples`",
    )
}

/// A weight that may be above 1, or depends on other clients.
fn unbounded(part: &WeighPart) -> Option<&'static str> {
    let bounded = matches!(
        part,
        WeighPart::Uniform
            | WeighPart::Staleness(_)
            | WeighPart::FedBuff
            | WeighPart::Completeness
            | WeighPart::Custom(_)
    );
    (!bounded).then_some(
        "a client could count for more than the noise covers; use `uniform`, `staleness` or `fedbuff`",
    )
}

/// A guard that judges a client by what others sent.
fn looks_at_others(part: &GuardPart) -> Option<&'static str> {
    matches!(part, GuardPart::RelativeNorm(_)).then_some(
        "one client would move what others are held to, and no noise covers that; use the guard `norm`",
    )
}
