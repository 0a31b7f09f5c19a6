//! Margin and triplet losses: against finite differences, the two trainers against each other, and what is
//! refused.

use super::gradients::check;
use super::{Case, plan, relative, sgd};
use crate::network::{Backbone, Head, NetworkSpec, Normalisation, ReidSpec};
use crate::objective::Loss;
use crate::plan::{LocalPlan, Sgd, Work};
use crate::train::TrainerKind;

const KINDS: [TrainerKind; 2] = [TrainerKind::Direct, TrainerKind::Autodiff];

const LOSSES: [Loss; 5] = [
    Loss::Cosface { scale: 8.0, margin: 0.35 },
    Loss::Arcface { scale: 8.0, margin: 0.5 },
    // So wide a margin that some angles pass pi.
    Loss::Arcface { scale: 4.0, margin: 1.5 },
    Loss::Triplet { margin: 0.3, cross_entropy: 0.7 },
    Loss::Triplet { margin: 5.0, cross_entropy: 0.0 },
];

fn case(loss: Loss) -> Case {
    let backbone = Backbone::Resnet { depth: 8, width: 3, norm: Normalisation::Batch };
    let head = if loss.uses_cosines() { Head::Cosine } else { Head::Linear };
    let spec = ReidSpec { bottleneck: 6, dropout: 0.2, head, ..ReidSpec::new(backbone) };
    Case::new(&NetworkSpec::Reid(spec), &[3, 8, 6], 4, 12).stirred()
}

fn balanced(loss: Loss) -> LocalPlan {
    let mut plan =
        LocalPlan { instances: 3, ..plan(Work::Steps(6), 10, Sgd { momentum: 0.5, ..sgd(0.02) }) };
    plan.objective.loss = loss;
    plan
}

#[test]
fn gradients_of_all_losses_are_central_differences() {
    for loss in LOSSES {
        check(&case(loss), loss, None);
    }
}

#[test]
fn both_trainers_agree_under_all_losses_with_balanced_batches() {
    for loss in LOSSES {
        let case = case(loss);
        let [direct, autodiff] = KINDS.map(|kind| case.train(kind, case.request(balanced(loss))));
        assert!(relative(&direct.params, &autodiff.params) < 1e-4, "{loss:?}");
        assert!((direct.loss / autodiff.loss - 1.0).abs() < 1e-4, "{loss:?}");
        assert_eq!((direct.steps, direct.samples_seen), (6, 54));
        let head = case.network.layout().body().end..case.start.len();
        let moved = direct.params.slice(head.clone()) != case.start.slice(head);
        assert_eq!(moved, loss.uses_head(), "{loss:?}");
    }
}

#[test]
fn losses_that_do_not_fit_are_refused() {
    let reason = |case: &Case, plan: LocalPlan| {
        KINDS.map(|kind| {
            let trained = case.trainer(kind).train(case.request(plan.clone()));
            trained.expect_err("it does not fit").to_string()
        })
    };
    let linear = case(LOSSES[3]);
    for error in reason(&linear, balanced(LOSSES[0])) {
        assert!(error.contains("head = \"cosine\""), "{error}");
    }
    let cosine = case(LOSSES[0]);
    for loss in [
        Loss::Cosface { scale: 0.0, margin: 0.1 },
        Loss::Cosface { scale: f32::NAN, margin: 0.1 },
        Loss::Arcface { scale: 8.0, margin: -0.1 },
        Loss::Arcface { scale: 8.0, margin: 2.0 },
        Loss::Triplet { margin: 0.1, cross_entropy: -1.0 },
    ] {
        for error in reason(&cosine, balanced(loss)) {
            assert!(error.contains("margin"), "{error}");
        }
    }
    let head_alone = Case::new(&NetworkSpec::Softmax, &[5], 3, 9);
    for error in reason(&head_alone, balanced(LOSSES[3])) {
        assert!(error.contains("all head"), "{error}");
    }
    for instances in [1, 11] {
        let plan = LocalPlan { instances, ..balanced(LOSSES[3]) };
        for error in reason(&linear, plan) {
            assert!(error.contains("samples of each identity"), "{error}");
        }
    }
}
