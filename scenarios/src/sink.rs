//! Where a run's records go: `metrics.csv`, what the report needs, and the progress display.

use crate::gather::Gather;
use crate::progress::Display;
use crate::rundir::lines::Lines;
use crate::rundir::table::{COLUMNS, each_row};
use offbeat_actors::{Progress, Record, Sink};
use offbeat_kernel::codec;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// Writes records to a CSV file and tells a display how far the run is. Clones share the file, so that
/// whoever started the run can close it when the run is over.
#[derive(Clone)]
pub struct CsvSink(Rc<RefCell<Inner>>);

struct Inner {
    writer: Lines<BufWriter<File>>,
    started: Instant,
    /// Real time that earlier processes spent.
    wall_seconds: f64,
    tasks: bool,
    display: Display,
    gather: Gather,
}

/// Where a sink stands between two events.
#[derive(Default, Serialize, Deserialize)]
struct Position {
    /// Bytes in the file.
    bytes: u64,
    /// Real time that the run has taken.
    wall_seconds: f64,
    /// What was gathered for the report.
    gather: Gather,
}

impl std::fmt::Debug for CsvSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvSink").finish_non_exhaustive()
    }
}

impl CsvSink {
    /// Begins the file at `path`. `tasks` says whether tasks get rows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, tasks: bool, display: Display) -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, File::create(path)?);
        let mut writer = Lines::new(file);
        writer.names(&COLUMNS)?;
        writer.flush()?;
        Ok(Self::around(writer, tasks, display, Position::default()))
    }

    /// Goes on with the file at `path` where `saved`, which [`Sink::save`] gave, says: what was written
    /// after that is cut off.
    ///
    /// # Errors
    /// When the file cannot be written, or is shorter than it was.
    pub fn go_on(
        path: &Path,
        saved: &[u8],
        tasks: bool,
        display: Display,
    ) -> std::io::Result<Self> {
        let position: Position = codec::decode(saved).map_err(std::io::Error::other)?;
        let mut file = File::options().read(true).write(true).open(path)?;
        if file.metadata()?.len() < position.bytes {
            return Err(std::io::Error::other("it is shorter than it was at the snapshot"));
        }
        file.set_len(position.bytes)?;
        file.seek(SeekFrom::End(0))?;
        let file = BufWriter::with_capacity(1 << 16, file);
        // The head of the table is there already.
        Ok(Self::around(Lines::new(file), tasks, display, position))
    }

    fn around(
        writer: Lines<BufWriter<File>>,
        tasks: bool,
        display: Display,
        position: Position,
    ) -> Self {
        let Position { bytes: _, wall_seconds, gather } = position;
        let started = Instant::now();
        let inner = Inner { writer, started, wall_seconds, tasks, display, gather };
        Self(Rc::new(RefCell::new(inner)))
    }

    /// Writes what is still in memory, removes the progress display, and gives what was gathered for
    /// the report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn close(&self) -> std::io::Result<Gather> {
        let mut inner = self.0.borrow_mut();
        inner.display.clear();
        inner.writer.flush()?;
        Ok(std::mem::take(&mut inner.gather))
    }
}

impl Sink for CsvSink {
    fn record(&mut self, record: &Record) -> Result<(), String> {
        let inner = &mut *self.0.borrow_mut();
        inner.gather.take(record);
        if !inner.tasks && matches!(record, Record::Task(_) | Record::EdgeTask { .. }) {
            return Ok(());
        }
        let wall = inner.wall_seconds + inner.started.elapsed().as_secs_f64();
        let mut written = Ok(());
        each_row(record, |row| {
            if written.is_ok() {
                written = inner.writer.row(&row, wall);
            }
        });
        written.map_err(|error| error.to_string())?;
        match record {
            // Evaluations are rare, and what one wants most after a crash.
            Record::Evaluation { .. } => inner.writer.flush().map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }

    fn save(&mut self) -> Result<Vec<u8>, String> {
        let mut inner = self.0.borrow_mut();
        let wall_seconds = inner.wall_seconds + inner.started.elapsed().as_secs_f64();
        let length = |inner: &mut Inner| {
            inner.writer.flush()?;
            let file = inner.writer.get_ref().get_ref();
            file.sync_data()?;
            Ok::<u64, std::io::Error>(file.metadata()?.len())
        };
        let bytes = length(&mut inner).map_err(|error| error.to_string())?;
        let position = Position { bytes, wall_seconds, gather: inner.gather.clone() };
        codec::encode(&position).map_err(|error| error.to_string())
    }

    fn progress(&mut self, progress: &Progress) {
        self.0.borrow().display.show(progress);
    }
}
