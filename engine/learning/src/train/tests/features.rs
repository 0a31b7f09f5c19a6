//! Features, heads of other sizes, distillation of features and changed images.

use super::gradients::check;
use super::{Case, plan, relative, sgd, zoo};
use crate::data::{Dataset, Shard};
use crate::flat::Flat;
use crate::network::{Layer, NetworkSpec};
use crate::objective::{Loss, Objective};
use crate::plan::{Augment, LocalPlan, Sgd, Work};
use crate::train::{TrainRequest, TrainerKind};
use std::sync::Arc;

const KINDS: [TrainerKind; 2] = [TrainerKind::Direct, TrainerKind::Autodiff];

/// The head applied to the features, in `f64`, gives the logits.
#[test]
fn logits_are_the_head_of_the_features() {
    for case in zoo() {
        let (layout, width) = (case.network.layout(), case.network.feature_width());
        let Some(Layer::Linear { name, .. }) = case.network.layers().last() else { continue };
        let of = |kind: &str| layout.entry(&format!("{name}.{kind}")).expect("there").range();
        let params = case.start.host();
        for kind in KINDS {
            let trainer = case.trainer(kind);
            let rows = 2..case.shard.len();
            let body = case.start.slice(layout.body());
            let features =
                trainer.features(&body, &case.shard, rows.clone(), false).expect("they fit");
            assert_eq!(features.len(), rows.len() * width);
            let whole = trainer.features(&case.start, &case.shard, rows.clone(), false);
            assert_eq!(whole.expect("they fit"), features);
            let logits = trainer.logits(&case.start, &case.shard, rows).expect("they fit");
            for (x, logits) in features.chunks(width).zip(logits.chunks(case.network.classes())) {
                let rows = params[of("weight")].chunks(width).zip(&params[of("bias")]);
                for ((weight, bias), have) in rows.zip(logits) {
                    let want = f64::from(*bias)
                        + x.iter().zip(weight).map(|(a, b)| f64::from(a * b)).sum::<f64>();
                    assert!((f64::from(*have) - want).abs() < 1e-4 * want.abs().max(1.0));
                }
            }
        }
    }
}

#[test]
fn mirrored_features_are_those_of_mirrored_images() {
    let case = Case::new(&NetworkSpec::Cnn, &[2, 9, 7], 3, 5);
    let mut mirrored = case.shard.data.as_ref().clone();
    mirrored.features.chunks_mut(7).for_each(|row| row.reverse());
    let mirrored = Shard::whole(Arc::new(mirrored));
    for kind in KINDS {
        let trainer = case.trainer(kind);
        let features = |shard: &Shard, flag| {
            trainer.features(&case.start, shard, 0..5, flag).expect("they fit")
        };
        assert_eq!(features(&case.shard, true), features(&mirrored, false));
        assert_ne!(features(&case.shard, true), features(&case.shard, false));
    }
    let vectors = Case::new(&NetworkSpec::Softmax, &[4], 3, 5);
    let error = vectors.trainer(KINDS[0]).features(&vectors.start, &vectors.shard, 0..5, true);
    assert!(error.expect_err("vectors").to_string().contains("mirrored"));
}

#[test]
fn other_classes_change_the_head_alone() {
    for case in zoo() {
        for kind in KINDS {
            let other = case.trainer(kind).with_classes(29).expect("another head");
            let (have, want) = (other.network().layout(), case.network.layout());
            assert_eq!((other.network().classes(), have.body()), (29, want.body()));
            let body = |layout: &crate::Layout| {
                let inside = |entry: &&crate::Entry| entry.part != crate::Part::Head;
                layout.entries().iter().filter(inside).cloned().collect::<Vec<_>>()
            };
            assert_eq!(body(have), body(want));
            assert!(case.trainer(kind).with_classes(0).is_err());
        }
    }
}

fn distillation(case: &Case, targets: Vec<f32>, sgd: Sgd) -> TrainRequest {
    let objective = Objective { loss: Loss::FeatureMse, ..Objective::default() };
    // The whole shard in each step, so that nothing depends on the order.
    let plan = LocalPlan { objective, ..plan(Work::Steps(1), case.shard.len(), sgd) };
    TrainRequest { targets: Some(Arc::new(targets)), ..case.request(plan) }
}

