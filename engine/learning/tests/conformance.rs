//! Every device that this build has gives the same training, within rounding.
//!
//! The reference is the hand-written trainer on the processor. Every backend rounds its sums of 32-bit numbers in
//! an order of its own, so that a device counts as conforming when the parameters that it trains differ from the
//! reference by at most [`TOLERANCE`] of the way that the training went, and losses and outputs by as much.
//!
//! Tried are the devices that can be opened. `OFFBEAT_CONFORM=tch,wgpu` names those that must be there.

use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::{Dataset, Shard};
use offbeat_learning::device::{Backend, Device, DeviceName};
use offbeat_learning::network::{Backbone, Head, Network, NetworkSpec, Normalisation, ReidSpec};
use offbeat_learning::objective::Loss;
use offbeat_learning::train::{TrainRequest, Trained, Trainer, TrainerKind, trainer};
use offbeat_learning::{Flat, LocalPlan, Sgd, Work};
use rand::RngExt;
use std::sync::Arc;

/// Largest difference, relative to how far the reference went.
const TOLERANCE: f64 = 1e-3;

/// A network, data for it, and where the training starts.
struct Case {
    network: Arc<Network>,
    shard: Arc<Shard>,
    start: Flat,
}

impl Case {
    /// `samples` noisy samples around one centre for each class, and parameters of which none is 0.
    fn new(spec: &NetworkSpec, shape: &[usize], classes: usize, samples: usize) -> Self {
        let network = Arc::new(Network::new(spec, shape, classes).expect("a valid network"));
        let tree = SeedTree::new(11);
        let mut stream = tree.stream(Purpose::Synthesis, 0, 0);
        let inputs: usize = shape.iter().product();
        let mut uniform = move || 2.0 * stream.random::<f32>() - 1.0;
        let centres: Vec<f32> = (0..classes * inputs).map(|_| uniform()).collect();
        let labels: Vec<u32> = (0..samples).map(|i| (i % classes) as u32).collect();
        let of = |label: &u32| &centres[*label as usize * inputs..][..inputs];
        let features: Vec<f32> =
            labels.iter().flat_map(of).map(|centre| centre + 0.5 * uniform()).collect();
        let data = Dataset { features, shape: shape.to_vec(), labels, classes, groups: None };
        let drawn = network.init(&mut tree.stream(Purpose::ModelInit, 0, 0)).to_vec();
        let start = Flat::new(drawn.into_iter().map(|w| w + 0.02 * uniform()).collect());
        Self { network, shard: Arc::new(Shard::whole(Arc::new(data))), start }
    }

    fn request(&self, plan: LocalPlan) -> TrainRequest {
        TrainRequest {
            start: self.start.clone(),
            received: self.start.len(),
            shard: self.shard.clone(),
            plan: Arc::new(plan),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: SeedTree::new(3).stream(Purpose::Training, 4, 5),
        }
    }
}

fn reid(backbone: Backbone, head: Head) -> NetworkSpec {
    NetworkSpec::Reid(ReidSpec { bottleneck: 7, dropout: 0.3, head, ..ReidSpec::new(backbone) })
}

fn small(norm: Normalisation) -> Backbone {
    Backbone::Resnet { depth: 8, width: 3, norm }
}

fn networks() -> Vec<Case> {
    let convnext = Backbone::ConvnextV2 { depths: vec![1, 2], widths: vec![4, 6], patch: 2 };
    vec![
        Case::new(&NetworkSpec::Softmax, &[60], 10, 45),
        Case::new(&NetworkSpec::Mlp { hidden: vec![17, 9] }, &[1, 6, 5], 4, 45),
        Case::new(&NetworkSpec::Cnn, &[1, 12, 10], 5, 23),
        Case::new(&NetworkSpec::Lenet, &[1, 8, 8], 4, 18),
        Case::new(&NetworkSpec::Resnet { depth: 8, width: 8 }, &[3, 8, 8], 4, 18),
        // Never two samples in a batch: batch normalisation turns any two numbers into -1 and 1, and
        // what is left of the gradient is rounding.
        Case::new(&reid(small(Normalisation::Batch), Head::Linear), &[3, 8, 6], 4, 10),
        Case::new(&reid(convnext, Head::Linear), &[3, 12, 10], 4, 12),
    ]
}

fn plan(work: Work, batch: usize, sgd: Sgd) -> LocalPlan {
    LocalPlan { work, batch, sgd, ..LocalPlan::default() }
}

fn sgd(rate: f32) -> Sgd {
    Sgd { rate, ..Sgd::default() }
}

