//! The population of a scenario: which clients suffer what.

use crate::diagnose::Problem;
use crate::document::Document;
use crate::spec::{GroupSection, PopulationSection};
use crate::traces;
use offbeat_kernel::ClientId;
use offbeat_kernel::hardship::{Availability, Delivery, Distribution, HardshipSpec};
use offbeat_learning::data::ShiftSpec;
use std::path::Path;

/// Clients with consecutive ids that suffer the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the scenario calls it; empty for clients of no group.
    pub name: String,
    /// The first id that is no longer in it.
    pub end: u32,
    /// What they suffer.
    pub hardship: HardshipSpec,
    /// How their data differ.
    pub shift: ShiftSpec,
    /// What befalls their messages.
    pub delivery: Delivery,
}

/// All clients, in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    groups: Vec<Group>,
    /// Edge servers: participants after the clients, in a last group of their own.
    edges: u32,
    /// How the data of all differ, groups apart.
    pub shift: ShiftSpec,
}

impl Population {
    /// The population of `section`, with its trace files read.
    ///
    /// # Errors
    /// When a trace file cannot be read or holds what is no trace, at the key that names it.
    pub fn new(section: &PopulationSection, document: &Document) -> Result<Self, Problem> {
        let rest = rest(section, document)?;
        let mut groups = Vec::with_capacity(section.group.len() + 1);
        for (index, (group, end)) in section.group.iter().zip(section.group_ends()).enumerate() {
            let path = format!("population.group.{index}");
            groups.push(member(group, end as u32, &rest, &path, document)?);
        }
        let shift = rest.shift.clone();
        groups.push(rest);
        Ok(Self { groups, edges: 0, shift })
    }

    /// The same with `edges` edge servers that suffer `hardship`, as participants after the clients.
    pub fn with_edges(mut self, edges: u32, hardship: HardshipSpec) -> Self {
        let end = self.clients() + edges;
        self.edges = edges;
        let (shift, delivery) = (ShiftSpec::default(), Delivery::default());
        self.groups.push(Group { name: "edge servers".into(), end, hardship, shift, delivery });
        self
    }

    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.groups.last().map_or(0, |group| group.end) - self.edges
    }

    /// The groups in the order of ids; the last one is of those that are in no other, or of the edge
    /// servers where there are some.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The index of the group of `client`.
    pub fn group_of(&self, client: ClientId) -> usize {
        let index = self.groups.partition_point(|group| group.end <= client.0);
        index.min(self.groups.len() - 1)
    }

    /// How the data of `client` differ.
    pub fn shift_of(&self, client: ClientId) -> &ShiftSpec {
        &self.groups[self.group_of(client)].shift
    }
}

/// The clients that are in no group.
fn rest(section: &PopulationSection, document: &Document) -> Result<Group, Problem> {
    let mut hardship = HardshipSpec {
        device: section.device.clone(),
        link: section.link.clone(),
        availability: section.availability.clone(),
        interruption: section.interruption,
        completeness: section.completeness,
        energy: section.energy.clone(),
    };
    let files = [section.speed_file.as_deref(), section.availability_file.as_deref()];
    trace(&mut hardship, files, "population", document)?;
    let shift = section.data_shift.clone();
    Ok(Group {
        name: String::new(),
        end: section.clients,
        hardship,
        shift,
        delivery: section.delivery,
    })
}

fn member(
    group: &GroupSection,
    end: u32,
    rest: &Group,
    path: &str,
    document: &Document,
) -> Result<Group, Problem> {
    let others = &rest.hardship;
    let mut hardship = HardshipSpec {
        device: group.device.clone().unwrap_or_else(|| others.device.clone()),
        link: group.link.clone().unwrap_or_else(|| others.link.clone()),
        availability: group.availability.clone().unwrap_or_else(|| others.availability.clone()),
        interruption: group.interruption.unwrap_or(others.interruption),
        completeness: group.completeness.unwrap_or(others.completeness),
        energy: group.energy.clone().or_else(|| others.energy.clone()),
    };
    let files = [group.speed_file.as_deref(), group.availability_file.as_deref()];
    trace(&mut hardship, files, path, document)?;
    let shift = group.data_shift.clone().unwrap_or_else(|| rest.shift.clone());
    let delivery = group.delivery.unwrap_or(rest.delivery);
    Ok(Group { name: group.name.clone(), end, hardship, shift, delivery })
}

/// Puts what was measured in place of what would be drawn.
fn trace(
    hardship: &mut HardshipSpec,
    [speed, availability]: [Option<&Path>; 2],
    path: &str,
    document: &Document,
) -> Result<(), Problem> {
    let at = |key: &str| {
        let path = format!("{path}.{key}");
        move |problem: Problem| problem.at(document.place(&path), "asked for here").about(&path)
    };
    if let Some(file) = speed {
        let values = traces::speeds(file).map_err(at("speed_file"))?;
        hardship.device.speed = Distribution::Trace { values };
    }
    if let Some(file) = availability {
        let devices = traces::presence(file).map_err(at("availability_file"))?;
        hardship.availability = Availability::Trace { devices };
    }
    Ok(())
}
