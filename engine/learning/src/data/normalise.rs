//! Bringing features to a common scale.

use super::{Dataset, Split};
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How features are scaled. What is measured is measured on the training samples alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// As they are in the file (images: `0..=255`).
    None,
    /// To `0..=1`: images divide by 255, columns of a table by their smallest and largest value.
    #[default]
    Unit,
    /// `(x - mean) / std`, one pair a channel of an image (after `unit`) or a column of a table.
    Standardise(MeanStd),
}

/// Mean and standard deviation, given or, where empty, measured. A feature that never changes is
/// divided by 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MeanStd {
    /// Means, one a channel or column; one number stands for all; empty: measured.
    pub mean: Vec<f32>,
    /// Standard deviations, above 0; one number stands for all; empty: measured.
    pub std: Vec<f32>,
}

impl Normalise {
    /// [`Normalise::Standardise`] with one given mean and standard deviation.
    pub fn standardise(mean: f32, std: f32) -> Self {
        Self::Standardise(MeanStd { mean: vec![mean], std: vec![std] })
    }

    /// Scales images that hold bytes, `0..=255`, with shape `[channels, height, width]`.
    pub(super) fn images(&self, split: &mut Split) -> Result<(), LearnError> {
        if *self == Self::None {
            return Ok(());
        }
        for data in [&mut split.train, &mut split.test] {
            data.features.iter_mut().for_each(|x| *x /= 255.0);
        }
        let Self::Standardise(given) = self else {
            return Ok(());
        };
        let channels = split.train.shape[0];
        for channel in 0..channels {
            let moments = given.moments(channel, channels, plane(&split.train, channel))?;
            for data in [&mut split.train, &mut split.test] {
                scale_plane(data, channel, moments);
            }
        }
        Ok(())
    }

    /// Offset and divisor of one column of a table: `(x - offset) / divisor`.
    pub(super) fn column<I>(
        &self,
        column: usize,
        columns: usize,
        values: I,
    ) -> Result<(f32, f32), LearnError>
    where
        I: Iterator<Item = f32> + Clone,
    {
        match self {
            Self::None => Ok((0.0, 1.0)),
            Self::Unit => {
                let low = values.clone().fold(f32::INFINITY, f32::min);
                let high = values.fold(f32::NEG_INFINITY, f32::max);
                let range = high - low;
                let usable = range.is_finite() && range > 0.0;
                Ok((if low.is_finite() { low } else { 0.0 }, if usable { range } else { 1.0 }))
            }
            Self::Standardise(given) => given.moments(column, columns, values),
        }
    }
}

impl MeanStd {
    /// Mean and standard deviation of feature `index` of `count`.
    fn moments<I>(&self, index: usize, count: usize, values: I) -> Result<(f32, f32), LearnError>
    where
        I: Iterator<Item = f32> + Clone,
    {
        let mean = given(&self.mean, index, count, "mean")?;
        let std = given(&self.std, index, count, "std")?;
        if std.is_some_and(|std| std <= 0.0) {
            return Err(LearnError::Invalid(
                "standardise: every `std` must be above 0; leave it out to have it measured".into(),
            ));
        }
        if let (Some(mean), Some(std)) = (mean, std) {
            return Ok((mean, std));
        }
        let measured = measure(values);
        Ok((mean.unwrap_or(measured.0), std.unwrap_or(measured.1)))
    }
}

fn given(
    values: &[f32],
    index: usize,
    count: usize,
    name: &str,
) -> Result<Option<f32>, LearnError> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(LearnError::Invalid(format!("standardise: `{name}` must hold finite numbers")));
    }
    match values.len() {
        0 => Ok(None),
        1 => Ok(Some(values[0])),
        n if n == count => Ok(Some(values[index])),
        n => Err(LearnError::Invalid(format!(
            "standardise: `{name}` has {n} numbers, expected 1 or {count} (one a channel or numeric column)"
        ))),
    }
}

/// Mean and standard deviation (of the population), in double precision; 1 where nothing varies.
fn measure<I: Iterator<Item = f32> + Clone>(values: I) -> (f32, f32) {
    let (mut count, mut sum) = (0u64, 0.0f64);
    for value in values.clone() {
        count += 1;
        sum += f64::from(value);
    }
    let mean = if count == 0 { 0.0 } else { sum / count as f64 };
    let squares: f64 = values.map(|value| (f64::from(value) - mean).powi(2)).sum();
    let std = (squares / count.max(1) as f64).sqrt() as f32;
    let usable = std.is_finite() && std > 0.0;
    (mean as f32, if usable { std } else { 1.0 })
}

/// All values of one channel, sample by sample.
fn plane(data: &Dataset, channel: usize) -> impl Iterator<Item = f32> + Clone + '_ {
    let size = data.inputs() / data.shape[0];
    let samples = data.features.chunks_exact(data.inputs());
    samples.flat_map(move |row| row[channel * size..(channel + 1) * size].iter().copied())
}

fn scale_plane(data: &mut Dataset, channel: usize, (mean, std): (f32, f32)) {
    let inputs = data.inputs();
    let size = inputs / data.shape[0];
    for row in data.features.chunks_exact_mut(inputs) {
        for x in &mut row[channel * size..(channel + 1) * size] {
            *x = (*x - mean) / std;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_channels() -> Split {
        let data = Dataset {
            features: vec![0.0, 255.0, 51.0, 51.0, 255.0, 0.0, 51.0, 51.0],
            shape: vec![2, 1, 2],
            labels: vec![0, 1],
            classes: 2,
            groups: None,
        };
        Split { test: data.clone(), train: data }
    }

    #[test]
    fn channels_are_standardised_by_their_own_moments() {
        let mut split = two_channels();
        let measured = Normalise::Standardise(MeanStd::default());
        measured.images(&mut split).expect("valid");
        let expected = [-1.0, 1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0];
        assert_eq!(split.train.features, expected);
        assert_eq!(split.test.features, expected);
    }

    #[test]
    fn given_moments_are_used_and_checked() {
        let mut split = two_channels();
        let given = Normalise::standardise(0.5, 0.25);
        given.images(&mut split).expect("valid");
        assert_eq!(&split.train.features[..2], [-2.0, 2.0]);
        let three = Normalise::Standardise(MeanStd { mean: vec![0.0; 3], std: vec![] });
        let error = three.images(&mut two_channels()).expect_err("3 means");
        assert!(error.to_string().contains("3 numbers, expected 1 or 2"));
        let zero = Normalise::standardise(0.0, 0.0);
        assert!(zero.images(&mut two_channels()).is_err());
    }

    #[test]
    fn columns_go_to_the_unit_interval() {
        let column = [2.0, 6.0, 4.0];
        let scale = Normalise::Unit.column(0, 1, column.into_iter());
        assert_eq!(scale.expect("valid"), (2.0, 4.0));
        let constant = Normalise::Unit.column(0, 1, [3.0, 3.0].into_iter());
        assert_eq!(constant.expect("valid"), (3.0, 1.0));
    }
}
