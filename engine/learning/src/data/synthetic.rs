//! Gaussian clusters: a classification problem whose difficulty is known.

use super::{Dataset, Split};
use crate::LearnError;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand::RngExt;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No more numbers than this in one generated set (4 GiB).
pub(super) const LARGEST_SET: u64 = 1 << 30;

/// One Gaussian cluster a class: centre `separation * u` with `u` uniform on the unit sphere, and unit
/// variance in every direction. Classes are equally frequent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticSpec {
    /// Number of classes, at least 2.
    #[serde(default = "ten")]
    pub classes: u32,
    /// Numbers in one sample.
    #[serde(default = "sixty_four")]
    pub inputs: u32,
    /// Training samples.
    pub train: u32,
    /// Test samples.
    pub test: u32,
    /// Distance of each centre from the origin, in standard deviations.
    #[serde(default = "three")]
    pub separation: f32,
    /// Shape of one sample, `[channels, height, width]`; by default a vector.
    #[serde(default)]
    pub shape: Option<Vec<usize>>,
}

fn ten() -> u32 {
    10
}
fn sixty_four() -> u32 {
    64
}
fn three() -> f32 {
    3.0
}

impl SyntheticSpec {
    /// Draws the set. Centres, training and test samples have streams of their own: asking for more
    /// training samples changes none of the others.
    ///
    /// # Errors
    /// Settings that describe no data, or more than 4 GiB.
    pub fn load(&self, seeds: SeedTree) -> Result<Split, LearnError> {
        self.check()?;
        let mut stream = seeds.stream(Purpose::Synthesis, 0, 0);
        let centres: Vec<Vec<f32>> = (0..self.classes).map(|_| self.centre(&mut stream)).collect();
        let draw =
            |samples, id| self.draw(&centres, samples, seeds.stream(Purpose::Synthesis, id, 0));
        Ok(Split { train: draw(self.train, 1), test: draw(self.test, 2) })
    }

    fn check(&self) -> Result<(), LearnError> {
        let complain = |reason: String| Err(LearnError::Invalid(format!("synthetic: {reason}")));
        if self.classes < 2 || self.inputs == 0 || self.train == 0 || self.test == 0 {
            return complain(
                "`classes` must be at least 2, `inputs`, `train` and `test` at least 1".into(),
            );
        }
        if !self.separation.is_finite() || self.separation < 0.0 {
            return complain("`separation` must be 0 or more".into());
        }
        let rows = u64::from(self.train) + u64::from(self.test) + u64::from(self.classes);
        if rows.saturating_mul(u64::from(self.inputs)) > LARGEST_SET {
            return complain(format!(
                "{rows} rows of {} inputs are more than {LARGEST_SET} numbers: ask for fewer",
                self.inputs
            ));
        }
        let described = self.shape.as_ref().is_none_or(|shape| {
            let product = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            product == Some(self.inputs as usize)
        });
        if !described {
            return complain(format!(
                "`shape = {:?}` does not hold `inputs = {}` numbers",
                self.shape.as_deref().unwrap_or_default(),
                self.inputs
            ));
        }
        Ok(())
    }

    fn centre(&self, stream: &mut Stream) -> Vec<f32> {
        let direction: Vec<f32> = (0..self.inputs).map(|_| stream.sample(StandardNormal)).collect();
        let norm = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
        let scale = self.separation / norm.max(f32::MIN_POSITIVE);
        direction.into_iter().map(|x| x * scale).collect()
    }

    fn draw(&self, centres: &[Vec<f32>], samples: u32, mut stream: Stream) -> Dataset {
        let labels: Vec<u32> = (0..samples).map(|row| row % self.classes).collect();
        let mut features = Vec::with_capacity(samples as usize * self.inputs as usize);
        for &label in &labels {
            for &mean in &centres[label as usize] {
                features.push(mean + stream.sample::<f32, _>(StandardNormal));
            }
        }
        Dataset {
            features,
            shape: self.shape.clone().unwrap_or_else(|| vec![self.inputs as usize]),
            labels,
            classes: self.classes as usize,
            groups: None,
        }
    }
}
