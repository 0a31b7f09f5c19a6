//! What a run leaves behind, row by row.

use crate::retrieval::Tried;
use crate::tap::Leak;
use crate::teachers::TeacherFigures;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::companion::Budget;
use offbeat_strategies::guard::Incident;
use offbeat_strategies::privacy::Spent;
use offbeat_strategies::signal::{LossReason, Used};
use serde::{Deserialize, Serialize};

/// One thing that happened, for metrics files and reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A version was evaluated on the common test set.
    Evaluation {
        /// When the version was published.
        at: Time,
        /// Which version.
        version: Version,
        /// The figures.
        test: Evaluation,
    },
    /// How far an attack got with a version.
    Attack {
        /// When the version was published.
        at: Time,
        /// Which version.
        version: Version,
        /// Figures on the samples that the attack wants misread, labelled as it wants them read: the
        /// accuracy is its success rate.
        success: Evaluation,
    },
    /// What an eavesdropper found in one update.
    Leak {
        /// When the update began its way.
        at: Time,
        /// The version that it started from.
        version: Version,
        /// Whose.
        client: ClientId,
        /// What was found.
        leak: Box<Leak>,
    },
    /// A version was evaluated by its clients, each on its own data.
    Clients {
        /// When the version was published.
        at: Time,
        /// Which version.
        version: Version,
        /// Figures of each client that has data to evaluate on, in the order of ids.
        clients: Vec<(ClientId, Evaluation)>,
    },
    /// A version was tried on the persons of each domain.
    Retrieval {
        /// When the version was published.
        at: Time,
        /// Which version.
        version: Version,
        /// What each model found, by domain and model.
        tried: Vec<Tried>,
    },
    /// Teachers that stay with their clients were tried on the common test set: whenever there are more of them.
    Teachers {
        /// When.
        at: Time,
        /// The version of the global model at that time.
        version: Version,
        /// The figures.
        figures: TeacherFigures,
    },
    /// A version was published, until which clients released so much of their identities.
    Budget {
        /// When.
        at: Time,
        /// Which version.
        version: Version,
        /// What was spent.
        budget: Budget,
    },
    /// Updates were merged into a new version.
    Aggregation {
        /// When.
        at: Time,
        /// The new version.
        version: Version,
        /// One line for each update.
        used: Vec<Used>,
    },
    /// What a version and those before it reveal of the clients.
    Privacy {
        /// When the version was published.
        at: Time,
        /// Which version.
        version: Version,
        /// What was revealed.
        spent: Spent,
    },
    /// A task that the server gave ended.
    Task(TaskRow),
    /// Something that the timeline or the script asked for happened.
    Happening {
        /// When.
        at: Time,
        /// What, in words.
        what: String,
    },
    /// An answer was refused or cut.
    Guarded {
        /// When.
        at: Time,
        /// The version of the global model at that time.
        version: Version,
        /// What was found.
        incident: Incident,
    },
    /// A training's device failed, and another did it. Told when its values are taken; no part of the digest.
    Retried {
        /// When the values were taken.
        at: Time,
        /// The task.
        task: TaskId,
        /// Whose.
        client: ClientId,
        /// The version that it started from.
        version: Version,
        /// Names of the devices that failed.
        from: String,
        /// Name of the device that did it.
        to: String,
    },
    /// A task that an edge server gave to a client of its own ended.
    EdgeTask {
        /// Which edge server.
        edge: u32,
        /// The edge server's own task.
        of: TaskId,
        /// The round of that task, from 0.
        round: u32,
        /// How the client's task went; its version is the one that the edge server was given.
        row: TaskRow,
    },
    /// An edge server merged updates of its clients.
    EdgeAggregation {
        /// When.
        at: Time,
        /// Which edge server.
        edge: u32,
        /// Its own task.
        of: TaskId,
        /// The round of that task, from 0.
        round: u32,
        /// The server's version that the task started from.
        version: Version,
        /// One line for each update.
        used: Vec<EdgeShare>,
    },
    /// An edge server refused or cut an answer of a client of its own. What is found in values is told when somebody
    /// takes them.
    EdgeGuarded {
        /// When the edge server merged, or the answer came that was not asked for.
        at: Time,
        /// Which edge server.
        edge: u32,
        /// Its own task.
        of: TaskId,
        /// The round of that task, from 0.
        round: u32,
        /// The server's version that the task started from.
        version: Version,
        /// What was found.
        incident: Incident,
    },
}

/// How a task went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The task.
    pub task: TaskId,
    /// Whose.
    pub client: ClientId,
    /// Version that was sent.
    pub version: Version,
    /// When the server invited the client.
    pub invited: Time,
    /// When the task ended for the server: arrival, loss or cancellation.
    pub ended: Time,
    /// How it ended.
    pub end: TaskEnd,
    /// Bytes sent to the client.
    pub bytes_down: u64,
    /// Bytes received from it.
    pub bytes_up: u64,
    /// Whether what it returns is used when it arrives, and not when something is merged: it judged models, told of
    /// its teacher, or said how inputs should change.
    pub used_at_once: bool,
}

/// An update that an edge server merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeShare {
    /// The client's task.
    pub task: TaskId,
    /// Whose.
    pub client: ClientId,
    /// Its weight; the weights sum to 1.
    pub weight: f64,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskEnd {
    /// Its update arrived.
    Arrived,
    /// It was lost.
    Lost(LossReason),
}

/// Where a run stands, for a progress display.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Virtual time.
    pub now: Time,
    /// Events delivered.
    pub events: u64,
    /// Updates that arrived.
    pub updates: u64,
    /// Versions published.
    pub versions: u64,
    /// Accuracy of the last version whose evaluation was read.
    pub accuracy: Option<f64>,
    /// How far the run is towards its first stop condition that can be foreseen, 0 to 1.
    pub done: f64,
}

/// Where records go. Called on the thread that runs the federation.
pub trait Sink {
    /// Takes one record.
    ///
    /// # Errors
    /// A text when it cannot be kept; the run ends with [`crate::RunError::Sink`].
    fn record(&mut self, record: &Record) -> Result<(), String>;

    /// Makes all records so far last, and says where it stands: whatever it needs to go on from here in
    /// another process.
    ///
    /// # Errors
    /// A text when they cannot be made to last.
    fn save(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    /// Told now and then where the run stands.
    fn progress(&mut self, _progress: &Progress) {}
}

/// Keeps all records in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The records, shared with whoever kept a clone.
    pub records: std::rc::Rc<std::cell::RefCell<Vec<Record>>>,
}

impl Sink for Memory {
    fn record(&mut self, record: &Record) -> Result<(), String> {
        self.records.borrow_mut().push(record.clone());
        Ok(())
    }

    /// How many records there are, as eight bytes.
    fn save(&mut self) -> Result<Vec<u8>, String> {
        Ok((self.records.borrow().len() as u64).to_le_bytes().to_vec())
    }
}
