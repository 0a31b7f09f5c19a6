//! Batches, as both trainers get them: which samples, how changed, and what goes with them.

use super::augment::Frame;
use super::balanced::Balanced;
use super::order::Order;
use crate::data::Shard;
use crate::masked::Masked;
use crate::network::{Network, Shape};
use crate::plan::{Augment, LocalPlan};
use offbeat_kernel::Stream;
use rand::Rng;
use std::sync::Arc;

/// Memory of a [`Gather`], used again by the next one.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    order: Vec<u32>,
    labels: Vec<u32>,
    targets: Vec<f32>,
    hidden: Vec<bool>,
    masks: Vec<Vec<f32>>,
}

/// Deals out the batches of one training. All draws of the training are made here, in this order for
/// each batch: the rows, then the changes of each image, then what is hidden of it, then the masks of dropout.
#[derive(Debug)]
pub(super) struct Gather<'a> {
    shard: &'a Shard,
    frame: Option<Frame>,
    augment: Augment,
    dropouts: &'a [(usize, f32)],
    targets: Option<Arc<Vec<f32>>>,
    stream: Stream,
    sampler: Sampler,
    /// Labels of the batch.
    labels: Vec<u32>,
    /// What is hidden of images of which shape, where the loss asks for that.
    masked: Option<(Masked, [usize; 3])>,
    /// Targets of the batch, row-major; empty without targets.
    batch_targets: Vec<f32>,
    /// Which numbers of the batch are hidden, row-major.
    hidden: Vec<bool>,
    /// One mask for each dropout, row-major.
    masks: Vec<Vec<f32>>,
}

/// Which samples come next.
#[derive(Debug)]
enum Sampler {
    Shuffled(Order),
    Balanced(Balanced, Vec<u32>),
}

impl<'a> Gather<'a> {
    /// The batches of a checked request.
    pub(super) fn new(
        network: &'a Network,
        plan: &LocalPlan,
        shard: &'a Shard,
        targets: Option<Arc<Vec<f32>>>,
        stream: Stream,
        buffers: Buffers,
    ) -> Self {
        let sampler = match plan.instances {
            0 => {
                let order = Order::new(buffers.order, shard.len(), plan.batch, plan.last_batch);
                Sampler::Shuffled(order)
            }
            instances => {
                let labels = (0..shard.len()).map(|row| shard.label(row));
                Sampler::Balanced(Balanced::new(labels, plan.batch, instances), buffers.order)
            }
        };
        let frame = frame(network.input());
        let masked = plan.objective.loss.masked();
        let masked = masked.and_then(|masked| Some((masked, masked.image(network.input()).ok()?)));
        Self {
            shard,
            frame,
            augment: plan.augment,
            dropouts: network.dropouts(),
            targets,
            stream,
            sampler,
            labels: buffers.labels,
            masked,
            batch_targets: buffers.targets,
            hidden: buffers.hidden,
            masks: buffers.masks,
        }
    }

    /// Writes the inputs of the next batch to `inputs`, which has room for them, and gives the number of
    /// its samples.
    pub(super) fn next(&mut self, inputs: &mut [f32]) -> usize {
        let rows = match &mut self.sampler {
            Sampler::Shuffled(order) => order.next(&mut self.stream),
            Sampler::Balanced(balanced, _) => balanced.next(&mut self.stream),
        };
        let len = self.shard.data.inputs();
        self.labels.clear();
        self.batch_targets.clear();
        for (row, slot) in rows.iter().map(|row| *row as usize).zip(inputs.chunks_exact_mut(len)) {
            let sample = self.shard.features(row);
            match self.frame.filter(|_| !self.augment.is_off()) {
                Some(frame) => frame.augment(&self.augment, &mut self.stream, sample, slot),
                None => slot.copy_from_slice(sample),
            }
            self.labels.push(self.shard.label(row));
            if let Some(targets) = &self.targets {
                let width = targets.len() / self.shard.len();
                self.batch_targets.extend_from_slice(&targets[row * width..][..width]);
            }
        }
        let batch = rows.len();
        if let Some((masked, shape)) = self.masked {
            let images = &mut inputs[..batch * len];
            self.batch_targets.extend_from_slice(images);
            masked.draw(batch, shape, &mut self.stream, &mut self.hidden);
            Masked::hide(images, &self.hidden);
        }
        self.masks.resize_with(self.dropouts.len(), Vec::new);
        for (mask, (len, rate)) in self.masks.iter_mut().zip(self.dropouts) {
            draw_mask(mask, batch * len, *rate, &mut self.stream);
        }
        batch
    }

    /// The masks of dropout for the batch, in the order of [`Network::dropouts`], row-major: what each
    /// number is multiplied by.
    pub(super) fn masks(&self) -> &[Vec<f32>] {
        &self.masks
    }

    /// Labels of the batch.
    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Targets of the batch, row-major; empty without targets. Where numbers are hidden, what is there.
    pub(super) fn targets(&self) -> &[f32] {
        &self.batch_targets
    }

    /// Which numbers of the batch are hidden, row-major; empty where none are.
    pub(super) fn hidden(&self) -> &[bool] {
        &self.hidden
    }

    /// Gives the memory back.
    pub(super) fn into_buffers(self) -> Buffers {
        let order = match self.sampler {
            Sampler::Shuffled(order) => order.into_buffer(),
            Sampler::Balanced(_, buffer) => buffer,
        };
        let (targets, hidden) = (self.batch_targets, self.hidden);
        Buffers { order, labels: self.labels, targets, hidden, masks: self.masks }
    }
}

/// 0 with probability `rate`, otherwise `1 / (1 - rate)`; one `u32` is drawn for each number.
fn draw_mask(mask: &mut Vec<f32>, len: usize, rate: f32, stream: &mut Stream) {
    let limit = (f64::from(rate) * (1u64 << 32) as f64) as u64;
    let kept = 1.0 / (1.0 - rate);
    mask.clear();
    mask.extend((0..len).map(|_| if u64::from(stream.next_u32()) < limit { 0.0 } else { kept }));
}

/// Copies samples for an evaluation, mirrored when asked and they are images. `out` has room for them.
pub(super) fn copy_rows(
    input: Shape,
    shard: &Shard,
    rows: std::ops::Range<usize>,
    mirrored: bool,
    out: &mut [f32],
) {
    let frame = frame(input).filter(|_| mirrored);
    for (row, slot) in rows.zip(out.chunks_exact_mut(input.len())) {
        match frame {
            Some(frame) => frame.mirror(shard.features(row), slot),
            None => slot.copy_from_slice(shard.features(row)),
        }
    }
}

fn frame(input: Shape) -> Option<Frame> {
    match input {
        Shape::Image(_, height, width) => Some(Frame { height, width }),
        Shape::Vector(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    #[test]
    fn masks_keep_the_mean() {
        let mut stream = SeedTree::new(8).stream(Purpose::Training, 0, 0);
        let mut mask = Vec::new();
        draw_mask(&mut mask, 40_000, 0.25, &mut stream);
        let dropped = mask.iter().filter(|value| **value == 0.0).count();
        // 10 000 expected, standard deviation 87.
        assert!(dropped.abs_diff(10_000) < 450, "{dropped}");
        assert!(mask.iter().all(|value| *value == 0.0 || *value == 1.0 / 0.75));
        draw_mask(&mut mask, 10, 0.0, &mut stream);
        assert_eq!(mask, [1.0; 10]);
    }
}
