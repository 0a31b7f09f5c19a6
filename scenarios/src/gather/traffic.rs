//! How much had been sent by the time a version was published.
//!
//! A task is known when it ends, but its model was sent when it was invited: bytes down are put to the
//! first version that was published after the invitation, bytes up and the update itself to the first
//! after the end. Versions that are not evaluated are joined with the next one that is, so that memory
//! grows with the evaluations only. The model of a task that the run's end cuts off counts nowhere.

use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_kernel::{Time, Version};
use serde::{Deserialize, Serialize};

/// Sums up to some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// Updates that arrived.
    pub(super) updates: u64,
    /// Bytes that clients sent with them.
    pub(super) up: u64,
    /// Bytes that were sent to clients.
    pub(super) down: u64,
}

impl Sent {
    fn plus(self, other: Sent) -> Sent {
        Sent {
            updates: self.updates + other.updates,
            up: self.up + other.up,
            down: self.down + other.down,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    at: Time,
    version: Version,
    /// Since the mark before.
    since: Sent,
}

/// Marks in the order of time, and what came after the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Traffic {
    marks: Vec<Mark>,
    /// The first so many marks are evaluated versions.
    evaluated: usize,
    open: Sent,
}

impl Default for Traffic {
    /// The first version is there from the start.
    fn default() -> Self {
        let first = Mark { at: Time::ZERO, version: Version(0), since: Sent::default() };
        Self { marks: vec![first], evaluated: 0, open: Sent::default() }
    }
}

impl Traffic {
    pub(super) fn published(&mut self, at: Time, version: Version) {
        let since = std::mem::take(&mut self.open);
        self.marks.push(Mark { at, version, since });
    }

    pub(super) fn task(&mut self, task: &TaskRow) {
        self.open.up += task.bytes_up;
        self.open.updates += u64::from(task.end == TaskEnd::Arrived);
        let next = self.marks.partition_point(|mark| mark.at <= task.invited);
        let place = self.marks.get_mut(next).map_or(&mut self.open, |mark| &mut mark.since);
        place.down += task.bytes_down;
    }

    /// Joins the versions since the last evaluated one with `version`.
    pub(super) fn evaluated(&mut self, at: Time, version: Version) {
        let from = self.evaluated;
        // After a crash of the server a version may be published again.
        let same = |mark: &Mark| mark.version == version && mark.at == at;
        let marks = &self.marks[from..];
        let found = marks.iter().position(same);
        let found = found.or_else(|| marks.iter().position(|mark| mark.version == version));
        let place = match found {
            Some(place) => from + place,
            None => {
                let place = self
                    .marks
                    .partition_point(|mark| (mark.at, mark.version) < (at, version))
                    .max(from);
                self.marks.insert(place, Mark { at, version, since: Sent::default() });
                place
            }
        };
        let joined =
            self.marks.drain(from..place).fold(Sent::default(), |sum, m| sum.plus(m.since));
        self.marks[from].since = self.marks[from].since.plus(joined);
        self.evaluated = from + 1;
    }

    /// What had been sent when each evaluated version was published, in the order of evaluations: never less
    /// than before.
    pub(super) fn totals(&self) -> Vec<Sent> {
        let sum = |sum: &mut Sent, mark: &Mark| {
            *sum = sum.plus(mark.since);
            Some(*sum)
        };
        self.marks[..self.evaluated].iter().scan(Sent::default(), sum).collect()
    }
}
