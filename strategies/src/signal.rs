//! What goes into a strategy and what comes out.

use crate::companion::Budget;
use crate::guard::Incident;
use crate::privacy::Spent;
use crate::update::Arrival;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that a strategy has to react to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Signal {
    /// The run begins.
    Start,
    /// An update's message arrived; its values are still a promise.
    Arrived(Arrival),
    /// A task will not be answered.
    Lost {
        /// The task.
        task: TaskId,
        /// Whose it was.
        client: ClientId,
        /// Why.
        reason: LossReason,
    },
    /// A timer rang that the strategy had set, with the number it gave it.
    Timer(u64),
    /// Clients may be back that nobody expected back.
    Vacancy,
}

/// Why a task is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LossReason {
    /// The client refused: too little memory, too low a battery, no data.
    Declined,
    /// The client gave up in the middle.
    DroppedOut,
    /// The client went offline in the middle.
    WentOffline,
    /// The message was lost on the way.
    MessageLost,
    /// The server took the invitation back.
    Cancelled,
    /// The client's work failed; the simulation says why in its log.
    Failed,
    /// The server refused the answer: malformed, not finite, or not asked for.
    Refused,
    /// The client crashed in the middle.
    Crashed,
    /// The client left the federation in the middle.
    Left,
    /// The client was cut off in the middle.
    CutOff,
    /// The server crashed and forgot the task.
    ServerCrashed,
}

/// What a strategy wants done. Orders are carried out in the order given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Send a client the model and let it train.
    Invite(Box<Invitation>),
    /// Tell a client to stop; its work is not needed any more.
    Cancel {
        /// The task.
        task: TaskId,
        /// Whose it is.
        client: ClientId,
    },
    /// Ask a client to return what it has at the end of its present epoch.
    Urge {
        /// The task.
        task: TaskId,
        /// Whose it is.
        client: ClientId,
    },
    /// Ring a timer.
    Timer {
        /// When.
        at: Time,
        /// The number that comes back.
        token: u64,
    },
    /// There is a new global model.
    Publish(Box<Publication>),
    /// The server has crashed and goes on from this version: nothing is merged into it. What follows
    /// belongs to its new life.
    Resume(Box<Publication>),
    /// The work behind an update failed; the update counts as lost.
    Failed {
        /// The task.
        task: TaskId,
        /// Whose it is.
        client: ClientId,
        /// Why, in words.
        reason: String,
    },
    /// A guard refused or cut an answer.
    Guarded {
        /// What was found.
        incident: Incident,
        /// In words.
        reason: String,
    },
    /// Something that whoever runs the federation should know, in words.
    Note(String),
    /// There is nothing left to do.
    Finish(String),
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The new task.
    pub task: TaskId,
    /// Whom.
    pub client: ClientId,
    /// Version of the model that is sent.
    pub version: Version,
    /// The shared parameters that are sent.
    pub model: Flat,
    /// Further vectors that are sent, such as the server's control variate.
    pub extras: BTreeMap<String, Flat>,
    /// What the client is asked to do differently from the plan.
    pub assignment: Assignment,
}

/// What one task asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Local steps, instead of the plan's.
    pub steps: Option<u32>,
    /// The result may turn out not to be needed: do not compute it before it is.
    pub speculative: bool,
    /// A number that comes back with the update (a tier, a group).
    pub tag: u64,
}

/// What a task is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Duty {
    /// Train the model that was sent.
    #[default]
    Train,
    /// Try the models that were sent on the samples held back, and say the loss of each.
    Judge,
    /// Train a teacher of one's own, which stays; say how many samples of each class it saw.
    Teach,
    /// Say what the teacher answers to the inputs that were sent.
    Answer,
    /// Say how the inputs that were sent last should change, for the slopes by the answers.
    PullBack,
}

impl Duty {
    /// Tags from here on are no tags of paces: they say what a task is about.
    const TAGS: [(u64, Self); 4] = [
        (u64::MAX, Self::Judge),
        (u64::MAX - 1, Self::Teach),
        (u64::MAX - 2, Self::Answer),
        (u64::MAX - 3, Self::PullBack),
    ];

    /// What a task with this tag is about.
    pub fn of_tag(tag: u64) -> Self {
        let found = Self::TAGS.into_iter().find(|(of, _)| *of == tag);
        found.map_or(Self::Train, |(_, duty)| duty)
    }

    /// Whether what the client says is used when it arrives, and not when something is merged: what judges find, how many
    /// samples a teacher saw, how inputs should change. Answers to inputs are used when the student learns from them.
    pub fn is_used_at_once(self) -> bool {
        matches!(self, Self::Judge | Self::Teach | Self::PullBack)
    }

    /// What a task is asked for that is about this; training has no tag.
    pub fn assignment(self) -> Assignment {
        let found = Self::TAGS.into_iter().find(|(_, duty)| *duty == self);
        Assignment { tag: found.map_or(0, |(tag, _)| tag), ..Assignment::default() }
    }
}

impl Assignment {
    /// Not training: the sent models are tried on the client's held-back samples, and the answer has a loss for each.
    pub fn to_judge() -> Self {
        Duty::Judge.assignment()
    }

    /// What the task is about.
    pub fn duty(&self) -> Duty {
        Duty::of_tag(self.tag)
    }

    /// Whether the client is to judge models instead of training one.
    pub fn is_judging(&self) -> bool {
        self.duty() == Duty::Judge
    }

    /// Whether the client is to train a teacher of its own.
    pub fn is_teaching(&self) -> bool {
        self.duty() == Duty::Teach
    }
}

/// Begins the names of models that are sent to be judged and of what the judges say of them: the number of the
/// client that trained the model follows.
pub const CANDIDATE: &str = "candidate/";

/// A new global model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// Its version.
    pub version: Version,
    /// Its shared parameters; of group 0 where there are several groups.
    pub model: Flat,
    /// The groups' models, where there are several.
    pub clusters: Option<Box<Clusters>>,
    /// What clients have released of their identities so far, where they do.
    pub budget: Option<Budget>,
    /// One line for each update that went into it.
    pub used: Vec<Used>,
    /// What was revealed of the clients so far, where something protects them.
    pub spent: Option<Spent>,
}

/// Several groups, each with a model of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// The shared parameters of each group.
    pub models: BTreeMap<u32, Flat>,
    /// The group of each client that was ever merged; all others start from group 0.
    pub of: BTreeMap<ClientId, u32>,
}

/// An update that went into a new model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// The task.
    pub task: TaskId,
    /// Whose update.
    pub client: ClientId,
    /// Versions between its base and the model it was merged into.
    pub staleness: u64,
    /// The weight that it got, before the combiner divides by anything.
    pub weight: f64,
    /// Its training loss.
    pub loss: f64,
    /// The group (cluster, tier) whose model it was merged into.
    pub group: u32,
}