#[test]
fn distillation_follows_the_gradient_and_spares_the_head() {
    for case in zoo().into_iter().filter(|case| !case.network.layout().body().is_empty()) {
        let rows = case.shard.len();
        let width = case.network.feature_width();
        let target: Vec<f32> = (0..rows * width).map(|i| (i * 31 % 17) as f32 / 8.0).collect();
        let trained = KINDS.map(|kind| {
            let decayed = Sgd { weight_decay: 0.1, ..sgd(0.1) };
            case.train(kind, distillation(&case, target.clone(), decayed))
        });
        let [direct, autodiff] = &trained;
        assert!(relative(&direct.params, &autodiff.params) < 1e-5);
        assert!(relative(&direct.params, &case.start) > 1e-5);
        let head = case.network.layout().body().end..case.start.len();
        for (kind, trained) in KINDS.into_iter().zip(&trained) {
            assert_eq!(trained.params.slice(head.clone()), case.start.slice(head.clone()));
            if matches!(case.network.spec(), NetworkSpec::Reid(_)) {
                // In training their features are not those of an evaluation.
                check(&case, Loss::FeatureMse, Some(target.clone()));
                break;
            }
            let features = case.trainer(kind).features(&case.start, &case.shard, 0..rows, false);
            let squares = features.expect("they fit").into_iter().zip(&target);
            let mean =
                squares.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / (rows * width) as f64;
            assert!((trained.loss - mean).abs() < 1e-4 * mean, "{} {mean}", trained.loss);
        }
    }
}

#[test]
fn a_model_that_is_its_own_teacher_has_nothing_to_learn() {
    let case = Case::new(&NetworkSpec::Mlp { hidden: vec![8] }, &[5], 3, 12);
    for kind in KINDS {
        let own = case.trainer(kind).features(&case.start, &case.shard, 0..12, false);
        let trained = case.train(kind, distillation(&case, own.expect("they fit"), sgd(0.5)));
        assert!(trained.loss < 1e-12, "{}", trained.loss);
        assert!(relative(&trained.params, &case.start) < 1e-6);
        let mut lacking = distillation(&case, vec![0.0; 3], sgd(0.5));
        let refused = |request| case.trainer(kind).train(request).expect_err("refused").to_string();
        assert!(refused(lacking.clone()).contains("96 numbers as targets"));
        lacking.targets = None;
        assert!(refused(lacking).contains("has 0"));
    }
}

#[test]
fn changed_images_are_the_same_in_both_trainers() {
    let case = Case::new(&NetworkSpec::Cnn, &[1, 12, 10], 4, 21);
    let with = |augment| {
        let plan = LocalPlan { augment, ..plan(Work::Epochs(2), 6, sgd(0.05)) };
        KINDS.map(|kind| case.train(kind, case.request(plan.clone())))
    };
    let plain = with(Augment::default());
    for augment in [
        Augment { mirror: 0.5, ..Augment::default() },
        Augment { pad_crop: 2, ..Augment::default() },
        Augment { erase: 0.7, ..Augment::default() },
        Augment { mirror: 0.5, pad_crop: 2, erase: 0.5 },
    ] {
        let [direct, autodiff] = with(augment);
        assert!(relative(&direct.params, &autodiff.params) < 1e-4, "{augment:?}");
        assert!(relative(&direct.params, &plain[0].params) > 1e-4, "{augment:?}");
    }
    let vectors = Case::new(&NetworkSpec::Softmax, &[4], 3, 5);
    for (case, augment, reason) in [
        (&vectors, Augment { mirror: 0.5, ..Augment::default() }, "vectors of length 4"),
        (&case, Augment { mirror: 1.5, ..Augment::default() }, "mirror = 1.5"),
        (&case, Augment { pad_crop: 11, ..Augment::default() }, "pad_crop = 11"),
    ] {
        let plan = LocalPlan { augment, ..plan(Work::Epochs(1), 6, sgd(0.05)) };
        for kind in KINDS {
            let error = case.trainer(kind).train(case.request(plan.clone())).expect_err("refused");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}

/// Labels of the public set and of other clients do not matter for features.
#[test]
fn labels_need_not_fit_for_features() {
    let case = Case::new(&NetworkSpec::Mlp { hidden: vec![8] }, &[5], 3, 4);
    let data = Dataset { labels: vec![99; 4], ..case.shard.data.as_ref().clone() };
    let shard = Shard::whole(Arc::new(data));
    for kind in KINDS {
        let trainer = case.trainer(kind);
        assert!(trainer.features(&case.start, &shard, 0..4, false).is_ok());
        assert!(trainer.features(&Flat::zeros(3), &shard, 0..4, false).is_err());
        assert!(trainer.features(&case.start, &shard, 0..5, false).is_err());
        let targets = vec![0.0; 32];
        let request = TrainRequest {
            shard: Arc::new(shard.clone()),
            ..distillation(&case, targets, sgd(0.1))
        };
        assert!(trainer.train(request).is_ok());
    }
}
