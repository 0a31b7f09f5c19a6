//! What other devices than the processor in pure Rust did in a run.

use crate::device::DeviceList;
use crate::units::{bytes, count};
use offbeat_actors::RunResult;
use offbeat_learning::device::Moved;
use serde::{Deserialize, Serialize};

/// The devices of a run that had others than `flex`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesUsed {
    /// The list, as on the command line.
    pub list: String,
    /// Copies from host memory to devices, by the process that ended the run.
    pub to_devices: Moved,
    /// Copies from devices to host memory.
    pub to_host: Moved,
    /// Jobs that another device did because theirs failed.
    pub retried: u64,
    /// The first of them in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_retry: Option<String>,
}

impl DevicesUsed {
    /// Those of a run on `list`; `None` where that is the processor in pure Rust alone.
    pub(crate) fn of(list: &DeviceList, result: &RunResult) -> Option<Self> {
        let only_flex = list.distinct() == DeviceList::default().distinct();
        (!only_flex).then(|| Self {
            list: list.to_string(),
            to_devices: result.transfers.to_devices,
            to_host: result.transfers.to_host,
            retried: result.counts.retried,
            first_retry: result.counts.retries.first().cloned(),
        })
    }

    /// Both directions in words.
    pub(crate) fn copies(&self) -> String {
        let words = |moved: Moved| format!("{} in {}", bytes(moved.bytes), count(moved.count));
        format!("{} to devices, {} back", words(self.to_devices), words(self.to_host))
    }

    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("devices", self.list.clone()), ("copied", self.copies())];
        if let Some(first) = &self.first_retry {
            let words =
                format!("{} jobs on another device; the first: {first}", count(self.retried));
            rows.push(("warning", words));
        }
        rows
    }
}
