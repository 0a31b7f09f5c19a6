//! `[population]`: the clients and their hardship.

use offbeat_kernel::hardship::{
    Availability, Completeness, Delivery, DeviceSpec, EnergySpec, Interruption, LinkSpec,
};
use offbeat_learning::data::ShiftSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The clients and their hardship.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopulationSection {
    /// How many clients there are.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub clients: u32,
    /// How fast they compute, and how much they can hold.
    #[serde(default)]
    pub device: DeviceSpec,
    /// Measured speeds, instead of `device.speed`: a text file with one number above zero a line
    /// (1 is the reference). Client `c` has line `c mod lines`. A relative path counts from the scenario
    /// file's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_file: Option<PathBuf>,
    /// Their links to the server.
    #[serde(default)]
    pub link: LinkSpec,
    /// What befalls single messages.
    #[serde(default)]
    pub delivery: Delivery,
    /// When they are present.
    #[serde(default)]
    pub availability: Availability,
    /// Measured presence, instead of `availability`. A file `.csv` has the header
    /// `device,from_seconds,to_seconds` and one interval a line; a file `.json` is an object from device to
    /// `{ "active": [..], "inactive": [..], "finish_time": .. }` in seconds (FedScale's behaviour traces). Client
    /// `c` follows device `c mod devices`. A relative path counts from the scenario file's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_file: Option<PathBuf>,
    /// What becomes of work that an absence interrupts.
    #[serde(default)]
    pub interruption: Interruption,
    /// Whether they carry a task through.
    #[serde(default)]
    pub completeness: Completeness,
    /// Their batteries; energy is no matter when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergySpec>,
    /// How their data differ from what the data set says, and how they drift. The common test samples
    /// do not change, but for `drift`: they are evaluated with the labels of the time.
    #[serde(default)]
    pub data_shift: ShiftSpec,
    /// Groups of clients that differ from the rest, as `[[population.group]]`. The first group has the
    /// lowest ids, and so on; clients beyond the last group are as this section says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<GroupSection>,
}

/// Some of the clients. What is left out is as `[population]` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupSection {
    /// What messages call it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How many clients; either this or `share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The share of all clients, above 0 and at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1.0))]
    pub share: Option<f64>,
    /// How fast they compute, and how much they can hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSpec>,
    /// Measured speeds, as `population.speed_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_file: Option<PathBuf>,
    /// Their links to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkSpec>,
    /// What befalls single messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// When they are present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Measured presence, as `population.availability_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_file: Option<PathBuf>,
    /// What becomes of work that an absence interrupts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
    /// Whether they carry a task through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<Completeness>,
    /// Their batteries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergySpec>,
    /// How their data differ, and how they drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_shift: Option<ShiftSpec>,
}

impl PopulationSection {
    /// The first id after each group, in order; clients from the last one on are in none. Shares are
    /// added up before they are rounded, so that shares that sum to 1 leave nobody out.
    pub fn group_ends(&self) -> Vec<u64> {
        let mut exact = 0.0;
        let ends = self.group.iter().map(|group| {
            exact += match (group.count, group.share) {
                (Some(count), _) => f64::from(count),
                (None, share) => share.unwrap_or(0.0) * f64::from(self.clients),
            };
            exact.round() as u64
        });
        ends.collect()
    }
}
