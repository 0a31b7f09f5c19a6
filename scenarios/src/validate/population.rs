//! Checks of `[population]` and `[server]`.

use super::Checks;
use crate::giants;
use crate::spec::{GroupSection, PopulationSection, ServerSection};
use offbeat_kernel::hardship::EnergySpec;

/// Most clients, as [`giants`] says.
const MOST_CLIENTS: u32 = giants::MOST_CLIENTS as u32;

pub(super) fn check(population: &PopulationSection, checks: &mut Checks<'_>) {
    checks.within("population.clients", population.clients, 1..=MOST_CLIENTS);
    checks.own("population.device", population.device.validate());
    checks.own("population.link", population.link.validate());
    checks.own("population.delivery", population.delivery.validate());
    checks.own("population.availability", population.availability.validate());
    checks.own("population.completeness", population.completeness.validate());
    let energy = population.energy.as_ref().map_or(Ok(()), EnergySpec::validate);
    checks.own("population.energy", energy);
    checks.own("population.data_shift", population.data_shift.validate());
    either_drawn_or_measured("population", checks);
    let mut before = 0;
    for (index, (group, end)) in population.group.iter().zip(population.group_ends()).enumerate() {
        let path = format!("population.group.{index}");
        size(group, &path, checks);
        if end > u64::from(population.clients) && before <= u64::from(population.clients) {
            checks.conflict(
                &path,
                "population.clients",
                &format!("the groups hold {end} clients, but there are {}", population.clients),
                "lower a `count` or a `share`, or raise `clients`",
            );
        } else if end == before && (group.count.is_some() || group.share.is_some()) {
            checks.add(
                &path,
                "a group without clients",
                "nobody belongs to this group",
                "raise its `count` or `share`, or leave the group out",
            );
        }
        hardship(group, &path, checks);
        before = end;
    }
}

/// A group's size is given once.
fn size(group: &GroupSection, path: &str, checks: &mut Checks<'_>) {
    match (group.count, group.share) {
        (None, None) => checks.add(
            path,
            "a group needs a size",
            "neither `count` nor `share`",
            "write `share = 0.5` for half of the clients, or `count = 10`",
        ),
        (Some(_), Some(_)) => checks.conflict(
            &format!("{path}.count"),
            &format!("{path}.share"),
            "a group has either a `count` or a `share`",
            "keep one of the two",
        ),
        (None, Some(share)) if !(share > 0.0 && share <= 1.0) => checks.add(
            &format!("{path}.share"),
            format!("`{path}.share` cannot be {share}"),
            "must be above 0 and at most 1",
            "half of the clients are `share = 0.5`",
        ),
        _ => {}
    }
}

fn hardship(group: &GroupSection, path: &str, checks: &mut Checks<'_>) {
    let mut own = |key: &str, found: Option<Result<(), String>>| {
        checks.own(&format!("{path}.{key}"), found.unwrap_or(Ok(())));
    };
    own("device", group.device.as_ref().map(|device| device.validate()));
    own("link", group.link.as_ref().map(|link| link.validate()));
    own("delivery", group.delivery.map(|delivery| delivery.validate()));
    own("availability", group.availability.as_ref().map(|model| model.validate()));
    own("completeness", group.completeness.as_ref().map(|fate| fate.validate()));
    own("energy", group.energy.as_ref().map(|energy| energy.validate()));
    own("data_shift", group.data_shift.as_ref().map(|shift| shift.validate()));
    either_drawn_or_measured(path, checks);
}

fn either_drawn_or_measured(path: &str, checks: &mut Checks<'_>) {
    for (file, drawn) in [("speed_file", "device.speed"), ("availability_file", "availability")] {
        let (file, drawn) = (format!("{path}.{file}"), format!("{path}.{drawn}"));
        if checks.written(&file) && checks.written(&drawn) {
            let message = format!("`{file}` takes the place of `{drawn}`");
            checks.conflict(&file, &drawn, &message, "keep one of the two");
        }
    }
}

pub(super) fn server(server: &ServerSection, checks: &mut Checks<'_>) {
    let limits = [("server.up_mbps", server.up_mbps), ("server.down_mbps", server.down_mbps)];
    for (path, limit) in limits {
        if let Some(mbps) = limit
            && !((1e-6..=1e9).contains(&mbps))
        {
            checks.add(
                path,
                format!("`{path}` cannot be {mbps}"),
                "must be from one bit a second (0.000001) to 1e9",
                "a data centre's gigabit link is `1000`; leave the key out for no limit",
            );
        }
    }
}
