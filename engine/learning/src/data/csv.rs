//! Delimited text files with a header: one sample a line.

use super::encode::without_partial_owners;
use super::source::Source;
use super::split::hold_out;
use super::table::{Roles, Table};
use super::{Missing, Normalise, Split};
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A data set in CSV files, gzipped or not. Every column that is not named here is a numeric feature.
///
/// Cells that are empty, `?` or `NA` are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvSpec {
    /// File with the training samples; a relative path starts at the data directory.
    pub train: PathBuf,
    /// File with the test samples: the same features, in any order. Without it, `test_every` applies.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// Without a test file: every n-th row of each label and owner is a test row.
    #[serde(default = "default_test_every")]
    pub test_every: u32,
    /// Column of the class, whole numbers from 0 unless `class_names` is given.
    #[serde(default = "default_label")]
    pub label: String,
    /// Column that names the natural owner (hospital, writer).
    #[serde(default)]
    pub group: Option<String>,
    /// Column with the number of the client that owns the sample; instead of `group`.
    #[serde(default)]
    pub client: Option<String>,
    /// Columns to leave out.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Columns of categories: each value becomes a 0/1 column.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Names of the classes, in the order of their numbers.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// Number of classes; by default the largest label of the files + 1.
    #[serde(default)]
    pub classes: Option<u32>,
    /// What to do with missing values.
    #[serde(default)]
    pub missing: Missing,
    /// How numeric columns are scaled.
    #[serde(default = "default_normalise")]
    pub normalise: Normalise,
    /// Shape of one sample, `[channels, height, width]`; by default a vector.
    #[serde(default)]
    pub shape: Option<Vec<usize>>,
    /// Character between cells.
    #[serde(default = "default_delimiter")]
    pub delimiter: char,
}

fn default_label() -> String {
    "label".into()
}
fn default_test_every() -> u32 {
    5
}
fn default_normalise() -> Normalise {
    Normalise::None
}
fn default_delimiter() -> char {
    ','
}

impl CsvSpec {
    /// The plain case: files `train` and `test`, a column `label`, features as they are.
    pub fn new(train: impl Into<PathBuf>, test: Option<PathBuf>) -> Self {
        Self {
            train: train.into(),
            test,
            test_every: default_test_every(),
            label: default_label(),
            group: None,
            client: None,
            ignore: Vec::new(),
            categories: Vec::new(),
            class_names: Vec::new(),
            classes: None,
            missing: Missing::Refuse,
            normalise: default_normalise(),
            shape: None,
            delimiter: default_delimiter(),
        }
    }

    /// Reads the files. Relative paths start at `base`.
    ///
    /// # Errors
    /// A file that cannot be read or is malformed, and settings that contradict each other.
    pub fn load(&self, base: &Path) -> Result<Split, LearnError> {
        let train = Source::open(&base.join(&self.train))?;
        let test = match &self.test {
            Some(path) => Some(Source::open(&base.join(path))?),
            None => None,
        };
        self.read(train, test)
    }

    /// Reads training rows, and test rows if they are apart, from memory; for tests and embedded data.
    ///
    /// # Errors
    /// As [`CsvSpec::load`].
    pub fn parse(&self, train: Vec<u8>, test: Option<Vec<u8>>) -> Result<Split, LearnError> {
        let test_path = self.test.clone().unwrap_or_else(|| "test".into());
        let train = Source::new(&self.train, train.into());
        let test = test.map(|bytes| Source::new(&test_path, bytes.into()));
        self.read(train, test)
    }

    fn read(&self, train: Source, test: Option<Source>) -> Result<Split, LearnError> {
        let mut table = Table::new(self.roles()?);
        table.append(train)?;
        let boundary = table.len() as u32;
        let (fit, held_out) = match test {
            Some(test) => {
                table.append(test)?;
                let rows = table.len() as u32;
                ((0..boundary).collect(), (boundary..rows).collect())
            }
            None => self.hold_out(&table)?,
        };
        self.split(&table, &fit, &held_out)
    }

    fn split(&self, table: &Table, train: &[u32], test: &[u32]) -> Result<Split, LearnError> {
        let (features, width) = table.encode(train, self.missing, &self.normalise)?;
        let shape = self.shape.clone().unwrap_or_else(|| vec![width]);
        let described = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if described != Some(width) {
            return Err(LearnError::Invalid(format!(
                "csv: `shape = {shape:?}` does not hold the {width} features of {}",
                self.train.display()
            )));
        }
        let largest = table.labels.iter().max().map_or(0, |&label| label as usize);
        let classes = match self.class_names.len() {
            0 => self.classes.map_or(largest + 1, |classes| classes as usize),
            named => named,
        };
        let all = table.dataset(features, shape, classes, self.client.is_some());
        Ok(Split {
            train: without_partial_owners(all.subset(train)),
            test: without_partial_owners(all.subset(test)),
        })
    }

    fn hold_out(&self, table: &Table) -> Result<(Vec<u32>, Vec<u32>), LearnError> {
        if self.test_every < 2 {
            return Err(LearnError::Invalid(
                "csv: `test_every` must be at least 2, so that something is left to learn from"
                    .into(),
            ));
        }
        let stratum = |row: usize| (table.owners[row], table.labels[row]);
        let (train, test) = hold_out(table.len(), self.test_every, stratum);
        if test.is_empty() {
            return Err(LearnError::Invalid(format!(
                "csv: {} has too few rows to hold every {}th back for testing: give a `test` file or lower `test_every`",
                self.train.display(),
                self.test_every
            )));
        }
        Ok((train, test))
    }

    fn roles(&self) -> Result<Roles, LearnError> {
        if self.group.is_some() && self.client.is_some() {
            return Err(LearnError::Invalid(
                "csv: give `group` or `client`, not both: a sample has one owner".into(),
            ));
        }
        if self.classes == Some(0) {
            return Err(LearnError::Invalid(
                "csv: `classes` must be at least 1; leave it out to have it counted".into(),
            ));
        }
        if let Missing::Constant(value) = self.missing
            && !value.is_finite()
        {
            return Err(LearnError::Invalid(
                "csv: `missing.constant` must be a finite number".into(),
            ));
        }
        let delimiter = u8::try_from(self.delimiter).ok().filter(u8::is_ascii);
        let delimiter = delimiter.ok_or_else(|| {
            LearnError::Invalid(format!(
                "csv: `delimiter = \"{}\"` must be one ASCII character, such as `,` or `;`",
                self.delimiter
            ))
        })?;
        Ok(Roles {
            label: self.label.clone(),
            owner: self.group.clone().or_else(|| self.client.clone()),
            owner_is_number: self.client.is_some(),
            ignore: self.ignore.clone(),
            categories: self.categories.clone(),
            class_names: self.class_names.clone(),
            classes: self.classes,
            delimiter,
            refuse_missing: self.missing == Missing::Refuse,
        })
    }
}
