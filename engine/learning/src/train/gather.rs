//! Batches, as both trainers get them: which samples, how changed, and what goes with them.

use super::augment::Frame;
use super::order::Order;
use crate::data::Shard;
use crate::network::{Network, Shape};
use crate::plan::{Augment, LocalPlan};
use offbeat_kernel::Stream;
use std::sync::Arc;

/// Memory of a [`Gather`], used again by the next one.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    order: Vec<u32>,
    labels: Vec<u32>,
    targets: Vec<f32>,
}

/// Deals out the batches of one training. All draws of the training are made here, in this order for
/// each batch: the rows, then the changes of each image.
#[derive(Debug)]
pub(super) struct Gather<'a> {
    shard: &'a Shard,
    frame: Option<Frame>,
    augment: Augment,
    targets: Option<Arc<Vec<f32>>>,
    stream: Stream,
    order: Order,
    /// Labels of the batch.
    labels: Vec<u32>,
    /// Targets of the batch, row-major; empty without targets.
    batch_targets: Vec<f32>,
}

impl<'a> Gather<'a> {
    /// The batches of a checked request.
    pub(super) fn new(
        network: &Network,
        plan: &LocalPlan,
        shard: &'a Shard,
        targets: Option<Arc<Vec<f32>>>,
        stream: Stream,
        buffers: Buffers,
    ) -> Self {
        let order = Order::new(buffers.order, shard.len(), plan.batch, plan.last_batch);
        let frame = frame(network.input());
        let (labels, batch_targets) = (buffers.labels, buffers.targets);
        Self { shard, frame, augment: plan.augment, targets, stream, order, labels, batch_targets }
    }

    /// Writes the inputs of the next batch to `inputs`, which has room for them, and gives the number of
    /// its samples.
    pub(super) fn next(&mut self, inputs: &mut [f32]) -> usize {
        let rows = self.order.next(&mut self.stream);
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
        rows.len()
    }

    /// Labels of the batch.
    pub(super) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Targets of the batch, row-major; empty without targets.
    pub(super) fn targets(&self) -> &[f32] {
        &self.batch_targets
    }

    /// Gives the memory back.
    pub(super) fn into_buffers(self) -> Buffers {
        let (labels, targets) = (self.labels, self.batch_targets);
        Buffers { order: self.order.into_buffer(), labels, targets }
    }
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
        Shape::Image(channels, height, width) => Some(Frame { channels, height, width }),
        Shape::Vector(_) => None,
    }
}
