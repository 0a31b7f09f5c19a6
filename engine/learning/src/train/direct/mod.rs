//! Training with forward and backward passes written by hand, for one CPU core.

mod activation;
mod batch_norm;
mod caps;
mod columns;
mod compile;
mod conv;
mod cosine;
mod depthwise;
mod elementwise;
mod grn;
mod kernel;
mod layer_norm;
mod linear;
mod loss;
mod margin;
mod norm;
mod overlap_pool;
mod pooling;
mod product;
mod program;
mod triplet;
mod update;
mod workspace;

pub(super) use update::Update;

use super::check::{check_features, check_request, check_rows};
use super::gather::{Gather, copy_rows};
use super::rates::rates;
use super::sums::LossSums;
use super::{TrainRequest, Trained, Trainer};
use crate::data::Shard;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::Network;
use program::{Pass, Program, Until};
use std::ops::Range;
use std::sync::Arc;
use workspace::{Workspace, Workspaces};

/// Samples that an evaluation runs through the network at a time.
const LOGITS_BATCH: usize = 64;

/// The hand-written trainer. Each training runs on the calling thread alone and allocates nothing in its
/// steps; independent trainings on several threads share nothing but a list of free buffers.
///
/// Results are the same bits on every thread of one machine; another processor with other vector
/// instructions may round sums differently.
#[derive(Debug)]
pub struct DirectTrainer {
    network: Arc<Network>,
    program: Result<Program, String>,
    workspaces: Workspaces,
}

impl DirectTrainer {
    /// A trainer for `network`.
    pub fn new(network: Arc<Network>) -> Self {
        let program = Program::new(&network).map_err(|error| error.to_string());
        Self { network, program, workspaces: Workspaces::default() }
    }

    fn program(&self) -> Result<&Program, LearnError> {
        self.program.as_ref().map_err(|reason| LearnError::Invalid(reason.clone()))
    }

    /// Features or logits of the rows, row-major.
    fn outputs(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        until: Until,
        mirrored: bool,
    ) -> Result<Vec<f32>, LearnError> {
        let (program, params) = (self.program()?, params.host());
        let (slot, width) = match until {
            Until::Logits => (program.logits(), self.network.classes()),
            Until::Features => (program.features(), self.network.feature_width()),
        };
        let mut outputs = Vec::with_capacity(rows.len() * width);
        self.workspaces.with(|work| {
            work.fit(program, LOGITS_BATCH.min(rows.len()));
            for start in rows.clone().step_by(LOGITS_BATCH) {
                let batch = start..(start + LOGITS_BATCH).min(rows.end);
                let input = self.network.input();
                copy_rows(input, shard, batch.clone(), mirrored, &mut work.values[0]);
                let pass = Pass { batch: batch.len(), until, masks: None };
                program.forward(&params, work, pass);
                outputs.extend_from_slice(&work.values[slot][..batch.len() * width]);
            }
        });
        Ok(outputs)
    }
}

impl Trainer for DirectTrainer {
    fn network(&self) -> &Arc<Network> {
        &self.network
    }

    fn train(&self, request: TrainRequest) -> Result<Trained, LearnError> {
        check_request(&self.network, &request)?;
        let program = self.program()?;
        self.workspaces.with(|work| run(program, &self.network, request, work))
    }

    fn logits(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
    ) -> Result<Vec<f32>, LearnError> {
        check_rows(&self.network, params.len(), shard, rows.clone())?;
        self.outputs(params, shard, rows, Until::Logits, false)
    }

    fn features(
        &self,
        params: &Flat,
        shard: &Shard,
        rows: Range<usize>,
        mirrored: bool,
    ) -> Result<Vec<f32>, LearnError> {
        check_features(&self.network, params.len(), shard, rows.clone(), mirrored)?;
        self.outputs(params, shard, rows, Until::Features, mirrored)
    }

    fn with_classes(&self, classes: usize) -> Result<Arc<dyn Trainer>, LearnError> {
        Ok(Arc::new(Self::new(Arc::new(self.network.with_classes(classes)?))))
    }
}

fn run(
    program: &Program,
    network: &Network,
    request: TrainRequest,
    work: &mut Workspace,
) -> Result<Trained, LearnError> {
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
    let (start, correction) = (start.host(), correction.map(|correction| correction.host()));
    let mut params = start.to_vec();
    let loss = plan.objective.loss;
    let rates = rates(network.layout(), &plan.sgd, loss);
    let update = Update {
        plan: &plan,
        rates: &rates,
        received: &start[..received],
        correction: correction.as_ref().map(|correction| correction.as_slice()),
    };
    work.fit_backward(program, plan.largest_batch(shard.len()), params.len());
    let buffers = std::mem::take(&mut work.gather);
    let mut gather = Gather::new(network, &plan, &shard, targets, stream, buffers);
    let (mut sums, mut seen) = (LossSums::default(), 0);
    for step in 0..steps {
        let batch = gather.next(&mut work.values[0]);
        let until = if loss.uses_head() { Until::Logits } else { Until::Features };
        let pass = Pass { batch, until, masks: Some(gather.masks()) };
        program.forward(&params, work, pass);
        program.settle(&mut params, work, until);
        let found = loss::of((loss, foreign.as_deref()), program, work, &gather, batch);
        if !found.squared.is_finite() {
            return Err(LearnError::NotFinite { what: "loss", step });
        }
        program.backward(&params, work, pass);
        let Workspace { gradient, velocity, .. } = work;
        update.step(&mut params, gradient, velocity, step == 0);
        sums += found;
        seen += batch;
    }
    work.gather = gather.into_buffers();
    if !kernel::simd!(params.iter().fold(true, |finite, value| finite & value.is_finite())) {
        return Err(LearnError::NotFinite { what: "a parameter", step: steps.saturating_sub(1) });
    }
    Ok(sums.trained(Flat::new(params), steps, seen))
}
