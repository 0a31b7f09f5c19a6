//! Running statistics of batch normalisation, and dropout.

use super::{Case, plan, reid, sgd, small};
use crate::flat::Flat;
use crate::layout::Part;
use crate::network::{Backbone, NetworkSpec, Normalisation, ReidSpec};
use crate::plan::{LocalPlan, Sgd, Work};
use crate::train::{TrainRequest, TrainerKind};

const KINDS: [TrainerKind; 2] = [TrainerKind::Direct, TrainerKind::Autodiff];

fn case(samples: usize) -> Case {
    Case::new(&reid(small(Normalisation::Batch)), &[3, 8, 6], 4, samples)
}

fn tensor(case: &Case, params: &Flat, name: &str) -> Vec<f32> {
    params.slice(case.network.layout().entry(name).expect("there").range()).to_vec()
}

/// The first convolution's outputs in `f64`: what the first norm measures.
fn first_channels(case: &Case) -> Vec<Vec<f64>> {
    let weight = tensor(case, &case.start, "backbone.conv1.weight");
    let (height, width) = (8usize, 6usize);
    let mut channels = vec![Vec::new(); 3];
    for sample in 0..case.shard.len() {
        let x = case.shard.features(sample);
        for (o, y, x_) in (0..3).flat_map(|o| (0..48usize).map(move |at| (o, at / 6, at % 6))) {
            let taps = (0..27).map(|tap| (tap / 9, tap / 3 % 3, tap % 3));
            let sum = taps.map(|(i, ky, kx)| {
                let (row, column) = ((y + ky).wrapping_sub(1), (x_ + kx).wrapping_sub(1));
                let inside = row < height && column < width;
                let w = f64::from(weight[((o * 3 + i) * 3 + ky) * 3 + kx]);
                if inside { w * f64::from(x[(i * height + row) * width + column]) } else { 0.0 }
            });
            channels[o].push(sum.sum::<f64>());
        }
    }
    channels
}

#[test]
fn running_statistics_move_by_a_tenth_with_the_unbiased_variance() {
    let case = case(5);
    let expected: Vec<(f64, f64)> = first_channels(&case)
        .into_iter()
        .map(|values| {
            let (count, mean) =
                (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
            let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            (0.1 * mean, 0.9 + 0.1 * squares / (count - 1.0))
        })
        .collect();
    for kind in KINDS {
        let trained = case.train(kind, case.request(plan(Work::Steps(1), 5, sgd(0.1))));
        let means = tensor(&case, &trained.params, "backbone.norm1.running_mean");
        let variances = tensor(&case, &trained.params, "backbone.norm1.running_var");
        for ((mean, variance), (want_mean, want_variance)) in
            means.iter().zip(&variances).zip(&expected)
        {
            assert!((f64::from(*mean) - want_mean).abs() < 1e-6, "{mean} {want_mean}");
            assert!((f64::from(*variance) - want_variance).abs() < 1e-5);
        }
    }
}

/// Nothing but the batches changes buffers: with all rates zero they are the same under every option.
#[test]
fn buffers_know_no_decay_no_momentum_and_no_proximal_term() {
    let case = case(10);
    let buffers = case.network.layout().range(Part::Buffer);
    assert_eq!(case.network.layout().body().end, buffers.end, "buffers lie before the head");
    for kind in KINDS {
        let with = |sgd: Sgd, proximal: f32| {
            let mut plan = LocalPlan { sgd, ..plan(Work::Steps(4), 5, super::sgd(0.0)) };
            plan.objective.proximal = proximal;
            let mut correction = case.start.clone();
            correction.scale(0.3);
            let correction = (proximal > 0.0).then_some(correction);
            let request = TrainRequest { correction, ..case.request(plan) };
            case.train(kind, request).params
        };
        let plain = with(sgd(0.0), 0.0);
        let all = Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.5, ..sgd(0.0) };
        assert_eq!(with(all, 2.0), plain);
        assert_ne!(plain.slice(buffers.clone()), case.start.slice(buffers.clone()));
        let backbone = case.network.layout().range(Part::Backbone);
        assert_eq!(plain.slice(backbone.clone()), case.start.slice(backbone));
    }
}

/// One sample has no variance behind the bottleneck: the running statistics normalise it and stay, while
/// those of images, with many places, move on. The training stays finite and both trainers agree.
#[test]
fn a_batch_of_one_sample_uses_the_running_statistics() {
    let case = case(1);
    let trained = KINDS.map(|kind| {
        let trained = case.train(kind, case.request(plan(Work::Steps(3), 1, sgd(0.05))));
        for kind in ["running_mean", "running_var"] {
            let name = format!("bottleneck_norm.{kind}");
            let (old, new) =
                (tensor(&case, &case.start, &name), tensor(&case, &trained.params, &name));
            assert_eq!(old, new);
            let name = format!("backbone.norm1.{kind}");
            assert_ne!(tensor(&case, &case.start, &name), tensor(&case, &trained.params, &name));
        }
        assert_ne!(trained.params, case.start);
        trained
    });
    assert!(super::relative(&trained[0].params, &trained[1].params) < 1e-4);
    super::gradients::check(&case, crate::objective::Loss::CrossEntropy, None);
}

#[test]
fn evaluation_depends_on_no_batch_and_draws_nothing() {
    let case = case(9);
    for kind in KINDS {
        let trainer = case.trainer(kind);
        let start = case.train(kind, case.request(plan(Work::Steps(5), 5, sgd(0.05)))).params;
        let all = trainer.logits(&start, &case.shard, 0..9).expect("they fit");
        let single: Vec<f32> = (0..9)
            .flat_map(|row| trainer.logits(&start, &case.shard, row..row + 1).expect("they fit"))
            .collect();
        for (a, b) in all.iter().zip(&single) {
            assert!((a - b).abs() < 1e-5 * a.abs().max(1.0), "{a} {b}");
        }
        let body = start.slice(case.network.layout().body());
        let features = trainer.features(&body, &case.shard, 0..9, false).expect("they fit");
        assert_eq!(features.len(), 9 * 7);
    }
}

/// Without dropout the loss of a step is another one than with it, and the same seed drops the same.
#[test]
fn dropout_acts_in_training_and_follows_the_stream() {
    let backbone = || Backbone::Resnet { depth: 8, width: 3, norm: Normalisation::Group };
    let with = |dropout| {
        let spec = ReidSpec { bottleneck: 7, dropout, ..ReidSpec::new(backbone()) };
        let case = Case::new(&NetworkSpec::Reid(spec), &[3, 8, 6], 4, 8).stirred();
        let request = case.request(plan(Work::Steps(1), 8, sgd(0.1)));
        let mut other = request.clone();
        other.stream =
            offbeat_kernel::SeedTree::new(99).stream(offbeat_kernel::Purpose::Training, 0, 0);
        KINDS.map(|kind| {
            [&request, &request, &other].map(|request| case.train(kind, request.clone()).loss)
        })
    };
    for (dropped, whole) in with(0.5).into_iter().zip(with(0.0)) {
        assert_eq!(dropped[0], dropped[1]);
        assert!((dropped[0] - dropped[2]).abs() > 1e-3, "another stream drops others");
        assert!((dropped[0] - whole[0]).abs() > 1e-3);
        // The whole shard in one batch: without dropout the order alone differs.
        assert!((whole[0] - whole[2]).abs() < 1e-5);
    }
}
