//! GRNN: a generator is trained from scratch on a single gradient.
//!
//! Source: Ren, Deng, Xie, "GRNN: Generative Regression Neural Network - A Data Leakage Attack for Federated Learning",
//! ACM TIST 2022 (arXiv 2105.00529), in the form of the authors' code.

use super::descent::RmsProp;
use super::distance::{squared, squared_variation};
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
        let (labels, images) = generator.make(&tracked, noise.clone().autodiff());
        let square = squared(&scene.fake(images.clone(), labels.clone()), scene.observed());
        // The slope of a root at 0 is infinite.
        let distance = square.clone() + (square + 1e-20).sqrt();
        let rough = squared_variation(images.clone(), victim.input());
        let loss = distance + rough * settings.variation;
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