/// The devices to try, by name.
fn devices() -> Vec<(DeviceName, Device)> {
    let wanted = std::env::var("OFFBEAT_CONFORM").unwrap_or_default();
    let wanted = wanted.split(',').filter(|name| !name.is_empty());
    let wanted: Vec<DeviceName> = wanted.map(|name| name.parse().expect("a device")).collect();
    let built = Backend::ALL.into_iter().map(DeviceName::usual);
    let others = built.filter(|name| name.backend().is_built_in() && !wanted.contains(name));
    let opened = others.filter_map(|name| Some((name, name.open().ok()?)));
    let must = wanted.iter().map(|name| (*name, name.open().expect("a device that must be there")));
    let devices: Vec<_> = must.chain(opened).collect();
    println!("devices: {:?}", devices.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>());
    devices
}

/// Whether `found` is the reference within the tolerance, which went from `start` to `expected`.
fn assert_near(what: &str, found: &Trained, expected: &Trained, start: &Flat) {
    let way = expected.params.minus(start).norm();
    let apart = found.params.minus(&expected.params).norm() / way;
    let losses = (found.loss / expected.loss - 1.0).abs();
    assert!(apart < TOLERANCE && losses < TOLERANCE, "{what}: parameters {apart}, losses {losses}");
    assert_eq!(
        (found.steps, found.samples_seen),
        (expected.steps, expected.samples_seen),
        "{what}"
    );
}

/// The trainers that a device has, but for the reference itself.
fn kinds(name: DeviceName) -> Vec<TrainerKind> {
    let direct =
        (name.is_processor() && name.backend() != Backend::Flex).then_some(TrainerKind::Direct);
    direct.into_iter().chain([TrainerKind::Autodiff]).collect()
}

/// Logits of all samples and features of the first three.
fn outputs(trainer: &Arc<dyn Trainer>, params: &Flat, shard: &Shard) -> [Vec<f32>; 2] {
    let logits = trainer.logits(params, shard, 0..shard.len()).expect("it fits");
    [logits, trainer.features(params, shard, 0..3, false).expect("it fits")]
}

fn assert_same_outputs(what: &str, found: &[Vec<f32>; 2], reference: &[Vec<f32>; 2]) {
    for (found, reference) in found.iter().zip(reference) {
        assert_eq!(found.len(), reference.len(), "{what}");
        assert!(found.iter().all(|value| value.is_finite()), "{what}: outputs {found:?}");
        let scale = reference.iter().fold(1e-3f32, |most, value| most.max(value.abs()));
        let apart = found.iter().zip(reference).map(|(a, b)| (a - b).abs());
        let apart = apart.fold(0.0, f32::max) / scale;
        assert!(f64::from(apart) < TOLERANCE, "{what}: outputs {apart}");
    }
}

/// How far rounding of the start alone moves the reference: every parameter by one unit in its last place.
fn sensitivity(direct: &Arc<dyn Trainer>, request: &TrainRequest, expected: &Trained) -> f64 {
    let values = request.start.to_vec().into_iter().enumerate();
    let moved = values.map(|(i, w)| if i % 2 == 0 { w.next_up() } else { w.next_down() });
    let moved = TrainRequest { start: Flat::new(moved.collect()), ..request.clone() };
    let found = direct.train(moved).expect("a training that goes well");
    let way = expected.params.minus(&request.start).norm();
    found.params.minus(&expected.params).norm() / way
}

/// Trains and evaluates on every device and compares with the hand-written trainer.
fn conforms(devices: &[(DeviceName, Device)], case: &Case, request: &TrainRequest) {
    let direct = trainer(TrainerKind::Direct, case.network.clone(), &Device::flex());
    let expected = direct.train(request.clone()).expect("a training that goes well");
    let reference = outputs(&direct, &expected.params, &case.shard);
    let loss = request.plan.objective.loss;
    let own = sensitivity(&direct, request, &expected);
    assert!(own < TOLERANCE / 10.0, "{loss:?} stands on an edge: rounding alone moves it by {own}");
    for (name, device) in devices {
        for kind in kinds(*name) {
            let what = format!("{name}, {kind:?}, {:?}, {loss:?}", case.network.spec());
            let there = trainer(kind, case.network.clone(), device);
            let found = there.train(request.clone()).expect("a training that goes well");
            assert_near(&what, &found, &expected, &case.start);
            // From parameters that are still on the device, or in host memory.
            for params in [expected.params.on(device), expected.params.clone()] {
                let found = outputs(&there, &params, &case.shard);
                assert_same_outputs(&what, &found, &reference);
            }
        }
    }
}

