//! Checks of `[[adversary]]`.

use super::Checks;
use crate::spec::{AdversarySection, ScenarioFile};
use offbeat_actors::adversary::Behaviour;

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let clients = file.population.clients;
    let mut hostile = 0u64;
    for (index, section) in file.adversary.iter().enumerate() {
        let path = format!("adversary.{index}");
        size(section, &path, checks);
        behaviour(&section.behaviour, &format!("{path}.behaviour"), checks);
        hostile += u64::from(section.size(clients));
        if hostile > u64::from(clients) {
            checks.conflict(
                &path,
                "population.clients",
                &format!("{hostile} clients are hostile, but there are {clients}"),
                "lower a `count` or a `share`, or raise `clients`",
            );
        }
    }
}

fn size(section: &AdversarySection, path: &str, checks: &mut Checks<'_>) {
    match (section.count, section.share) {
        (None, None) => checks.add(
            path,
            "hostile clients need a number",
            "neither `count` nor `share`",
            "write `share = 0.2` for a fifth of the clients, or `count = 4`",
        ),
        (Some(_), Some(_)) => checks.conflict(
            &format!("{path}.count"),
            &format!("{path}.share"),
            "hostile clients have either a `count` or a `share`",
            "keep one of the two",
        ),
        (None, Some(share)) if !(0.0..=1.0).contains(&share) => checks.add(
            &format!("{path}.share"),
            format!("`{path}.share` cannot be {share}"),
            "must be between 0 and 1",
            "a fifth of the clients are `share = 0.2`",
        ),
        _ => {}
    }
}

/// Numbers out of range, by key.
fn behaviour(behaviour: &Behaviour, path: &str, checks: &mut Checks<'_>) {
    let mut need = |fits: bool, key: &str, value: f64, rule: &str| {
        if !fits {
            let message = format!("`{path}.{key}` cannot be {value}");
            let help = "`offbeat explain adversary[].behaviour` tells what each is";
            checks.add(&format!("{path}.{key}"), message, format!("must be {rule}"), help);
        }
    };
    let mut above_zero = |key: &str, value: f64| {
        need(value > 0.0 && value.is_finite(), key, value, "a number above 0");
    };
    match *behaviour {
        Behaviour::SignFlip { scale } => above_zero("sign-flip.scale", scale),
        Behaviour::Noise { sigma } => above_zero("noise.sigma", sigma),
        Behaviour::FalseSamples { factor } => above_zero("false-samples.factor", factor),
        Behaviour::FreeRider { disguise } => {
            need(disguise >= 0.0, "free-rider.disguise", disguise, "at least 0");
        }
        Behaviour::ModelReplacement { poisoned, boost, trigger, .. } => {
            above_zero("model-replacement.boost", boost.unwrap_or(1.0));
            let size = f64::from(trigger.size);
            above_zero("model-replacement.trigger.size", size);
            let fits = poisoned > 0.0 && poisoned <= 1.0;
            need(fits, "model-replacement.poisoned", poisoned, "above 0 and at most 1");
        }
        Behaviour::LittleIsEnough { z, witnesses } => {
            let deviations = z.unwrap_or(0.0);
            need(deviations.is_finite(), "little-is-enough.z", deviations, "a finite number");
            let many = f64::from(witnesses);
            need(witnesses >= 2, "little-is-enough.witnesses", many, "at least 2");
        }
        Behaviour::LabelFlip { source, target } if source.is_some() != target.is_some() => {
            checks.add(
                path,
                "a label flip has a `source` and a `target`, or neither",
                "one of the two is missing",
                "write both, or neither to flip all labels",
            );
        }
        _ => {}
    }
}
