//! Painting what is hidden: gradients, agreement of the trainers, learning without labels, and what is refused.

use super::gradients::check;
use super::{Case, plan, relative, sgd};
use crate::data::{Shard, digits};
use crate::masked::Masked;
use crate::masked::trial::{painted, painted_and_probed};
use crate::network::{Backbone, Head, NetworkSpec, Normalisation, ReidSpec};
use crate::objective::Loss;
use crate::plan::{Augment, LocalPlan, Work};
use crate::train::TrainerKind;
use offbeat_kernel::SeedTree;
use std::sync::Arc;

const KINDS: [TrainerKind; 2] = [TrainerKind::Direct, TrainerKind::Autodiff];

/// A network that paints images of `shape`, with parameters and data so large that some errors pass the bend.
fn case(spec: &NetworkSpec, shape: &[usize]) -> Case {
    let mut case = Case::new(spec, shape, shape.iter().product(), 10).stirred();
    let mut data = (*case.shard.data).clone();
    data.features.iter_mut().for_each(|x| *x *= 3.0);
    // Labels play no part.
    data.labels.fill(u32::MAX);
    case.shard = Arc::new(Shard::whole(Arc::new(data)));
    case
}

fn cases() -> Vec<Case> {
    let norm = Normalisation::Batch;
    let backbone = Backbone::Resnet { depth: 8, width: 3, norm };
    let reid = ReidSpec { bottleneck: 6, dropout: 0.2, ..ReidSpec::new(backbone) };
    vec![
        case(&NetworkSpec::Mlp { hidden: vec![9] }, &[2, 4, 6]),
        case(&NetworkSpec::Softmax, &[1, 4, 4]),
        case(&NetworkSpec::Reid(reid), &[1, 8, 6]),
    ]
}

fn losses() -> [Loss; 2] {
    [
        Loss::Masked(Masked::default()),
        Loss::Masked(Masked { patch: 2, share: 0.3, visible_weight: 0.7 }),
    ]
}

fn painting(loss: Loss, work: Work) -> LocalPlan {
    let mut plan = plan(work, 4, sgd(0.05));
    plan.objective.loss = loss;
    plan
}

#[test]
fn gradients_are_central_differences() {
    for loss in losses() {
        cases().iter().for_each(|case| check(case, loss, None));
    }
}

#[test]
fn both_trainers_agree_over_many_steps() {
    for loss in losses() {
        for case in cases() {
            let mut plan = painting(loss, Work::Steps(7));
            plan.augment = Augment { mirror: 0.5, pad_crop: 1, erase: 0.0 };
            let [direct, autodiff] = KINDS.map(|kind| case.train(kind, case.request(plan.clone())));
            assert!(relative(&direct.params, &autodiff.params) < 1e-4, "{loss:?}");
            assert!((direct.loss / autodiff.loss - 1.0).abs() < 1e-4, "{loss:?}");
            assert_ne!(direct.params, case.start);
        }
    }
}

/// On digits that it has not met a small network comes to paint hidden patches, and a linear classifier reads more from
/// its features than from those of a fresh one.
#[test]
fn features_get_better_without_labels() {
    let split = digits();
    let (train, test) = (Arc::new(split.train), Shard::whole(Arc::new(split.test)));
    let mut case = Case::new(&NetworkSpec::Mlp { hidden: vec![32] }, &[1, 8, 8], 64, 4);
    case.shard = Arc::new(Shard::whole(train));
    let masked = Masked { share: 0.25, ..Masked::default() };
    let mut plan = painting(Loss::Masked(masked), Work::Epochs(60));
    (plan.batch, plan.sgd.rate) = (16, 1.0);
    let trained = case.train(TrainerKind::Direct, case.request(plan)).params;
    let trainer = case.trainer(TrainerKind::Direct);
    let try_out = |params| {
        let model = (&*trainer, params);
        painted_and_probed(model, &test, 0..test.len(), masked, &SeedTree::new(5)).expect("fits")
    };
    let (before, after) = (try_out(&case.start), try_out(&trained));
    assert!(after.loss < 0.5 * before.loss, "{} {}", before.loss, after.loss);
    assert!(after.accuracy > before.accuracy + 0.03, "{} {}", before.accuracy, after.accuracy);
    let classified: u64 = after.correct_per_class.iter().map(|(_, all)| all).sum();
    assert_eq!((after.samples, classified), (test.len(), test.len() as u64 / 2));
    // Parts make the whole, whatever they are; without the probe the loss is the same.
    let parts = [0..7, 7..100, 100..test.len()].map(|rows| {
        painted_and_probed((&*trainer, &trained), &test, rows, masked, &SeedTree::new(5))
            .expect("fits")
    });
    let merged = crate::evaluate::Evaluation::merge(&parts);
    assert_eq!(merged.correct_per_class, after.correct_per_class);
    assert_eq!(merged.accuracy, after.accuracy);
    // Batches of other sizes round their sums otherwise.
    assert!((merged.loss - after.loss).abs() < 1e-6 * after.loss);
    let alone = painted((&*trainer, &trained), &test, 0..test.len(), masked, &SeedTree::new(5));
    assert_eq!(alone.expect("fits").loss, after.loss);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |case: &Case, masked: Masked| {
        let plan = painting(Loss::Masked(masked), Work::Steps(1));
        KINDS.map(|kind| {
            let trained = case.trainer(kind).train(case.request(plan.clone()));
            trained.expect_err("it does not fit").to_string()
        })
    };
    let mlp = NetworkSpec::Mlp { hidden: vec![5] };
    let told = |case: &Case, masked: Masked, word: &str| {
        for error in refused(case, masked) {
            assert!(error.contains(word), "{error}");
        }
    };
    told(&Case::new(&mlp, &[1, 4, 4], 3, 6), Masked::default(), "so many linear outputs");
    told(&Case::new(&mlp, &[16], 16, 6), Masked::default(), "vectors");
    told(&case(&mlp, &[1, 4, 4]), Masked { patch: 3, ..Masked::default() }, "patches of 3 x 3");
    let backbone = Backbone::Mlp { hidden: vec![4] };
    let cosine = ReidSpec { head: Head::Cosine, dropout: 0.0, ..ReidSpec::new(backbone) };
    let cosine = Case::new(&NetworkSpec::Reid(cosine), &[1, 4, 4], 16, 6);
    told(&cosine, Masked::default(), "linear outputs");
}
