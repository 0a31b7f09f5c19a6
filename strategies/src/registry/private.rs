//! What the parts mean for privacy: what a release is divided by, and which parts would break the promise.

use super::conflict::{Conflict, name};
use super::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, Parts, RefinePart, SelectPart,
    WeighPart,
};
use crate::combine::{By, Mean, Of};
use crate::privacy::{Plan, Protection};

const CENTRAL: &str = "strategy.privacy.central";
const LOCAL: &str = "strategy.privacy.local";
const SECURE: &str = "strategy.privacy.secure";
const PAILLIER: &str = "strategy.privacy.paillier";

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

    /// Whether the hidden sums have at least two updates, and fit into the field.
    pub(super) fn check_sums(&self) -> Vec<String> {
        let Some((secure, count)) = self.privacy.secure.zip(self.expected_updates()) else {
            return Vec::new();
        };
        if count < 2 && !matches!(self.pace, PacePart::Immediate(_)) {
            let key = match self.pace {
                PacePart::Buffered(_) => "buffered.buffer".to_string(),
                _ => format!("{}.clients", name(&self.pace)),
            };
            let rule = "at least 2 for secure aggregation: the sum of one update is that update";
            return vec![format!("strategy.pace.{key} is {count}; it must be {rule}")];
        }
        let room = secure.point().room(count);
        room.err().map(|error| format!("strategy.privacy.secure: {error}")).into_iter().collect()
    }

    /// What protects the clients' data under these parts.
    pub(super) fn protection(&self) -> Option<Protection> {
        let expected = self.expected_updates().unwrap_or(1).max(1) as f64;
        let sampled = self.select == SelectPart::Poisson;
        let rounds = !matches!(self.pace, PacePart::Buffered(_) | PacePart::Immediate(_));
        Protection::new(&self.privacy, Plan { expected, sampled, rounds })
    }

    /// Parts that would break what `[strategy.privacy]` promises. A custom part is taken at its word.
    pub(super) fn privacy_conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        let mut refuse = |a: &str, b: String, reason: Option<&str>| {
            if let Some(reason) = reason {
                found.push(Conflict { a: a.into(), b, reason: reason.into() });
            }
        };
        for key in self.keys([CENTRAL, LOCAL]) {
            refuse(key, key_of("select", &self.select), self.looks_at_losses());
        }
        for key in self.keys([CENTRAL, LOCAL, SECURE, PAILLIER]) {
            refuse(key, key_of("companion", &self.companion), self.sends_beside());
        }
        for key in self.keys([CENTRAL, SECURE]) {
            refuse(key, key_of("pace", &self.pace), self.no_denominator());
            refuse(key, key_of("group", &self.group), self.several_models());
            refuse(key, key_of("combine", &self.combine), self.looks_at_single());
            refuse(key, key_of("refine", &self.refine), self.refines());
        }
        for key in self.keys([SECURE]) {
            refuse(key, key_of("pace", &self.pace), self.sums_of_one());
            for part in &self.weigh {
                refuse(key, key_of("weigh", part), weighs_by_values(part));
            }
            for part in &self.guard {
                refuse(key, key_of("guard", part), judges_by_values(part));
            }
        }
        if self.privacy.paillier.is_some() {
            for other in self.keys([CENTRAL, SECURE]) {
                refuse(PAILLIER, other.to_string(), Some(ONE_OF_BOTH));
            }
            refuse(PAILLIER, key_of("group", &self.group), self.several_models());
            refuse(PAILLIER, key_of("combine", &self.combine), self.needs_to_read());
            refuse(PAILLIER, key_of("refine", &self.refine), self.refines());
            for part in &self.weigh {
                refuse(PAILLIER, key_of("weigh", part), weighs_what_is_encrypted(part));
            }
            for part in &self.guard {
                refuse(PAILLIER, key_of("guard", part), measures_what_is_encrypted(part));
            }
        }
        if self.privacy.local.is_some() {
            let judged = matches!(self.pace, PacePart::FedBoost(_)).then_some(
                "clients would report the losses of each other's models on their samples, without noise; use \
                 `synchronous`",
            );
            refuse(LOCAL, key_of("pace", &self.pace), judged);
            for part in &self.weigh {
                refuse(LOCAL, key_of("weigh", part), says_too_much(part));
            }
        }
        if self.privacy.central.is_some() {
            for part in &self.weigh {
                refuse(CENTRAL, key_of("weigh", part), unbounded(part));
            }
            for part in &self.guard {
                refuse(CENTRAL, key_of("guard", part), looks_at_others(part));
            }
        }
        found
    }

    /// Those of these keys that are there.
    fn keys<const N: usize>(&self, asked: [&'static str; N]) -> Vec<&'static str> {
        let there = |key: &&str| match *key {
            CENTRAL => self.privacy.central.is_some(),
            LOCAL => self.privacy.local.is_some(),
            PAILLIER => self.privacy.paillier.is_some(),
            _ => self.privacy.secure.is_some(),
        };
        asked.into_iter().filter(there).collect()
    }

    fn sums_of_one(&self) -> Option<&'static str> {
        matches!(self.pace, PacePart::Immediate(_)).then_some(
            "it merges every update alone, and the sum of one update is that update; use the pace `buffered`",
        )
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
        let silent = matches!(self.companion, CompanionPart::None | CompanionPart::Custom(_));
        (!silent)
            .then_some("what travels beside the model travels as it is; use the companion `none`")
    }

    fn no_denominator(&self) -> Option<&'static str> {
        self.expected_updates().is_none().then_some(
            "how many updates are in a sum has to be known beforehand, and this pace merges as many as come; use \
             `synchronous`, `over-selection`, `deadline` or `buffered`",
        )
    }

    fn several_models(&self) -> Option<&'static str> {
        (self.group != GroupPart::One).then_some(
            "grouping looks at single updates, and which client is in which group says something of its data; use the \
             group `one`",
        )
    }

    fn looks_at_single(&self) -> Option<&'static str> {
        let sum_is_enough = matches!(
            self.combine,
            CombinePart::Mean(Mean { of: Of::Changes, .. })
                | CombinePart::Mix(_)
                | CombinePart::FedAvgM(_)
                | CombinePart::FedAdagrad(_)
                | CombinePart::FedAdam(_)
                | CombinePart::FedYogi(_)
                | CombinePart::Custom(_)
        );
        (!sum_is_enough).then_some(
            "it looks at single updates or keeps them, and only the sum of their changes is protected; use `mean` or \
             a server optimizer",
        )
    }

    /// All that a server can do with ciphertexts is to add them with whole weights.
    fn needs_to_read(&self) -> Option<&'static str> {
        let adds = match &self.combine {
            CombinePart::Mean(Mean { rate, by, of }) => {
                *rate == 1.0 && *by == By::Sum && *of == Of::Changes
            }
            CombinePart::Custom(_) => true,
            _ => false,
        };
        (!adds).then_some(
            "the server adds up ciphertexts with whole weights and reads none of them; use `mean` of changes, by sum, \
             with rate 1",
        )
    }

    fn refines(&self) -> Option<&'static str> {
        matches!(self.refine, RefinePart::Distillation(_)).then_some(
            "it learns from single updates, and only their sum is protected; use the refine `none`",
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
            | WeighPart::Pisces(_)
            | WeighPart::Completeness
            | WeighPart::Custom(_)
    );
    (!bounded).then_some(
        "a client could count for more than the noise covers; use `uniform`, `staleness` or `fedbuff`",
    )
}

