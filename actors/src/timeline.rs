//! What happens when, as plain data.

use offbeat_kernel::hardship::{Change, Clients, Transit};
use offbeat_kernel::{Span, Time};
use offbeat_strategies::registry::Switch;
use serde::{Deserialize, Serialize};

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub when: When,
    /// What, in this order.
    pub actions: Vec<Action>,
}

/// When something happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum When {
    /// At a virtual time, and from then on again and again if there is a span.
    At(Time, Option<Span>),
    /// When this version is published, or every so many versions.
    Version {
        /// How many.
        count: u64,
        /// Whether again after as many more.
        repeat: bool,
    },
    /// When so many updates have arrived, or every so many updates.
    Updates {
        /// How many.
        count: u64,
        /// Whether again after as many more.
        repeat: bool,
    },
    /// When an evaluation finds at least this accuracy.
    Accuracy {
        /// The least, 0..=1.
        least: f64,
        /// Whether at every evaluation that finds it.
        repeat: bool,
    },
    /// When an evaluation finds at most this loss.
    Loss {
        /// The most.
        most: f64,
        /// Whether at every evaluation that finds it.
        repeat: bool,
    },
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Clients lose their connection until a cut of this name is healed.
    Partition {
        /// The cut's name.
        name: String,
        /// Who.
        who: Who,
        /// What becomes of messages.
        transit: Transit,
    },
    /// The cuts of this name are healed.
    Heal(String),
    /// Clients stop and lose what they do.
    Crash(Who),
    /// Clients that crashed run again.
    Restart(Who),
    /// Clients leave the federation.
    Leave(Who),
    /// Clients that left take part again.
    Join(Who),
    /// Clients get slower; factors of 1 are normal.
    SlowDown {
        /// Who.
        who: Who,
        /// Their work takes so many times as long.
        work: Option<f64>,
        /// Their messages take so many times as long.
        link: Option<f64>,
    },
    /// A group gets other distributions.
    Change(Who, Box<Change>),
    /// Class `c` becomes `(c + by) mod classes`: for a group, or for everybody and the common test
    /// samples.
    Drift(Option<Who>, u32),
    /// The server stops and loses what it had not stored.
    CrashServer(Option<Span>),
    /// The server goes on from its last stored version.
    RestartServer,
    /// A part of the strategy gives way to another.
    Switch(Box<Switch>),
    /// The run's state is kept.
    Snapshot,
    /// The present version is evaluated.
    Evaluate,
    /// The run ends.
    Stop(String),
    /// A timer of the script is set.
    Timer {
        /// Its name.
        name: String,
        /// When it rings, from now.
        after: Span,
    },
}

/// To whom something happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Who {
    /// Which clients.
    pub clients: Clients,
    /// In words, for records.
    pub name: String,
    /// After which it is undone; never when left out.
    pub lasts: Option<Span>,
}

impl Action {
    /// The action in words, for records.
    pub fn in_words(&self) -> String {
        let lasting = |who: &Who| who.lasts.map_or(String::new(), |span| format!(" for {span}"));
        let of = |verb: &str, who: &Who| format!("{verb} {}{}", who.name, lasting(who));
        match self {
            Self::Partition { name, who, .. } if name.is_empty() => of("partition", who),
            Self::Partition { name, who, .. } => format!("{} ({name})", of("partition", who)),
            Self::Heal(name) if name.is_empty() => "heal".into(),
            Self::Heal(name) => format!("heal ({name})"),
            Self::Crash(who) => of("crash", who),
            Self::Restart(who) => of("restart", who),
            Self::Leave(who) => of("leave", who),
            Self::Join(who) => of("join", who),
            Self::SlowDown { who, work, link } => {
                let part = |name: &str, factor: &Option<f64>| {
                    factor.map_or(String::new(), |factor| format!(", {name} x {factor}"))
                };
                of("slow down", who) + &part("work", work) + &part("link", link)
            }
            Self::Change(who, _) => of("change", who),
            Self::Drift(None, by) => format!("drift of all labels by {by}"),
            Self::Drift(Some(who), by) => format!("drift of labels by {by}, {}", who.name),
            Self::CrashServer(None) => "crash the server".into(),
            Self::CrashServer(Some(span)) => format!("crash the server for {span}"),
            Self::RestartServer => "restart the server".into(),
            Self::Switch(switch) => format!("switch {}", switch.in_words()),
            Self::Snapshot => "snapshot".into(),
            Self::Evaluate => "evaluate".into(),
            Self::Stop(reason) => format!("stop: {reason}"),
            Self::Timer { name, after } => format!("timer ({name}) after {after}"),
        }
    }
}