#[test]
fn on_every_network() {
    let devices = devices();
    for case in networks() {
        conforms(&devices, &case, &case.request(plan(Work::Steps(5), 7, sgd(0.05))));
    }
}

#[test]
fn with_margins_triplets_and_batch_statistics() {
    let devices = devices();
    for loss in [
        Loss::Cosface { scale: 8.0, margin: 0.35 },
        Loss::Arcface { scale: 8.0, margin: 0.5 },
        // So wide a margin that some angles pass pi.
        Loss::Arcface { scale: 4.0, margin: 1.5 },
        Loss::Triplet { margin: 0.3, cross_entropy: 0.7 },
    ] {
        let head = if loss.uses_cosines() { Head::Cosine } else { Head::Linear };
        let case = Case::new(&reid(small(Normalisation::Batch), head), &[3, 8, 6], 4, 12);
        let sgd = Sgd { momentum: 0.5, ..sgd(0.02) };
        // A sixth step takes one ReLU of ArcFace's run across its edge, or not, as the rounding falls.
        let mut plan = LocalPlan { instances: 3, ..plan(Work::Steps(5), 10, sgd) };
        plan.objective.loss = loss;
        conforms(&devices, &case, &case.request(plan));
    }
}

#[test]
fn with_everything_that_a_request_can_ask_for() {
    let devices = devices();
    let case = Case::new(&NetworkSpec::Mlp { hidden: vec![12] }, &[9], 4, 33);
    let sgd = Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.1, ..sgd(0.05) };
    let mut plan: LocalPlan = plan(Work::Steps(9), 8, sgd);
    plan.objective.proximal = 0.7;
    let mut correction = case.start.clone();
    correction.scale(0.1);
    let request = TrainRequest {
        received: 50,
        step_limit: Some(7),
        correction: Some(correction),
        ..case.request(plan)
    };
    conforms(&devices, &case, &request);
}

#[test]
fn in_cohorts() {
    let devices = devices();
    for case in networks().into_iter().take(3) {
        let plan = plan(Work::Epochs(1), 7, sgd(0.05));
        // Clients of different sizes with orders of their own, one of which stops early.
        let request = |(index, size): (usize, u32)| TrainRequest {
            shard: Arc::new(Shard { data: case.shard.data.clone(), rows: (0..size).collect() }),
            step_limit: (index == 4).then_some(2),
            stream: SeedTree::new(7).stream(Purpose::Training, index as u64, 0),
            ..case.request(plan.clone())
        };
        let requests: Vec<TrainRequest> =
            [9, 23, 4, 21, 22].into_iter().enumerate().map(request).collect();
        let direct = trainer(TrainerKind::Direct, case.network.clone(), &Device::flex());
        let all = devices.iter().flat_map(|(name, device)| {
            kinds(*name).into_iter().map(move |kind| (name, kind, device))
        });
        for (name, kind, device) in all {
            let there = trainer(kind, case.network.clone(), device);
            let together = there.train_together(requests.clone());
            for (request, found) in requests.iter().zip(together) {
                let expected = direct.train(request.clone()).expect("a training that goes well");
                let found = found.expect("a training that goes well");
                let what = format!("{name}, {kind:?}, {:?} in a cohort", case.network.spec());
                assert_near(&what, &found, &expected, &case.start);
            }
        }
    }
}

/// What strategies do with vectors.
#[test]
fn vectors_do_the_same_arithmetic() {
    let numbers: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.37).sin()).collect();
    let others: Vec<f32> = numbers.iter().map(|x| x * x - 0.25).collect();
    let work = |mut a: Flat, b: Flat| {
        a.add_scaled(0.5, &b);
        a.add_scaled_difference(-0.25, &b, &a.clone());
        a.scale(1.5);
        a.zip_mut(&b, |own, other| *own += 0.125 * other);
        let a = a.slice(10..900).concat(&b.slice(0..10));
        (a.norm(), a.minus(&a.zeros_like()).to_vec())
    };
    let (norm, expected) = work(Flat::new(numbers.clone()), Flat::new(others.clone()));
    for (name, device) in devices() {
        let on = |values: &[f32]| Flat::new(values.to_vec()).on(&device);
        let (a, b) = (on(&numbers), on(&others));
        assert!(a.is_finite() && a.is_on_device() && !a.clone().into_host().is_on_device());
        let (found_norm, found) = work(a, b);
        assert!((found_norm / norm - 1.0).abs() < 1e-6, "{name}");
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6;
        assert!(found.len() == expected.len() && found.iter().zip(&expected).all(near), "{name}");
        let broken = on(&[1.0, f32::NAN, 2.0]);
        assert!(!broken.is_finite(), "{name}");
    }
}
