//! Training with Burn's autodiff, on any device.

mod cohort;
mod lanes;
mod losses;
pub(crate) mod network;
mod tensors;

use super::check::{check_features, check_request, check_rows};
use super::gather::{Buffers, Gather, copy_rows};
use super::sums::LossSums;
use super::{TrainRequest, Trained, Trainer};
use crate::caps::Caps;
use crate::data::Shard;
use crate::device::{download, is_host, upload};
use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::Network;
use crate::objective::Loss;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use losses::{among, arcface, cosface, painted, triplet};
use std::ops::Range;
use std::sync::Arc;
use tensors::{Constants, Parameters};

/// Samples that an evaluation runs through the network at a time.
const LOGITS_BATCH: usize = 256;

/// Steps after which the losses are read back from the device. Reading waits for the device, so it is
/// not done in every step.
const READ_EVERY: usize = 64;

/// The trainer that lets Burn find the gradients.
///
/// Burn keeps one table of graphs for the whole process, and every backward pass walks it. So no graph
/// outlives the step that made it: between steps and between trainings there are bare tensors only.
/// On the CPU results are the same bits on every thread; on a GPU, the last bits may differ.
#[derive(Debug)]
pub struct AutodiffTrainer {
    network: Arc<Network>,
    device: Device,
}

impl AutodiffTrainer {
    /// A trainer for `network` that computes on `device`.
    pub fn new(network: Arc<Network>, device: &Device) -> Self {
        Self { network, device: device.clone().inner() }
    }

    /// What a training gives: on a device with memory of its own it stays there.
    fn given(&self, params: Flat) -> Flat {
        if is_host(&self.device) { params.into_host() } else { params }
    }

    /// A matrix `[rows, columns]` on the device.
    fn matrix(&self, mut values: Vec<f32>, rows: usize, columns: usize) -> Tensor<2> {
        values.truncate(rows * columns);
        upload(TensorData::new(values, [rows, columns]), &self.device)
    }

    fn labels(&self, labels: &[u32]) -> Tensor<2, Int> {
        let labels: Vec<i32> = labels.iter().map(|label| *label as i32).collect();
        let shape = [labels.len(), 1];
        upload(TensorData::new(labels, shape), &self.device)
    }

    /// Cross-entropy of each sample.
    fn cross_entropy(&self, logits: Tensor<2>, labels: &[u32]) -> Tensor<1> {
        let labels = self.labels(labels).autodiff();
        let log_odds = activation::log_softmax(logits, 1);
        log_odds.gather(1, labels).neg().squeeze_dim::<1>(1)
    }

    /// `[batch, classes]`: 1 at each sample's label, 0 elsewhere.
    fn marks(&self, labels: &[u32]) -> Tensor<2> {
        let classes = self.network.classes();
        let mut marks = vec![0.0; labels.len() * classes];
        for (row, label) in labels.iter().enumerate() {
            marks[row * classes + *label as usize] = 1.0;
        }
        self.matrix(marks, labels.len(), classes).autodiff()
    }

    /// The loss of each sample of a batch, and the running statistics after it.
    fn losses(
        &self,
        (loss, foreign): (Loss, Option<&Caps>),
        params: &[Tensor<1>],
        inputs: Tensor<2>,
        gather: &Gather<'_>,
    ) -> (Tensor<1>, Vec<(usize, Tensor<1>)>) {
        let batch = inputs.dims()[0];
        let masks = gather.masks().iter();
        let masks =
            masks.map(|mask| self.matrix(mask.clone(), batch, mask.len() / batch).autodiff());
        let masks = Some(masks.collect());
        let passed = network::features(&self.network, params, inputs.autodiff(), masks);
        let features = passed.values;
        let labels = gather.labels();
        let head = |features| network::head(&self.network, params, features);
        let losses = match loss {
            Loss::CrossEntropy => self.cross_entropy(head(features), labels),
            Loss::FeatureMse => {
                let [batch, width] = features.dims();
                let targets = self.matrix(gather.targets().to_vec(), batch, width).autodiff();
                let difference = features - targets;
                (difference.clone() * difference).mean_dim(1).squeeze_dim::<1>(1)
            }
            Loss::Cosface { scale, margin } => {
                let logits = cosface(head(features.clone()), self.marks(labels), margin);
                self.cross_entropy(among(logits, features, foreign) * scale, labels)
            }
            Loss::Arcface { scale, margin } => {
                let logits = arcface(head(features.clone()), self.marks(labels), margin);
                self.cross_entropy(among(logits, features, foreign) * scale, labels)
            }
            Loss::Masked(own) => {
                let images = self.matrix(gather.targets().to_vec(), batch, self.network.classes());
                painted(head(features), images.autodiff(), gather.hidden(), own)
            }
            Loss::Triplet { margin, cross_entropy } => {
                let mut losses = triplet(features.clone(), labels, margin, &self.device);
                if loss.uses_head() {
                    let own = self.cross_entropy(head(features), labels);
                    losses = losses + own * cross_entropy;
                }
                losses
            }
        };
        (losses, passed.statistics)
    }

