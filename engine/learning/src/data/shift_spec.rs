//! How the data of a whole population differ from client to client, and how they drift.

use super::{DataShift, Shard};
use crate::LearnError;
use offbeat_kernel::hardship::Distribution;
use offbeat_kernel::{ClientId, Purpose, SeedTree, Span, Stream, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counters of [`Purpose::DataShift`]: one for each property, so that asking for one more moves
/// none of the others; then those of the label noise itself.
const LABEL_NOISE: u64 = 0;
const ROTATE: u64 = 1;
const GAIN: u64 = 2;
const OFFSET: u64 = 3;
const BLUR: u64 = 4;
const TRAINING_LABELS: u64 = 5;
const TEST_LABELS: u64 = 6;

/// Changes of the clients' data, each drawn once for each client. The default changes nothing.
///
/// A client's training samples and its own test samples change alike; the common test samples stay
/// what the data set says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShiftSpec {
    /// Probability that a label becomes one of the other classes; drawn values are limited to `0..=1`.
    pub label_noise: Distribution,
    /// Images turn counter-clockwise by this.
    pub rotate_degrees: Distribution,
    /// Features are multiplied by this (contrast).
    pub gain: Distribution,
    /// Then this is added (brightness; a shift of every coordinate of a vector).
    pub offset: Distribution,
    /// Standard deviation of a Gaussian blur of images, in pixels; drawn values are limited to `0..=100`.
    pub blur: Distribution,
    /// Class `c` is called `(c + label_rotation) mod classes`, from the start.
    pub label_rotation: u32,
    /// A change of what the labels mean during the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
}

/// Concept drift: from a virtual time on the same inputs have other labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Virtual hours after which it takes effect. A task uses the labels of the time at which the
    /// client begins to train.
    pub at_hours: f64,
    /// Class `c` becomes `(c + label_rotation) mod classes`, on top of what it was.
    pub label_rotation: u32,
}

impl Default for ShiftSpec {
    fn default() -> Self {
        let never = Distribution::Constant(0.0);
        Self {
            label_noise: never.clone(),
            rotate_degrees: never.clone(),
            gain: Distribution::Constant(1.0),
            offset: never.clone(),
            blur: never,
            label_rotation: 0,
            drift: None,
        }
    }
}

impl ShiftSpec {
    /// Whether the parameters make sense, whatever the data.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        for (name, distribution) in [
            ("label_noise", &self.label_noise),
            ("rotate_degrees", &self.rotate_degrees),
            ("gain", &self.gain),
            ("offset", &self.offset),
            ("blur", &self.blur),
        ] {
            let bounded = matches!(name, "label_noise" | "blur");
            let found = if bounded {
                distribution.validate_not_negative()
            } else {
                distribution.validate()
            };
            found.map_err(|reason| format!("data_shift: {name}: {reason}"))?;
        }
        let typical = self.label_noise.at_score(0.0);
        if typical > 1.0 {
            return Err(format!(
                "data_shift: label_noise: half of its values exceed {typical}, but a probability is \
                 at most 1"
            ));
        }
        match self.drift {
            Some(drift) if !(drift.at_hours >= 0.0 && drift.at_hours.is_finite()) => Err(format!(
                "data_shift: drift: at_hours is {}, but must be zero or more",
                drift.at_hours
            )),
            _ => Ok(()),
        }
    }

    /// What happens to the data of `client`, drift apart.
    pub fn draw(&self, tree: &SeedTree, client: ClientId) -> DataShift {
        let value = |distribution: &Distribution, counter| {
            distribution.sample_for(client, &mut stream(tree, client, counter))
        };
        DataShift {
            label_noise: value(&self.label_noise, LABEL_NOISE).clamp(0.0, 1.0),
            rotate_degrees: value(&self.rotate_degrees, ROTATE),
            gain: value(&self.gain, GAIN) as f32,
            offset: value(&self.offset, OFFSET) as f32,
            blur: value(&self.blur, BLUR).clamp(0.0, 100.0),
            label_rotation: self.label_rotation,
        }
    }

    /// The training and the test samples of `client` after its changes, drift apart.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when a change does not fit the data, such as turning what is no image.
    pub fn apply(
        &self,
        tree: &SeedTree,
        client: ClientId,
        train: &Shard,
        test: &Shard,
    ) -> Result<(Shard, Shard), LearnError> {
        let shift = self.draw(tree, client);
        let train = shift.apply(train, &mut stream(tree, client, TRAINING_LABELS))?;
        let test = shift.apply(test, &mut stream(tree, client, TEST_LABELS))?;
        Ok((train, test))
    }
}

impl Drift {
    /// By how much labels have turned at `at`.
    pub fn rotation(&self, at: Time) -> u32 {
        if at >= self.begins() { self.label_rotation } else { 0 }
    }

    /// When it takes effect.
    pub fn begins(&self) -> Time {
        Time::ZERO + Span::from_seconds(self.at_hours * 3600.0)
    }
}

fn stream(tree: &SeedTree, client: ClientId, counter: u64) -> Stream {
    tree.stream(Purpose::DataShift, u64::from(client.0), counter)
}
