//! Training with LibTorch's own gradients, on the processor.
//!
//! Burn's autodiff reaches LibTorch one operation at a time and finds the gradients of convolutions by
//! further convolutions with windows as large as images. LibTorch's own backward passes need neither, and
//! images whose channels lie next to each other (channels last) suit its convolutions and poolings best.

mod network;
mod values;

use super::autodiff::AutodiffTrainer;
use super::check::{check_features, check_request, check_rows};
use super::direct::Update;
use super::gather::{Buffers, Gather, copy_rows};
use super::rates::rates;
use super::sums::LossSums;
use super::{TrainRequest, Trained, Trainer};
use crate::data::Shard;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::Network;
use crate::objective::Loss;
use burn::tensor::Device;
use network::{Pass, logits_or_features};
use std::ops::Range;
use std::sync::Arc;
use tch::{Kind, Reduction, Tensor};
use values::{Values, batch_of, to_vec};

/// Samples that an evaluation runs through the network at a time.
const OUTPUTS_BATCH: usize = 256;

/// From so many lanes on a program over several clients is worth more than LibTorch's own passes: the
/// network is so small that starting an operation costs more than the operation.
const WORTH_A_COHORT: usize = 32;

/// The trainer that lets LibTorch find the gradients of a cross-entropy, with any network; other losses
/// are left to [`AutodiffTrainer`]. Each training runs on the calling thread alone. Results are the same
/// bits on every thread of one machine.
#[derive(Debug)]
pub struct LibtorchTrainer {
    network: Arc<Network>,
    rest: AutodiffTrainer,
}

impl LibtorchTrainer {
    /// A trainer for `network` on `device`, LibTorch's processor.
    pub fn new(network: Arc<Network>, device: &Device) -> Self {
        Self { rest: AutodiffTrainer::new(network.clone(), device), network }
    }

    /// Features or logits of the rows, row-major.
    fn outputs(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        (mirrored, with_head): (bool, bool),
    ) -> Vec<f32> {
        let _guard = tch::no_grad_guard();
        let values = Values::new(self.network.layout(), &params.host());
        let (input, mut outputs) = (self.network.input(), Vec::new());
        for start in rows.clone().step_by(OUTPUTS_BATCH) {
            let batch = start..(start + OUTPUTS_BATCH).min(rows.end);
            let mut inputs = vec![0.0; batch.len() * input.len()];
            copy_rows(input, shard, batch.clone(), mirrored, &mut inputs);
            let inputs = batch_of(&inputs, batch.len(), input);
            let pass = Pass::evaluation(&self.network, values.tensors());
            outputs.extend(to_vec(&logits_or_features(pass, inputs, with_head)));
        }
        outputs
    }
}

impl Trainer for LibtorchTrainer {
    fn network(&self) -> &Arc<Network> {
        &self.network
    }

    fn train(&self, request: TrainRequest) -> Result<Trained, LearnError> {
        if request.plan.objective.loss != Loss::CrossEntropy {
            return self.rest.train(request);
        }
        check_request(&self.network, &request)?;
        run(&self.network, request)
    }

    fn train_together(&self, requests: Vec<TrainRequest>) -> Vec<Result<Trained, LearnError>> {
        match self.cohort() {
            1 => requests.into_iter().map(|request| self.train(request)).collect(),
            _ => self.rest.train_together(requests),
        }
    }

    fn cohort(&self) -> usize {
        Some(self.rest.cohort()).filter(|lanes| *lanes >= WORTH_A_COHORT).unwrap_or(1)
    }

    fn device(&self) -> Device {
        self.rest.device()
    }

    fn logits(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
    ) -> Result<Vec<f32>, LearnError> {
        check_rows(&self.network, params.len(), shard, rows.clone())?;
        Ok(self.outputs(params, shard, rows, (false, true)))
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
        Ok(self.outputs(&body, shard, rows, (mirrored, false)))
    }

    fn with_classes(&self, classes: usize) -> Result<Arc<dyn Trainer>, LearnError> {
        let network = Arc::new(self.network.with_classes(classes)?);
        Ok(Arc::new(Self::new(network, &self.rest.device())))
    }
}

fn run(network: &Network, request: TrainRequest) -> Result<Trained, LearnError> {
    let TrainRequest { start, received, shard, plan, step_limit, correction, stream, .. } = request;
    let steps = plan.steps(shard.len()).min(step_limit.unwrap_or(usize::MAX));
    let (start, correction) = (start.host(), correction.map(|correction| correction.host()));
    let rates = rates(network.layout(), &plan.sgd, plan.objective.loss);
    let update = Update {
        plan: &plan,
        rates: &rates,
        received: &start[..received],
        correction: correction.as_ref().map(|correction| correction.as_slice()),
    };
    let mut values = Values::tracked(network.layout(), &start, &rates);
    let mut gather = Gather::new(network, &plan, &shard, None, stream, Buffers::default());
    let (mut sums, mut seen) = (LossSums::default(), 0);
    let mut inputs = vec![0.0; plan.largest_batch(shard.len()) * network.input().len()];
    for step in 0..steps {
        let batch = gather.next(&mut inputs);
        let pass = Pass::training(network, values.tensors(), gather.masks());
        let logits = logits_or_features(pass, batch_of(&inputs, batch, network.input()), true);
        let losses = cross_entropy(&logits, gather.labels());
        let found = LossSums::of(to_vec(&losses.detach()).into_iter().map(f64::from));
        if !found.squared.is_finite() {
            return Err(LearnError::NotFinite { what: "loss", step });
        }
        values.step(&losses.mean(Kind::Float), &update, step == 0);
        sums += found;
        seen += batch;
    }
    let params = Flat::new(values.to_vec());
    if !params.is_finite() {
        return Err(LearnError::NotFinite { what: "a parameter", step: steps.saturating_sub(1) });
    }
    Ok(sums.trained(params, steps, seen))
}

/// Cross-entropy of each sample, `[batch]`.
fn cross_entropy(logits: &Tensor, labels: &[u32]) -> Tensor {
    let labels: Vec<i64> = labels.iter().map(|label| i64::from(*label)).collect();
    let labels = Tensor::from_slice(&labels);
    logits.cross_entropy_loss::<Tensor>(&labels, None, Reduction::None, -100, 0.0)
}
