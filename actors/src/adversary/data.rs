//! Poisoned data: flipped labels, triggers, and the samples on which an attack's success is measured.

use offbeat_learning::data::{Dataset, Shard};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A pattern that is laid over a sample: the last `size` rows and columns of an image in every channel, the
/// last `size` features of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trigger {
    /// Edge of the square in pixels, or number of features; at least 1.
    pub size: u32,
    /// What is written there.
    pub value: f32,
}

impl Default for Trigger {
    fn default() -> Self {
        Self { size: 2, value: 1.0 }
    }
}

impl Trigger {
    fn mark(&self, sample: &mut [f32], shape: &[usize]) {
        let size = self.size as usize;
        let [_, height, width] = shape[..] else {
            let from = sample.len().saturating_sub(size);
            sample[from..].fill(self.value);
            return;
        };
        for plane in sample.chunks_exact_mut(height * width) {
            for row in plane.chunks_exact_mut(width).skip(height.saturating_sub(size)) {
                row[width.saturating_sub(size)..].fill(self.value);
            }
        }
    }
}

/// A copy of the samples of `shard` at `places`, each changed by `change(features, label)`.
fn changed(
    shard: &Shard,
    places: impl Iterator<Item = usize>,
    mut change: impl FnMut(usize, &mut [f32], &mut u32),
) -> Shard {
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for place in places {
        let mut sample = shard.features(place).to_vec();
        let mut label = shard.label(place);
        change(place, &mut sample, &mut label);
        features.append(&mut sample);
        labels.push(label);
    }
    let (shape, classes) = (shard.data.shape.clone(), shard.data.classes);
    Shard::whole(Arc::new(Dataset { features, shape, labels, classes, groups: None }))
}

/// The samples with class `source` called `target`; without both, `c` is called `classes - 1 - c`.
pub fn flip_labels(shard: &Shard, source: Option<u32>, target: Option<u32>) -> Shard {
    let last = (shard.data.classes as u32).saturating_sub(1);
    changed(shard, 0..shard.len(), |_, _, label| match (source, target) {
        (Some(source), Some(target)) if *label == source => *label = target,
        (Some(_), Some(_)) => {}
        _ => *label = last - *label,
    })
}

/// The samples, of which the first `share` (at least one) carry the trigger and the target's label.
pub(super) fn backdoored(shard: &Shard, target: u32, trigger: Trigger, share: f64) -> Shard {
    let marked = ((share * shard.len() as f64).round() as usize).max(1);
    changed(shard, 0..shard.len(), |place, sample, label| {
        if place < marked {
            trigger.mark(sample, &shard.data.shape);
            *label = target;
        }
    })
}

/// The samples whose label `counts`, called `target`, with the trigger if there is one.
pub(super) fn aimed(
    test: &Shard,
    target: u32,
    counts: impl Fn(u32) -> bool,
    trigger: Option<Trigger>,
) -> Shard {
    let places = (0..test.len()).filter(|place| counts(test.label(*place)));
    changed(test, places, |_, sample, label| {
        if let Some(trigger) = trigger {
            trigger.mark(sample, &test.data.shape);
        }
        *label = target;
    })
}
