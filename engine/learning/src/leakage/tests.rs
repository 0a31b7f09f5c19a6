//! The victims against autodiff and finite differences, and what attacks can and cannot do.

use super::distance::{cosine, squared, squared_and_straight};
use super::scene::{read, value};
use super::*;
use crate::data::digits;
use crate::flat::Flat;
use burn::tensor::{Device, Tensor, TensorData, activation};
use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand::RngExt;

fn stream(counter: u64) -> Stream {
    SeedTree::new(21).stream(Purpose::Adversary, 0, counter)
}

fn noise(count: usize, counter: u64) -> Vec<f32> {
    let mut stream = stream(counter);
    (0..count).map(|_| stream.random::<f32>()).collect()
}

/// The first digits, at most one of each class: images of 8 x 8 and labels.
fn some_digits(count: usize) -> (Vec<f32>, Vec<usize>) {
    let data = digits().train;
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for (row, label) in data.labels.iter().enumerate() {
        let label = *label as usize;
        if labels.len() < count && !labels.contains(&label) {
            images.extend_from_slice(&data.features[row * 64..][..64]);
            labels.push(label);
        }
    }
    (images, labels)
}

fn small_victims() -> Vec<Victim> {
    vec![
        Victim::softmax([1, 8, 8], 10),
        Victim::mlp([1, 8, 8], 12, 10, Activation::Sigmoid),
        Victim::mlp([1, 8, 8], 12, 10, Activation::Relu),
        Victim::strided_lenet([2, 8, 8], 5),
        Victim::lenet(4),
    ]
}

#[test]
fn the_published_lenet_has_the_published_size() {
    assert_eq!(Victim::lenet(100).params(), 69_656);
    let strided = Victim::strided_lenet([3, 32, 32], 100);
    assert_eq!(strided.features(), 768);
}

/// The mean cross-entropy, from the forward pass alone.
fn loss(victim: &Victim, params: &[Tensor<1>], images: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let log_odds = activation::log_softmax(victim.logits(params, images), 1);
    (log_odds * targets).sum_dim(1).mean().neg()
}

#[test]
fn the_hand_written_gradient_is_autodiffs() {
    for victim in small_victims() {
        let (batch, device) = (3, Device::flex());
        let images = noise(batch * victim.pixels(), 1);
        let labels = [0, 2, 1];
        let params = victim.init(0.5, &mut stream(2));
        let own = Scene::gradient_on(&victim, &params, &images, &labels, &device);
        let scene = Scene::new(victim.clone(), &params, own.clone(), batch, &device).expect("fits");
        let mut start = 0;
        let tracked: Vec<Tensor<1>> = victim
            .lens()
            .into_iter()
            .map(|len| {
                start += len;
                params.slice(start - len..start).tensor(&device).autodiff().require_grad()
            })
            .collect();
        let inputs = TensorData::new(images, [batch, victim.pixels()]);
        let inputs = Tensor::from_data(inputs, &device).autodiff();
        let gradients = loss(&victim, &tracked, inputs, scene.targets(&labels)).backward();
        let theirs = tracked.iter().flat_map(|t| read(t.grad(&gradients).expect("used")));
        let scale = own.norm().max(1.0);
        for (place, (own, their)) in own.to_vec().into_iter().zip(theirs).enumerate() {
            let off = f64::from(own - their).abs();
            assert!(off < 1e-5 * scale, "{victim:?} {place}: {own} {their}");
        }
    }
}

/// The slope of every distance of gradients by images and targets, by autodiff through the hand-written backward pass,
/// against central differences.
#[test]
fn the_second_derivative_is_that_of_finite_differences() {
    for distance in [squared as Distance, cosine, squared_and_straight] {
        second_derivatives(distance);
    }
}

type Distance = fn(&[Tensor<1>], &[Tensor<1>]) -> Tensor<1>;

