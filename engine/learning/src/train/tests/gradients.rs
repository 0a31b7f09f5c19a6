//! Logits and gradients against the reference in `f64`.

use super::reference::{Mode, Outputs};
use super::reference_loss::mean_loss;
use super::{Case, plan, reference, sgd, zoo};
use crate::layout::{Entry, Part};
use crate::objective::Loss;
use crate::plan::Work;
use crate::train::gather::{Buffers, Gather};
use crate::train::{TrainRequest, TrainerKind};
use std::sync::Arc;

const KINDS: [TrainerKind; 2] = [TrainerKind::Direct, TrainerKind::Autodiff];

/// Shift of the central differences. In 20 layers with thousands of ReLUs a larger one crosses a kink
/// for some parameters; the loss in `f64` leaves eight digits at this one.
const SHIFT: f64 = 1e-8;

fn wide(case: &Case) -> Vec<f64> {
    case.start.host().iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn logits_are_those_of_the_reference() {
    for case in zoo() {
        let (params, rows) = (wide(&case), 3..case.shard.len());
        let inputs = case.network.input().len();
        let samples = &case.shard.data.features[rows.start * inputs..rows.end * inputs];
        let expected = reference::forward(&case.network, &params, samples, &Mode::Evaluation);
        for kind in KINDS {
            let logits = case
                .trainer(kind)
                .logits(&case.start, &case.shard, rows.clone())
                .expect("they fit");
            let classes = case.network.classes();
            assert_eq!(logits.len(), rows.len() * classes);
            for (have, want) in logits.iter().zip(expected.logits.iter().flatten()) {
                let error = (f64::from(*have) - want).abs();
                assert!(
                    error < 1e-4 * want.abs().max(0.1),
                    "{kind:?} {:?}: {have} {want}",
                    case.network.spec()
                );
            }
        }
    }
}

#[test]
fn gradients_are_central_differences() {
    for case in zoo() {
        check(&case, Loss::CrossEntropy, None);
    }
}

/// One step with rate 1 over the whole shard leaves `start - gradient`. The central difference of the
/// mean loss in `f64`, over the same batch with the same masks, must be that gradient.
pub(super) fn check(case: &Case, loss: Loss, targets: Option<Vec<f32>>) {
    let samples = case.shard.len();
    let mut plan = plan(Work::Steps(1), samples, sgd(1.0));
    plan.objective.loss = loss;
    let request = TrainRequest { targets: targets.map(Arc::new), ..case.request(plan) };
    check_of(case, request, &|outputs, gather| mean_loss(loss, outputs, gather));
}

/// The mean loss of a batch, from its outputs and what goes with it.
pub(super) type MeanLoss<'a> = &'a dyn Fn(&Outputs, &Gather<'_>) -> f64;

/// As [`check`], for any request of one step with rate 1 over the whole shard.
pub(super) fn check_of(case: &Case, request: TrainRequest, mean_loss: MeanLoss<'_>) {
    let (samples, plan) = (case.shard.len(), request.plan.clone());
    let loss = plan.objective.loss;
    let (targets, stream) = (request.targets.clone(), request.stream.clone());
    let buffers = Buffers::default();
    let mut gather = Gather::new(&case.network, &plan, &case.shard, targets, stream, buffers);
    let mut inputs = vec![0.0; samples * case.network.input().len()];
    assert_eq!(gather.next(&mut inputs), samples);
    let mode = Mode::Training(gather.masks());
    let mean = |params: &[f64]| {
        let outputs = reference::forward(&case.network, params, &inputs, &mode);
        mean_loss(&outputs, &gather)
    };
    for kind in KINDS {
        let trained = case.train(kind, request.clone());
        let start = wide(case);
        let error = (trained.loss - mean(&start)).abs();
        assert!(error < 1e-5 * trained.loss, "{loss:?} {} {}", trained.loss, mean(&start));
        let gradient = case.start.minus(&trained.params);
        let learned = |entry: &&Entry| entry.part != Part::Buffer;
        let entries: Vec<_> = case.network.layout().entries().iter().filter(learned).collect();
        let host = gradient.host();
        let all = entries.iter().flat_map(|entry| &host[entry.range()]);
        let largest = all.fold(0f32, |a, b| a.max(b.abs()));
        for entry in entries {
            for at in [entry.offset, entry.offset + entry.len() / 2, entry.range().end - 1] {
                let shifted = |by: f64| {
                    let mut params = start.clone();
                    params[at] += by;
                    mean(&params)
                };
                let head = entry.part == Part::Head && !loss.uses_head();
                let expected = match head {
                    true => 0.0,
                    false => (shifted(SHIFT) - shifted(-SHIFT)) / (2.0 * SHIFT),
                };
                let error = (f64::from(gradient.host()[at]) - expected).abs();
                assert!(
                    error < 1e-4 * expected.abs() + 1e-5 * f64::from(largest).max(0.1),
                    "{kind:?} {loss:?} {:?} {}[{at}]: {} {expected}",
                    case.network.spec(),
                    entry.name,
                    gradient.host()[at]
                );
            }
        }
    }
}
