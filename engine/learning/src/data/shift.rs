//! What makes one client's data different from another's: feature shift, label noise, concept drift.

use super::image::Plane;
use super::{Dataset, Groups, Shard};
use crate::LearnError;
use offbeat_kernel::Stream;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Changes of a client's data. The default changes nothing.
///
/// Order: rotate, blur, gain and offset on the features; rotation, then noise on the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataShift {
    /// Probability, `0..=1`, that a label becomes one of the other classes, all equally likely.
    pub label_noise: f64,
    /// Images turn counter-clockwise by this, bilinear, edges continued.
    pub rotate_degrees: f64,
    /// Features are multiplied by this (contrast).
    pub gain: f32,
    /// Then this is added (brightness; a shift of every coordinate of a vector).
    pub offset: f32,
    /// Standard deviation of a Gaussian blur of images, in pixels.
    pub blur: f64,
    /// Concept drift: class `c` becomes `(c + label_rotation) mod classes`.
    pub label_rotation: u32,
}

impl Default for DataShift {
    fn default() -> Self {
        Self {
            label_noise: 0.0,
            rotate_degrees: 0.0,
            gain: 1.0,
            offset: 0.0,
            blur: 0.0,
            label_rotation: 0,
        }
    }
}

impl DataShift {
    /// Whether nothing changes.
    pub fn is_identity(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the change makes sense for samples of this shape and number of classes.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] naming the setting.
    pub fn check(&self, shape: &[usize], classes: usize) -> Result<(), LearnError> {
        let complain = |reason: &str| Err(LearnError::Invalid(format!("data shift: {reason}")));
        if !(0.0..=1.0).contains(&self.label_noise) {
            return complain("`label_noise` must lie between 0 and 1");
        }
        if self.label_noise > 0.0 && classes < 2 {
            return complain("`label_noise` needs at least 2 classes");
        }
        if !self.gain.is_finite() || !self.offset.is_finite() || !self.rotate_degrees.is_finite() {
            return complain("`gain`, `offset` and `rotate_degrees` must be finite");
        }
        if !(0.0..=100.0).contains(&self.blur) {
            return complain("`blur` must lie between 0 and 100 pixels");
        }
        if self.changes_geometry() && shape.len() != 3 {
            return complain(
                "`rotate_degrees` and `blur` need images (channels, height, width); use `gain` or `offset` for vectors",
            );
        }
        Ok(())
    }

    /// The client's own data after the change: a private data set that holds just the shard's samples.
    /// Without a change the shard is handed back as it is, shared.
    ///
    /// # Errors
    /// As [`DataShift::check`].
    pub fn apply(&self, shard: &Shard, stream: &mut Stream) -> Result<Shard, LearnError> {
        let data = &shard.data;
        self.check(&data.shape, data.classes)?;
        if self.is_identity() {
            return Ok(shard.clone());
        }
        let mut features = Vec::with_capacity(shard.len() * data.inputs());
        for i in 0..shard.len() {
            self.push_features(shard.features(i), &data.shape, &mut features);
        }
        let labels = (0..shard.len()).map(|i| self.label(shard.label(i), data.classes, stream));
        let labels = labels.collect();
        let groups = data.groups.as_ref().map(|groups| Groups {
            of: shard.rows.iter().map(|&row| groups.of[row as usize]).collect(),
            names: groups.names.clone(),
        });
        Ok(Shard::whole(Arc::new(Dataset {
            features,
            shape: data.shape.clone(),
            labels,
            classes: data.classes,
            groups,
        })))
    }

    fn changes_geometry(&self) -> bool {
        self.rotate_degrees != 0.0 || self.blur != 0.0
    }

    fn push_features(&self, sample: &[f32], shape: &[usize], out: &mut Vec<f32>) {
        let tone = |x: &f32| x * self.gain + self.offset;
        let [_, height, width] = shape[..] else {
            out.extend(sample.iter().map(tone));
            return;
        };
        for pixels in sample.chunks_exact(height * width) {
            let mut pixels = pixels.to_vec();
            if self.rotate_degrees != 0.0 {
                pixels = Plane { pixels: &pixels, height, width }.rotated(self.rotate_degrees);
            }
            if self.blur != 0.0 {
                pixels = Plane { pixels: &pixels, height, width }.blurred(self.blur);
            }
            out.extend(pixels.iter().map(tone));
        }
    }

    fn label(&self, label: u32, classes: usize, stream: &mut Stream) -> u32 {
        let turned = turned(label, self.label_rotation, classes);
        let classes = classes as u32;
        if self.label_noise > 0.0 && stream.random_bool(self.label_noise) {
            // One of the others: skip at least one and at most all of them.
            return (turned + stream.random_range(1..classes)) % classes;
        }
        turned
    }
}

/// The samples of `shard` with every class `c` called `(c + by) mod classes`. A copy, unless nothing
/// changes.
pub fn turn_labels(shard: &Arc<Shard>, by: u32) -> Arc<Shard> {
    let data = &shard.data;
    if data.classes == 0 || (by as usize).is_multiple_of(data.classes) {
        return shard.clone();
    }
    let rows = || shard.rows.iter().map(|row| *row as usize);
    Arc::new(Shard::whole(Arc::new(Dataset {
        features: rows().flat_map(|row| data.row(row)).copied().collect(),
        shape: data.shape.clone(),
        labels: rows().map(|row| turned(data.labels[row], by, data.classes)).collect(),
        classes: data.classes,
        groups: None,
    })))
}

fn turned(label: u32, by: u32, classes: usize) -> u32 {
    ((u64::from(label) + u64::from(by)) % classes as u64) as u32
}
