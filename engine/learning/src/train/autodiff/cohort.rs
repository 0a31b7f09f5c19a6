//! Cohort training: several clients' trainings as one batched tensor program.
//!
//! What a step costs beyond its arithmetic (the bookkeeping of autodiff, a device's launches) is paid once
//! for all. Every lane computes on batches of the plan's full size; the samples that a last batch lacks have
//! weight 0. So a lane's numbers do not depend on which other lanes there are.

use super::super::check::check_request;
use super::super::gather::{Buffers, Gather};
use super::super::rates::rates;
use super::super::sums::LossSums;
use super::super::{TrainRequest, Trained, Trainer};
use super::lanes::{has_places, knows, logits};
use super::{AutodiffTrainer, READ_EVERY};
use crate::device::{download, upload};
use crate::error::LearnError;
use crate::flat::Flat;
use crate::layout::Part;
use crate::network::Network;
use crate::objective::Loss;
use crate::plan::LocalPlan;
use burn::tensor::{Int, Tensor, TensorData, activation};

/// Most lanes that are chosen without being asked for.
const MOST_LANES: usize = 32;

/// Most parameters that the lanes which are chosen without being asked for have together. A step of a larger
/// network costs more than its bookkeeping: on 784-200-10 nothing was gained, on 60-10 a factor of 8.
const MOST_PARAMETERS: usize = 100_000;

/// How many trainings of a network are worth computing together. A rule of the network alone: few parameters,
/// and no convolutions, whose arithmetic outweighs the bookkeeping.
pub(super) fn size(network: &Network) -> usize {
    let layers = network.layers();
    if !layers.iter().all(knows) || layers.iter().any(has_places) {
        return 1;
    }
    (MOST_PARAMETERS / network.layout().len().max(1)).clamp(1, MOST_LANES)
}

/// Trains the requests that one program can train by it, and the others one by one.
pub(super) fn train_together(
    trainer: &AutodiffTrainer,
    requests: Vec<TrainRequest>,
) -> Vec<Result<Trained, LearnError>> {
    let mut results: Vec<Option<Result<Trained, LearnError>>> =
        requests.iter().map(|_| None).collect();
    let mut cohorts: Vec<Vec<(usize, TrainRequest)>> = Vec::new();
    for (index, request) in requests.into_iter().enumerate() {
        if let Err(error) = check_request(&trainer.network, &request) {
            results[index] = Some(Err(error));
        } else if !fits(&trainer.network, &request) {
            results[index] = Some(trainer.train(request));
        } else {
            let alike = |cohort: &&mut Vec<(usize, TrainRequest)>| {
                cohort.first().is_some_and(|(_, first)| same(&first.plan, &request.plan))
            };
            match cohorts.iter_mut().find(alike) {
                Some(cohort) => cohort.push((index, request)),
                None => cohorts.push(vec![(index, request)]),
            }
        }
    }
    for cohort in cohorts {
        let (places, requests): (Vec<usize>, Vec<TrainRequest>) = cohort.into_iter().unzip();
        for (place, result) in places.into_iter().zip(train(trainer, requests)) {
            results[place] = Some(result);
        }
    }
    let missing = || Err(LearnError::Invalid("a training was left out".into()));
    results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
}

/// A batch is so many times a client's samples at most: every lane is filled up to the batch.
const MOST_FILLING: usize = 8;

/// Whether one program can train the request: plain layers, cross-entropy, nothing that is added to the
/// gradient but weight decay, and batches that are not mostly filling.
fn fits(network: &Network, request: &TrainRequest) -> bool {
    let objective = &request.plan.objective;
    network.layers().iter().all(knows)
        && objective.loss == Loss::CrossEntropy
        && objective.proximal == 0.0
        && request.correction.is_none()
        && request.foreign.is_none()
        && request.plan.batch <= request.shard.len().saturating_mul(MOST_FILLING)
}

/// Whether two trainings take the same steps, though not equally many.
fn same(a: &LocalPlan, b: &LocalPlan) -> bool {
    a.batch == b.batch && a.sgd == b.sgd
}

/// What a lane has come to.
#[derive(Default)]
struct Lane {
    steps: usize,
    /// Steps whose losses have been read.
    read: usize,
    samples: usize,
    sums: LossSums,
    wrong: Option<LearnError>,
    params: Option<Flat>,
}

/// Losses that are still on the device: `[lanes * batch]`, and how many samples of each lane count.
struct Pending {
    losses: Tensor<1>,
    counts: Vec<usize>,
}