fn second_derivatives(of: Distance) {
    // With ReLU the gradient jumps where a unit turns on, so that differences say nothing.
    let smooth = |victim: &Victim| !format!("{victim:?}").contains("Relu");
    for victim in small_victims().into_iter().filter(|v| smooth(v) && v.pixels() < 3000) {
        let (batch, classes, device) = (2, victim.classes(), Device::flex());
        let truth = noise(batch * victim.pixels(), 3);
        let params = victim.init(0.5, &mut stream(4));
        let observed = Scene::gradient_on(&victim, &params, &truth, &[1, 3], &device);
        let scene = Scene::new(victim.clone(), &params, observed, batch, &device).expect("fits");
        let split = batch * victim.pixels();
        let at = noise(split + batch * classes, 5);
        let evaluate = |both: &[f32]| {
            let images = scene.leaf(&both[..split], victim.pixels());
            let free = scene.leaf(&both[split..], classes);
            let targets = activation::softmax(free.clone(), 1);
            let distance = of(&scene.fake(images.clone(), targets), scene.observed());
            let gradients = distance.backward();
            let mut slopes = read(images.grad(&gradients).expect("used"));
            slopes.extend(read(free.grad(&gradients).expect("used")));
            (value(&distance), slopes)
        };
        let (_, slopes) = evaluate(&at);
        let steepest = slopes.iter().fold(0f32, |most, slope| most.max(slope.abs()));
        let step = 1e-2;
        for place in (0..at.len()).step_by(7) {
            let moved = |by: f32| {
                let mut there = at.clone();
                there[place] += by;
                evaluate(&there).0
            };
            // Four points, so that the error falls with the fourth power of the step.
            let near = (moved(step) - moved(-step)) / f64::from(2.0 * step);
            let far = (moved(2.0 * step) - moved(-2.0 * step)) / f64::from(4.0 * step);
            let numeric = (4.0 * near - far) / 3.0;
            let off = (numeric - f64::from(slopes[place])).abs();
            let bound = 2e-3 * f64::from(steepest);
            assert!(off < bound, "{victim:?} {place}: {numeric} {} of {steepest}", slopes[place]);
        }
    }
}

/// A scene on digits: the observed gradient after `steps` steps of size 1 on the same batch, with noise.
fn scene(victim: &Victim, images: &[f32], labels: &[usize], steps: usize, sigma: f32) -> Scene {
    let device = Device::flex();
    let start = victim.init(0.5, &mut stream(7));
    let mut end = start.clone();
    for _ in 0..steps {
        end.add_scaled(-1.0, &Scene::gradient_on(victim, &end, images, labels, &device));
    }
    let mut observed = gradient_of_update(&start, &end, 1.0, steps);
    let blur = super::dlg::normal(observed.len(), &mut stream(8));
    observed.add_scaled(sigma, &Flat::new(blur));
    Scene::new(victim.clone(), &start, observed, labels.len(), &device).expect("fits")
}

fn sigmoid_mlp() -> Victim {
    Victim::mlp([1, 8, 8], 32, 10, Activation::Sigmoid)
}

#[test]
fn at_the_truth_the_distance_is_zero() {
    for victim in small_victims() {
        let truth = noise(2 * victim.pixels(), 1);
        let params = victim.init(0.5, &mut stream(2));
        let observed = Scene::gradient_on(&victim, &params, &truth, &[1, 0], &Device::flex());
        let scene = Scene::new(victim, &params, observed, 2, &Device::flex()).expect("fits");
        let images = scene.leaf(&truth, scene.victim().pixels());
        let fake = scene.fake(images, scene.targets(&[1, 0]));
        assert!(value(&squared(&fake, scene.observed())) < 1e-12);
        assert!(value(&cosine(&fake, scene.observed())).abs() < 1e-5);
    }
}

#[test]
fn a_linear_layer_gives_its_single_sample_away() {
    let (images, labels) = some_digits(10);
    for (image, label) in images.chunks_exact(64).zip(labels) {
        for victim in [Victim::softmax([1, 8, 8], 10), sigmoid_mlp()] {
            // Even after three steps, since every step's gradient is a multiple of the same image.
            for steps in [1, 3] {
                let found = first_layer(&scene(&victim, image, &[label], steps, 0.0));
                assert!(mse(&found.expect("a gradient"), image) < 1e-8);
            }
        }
    }
    let conv = Victim::strided_lenet([1, 8, 8], 10);
    assert!(first_layer(&scene(&conv, &images[..64], &[0], 1, 0.0)).is_none());
}