/// A guard that judges a client by what others sent.
fn looks_at_others(part: &GuardPart) -> Option<&'static str> {
    matches!(part, GuardPart::RelativeNorm(_) | GuardPart::RelativeScalars(_)).then_some(
        "one client would move what others are held to, and no noise covers that; use the guard `norm`",
    )
}

/// A weight that the server computes from the values of single updates, or of what they report of them.
fn weighs_by_values(part: &WeighPart) -> Option<&'static str> {
    let by_values =
        matches!(part, WeighPart::Refl(_) | WeighPart::Port(_) | WeighPart::CosineDistance(_));
    by_values.then_some(
        "the server would have to see single updates, or what each says of itself, to weigh them; use `samples`, \
         `uniform`, `staleness` or `fedbuff`",
    )
}

const ONE_OF_BOTH: &str = "the one needs a server that reads numbers, the other leaves it ciphertexts alone; use one of them";

/// A weight that the server computes from the values of single updates.
fn weighs_what_is_encrypted(part: &WeighPart) -> Option<&'static str> {
    matches!(part, WeighPart::Refl(_) | WeighPart::Port(_)).then_some(
        "the server would have to read single updates to weigh them, and they are encrypted; use `samples`, `uniform`, \
         `staleness`, `fedbuff` or `fedboost`",
    )
}

/// A guard that has to read a single update.
fn measures_what_is_encrypted(part: &GuardPart) -> Option<&'static str> {
    matches!(part, GuardPart::Norm(_) | GuardPart::RelativeNorm(_)).then_some(
        "the server would have to read single updates to measure them, and they are encrypted; use `codec.clip_norm`, \
         by which clients cut their own, or no such guard",
    )
}

/// A guard that has to see a single update.
fn judges_by_values(part: &GuardPart) -> Option<&'static str> {
    matches!(part, GuardPart::Norm(_) | GuardPart::RelativeNorm(_)).then_some(
        "the server would have to see single updates to measure them; use `central`, whose clients clip, or no such \
         guard",
    )
}
