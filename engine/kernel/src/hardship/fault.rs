//! Scripted faults: what happens to whom at which virtual time.
//!
//! The script is plain data, and its state at any time is worked out from it: nothing is stored that a
//! snapshot would have to hold. What an event says holds from its very microsecond on.

#[cfg(test)]
mod tests;

use super::distribution::{above_zero, open_unit, share, within};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counters of [`Purpose::Custom`] that belong to faults: far from those a user would choose.
const MEMBERS: u64 = 1 << 62;
const SETS: u64 = 1 << 63;

/// Some of the clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientSet {
    /// Every client.
    All,
    /// These.
    Listed(Vec<ClientId>),
    /// Those from `first` up to, but without, `end`.
    Range {
        /// The first of them.
        first: ClientId,
        /// The one after the last.
        end: ClientId,
    },
    /// A random share of them; the same `salt` gives the same clients, and a smaller share a part of
    /// those of a larger one.
    Share {
        /// How many, 0..=1.
        share: f64,
        /// Names the draw.
        salt: u32,
    },
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The clients can no longer reach the server, nor it them.
    Partition(ClientSet),
    /// They can again.
    Heal(ClientSet),
    /// The clients stop and lose the work under way.
    CrashClients(ClientSet),
    /// They run again.
    RestartClients(ClientSet),
    /// The server stops.
    CrashServer,
    /// It runs again.
    RestartServer,
    /// This share of the clients that take part, 0..=1, leaves the federation.
    Leave(f64),
    /// This share of the clients that do not take part, 0..=1, joins the federation.
    Join(f64),
    /// The clients compute so much slower than usual until the next such event: 4 takes four times as
    /// long, 1 is back to normal.
    SlowDown {
        /// Who.
        clients: ClientSet,
        /// How much; above zero.
        factor: f64,
    },
    /// The clients' links carry so much less than usual until the next such event.
    SlowLink {
        /// Who.
        clients: ClientSet,
        /// How much; above zero.
        factor: f64,
    },
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEvent {
    /// When.
    pub at: Time,
    /// What.
    pub fault: Fault,
}

/// All that is scripted, in the order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FaultScript {
    /// The share of the clients that take part from the start, 0..=1; the others may join later.
    pub initial_share: f64,
    /// What happens, in the order of time; of two events at the same time the later one counts.
    pub events: Vec<FaultEvent>,
}

impl Default for FaultScript {
    /// Everyone takes part and nothing happens.
    fn default() -> Self {
        Self { initial_share: 1.0, events: Vec::new() }
    }
}

impl FaultScript {
    /// Whether the events are in order and make sense.
    ///
    /// # Errors
    /// A sentence that names the event, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        share("faults", "initial_share", self.initial_share)?;
        let mut last = Time::ZERO;
        for (k, event) in self.events.iter().enumerate() {
            let place = format!("faults: event {k}");
            if event.at < last {
                return Err(format!(
                    "{place} is at {}, but the one before it at {last}: put them in the order of time",
                    event.at
                ));
            }
            last = event.at;
            within(&place, event.fault.validate())?;
        }
        Ok(())
    }
}

impl Fault {
    fn validate(&self) -> Result<(), String> {
        match self {
            Self::CrashServer | Self::RestartServer => Ok(()),
            Self::Leave(part) => share("leave", "share", *part),
            Self::Join(part) => share("join", "share", *part),
            Self::SlowDown { clients, factor } => {
                above_zero("slow-down", "factor", *factor)?;
                within("slow-down", clients.validate())
            }
            Self::SlowLink { clients, factor } => {
                above_zero("slow-link", "factor", *factor)?;
                within("slow-link", clients.validate())
            }
            Self::Partition(clients) => within("partition", clients.validate()),
            Self::Heal(clients) => within("heal", clients.validate()),
            Self::CrashClients(clients) => within("crash-clients", clients.validate()),
            Self::RestartClients(clients) => within("restart-clients", clients.validate()),
        }
    }
}