    /// Features or logits of the rows, row-major.
    fn outputs(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        mirrored: bool,
        with_head: bool,
    ) -> Vec<f32> {
        let params = Parameters::new(self.network.layout(), params, &self.device);
        let (input, mut outputs) = (self.network.input(), Vec::new());
        for start in rows.clone().step_by(LOGITS_BATCH) {
            let batch = start..(start + LOGITS_BATCH).min(rows.end);
            let (samples, mut values) = (batch.len(), vec![0.0; batch.len() * input.len()]);
            copy_rows(input, shard, batch, mirrored, &mut values);
            let inputs = self.matrix(values, samples, input.len());
            let features = network::features(&self.network, params.bare(), inputs, None).values;
            outputs.extend(download(match with_head {
                true => network::head(&self.network, params.bare(), features),
                false => features,
            }));
        }
        outputs
    }
}

impl Trainer for AutodiffTrainer {
    fn network(&self) -> &Arc<Network> {
        &self.network
    }

    fn train(&self, request: TrainRequest) -> Result<Trained, LearnError> {
        check_request(&self.network, &request)?;
        let TrainRequest {
            start,
            received,
            shard,
            plan,
            step_limit,
            correction,
            targets,
            foreign,
            stream,
        } = request;
        let steps = plan.steps(shard.len()).min(step_limit.unwrap_or(usize::MAX));
        let layout = self.network.layout();
        let constants =
            Constants::new(layout, &plan, &start, received, correction.as_ref(), &self.device);
        let mut params = Parameters::new(layout, &start, &self.device);
        let buffers = Buffers::default();
        let mut gather = Gather::new(&self.network, &plan, &shard, targets, stream, buffers);
        let input = self.network.input().len();
        let mut losses = Losses::default();
        for step in 0..steps {
            let mut inputs = vec![0.0; plan.largest_batch(shard.len()) * input];
            let batch = gather.next(&mut inputs);
            let inputs = self.matrix(inputs, batch, input);
            let tracked = params.tracked();
            let (each, statistics) = {
                let loss = (plan.objective.loss, foreign.as_deref());
                self.losses(loss, &tracked, inputs, &gather)
            };
            losses.push(each.clone().inner());
            let gradients = each.mean().backward();
            params.step(&tracked, gradients, &constants);
            params.settle(statistics);
            if (step + 1) % READ_EVERY == 0 {
                losses.read()?;
            }
        }
        losses.read()?;
        let params = self.given(params.into_flat());
        if !params.is_finite() {
            return Err(LearnError::NotFinite {
                what: "a parameter",
                step: steps.saturating_sub(1),
            });
        }
        Ok(losses.sums.trained(params, steps, losses.samples))
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    /// Requests that one program can train are trained by it, even one alone, so that a result does not depend
    /// on the others; the rest one by one.
    fn train_together(&self, requests: Vec<TrainRequest>) -> Vec<Result<Trained, LearnError>> {
        cohort::train_together(self, requests)
    }

    fn cohort(&self) -> usize {
        cohort::size(&self.network)
    }

    fn logits(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
    ) -> Result<Vec<f32>, LearnError> {
        check_rows(&self.network, params.len(), shard, rows.clone())?;
        Ok(self.outputs(params, shard, rows, false, true))
    }

    fn features(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        mirrored: bool,
    ) -> Result<Vec<f32>, LearnError> {
        check_features(&self.network, params.len(), shard, rows.clone(), mirrored)?;
        let body = params.slice(self.network.layout().body());
        Ok(self.outputs(&body, shard, rows, mirrored, false))
    }

    fn with_classes(&self, classes: usize) -> Result<Arc<dyn Trainer>, LearnError> {
        Ok(Arc::new(Self::new(Arc::new(self.network.with_classes(classes)?), &self.device)))
    }
}

/// Losses of samples, added up on the host in the order of their use.
#[derive(Debug, Default)]
struct Losses {
    pending: Vec<Tensor<1>>,
    steps: usize,
    samples: usize,
    sums: LossSums,
}

impl Losses {
    fn push(&mut self, losses: Tensor<1>) {
        self.pending.push(losses);
    }

    /// Reads what is pending from the device.
    fn read(&mut self) -> Result<(), LearnError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let lengths: Vec<usize> = self.pending.iter().map(|losses| losses.dims()[0]).collect();
        let values = download(Tensor::cat(std::mem::take(&mut self.pending), 0));
        let mut rest = values.as_slice();
        for length in lengths {
            let (batch, later) = rest.split_at(length);
            rest = later;
            let found = LossSums::of(batch.iter().map(|loss| f64::from(*loss)));
            if !found.squared.is_finite() {
                return Err(LearnError::NotFinite { what: "loss", step: self.steps });
            }
            self.steps += 1;
            self.samples += length;
            self.sums += found;
        }
        Ok(())
    }
}
