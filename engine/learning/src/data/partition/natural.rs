//! The split that the data bring along: one client for each hospital, writer, camera.

use super::rows::Partition;
use crate::LearnError;
use crate::data::{Dataset, Groups};
use offbeat_kernel::Stream;
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Client `i` is natural owner `i`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Natural {
    /// Allows another number of clients than owners. More clients: client `i` belongs to owner `i mod owners`, and an
    /// owner's samples are dealt at random to its clients. Fewer: client `i` gets the owners `i`, `i + clients`, ..
    pub regroup: bool,
    /// Whether clients without samples are fine.
    pub allow_empty: bool,
}

impl Natural {
    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Partition, LearnError> {
        let Some(groups) = &data.groups else {
            return Err(LearnError::Invalid(
                "partition.natural: the data name no natural owners: for CSV files set `group` or `client`, or choose another partition".into(),
            ));
        };
        let owners = groups.names.len() as u32;
        if owners == clients {
            return Ok(Partition::from_owners(&groups.of, clients));
        }
        if !self.regroup {
            return Err(LearnError::Invalid(format!(
                "partition.natural: the data have {owners} owners ({}), but there are {clients} clients: set {owners} clients, or `regroup = true` to merge or divide owners",
                first_names(groups)
            )));
        }
        if clients < owners {
            let merged: Vec<u32> = groups.of.iter().map(|owner| owner % clients).collect();
            return Ok(Partition::from_owners(&merged, clients));
        }
        Ok(Partition::from_owners(&divide(groups, clients, stream), clients))
    }
}

/// The client of each row, when an owner has several clients.
fn divide(groups: &Groups, clients: u32, stream: &mut Stream) -> Vec<u32> {
    let owners = groups.names.len() as u32;
    let mut rows = vec![Vec::new(); owners as usize];
    for (row, &owner) in groups.of.iter().enumerate() {
        rows[owner as usize].push(row);
    }
    let mut client_of = vec![0; groups.of.len()];
    for (owner, rows) in (0..owners).zip(&mut rows) {
        rows.shuffle(stream);
        let members = (owner..clients).step_by(owners as usize).cycle();
        for (&row, client) in rows.iter().zip(members) {
            client_of[row] = client;
        }
    }
    client_of
}

fn first_names(groups: &Groups) -> String {
    let more = if groups.names.len() > 5 { ", .." } else { "" };
    let shown = groups.names.iter().take(5).map(String::as_str);
    format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
}
