//! Says when a snapshot is due, and keeps it.

use super::{Fingerprint, Settings, Vault};
use crate::spec::SnapshotSection;
use offbeat_actors::{Keeper, Occasion, Snapshot};
use offbeat_kernel::{Span, Time};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What snapshots cost so far.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Cost {
    /// How many were kept.
    pub kept: u64,
    /// Bytes written for all of them.
    pub bytes: u64,
    /// Bytes written for the last.
    pub last_bytes: u64,
    /// Real time spent on writing them, in seconds.
    pub seconds: f64,
    /// Why the last one that could not be kept could not.
    pub failure: Option<String>,
}

/// Keeps snapshots in a run directory.
#[derive(Debug)]
pub struct FileKeeper {
    vault: Vault,
    rules: SnapshotSection,
    fingerprint: Fingerprint,
    settings: Settings,
    last: Instant,
    cost: Rc<RefCell<Cost>>,
}

impl FileKeeper {
    /// A keeper in `run_dir`; the cost is shared with whoever keeps a clone of it.
    pub fn new(
        run_dir: &Path,
        rules: SnapshotSection,
        fingerprint: Fingerprint,
        settings: Settings,
        cost: Rc<RefCell<Cost>>,
    ) -> Self {
        let vault = Vault::open(run_dir);
        Self { vault, rules, fingerprint, settings, last: Instant::now(), cost }
    }
}

impl Keeper for FileKeeper {
    fn due(&mut self, now: Time, next: Time) -> Option<Occasion> {
        if let Some(minutes) = self.rules.every_virtual_minutes {
            let every = Span::of_work(minutes * 60.0).micros();
            if next.micros() / every > now.micros() / every {
                return Some(Occasion::Virtual);
            }
        }
        let every = self.rules.every_wall_minutes;
        let due = every > 0.0 && self.last.elapsed() >= Duration::from_secs_f64(every * 60.0);
        due.then_some(Occasion::Wall)
    }

    fn keep(&mut self, snapshot: Snapshot, occasion: Occasion) {
        let begun = Instant::now();
        let marks = (&self.fingerprint, &self.settings);
        let added = self.vault.add(&snapshot, occasion, marks, self.rules.keep);
        let mut cost = self.cost.borrow_mut();
        match added {
            Ok(bytes) => {
                cost.kept += 1;
                cost.bytes += bytes;
                cost.last_bytes = bytes;
            }
            Err(error) => {
                tracing::warn!("no snapshot at {}: {error}; the run goes on", snapshot.now);
                cost.failure = Some(error.to_string());
            }
        }
        self.last = Instant::now();
        cost.seconds += self.last.duration_since(begun).as_secs_f64();
    }
}
