//! Checks of `[topology]`.

use super::Checks;
use crate::spec::{Assign, ScenarioFile, TreeSection, WaitRule};
use offbeat_kernel::hardship::SpeedCorrelation;
use offbeat_strategies::registry::{CompanionPart, GuardPart};

pub(super) fn check(file: &ScenarioFile, checks: &mut Checks<'_>) {
    let Some(tree) = file.topology.tree() else { return };
    sizes(tree, file, checks);
    checks.own("topology.tree.device", tree.device.validate());
    checks.own("topology.tree.link", tree.link.validate());
    checks.own("topology.tree.availability", tree.availability.validate());
    if tree.device.correlation != SpeedCorrelation::default() {
        checks.add(
            "topology.tree.device.correlation",
            "edge servers hold no data that their speed could follow",
            "cannot be used here",
            "leave it out",
        );
    }
    match tree.wait {
        WaitRule::Deadline { seconds } if !(seconds > 0.0 && seconds.is_finite()) => checks.add(
            "topology.tree.wait",
            format!("`topology.tree.wait`: {seconds} seconds cannot be waited"),
            "must be above 0",
            "write `wait = { deadline = { seconds = 30.0 } }`",
        ),
        WaitRule::Share { of_invited } if !(of_invited > 0.0 && of_invited <= 1.0) => checks.add(
            "topology.tree.wait",
            format!("`topology.tree.wait`: a share cannot be {of_invited}"),
            "must be above 0 and at most 1",
            "write `wait = { share = { of_invited = 0.8 } }`",
        ),
        _ => {}
    }
    for reason in GuardPart::check_all("topology.tree.guard", &tree.guard) {
        let key = reason.split_whitespace().next().unwrap_or_default();
        checks.setting(&key.replace('[', ".").replace(']', ""), &reason);
    }
    if !file.strategy.guard.is_empty() && tree.guard.is_empty() {
        checks.warn(
            "strategy.guard",
            "these guards do not judge what edge servers get from their clients",
            "the server asks them about the edge servers' updates alone",
            "give edge servers guards of their own with `guard` in `[topology.tree]`: without, they refuse what is \
             not finite or has another shape, and hostile clients below them count by their samples",
        );
    }
    if file.strategy.companion != CompanionPart::None {
        checks.conflict(
            "topology.tree",
            "strategy.companion",
            "what travels beside the model belongs to clients of the server, which are edge servers here",
            "leave out `companion`, or write `topology = \"star\"`",
        );
    }
}

fn sizes(tree: &TreeSection, file: &ScenarioFile, checks: &mut Checks<'_>) {
    checks.within("topology.tree.edges", tree.edges, 1..=1_000_000);
    checks.within("topology.tree.edge_rounds", tree.edge_rounds, 1..=10_000);
    if let Some(clients) = tree.clients {
        checks.within("topology.tree.clients", clients, 1..=1_000_000);
    }
    let (edges, clients) = (tree.edges, file.population.clients);
    if edges > clients {
        checks.conflict(
            "topology.tree.edges",
            "population.clients",
            &format!("{edges} edge servers cannot each have clients: there are {clients}"),
            "lower `edges`, or raise `clients`",
        );
    }
    let groups = file.population.group.len() as u32;
    let ends = file.population.group_ends();
    let rest = u32::from(ends.last().is_none_or(|end| *end < u64::from(clients)));
    if tree.assign == Assign::ByGroup && edges != groups + rest {
        let with = if rest == 1 { ", and clients of no group" } else { "" };
        checks.conflict(
            "topology.tree.edges",
            "topology.tree.assign",
            &format!(
                "there {}{with}: edge servers by group are {}",
                if groups == 1 { "is 1 group".into() } else { format!("are {groups} groups") },
                groups + rest
            ),
            &format!("write `edges = {}`", groups + rest),
        );
    }
}
