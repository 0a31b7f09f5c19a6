//! Another part in the middle of a run.

use super::catalogue::Seam;
use super::conflict::name;
use super::{CombinePart, GroupPart, PacePart, Parts, Registry, SelectPart, WeighPart};
use crate::composed::Seams;
use serde::{Deserialize, Serialize};

/// Refuses to begin, to end or to change a dialogue in the middle of a run.
fn keeps_to_its_dialogue(old: &PacePart, new: &PacePart) -> Result<(), String> {
    let dialogue = [old, new].iter().any(|pace| matches!(pace, PacePart::FedIod(_)));
    if !dialogue || old == new {
        return Ok(());
    }
    Err("strategy.pace: `fediod` can be neither begun nor left nor changed in the middle of a run, since its clients \
         keep teachers and discriminators of its sizes"
        .into())
}

/// What replaces what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NewPart {
    /// Whom to invite.
    Select(SelectPart),
    /// When to aggregate.
    Pace(PacePart),
    /// Which updates belong together.
    Group(GroupPart),
    /// How much each counts.
    Weigh(Vec<WeighPart>),
    /// How they are merged.
    Combine(CombinePart),
}

/// A new part, and the parts that it will stand among.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Switch {
    /// The new part.
    pub new: NewPart,
    /// All parts after the switch.
    parts: Parts,
}

impl Switch {
    /// Replaces a part of `parts` by `new`.
    ///
    /// # Errors
    /// The first setting out of range or conflict, in words that name the key.
    pub fn new(parts: &Parts, new: NewPart) -> Result<Self, String> {
        if let NewPart::Pace(pace) = &new {
            keeps_to_its_dialogue(&parts.pace, pace)?;
        }
        let mut parts = parts.clone();
        match new.clone() {
            NewPart::Select(part) => parts.select = part,
            NewPart::Pace(part) => parts.pace = part,
            NewPart::Group(part) => parts.group = part,
            NewPart::Weigh(part) => parts.weigh = part,
            NewPart::Combine(part) => parts.combine = part,
        }
        if let Some(problem) = parts.check().into_iter().next() {
            return Err(problem);
        }
        match parts.validate().into_iter().next() {
            Some(conflict) => Err(conflict.to_string()),
            None => Ok(Self { new, parts }),
        }
    }

    /// The switches that make `to` of `from`, of those parts that can be switched.
    ///
    /// # Errors
    /// As [`Switch::new`].
    pub fn between(from: &Parts, to: &Parts) -> Result<Vec<Self>, String> {
        keeps_to_its_dialogue(&from.pace, &to.pace)?;
        let mut new = Vec::new();
        if from.select != to.select {
            new.push(NewPart::Select(to.select.clone()));
        }
        if from.pace != to.pace {
            new.push(NewPart::Pace(to.pace.clone()));
        }
        if from.group != to.group {
            new.push(NewPart::Group(to.group.clone()));
        }
        if from.weigh != to.weigh {
            new.push(NewPart::Weigh(to.weigh.clone()));
        }
        if from.combine != to.combine {
            new.push(NewPart::Combine(to.combine.clone()));
        }
        new.into_iter().map(|part| Self::new(to, part)).collect()
    }

    /// All parts after the switch.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Which seam it is about.
    pub fn seam(&self) -> Seam {
        match self.new {
            NewPart::Select(_) => Seam::Select,
            NewPart::Pace(_) => Seam::Pace,
            NewPart::Group(_) => Seam::Group,
            NewPart::Weigh(_) => Seam::Weigh,
            NewPart::Combine(_) => Seam::Combine,
        }
    }

    /// The new part in words: `pace to buffered`.
    pub fn in_words(&self) -> String {
        let new = match &self.new {
            NewPart::Select(part) => name(part),
            NewPart::Pace(part) => name(part),
            NewPart::Group(part) => name(part),
            NewPart::Weigh(parts) if parts.is_empty() => "1".into(),
            NewPart::Weigh(parts) => parts.iter().map(name).collect::<Vec<_>>().join(" x "),
            NewPart::Combine(part) => name(part),
        };
        format!("{} to {new}", self.seam())
    }

    /// Builds all parts anew, as they are after the switch.
    ///
    /// # Errors
    /// As [`Parts::build`].
    pub fn build(&self, registry: &Registry) -> Result<Seams, String> {
        self.parts.build(registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fediod::FedIodSettings;

    fn parts(pace: PacePart) -> Parts {
        Parts { pace, ..Parts::default() }
    }

    #[test]
    fn a_dialogue_is_neither_begun_nor_left_nor_changed() {
        let plain = Parts::default();
        let dialogue = parts(PacePart::FedIod(Box::default()));
        let batch = FedIodSettings { batch: 7, ..FedIodSettings::default() };
        let other = parts(PacePart::FedIod(Box::new(batch)));
        for (from, to) in [(&plain, &dialogue), (&dialogue, &plain), (&dialogue, &other)] {
            for error in [
                Switch::between(from, to).expect_err("refused"),
                Switch::new(from, NewPart::Pace(to.pace.clone())).expect_err("refused"),
            ] {
                assert!(error.contains("`fediod`"), "{error}");
            }
        }
        assert_eq!(Switch::between(&dialogue, &dialogue), Ok(Vec::new()));
    }
}
