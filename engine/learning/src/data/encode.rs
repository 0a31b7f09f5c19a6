//! From a table's columns to features: imputation, scaling, one-hot encoding.

use super::table::{NONE, Table};
use super::{Dataset, Groups, Normalise};
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do with a missing number. A missing category becomes zeros in all its one-hot columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Refuse the file, naming line and column.
    #[default]
    Refuse,
    /// Put the column's mean over the training rows.
    Mean,
    /// As `mean`, and add a 0/1 column "was missing" for each column with gaps in the training rows.
    Indicator,
    /// Put this number (before scaling).
    Constant(f32),
}

impl Table {
    /// The features of all rows: numeric columns in file order, then indicators, then one-hot columns
    /// (values sorted by name). Means, scales and categories are taken from the rows in `fit` only.
    pub(super) fn encode(
        &self,
        fit: &[u32],
        missing: Missing,
        normalise: &Normalise,
    ) -> Result<(Vec<f32>, usize), LearnError> {
        let mut columns = Vec::new();
        let mut indicators = Vec::new();
        for column in 0..self.number_names.len() {
            let values = self.number_column(column);
            let gaps = fit.iter().any(|&row| values[row as usize].is_nan());
            if gaps && missing == Missing::Indicator {
                indicators.push(values.iter().map(|v| f32::from(v.is_nan())).collect());
            }
            columns.push(self.scaled(column, values, fit, missing, normalise)?);
        }
        columns.append(&mut indicators);
        for column in 0..self.dictionaries.len() {
            columns.append(&mut self.one_hot(column, fit));
        }
        let width = columns.len();
        let rows = 0..self.len();
        let features =
            rows.flat_map(|row| columns.iter().map(move |column: &Vec<f32>| column[row])).collect();
        Ok((features, width))
    }

    fn number_column(&self, column: usize) -> Vec<f32> {
        let width = self.number_names.len();
        self.numbers.iter().skip(column).step_by(width).copied().collect()
    }

    fn scaled(
        &self,
        column: usize,
        mut values: Vec<f32>,
        fit: &[u32],
        missing: Missing,
        normalise: &Normalise,
    ) -> Result<Vec<f32>, LearnError> {
        let present = || fit.iter().map(|&r| values[r as usize]).filter(|v| !v.is_nan());
        let count = present().count();
        let fill = match missing {
            Missing::Constant(value) => value,
            _ if count == 0 => {
                return Err(LearnError::Invalid(format!(
                    "column `{}` has no value in any training row, so there is no mean to put: name it in `ignore`",
                    self.number_names[column]
                )));
            }
            _ => (present().map(f64::from).sum::<f64>() / count as f64) as f32,
        };
        let columns = self.number_names.len();
        let (offset, divisor) = normalise.column(column, columns, present())?;
        for value in &mut values {
            let known = if value.is_nan() { fill } else { *value };
            *value = (known - offset) / divisor;
            if !value.is_finite() {
                return Err(LearnError::Invalid(format!(
                    "column `{}` does not stay finite when it is scaled: its values are too large",
                    self.number_names[column]
                )));
            }
        }
        Ok(values)
    }

    fn one_hot(&self, column: usize, fit: &[u32]) -> Vec<Vec<f32>> {
        let width = self.dictionaries.len();
        let values: Vec<u32> =
            self.categories.iter().skip(column).step_by(width).copied().collect();
        let names = &self.dictionaries[column].names;
        let mut used = vec![false; names.len()];
        for &row in fit {
            if values[row as usize] != NONE {
                used[values[row as usize] as usize] = true;
            }
        }
        let mut order: Vec<u32> = (0..names.len() as u32).filter(|&v| used[v as usize]).collect();
        order.sort_by_key(|&value| &names[value as usize]);
        order
            .into_iter()
            .map(|one| values.iter().map(|&value| f32::from(value == one)).collect())
            .collect()
    }

    /// A data set of all rows. Owners are kept when every row has one: numbers sorted by value, names
    /// in order of appearance.
    pub(super) fn dataset(
        &self,
        features: Vec<f32>,
        shape: Vec<usize>,
        classes: usize,
        numeric_owners: bool,
    ) -> Dataset {
        let names = &self.owner_names.names;
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        if numeric_owners {
            order.sort_by_key(|&id| names[id as usize].parse::<u64>().unwrap_or(u64::MAX));
        }
        let mut rank = vec![0; names.len()];
        for (place, &id) in order.iter().enumerate() {
            rank[id as usize] = place as u32;
        }
        let of = self.owners.iter().map(|&o| if o == NONE { NONE } else { rank[o as usize] });
        let groups = (!names.is_empty()).then(|| Groups {
            of: of.collect(),
            names: order.iter().map(|&id| names[id as usize].clone()).collect(),
        });
        Dataset { features, shape, labels: self.labels.clone(), classes, groups }
    }
}

/// Drops the owners of data in which some sample has none.
pub(super) fn without_partial_owners(mut data: Dataset) -> Dataset {
    data.groups = data.groups.filter(|groups| !groups.of.contains(&NONE));
    data
}