impl ClientSet {
    /// Whether `client` is one of them.
    pub fn holds(&self, tree: &SeedTree, client: ClientId) -> bool {
        match self {
            Self::All => true,
            Self::Listed(clients) => clients.contains(&client),
            Self::Range { first, end } => (*first..*end).contains(&client),
            Self::Share { share, salt } => {
                let counter = SETS | u64::from(*salt);
                let mut stream = tree.stream(Purpose::Custom, u64::from(client.0), counter);
                open_unit(&mut stream) < *share
            }
        }
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Share { share: part, .. } => share("clients", "share", *part),
            Self::Range { first, end } if first > end => {
                let (first, end) = (first.0, end.0);
                Err(format!(
                    "clients: first is {first} and end is {end}, but first must not exceed end"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// What a script amounts to at any time. A question costs O(events so far).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Faults {
    script: FaultScript,
    tree: SeedTree,
}

impl Faults {
    /// The faults of a run with that seed; the script's events are put in the order of time.
    pub fn new(mut script: FaultScript, tree: SeedTree) -> Self {
        script.events.sort_by_key(|event| event.at);
        Self { script, tree }
    }

    /// Whether the link between `client` and the server is cut at `time`.
    pub fn is_cut(&self, client: ClientId, time: Time) -> bool {
        let last = self.last(time, |fault| match fault {
            Fault::Partition(clients) if self.holds(clients, client) => Some(true),
            Fault::Heal(clients) if self.holds(clients, client) => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// Whether `client` has crashed and not been restarted at `time`.
    pub fn is_crashed(&self, client: ClientId, time: Time) -> bool {
        let last = self.last(time, |fault| match fault {
            Fault::CrashClients(clients) if self.holds(clients, client) => Some(true),
            Fault::RestartClients(clients) if self.holds(clients, client) => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// Whether the server has crashed and not been restarted at `time`.
    pub fn is_server_crashed(&self, time: Time) -> bool {
        let last = self.last(time, |fault| match fault {
            Fault::CrashServer => Some(true),
            Fault::RestartServer => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// By how much the speed of `client` is multiplied at `time`; 1 is normal.
    pub fn speed_factor(&self, client: ClientId, time: Time) -> f64 {
        let last = self.last(time, |fault| match fault {
            Fault::SlowDown { clients, factor } if self.holds(clients, client) => {
                Some(1.0 / factor)
            }
            _ => None,
        });
        last.unwrap_or(1.0)
    }

    /// By how much the bandwidth of `client` is multiplied at `time`; 1 is normal.
    pub fn bandwidth_factor(&self, client: ClientId, time: Time) -> f64 {
        let last = self.last(time, |fault| match fault {
            Fault::SlowLink { clients, factor } if self.holds(clients, client) => {
                Some(1.0 / factor)
            }
            _ => None,
        });
        last.unwrap_or(1.0)
    }

    /// Whether `client` takes part in the federation at `time`: in at first with the initial share,
    /// then out and in as each leave and join draws it.
    pub fn is_member(&self, client: ClientId, time: Time) -> bool {
        let mut member = self.draws(client, 0, self.script.initial_share);
        for (k, event) in self.until(time).iter().enumerate() {
            let counter = k as u64 + 1;
            match event.fault {
                Fault::Leave(part) if member => member = !self.draws(client, counter, part),
                Fault::Join(part) if !member => member = self.draws(client, counter, part),
                _ => {}
            }
        }
        member
    }

    /// The first event after `time`: when the driver must look again.
    pub fn next_after(&self, time: Time) -> Option<&FaultEvent> {
        self.script.events.get(self.until(time).len())
    }

    /// The events that take effect after `from`, up to and including `to`.
    pub fn between(&self, from: Time, to: Time) -> &[FaultEvent] {
        let events = self.until(to);
        &events[self.until(from).len().min(events.len())..]
    }

    fn until(&self, time: Time) -> &[FaultEvent] {
        let events = &self.script.events;
        &events[..events.partition_point(|event| event.at <= time)]
    }

    /// What the latest event up to `time` that says anything says.
    fn last<T>(&self, time: Time, says: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.until(time).iter().rev().find_map(|event| says(&event.fault))
    }

    fn holds(&self, clients: &ClientSet, client: ClientId) -> bool {
        clients.holds(&self.tree, client)
    }

    /// Whether a draw of `part` of the clients takes this one.
    fn draws(&self, client: ClientId, counter: u64, part: f64) -> bool {
        if part >= 1.0 {
            return true;
        }
        let id = u64::from(client.0);
        open_unit(&mut self.tree.stream(Purpose::Custom, id, MEMBERS | counter)) < part
    }
}
