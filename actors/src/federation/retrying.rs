//! What the book tells when values are taken: devices that failed, and answers that edge servers refused or cut.

use super::Driver;
use crate::promise::Retried;
use crate::record::Record;
use offbeat_kernel::Time;

impl Driver {
    /// Records what edge servers' guards found.
    pub(super) fn keep_found(&mut self) {
        self.book.take_found().into_iter().for_each(|record| self.keep(record));
    }

    /// Records the trainings whose device failed. That is no event of the simulation: the journal does not have it.
    pub(super) fn keep_retried(&mut self, at: Time) {
        for Retried { task, client, version, retry } in self.book.take_retried() {
            let from: Vec<String> = retry.failed.iter().map(|(name, _)| name.to_string()).collect();
            let (from, to) = (from.join(","), retry.on.to_string());
            self.records.push(Record::Retried { at, task, client, version, from, to });
        }
    }
}
