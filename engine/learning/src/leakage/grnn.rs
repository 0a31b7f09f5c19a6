//! GRNN: a generator is trained from scratch on a single gradient.
//!
//! Source: Ren, Deng, Xie, "GRNN: Generative Regression Neural Network - A Data Leakage Attack for Federated Learning",
//! ACM TIST 2022 (arXiv 2105.00529), in the form of the authors' code.

use super::descent::RmsProp;
use super::distance::{squared_and_straight, squared_variation};
use super::dlg::{largest, normal};
use super::generator::{Generator, NOISE};
use super::scene::{read, value};
use super::{Reconstruction, Scene};
use crate::LearnError;
use burn::tensor::{Tensor, TensorData};
use offbeat_kernel::Stream;

/// Settings of [`grnn`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grnn {
    /// Steps of RMSprop.
    pub steps: usize,
    /// Size of a step.
    pub rate: f32,
    /// Momentum.
    pub momentum: f32,
    /// Weight of the total variation: 1e-3 for a LeNet, 1e-6 for a ResNet.
    pub variation: f32,
}

impl Default for Grnn {
    fn default() -> Self {
        Self { steps: 1000, rate: 1e-4, momentum: 0.99, variation: 1e-3 }
    }
}

/// Trains a generator whose images and soft labels, made from fixed noise, give the observed gradient: minimises
/// `r^2 + r + variation * TV`, with `r` the Euclidean distance of the gradients. Needs no labels. Sides must be 8, 16,
/// 32, .. . The best images met are returned.
///
/// # Errors
/// [`LearnError::Invalid`] when the generator cannot make such images.
pub fn grnn(
    scene: &Scene,
    settings: &Grnn,
    stream: &mut Stream,
) -> Result<Reconstruction, LearnError> {
    let victim = scene.victim();
    let generator = Generator::new(victim.input(), victim.classes())?;
    let noise = TensorData::new(normal(scene.batch() * NOISE, stream), [scene.batch(), NOISE]);
    let noise: Tensor<2> = Tensor::from_data(noise, scene.device());
    let mut params = generator.init(scene.device(), stream);
    let mut optimizer = RmsProp::new(settings.rate, settings.momentum, params.len());
    let mut best: Option<(f64, Tensor<2>, Tensor<2>)> = None;
    for _ in 0..settings.steps {
        let tracked: Vec<_> =
            params.iter().map(|param| param.clone().autodiff().require_grad()).collect();
        let Made { loss, images, labels } =
            make(scene, &generator, &tracked, &noise, settings.variation);
        let now = value(&loss);
        if !now.is_finite() {
            break;
        }
        if best.as_ref().is_none_or(|(least, ..)| now < *least) {
            best = Some((now, images.inner(), labels.inner()));
        }
        let mut gradients = loss.backward();
        let own = tracked.iter().zip(&params).map(|(tracked, param)| {
            tracked.grad_remove(&mut gradients).unwrap_or_else(|| param.zeros_like())
        });
        let own: Vec<_> = own.collect();
        optimizer.step(&mut params, own);
    }
    let Some((loss, images, labels)) = best else {
        return Err(LearnError::NotFinite { what: "the distance of gradients", step: 0 });
    };
    let labels = read(labels).chunks_exact(victim.classes()).map(largest).collect();
    Ok(Reconstruction { images: read(images), labels, loss, evaluations: settings.steps })
}

/// What a generator makes, and its loss.
struct Made {
    loss: Tensor<1>,
    images: Tensor<2>,
    labels: Tensor<2>,
}

fn make(
    scene: &Scene,
    generator: &Generator,
    params: &[Tensor<1>],
    noise: &Tensor<2>,
    variation: f32,
) -> Made {
    let (labels, images) = generator.make(params, noise.clone().autodiff());
    let fake = scene.fake(images.clone(), labels.clone());
    let rough = squared_variation(images.clone(), scene.victim().input());
    let loss = squared_and_straight(&fake, scene.observed()) + rough * variation;
    Made { loss, images, labels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leakage::{Activation, Victim};
    use burn::tensor::Device;
    use offbeat_kernel::{Purpose, SeedTree};
    use rand::RngExt;

    /// The whole loss by the generator's parameters, through images, soft labels and the victim's backward pass: along
    /// random directions.
    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (device, batch) = (Device::flex(), 2);
        let mut stream = SeedTree::new(4).stream(Purpose::Adversary, 0, 0);
        let victim = Victim::mlp([1, 8, 8], 12, 5, Activation::Sigmoid);
        let weights = victim.init(0.5, &mut stream);
        let truth: Vec<f32> = (0..batch * 64).map(|_| stream.random()).collect();
        let observed = Scene::gradient_on(&victim, &weights, &truth, &[1, 3], &device);
        let scene = Scene::new(victim, &weights, observed, batch, &device).expect("fits");
        let generator = Generator::new([1, 8, 8], 5).expect("8 x 8");
        let noise = TensorData::new(normal(batch * NOISE, &mut stream), [batch, NOISE]);
        let noise: Tensor<2> = Tensor::from_data(noise, &device);
        let params = generator.init(&device, &mut stream);
        let evaluate = |params: &[Tensor<1>]| {
            let tracked: Vec<_> =
                params.iter().map(|param| param.clone().autodiff().require_grad()).collect();
            let loss = make(&scene, &generator, &tracked, &noise, 0.3).loss;
            let mut gradients = loss.backward();
            let slopes = tracked.iter().zip(params).map(|(tracked, param)| {
                tracked.grad_remove(&mut gradients).unwrap_or_else(|| param.zeros_like())
            });
            (value(&loss), slopes.collect::<Vec<Tensor<1>>>())
        };
        let (_, slopes) = evaluate(&params);
        let length = slopes.iter().map(|s| value(&s.clone().square().sum())).sum::<f64>().sqrt();
        assert!(length > 0.01, "{length}");
        // Along the gradient, and along the gradient of every second tensor alone.
        for step in [1, 2, 3] {
            let along = |at: usize| {
                if at.is_multiple_of(step) { slopes[at].clone() } else { slopes[at].zeros_like() }
            };
            let square: f64 = (0..slopes.len()).map(|at| value(&along(at).square().sum())).sum();
            let moved = |by: f64| {
                let there: Vec<Tensor<1>> = params
                    .iter()
                    .enumerate()
                    .map(|(at, param)| param.clone() + along(at) * (by / square.sqrt()) as f32)
                    .collect();
                evaluate(&there).0
            };
            let numeric = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let off = (numeric - square.sqrt()).abs();
            assert!(off < 0.01 * length, "{numeric} {} of {length}", square.sqrt());
        }
    }
}