#[test]
fn the_label_of_a_single_sample_is_always_found() {
    let (images, labels) = some_digits(10);
    for victim in [sigmoid_mlp(), Victim::strided_lenet([1, 8, 8], 10)] {
        for (image, label) in images.chunks_exact(64).zip(&labels) {
            let scene = scene(&victim, image, &[*label], 1, 0.0);
            assert_eq!((by_row_sums(&scene), by_signs(&scene)), (*label, *label));
        }
    }
    // Features of both signs fool the sums of rows, but not the signs.
    let victim = Victim::softmax([1, 8, 8], 10);
    let signed: Vec<f32> = images.iter().map(|pixel| pixel - 0.5).collect();
    let each = |rule: fn(&Scene) -> usize| {
        let pairs = signed.chunks_exact(64).zip(&labels);
        pairs
            .filter(|(image, label)| rule(&scene(&victim, image, &[**label], 1, 0.0)) == **label)
            .count()
    };
    assert_eq!(each(by_signs), 10);
    assert!(each(by_row_sums) < 10);
}

#[test]
fn single_samples_are_recovered_by_every_attack() {
    let (images, labels) = some_digits(1);
    let scene = scene(&sigmoid_mlp(), &images, &labels, 1, 0.0);
    let figures = |found: &Reconstruction| compare(&images, &labels, found, [1, 8, 8]);
    for found in [
        dlg(&scene, &Dlg::default(), &mut stream(9)),
        idlg(&scene, None, &Dlg::default(), &mut stream(9)),
    ] {
        let figures = figures(&found);
        assert!(figures.mse < 1e-3 && figures.labels == 1.0, "{figures:?} {}", found.loss);
        assert!(figures.ssim > 0.95, "{figures:?}");
    }
    let settings = Inverting { steps: 600, variation: 1e-4, ..Inverting::default() };
    let by_angle = figures(&inverting_gradients(&scene, None, &settings, &mut stream(9)));
    assert!(by_angle.mse < 5e-3 && by_angle.labels == 1.0, "{by_angle:?}");
    let settings = Grnn { steps: 400, ..Grnn::default() };
    let made = figures(&grnn(&scene, &settings, &mut stream(9)).expect("8 x 8"));
    assert!(made.mse < 2e-2 && made.labels == 1.0, "{made:?}");
}

/// Mean error of iDLG over a few starts.
fn error(batch: usize, sigma: f32, steps: usize) -> f64 {
    let (images, labels) = some_digits(batch);
    let victim = Victim::mlp([1, 8, 8], 16, 10, Activation::Sigmoid);
    let scene = scene(&victim, &images, &labels, steps, sigma);
    let search = Lbfgs { steps: 120, ..Lbfgs::default() };
    let one = |start| {
        let found = idlg(&scene, Some(&labels), &Dlg { search }, &mut stream(start));
        compare(&images, &labels, &found, [1, 8, 8]).mse
    };
    (30..33).map(one).sum::<f64>() / 3.0
}

#[test]
fn errors_grow_with_batch_noise_and_local_steps() {
    let rising = |errors: &[f64]| {
        assert!(errors.windows(2).all(|pair| pair[0] < pair[1]), "{errors:?}");
    };
    rising(&[1, 4, 8].map(|batch| error(batch, 0.0, 1)));
    rising(&[0.0, 1e-2, 1e-1].map(|sigma| error(1, sigma, 1)));
    rising(&[1, 3, 10].map(|steps| error(1, 0.0, steps)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let victim = Victim::softmax([1, 2, 2], 3);
    let error = Scene::new(victim, &Flat::zeros(15), Flat::zeros(14), 1, &Device::flex());
    assert!(error.expect_err("14 is not 15").to_string().contains("14 numbers"));
}