/// The models that are still in training.
struct Models {
    values: Vec<Tensor<2>>,
    velocity: Vec<Option<Tensor<2>>>,
}

impl Models {
    fn new(trainer: &AutodiffTrainer, starts: &[&Flat]) -> Self {
        let entries = trainer.network.layout().entries();
        let values: Vec<Tensor<2>> = entries
            .iter()
            .map(|entry| {
                let lanes = starts.iter().map(|start| start.slice(entry.range()));
                Tensor::stack(lanes.map(|flat| flat.tensor(&trainer.device)).collect(), 0)
            })
            .collect();
        let velocity = vec![None; values.len()];
        Self { values, velocity }
    }

    /// Takes out the models behind the first `keep`, as flat vectors.
    fn cut(&mut self, keep: usize, lanes: usize, trainer: &AutodiffTrainer) -> Vec<Flat> {
        let ended = (keep..lanes).map(|lane| {
            let parts = self.values.iter().map(|value| {
                let length = value.dims()[1];
                value.clone().slice([lane..lane + 1, 0..length]).reshape([length])
            });
            let flat = Flat::from_tensor(Tensor::cat(parts.collect(), 0));
            trainer.given(flat)
        });
        let ended: Vec<Flat> = ended.collect();
        let shorten = |value: &Tensor<2>| {
            let length = value.dims()[1];
            value.clone().slice([0..keep, 0..length])
        };
        if keep > 0 {
            self.values = self.values.iter().map(shorten).collect();
            self.velocity = self.velocity.iter().map(|v| v.as_ref().map(shorten)).collect();
        }
        ended
    }

    /// One step on the losses of all lanes.
    fn step(
        &mut self,
        trainer: &AutodiffTrainer,
        plan: &LocalPlan,
        rates: &[Option<f32>],
        batch: &Batch,
    ) -> Tensor<1> {
        let (lanes, rows) = (batch.counts.len(), plan.batch);
        let tracked: Vec<Tensor<2>> =
            self.values.iter().map(|value| value.clone().autodiff().require_grad()).collect();
        let data = TensorData::new(batch.inputs.clone(), [lanes, rows, batch.width]);
        let inputs: Tensor<3> = upload(data, &trainer.device);
        let labels = TensorData::new(batch.labels.clone(), [lanes, rows, 1]);
        let labels: Tensor<3, Int> = upload(labels, &trainer.device);
        let weights = TensorData::new(batch.weights(rows), [lanes * rows]);
        let weights: Tensor<1> = upload(weights, &trainer.device);
        let outputs = logits(&trainer.network, &tracked, inputs.autodiff());
        let log_odds = activation::log_softmax(outputs, 2);
        let each: Tensor<1> = log_odds.gather(2, labels.autodiff()).neg().reshape([lanes * rows]);
        let losses = each.clone().inner();
        let mut gradients = (each * weights.autodiff()).sum().backward();
        let places = self.values.iter_mut().zip(&mut self.velocity).zip(&tracked).zip(rates);
        for (((value, velocity), tracked), rate) in places {
            let (Some(rate), Some(gradient)) = (rate, tracked.grad_remove(&mut gradients)) else {
                continue;
            };
            let gradient = match plan.sgd.weight_decay {
                0.0 => gradient,
                decay => gradient + value.clone() * decay,
            };
            *value = value.clone() - plan.sgd.direction(gradient, velocity) * *rate;
        }
        losses
    }
}

/// The next batch of every lane, one lane after another, each filled up with zeros.
struct Batch {
    width: usize,
    inputs: Vec<f32>,
    labels: Vec<i32>,
    counts: Vec<usize>,
}

