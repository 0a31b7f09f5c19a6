//! Foreign clusters as extra negatives: gradients, agreement of the trainers, and the limits of the loss.

use super::gradients::check_of;
use super::reference::Outputs;
use super::{Case, plan, relative, sgd};
use crate::caps::Caps;
use crate::flat::Flat;
use crate::network::{Backbone, Head, NetworkSpec, ReidSpec};
use crate::objective::Loss;
use crate::plan::Work;
use crate::train::{TrainRequest, TrainerKind};
use std::sync::Arc;

const WIDTH: usize = 6;

fn case() -> Case {
    let backbone = Backbone::Mlp { hidden: vec![9] };
    let head = Head::Cosine;
    let spec = ReidSpec { bottleneck: WIDTH, dropout: 0.0, head, ..ReidSpec::new(backbone) };
    Case::new(&NetworkSpec::Reid(spec), &[1, 4, 3], 4, 16)
}

/// Three caps, one of them a point.
fn caps() -> Arc<Caps> {
    let rows: Vec<f32> = (0..3)
        .flat_map(|cap| {
            let centre = (0..WIDTH).map(move |at| ((cap * 7 + at * 3) as f32 * 0.9).sin());
            centre.chain([0.4 * cap as f32])
        })
        .collect();
    Arc::new(Caps::from_rows(&Flat::new(rows), WIDTH).expect("three rows"))
}

fn losses() -> [Loss; 2] {
    [Loss::Cosface { scale: 8.0, margin: 0.1 }, Loss::Arcface { scale: 8.0, margin: 0.2 }]
}

fn request(case: &Case, loss: Loss, foreign: Option<Arc<Caps>>) -> TrainRequest {
    let mut plan = plan(Work::Steps(1), case.shard.len(), sgd(1.0));
    plan.objective.loss = loss;
    TrainRequest { foreign, ..case.request(plan) }
}

/// The loss straight from its definition, with angles.
fn mean_loss(loss: Loss, caps: &Caps, outputs: &Outputs, labels: &[u32]) -> f64 {
    let rows = outputs.logits.iter().zip(&outputs.features).zip(labels);
    let one = |((cosines, feature), label): ((&Vec<f64>, &Vec<f64>), &u32)| {
        let scale = 8.0;
        let mut logits = cosines.clone();
        let own = &mut logits[*label as usize];
        *own = match loss {
            Loss::Cosface { margin, .. } => *own - f64::from(margin),
            _ => (own.acos() + 0.2f32 as f64).cos(),
        };
        let length = feature.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (centre, radius) in caps.centres().chunks(WIDTH).zip(caps.radii()) {
            let dot: f64 = feature.iter().zip(centre).map(|(x, p)| x * f64::from(*p)).sum();
            logits.push(((dot / length).acos() - f64::from(*radius)).max(0.0).cos());
        }
        let sum: f64 = logits.iter().map(|logit| (scale * logit).exp()).sum();
        sum.ln() - scale * logits[*label as usize]
    };
    rows.map(one).sum::<f64>() / labels.len() as f64
}

#[test]
fn gradients_are_central_differences() {
    let (case, caps) = (case(), caps());
    for loss in losses() {
        let request = request(&case, loss, Some(caps.clone()));
        check_of(&case, request, &|outputs, gather| {
            mean_loss(loss, &caps, outputs, gather.labels())
        });
    }
}

#[test]
fn no_foreign_clusters_leave_the_loss_as_it_is() {
    let case = case();
    for loss in losses() {
        for kind in [TrainerKind::Direct, TrainerKind::Autodiff] {
            let plain = case.train(kind, request(&case, loss, None));
            let none = Some(Arc::new(Caps::default()));
            assert_eq!(case.train(kind, request(&case, loss, none)), plain);
            let more = case.train(kind, request(&case, loss, Some(caps())));
            assert!(more.loss > plain.loss + 0.01, "{} {}", more.loss, plain.loss);
        }
    }
}

/// A cap without extent is one more class, with a centre that is never learnt: training a wider head whose last row is
/// that centre gives the same loss and the same body.
#[test]
fn a_point_is_one_more_class() {
    let case = case();
    let wider = case.network.with_classes(5).expect("one more class");
    let centre: Vec<f32> = (0..WIDTH).map(|at| (at as f32 + 1.0) * 0.3).collect();
    let mut rows = centre.clone();
    rows.push(0.0);
    let point = Arc::new(Caps::from_rows(&Flat::new(rows), WIDTH).expect("one row"));
    for loss in losses() {
        let small = case.train(TrainerKind::Direct, request(&case, loss, Some(point.clone())));
        let mut larger = request(&case, loss, None);
        larger.start = case.start.concat(&Flat::new(centre.clone()));
        larger.received = 0;
        let trainer = crate::train::trainer(
            TrainerKind::Direct,
            Arc::new(wider.clone()),
            &burn::tensor::Device::flex(),
        );
        let large = trainer.train(larger).expect("a training that goes well");
        assert!(
            (small.loss - large.loss).abs() < 1e-5 * large.loss,
            "{} {}",
            small.loss,
            large.loss
        );
        let body = case.network.layout().body();
        let apart = relative(&small.params.slice(body.clone()), &large.params.slice(body));
        assert!(apart < 1e-5, "{apart}");
    }
}

#[test]
fn both_trainers_agree_over_many_steps() {
    let case = case();
    for loss in losses() {
        let mut plan = plan(Work::Steps(12), 5, sgd(0.05));
        plan.objective.loss = loss;
        let request = TrainRequest { foreign: Some(caps()), ..case.request(plan) };
        let direct = case.train(TrainerKind::Direct, request.clone());
        let autodiff = case.train(TrainerKind::Autodiff, request);
        assert!(relative(&direct.params, &autodiff.params) < 1e-4);
        assert!((direct.loss / autodiff.loss - 1.0).abs() < 1e-4);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = case();
    let refused = |request: TrainRequest| {
        case.trainer(TrainerKind::Direct).train(request).expect_err("refused").to_string()
    };
    assert!(refused(request(&case, Loss::CrossEntropy, Some(caps()))).contains("cosface"));
    let narrow = Caps::from_rows(&Flat::new(vec![1.0, 0.0, 0.1]), 2).expect("one row");
    let narrow = request(&case, losses()[0], Some(Arc::new(narrow)));
    assert!(refused(narrow).contains("2 coordinates"));
}
