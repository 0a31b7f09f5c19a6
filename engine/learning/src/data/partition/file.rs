//! Partitions in text files, to use a split that was made elsewhere.

use super::rows::Partition;
use crate::LearnError;
use crate::data::Dataset;
use crate::data::malformed::malformed;
use crate::data::source::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// A partition read from a file, gzipped or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromFile {
    /// The file; a relative path starts at the scenario's folder.
    pub path: PathBuf,
    /// How it is laid out; by default `pairs` if the first line is `client,sample`, else `lists`.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// Whether a sample may be given more than once.
    #[serde(default)]
    pub replacement: bool,
    /// Whether clients without samples are fine.
    #[serde(default)]
    pub allow_empty: bool,
}

/// Layout of a partition file. Samples are rows of the training data, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One line a sample, `client,sample`, with this header or without one.
    Pairs,
    /// One line a client: its samples, separated by commas or blanks. An empty line is a client without samples.
    Lists,
}

impl FromFile {
    /// The file at `path`, its layout recognised, every sample given at most once.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), layout: None, replacement: false, allow_empty: false }
    }

    pub(super) fn split(
        &self,
        data: &Dataset,
        clients: u32,
        base_dir: &Path,
    ) -> Result<Partition, LearnError> {
        let source = Source::open(&base_dir.join(&self.path))?;
        self.read(source, data.len(), clients)
    }

    /// Reads a partition of `samples` samples from memory; `path` stands for the file in errors.
    ///
    /// # Errors
    /// [`LearnError::Malformed`] naming the line.
    pub fn parse(
        &self,
        text: Vec<u8>,
        samples: usize,
        clients: u32,
    ) -> Result<Partition, LearnError> {
        self.read(Source::new(&self.path, text.into()), samples, clients)
    }

    fn read(&self, source: Source, samples: usize, clients: u32) -> Result<Partition, LearnError> {
        let path = source.path().to_path_buf();
        let mut lines = Lines {
            path,
            reader: BufReader::new(source.into_reader()),
            text: String::new(),
            number: 0,
        };
        let mut pairs = Pairs {
            given: Vec::new(),
            owner: vec![u32::MAX; samples],
            clients,
            replacement: self.replacement,
        };
        if !lines.advance()? {
            return Err(lines.error("the file is empty, expected a partition"));
        }
        let header = is_header(&lines.text);
        let layout = match self.layout {
            Some(layout) => layout,
            None if header => Layout::Pairs,
            None => Layout::Lists,
        };
        match layout {
            Layout::Pairs => {
                let mut more = if header { lines.advance()? } else { true };
                while more {
                    pairs.read_pair(&lines)?;
                    more = lines.advance()?;
                }
            }
            Layout::Lists => pairs.read_lists(&mut lines)?,
        }
        Ok(Partition::from_pairs(pairs.given.iter().copied(), clients))
    }
}

fn is_header(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}');
    line.split(',').map(str::trim).eq(["client", "sample"])
}

/// Lines of text with their numbers.
struct Lines<R> {
    path: PathBuf,
    reader: BufReader<R>,
    text: String,
    number: u64,
}

impl<R: io::Read> Lines<R> {
    /// Goes to the next line; false at the end.
    fn advance(&mut self) -> Result<bool, LearnError> {
        self.text.clear();
        self.number += 1;
        let read = self.reader.read_line(&mut self.text);
        read.map(|bytes| bytes > 0)
            .map_err(|error| self.error(format!("cannot be read as text: {error}")))
    }

    fn error(&self, reason: impl Into<String>) -> LearnError {
        malformed(&self.path, format!("line {}", self.number), reason)
    }

    fn number(&self, text: &str, what: &str) -> Result<u32, LearnError> {
        text.trim().parse().map_err(|_| {
            let text: String = text.trim().chars().take(40).collect();
            self.error(format!("`{text}` is not a {what}, expected a whole number from 0"))
        })
    }
}

/// The pairs read so far.
struct Pairs {
    given: Vec<(u32, u32)>,
    owner: Vec<u32>,
    clients: u32,
    replacement: bool,
}

impl Pairs {
    fn read_pair<R: io::Read>(&mut self, line: &Lines<R>) -> Result<(), LearnError> {
        if line.text.trim().is_empty() {
            return Err(line.error("the line is empty, expected `client,sample`"));
        }
        let Some((client, sample)) = line.text.split_once(',') else {
            return Err(line.error("there is no comma, expected `client,sample`"));
        };
        let client = line.number(client, "client")?;
        let sample = line.number(sample, "sample")?;
        self.add(client, sample, line)
    }

    fn read_lists<R: io::Read>(&mut self, lines: &mut Lines<R>) -> Result<(), LearnError> {
        let mut client = 0;
        loop {
            let samples = lines.text.split([',', ' ', '\t', '\r', '\n']);
            for sample in samples.filter(|text| !text.is_empty()) {
                let sample = lines.number(sample, "sample")?;
                self.add(client, sample, lines)?;
            }
            client += 1;
            if !lines.advance()? {
                break;
            }
            if client >= self.clients {
                return Err(lines.error(format!(
                    "a line more than the {} clients: set more clients or remove it",
                    self.clients
                )));
            }
        }
        if client < self.clients {
            return Err(lines.error(format!(
                "the file ends after {client} clients, expected a line for each of {}",
                self.clients
            )));
        }
        Ok(())
    }

    fn add<R: io::Read>(
        &mut self,
        client: u32,
        sample: u32,
        line: &Lines<R>,
    ) -> Result<(), LearnError> {
        if client >= self.clients {
            return Err(line.error(format!(
                "client {client}, but there are {} clients, counted from 0",
                self.clients
            )));
        }
        let samples = self.owner.len();
        let Some(owner) = self.owner.get_mut(sample as usize) else {
            return Err(line.error(format!(
                "sample {sample}, but the training data have {samples} samples, counted from 0"
            )));
        };
        if *owner != u32::MAX && !self.replacement {
            return Err(line.error(format!(
                "sample {sample} was already given to client {owner}; set `replacement = true` if samples may be shared"
            )));
        }
        *owner = client;
        self.given.push((client, sample));
        Ok(())
    }
}

impl Partition {
    /// Writes the partition in the layout `pairs`, which [`FromFile`] reads back exactly.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_pairs(&self, mut out: impl Write) -> io::Result<()> {
        writeln!(out, "client,sample")?;
        for (client, rows) in self.iter().enumerate() {
            for row in rows {
                writeln!(out, "{client},{row}")?;
            }
        }
        Ok(())
    }

    /// Writes the partition in the layout `lists`, which [`FromFile`] reads back exactly.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_lists(&self, mut out: impl Write) -> io::Result<()> {
        for rows in self.iter() {
            let rows: Vec<String> = rows.iter().map(u32::to_string).collect();
            writeln!(out, "{}", rows.join(","))?;
        }
        Ok(())
    }
}