impl Batch {
    fn next(gathers: &mut [Gather<'_>], rows: usize, width: usize) -> Self {
        let mut inputs = vec![0.0; gathers.len() * rows * width];
        let mut labels = vec![0; gathers.len() * rows];
        let places = inputs.chunks_exact_mut(rows * width).zip(labels.chunks_exact_mut(rows));
        let counts = gathers.iter_mut().zip(places).map(|(gather, (inputs, labels))| {
            let count = gather.next(inputs);
            for (place, label) in labels.iter_mut().zip(gather.labels()) {
                *place = *label as i32;
            }
            count
        });
        let counts = counts.collect();
        Self { width, inputs, labels, counts }
    }

    /// By what each loss is multiplied: one divided by its lane's samples, and 0 for the filling.
    fn weights(&self, rows: usize) -> Vec<f32> {
        let of = |count: &usize| {
            let weight = 1.0 / (*count).max(1) as f32;
            let count = *count;
            (0..rows).map(move |row| if row < count { weight } else { 0.0 })
        };
        self.counts.iter().flat_map(of).collect()
    }
}

/// Trains checked requests that fit each other, results in their order.
fn train(
    trainer: &AutodiffTrainer,
    requests: Vec<TrainRequest>,
) -> Vec<Result<Trained, LearnError>> {
    let steps_of = |request: &TrainRequest| {
        let limit = request.step_limit.unwrap_or(usize::MAX);
        request.plan.steps(request.shard.len()).min(limit)
    };
    // The longest first, so that the lanes in training are always the first ones.
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(steps_of(&requests[*index])));
    let mut lanes: Vec<Lane> = order
        .iter()
        .map(|index| Lane { steps: steps_of(&requests[*index]), ..Lane::default() })
        .collect();
    let Some(plan) = requests.first().map(|request| request.plan.clone()) else {
        return Vec::new();
    };
    let starts: Vec<&Flat> = order.iter().map(|index| &requests[*index].start).collect();
    let mut models = Models::new(trainer, &starts);
    let streams: Vec<_> = order.iter().map(|index| requests[*index].stream.clone()).collect();
    let mut gathers: Vec<Gather<'_>> = order
        .iter()
        .zip(streams)
        .map(|(index, stream)| {
            let TrainRequest { plan, shard, .. } = &requests[*index];
            Gather::new(&trainer.network, plan, shard, None, stream, Buffers::default())
        })
        .collect();
    run(trainer, &plan, &mut models, &mut gathers, &mut lanes);
    let mut results: Vec<_> =
        order.into_iter().zip(lanes).map(|(index, lane)| (index, lane.result())).collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn run(
    trainer: &AutodiffTrainer,
    plan: &LocalPlan,
    models: &mut Models,
    gathers: &mut [Gather<'_>],
    lanes: &mut [Lane],
) {
    let layout = trainer.network.layout();
    let known = rates(layout, &plan.sgd, plan.objective.loss);
    let rate_at = |place: usize| known.iter().find(|(range, _)| range.contains(&place));
    let rates: Vec<Option<f32>> = layout
        .entries()
        .iter()
        .map(|entry| rate_at(entry.offset).filter(|_| entry.part != Part::Buffer).map(|(_, r)| *r))
        .collect();
    let width = trainer.network.input().len();
    let (mut active, mut pending) = (lanes.len(), Vec::new());
    let last = lanes.first().map_or(0, |lane| lane.steps);
    for step in 0..=last {
        let going = lanes.iter().take_while(|lane| lane.steps > step).count();
        if going < active {
            let ended = models.cut(going, active, trainer);
            lanes[going..active].iter_mut().zip(ended).for_each(|(l, p)| l.params = Some(p));
            active = going;
        }
        if active == 0 {
            break;
        }
        let batch = Batch::next(&mut gathers[..active], plan.batch, width);
        let losses = models.step(trainer, plan, &rates, &batch);
        pending.push(Pending { losses, counts: batch.counts });
        if pending.len() == READ_EVERY {
            settle(lanes, std::mem::take(&mut pending), plan.batch);
        }
    }
    settle(lanes, pending, plan.batch);
}

/// Reads losses from the device and adds them up, each lane for itself in the order of its steps.
fn settle(lanes: &mut [Lane], pending: Vec<Pending>, rows: usize) {
    if pending.is_empty() {
        return;
    }
    let (losses, counts): (Vec<_>, Vec<_>) =
        pending.into_iter().map(|pending| (pending.losses, pending.counts)).unzip();
    let values = download(Tensor::cat(losses, 0));
    let mut batches = values.chunks_exact(rows);
    for (lane, count) in counts.iter().flat_map(|counts| counts.iter().enumerate()) {
        let Some(batch) = batches.next() else { return };
        lanes[lane].add(&batch[..*count]);
    }
}

impl Lane {
    fn add(&mut self, batch: &[f32]) {
        let found = LossSums::of(batch.iter().map(|loss| f64::from(*loss)));
        if !found.squared.is_finite() && self.wrong.is_none() {
            self.wrong = Some(LearnError::NotFinite { what: "loss", step: self.read });
        }
        self.read += 1;
        self.samples += batch.len();
        self.sums += found;
    }

    fn result(self) -> Result<Trained, LearnError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let step = self.steps.saturating_sub(1);
        let broken = LearnError::NotFinite { what: "a parameter", step };
        let params = self.params.filter(Flat::is_finite).ok_or(broken)?;
        Ok(self.sums.trained(params, self.steps, self.samples))
    }
}
