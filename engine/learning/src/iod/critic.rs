//! A client's discriminator: which patches of a picture look like its own data.

use super::adam::Adam;
use super::layers::{Plan, Start, draw, gather, images, leaky, leaves, normalised, read};
use crate::error::LearnError;
use crate::flat::Flat;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, activation};
use offbeat_kernel::Stream;
use serde::{Deserialize, Serialize};

/// What a discriminator and its steps are like: the same for all clients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriticSize {
    /// Channels, height and width of a picture.
    pub image: [usize; 3],
    /// Channels of the first convolution; the second has twice as many.
    pub width: usize,
}

/// A discriminator with its optimizer: private to its client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Critic {
    /// Its parameters.
    pub params: Flat,
    /// What its optimizer remembers.
    pub adam: Adam,
}

/// Two 4 x 4 convolutions of stride 2 with leaky ReLUs, the second with batch normalisation by each batch's own
/// figures, and a 1 x 1 convolution to one logit for each patch. With width 128 it has the 0.53 million parameters of the
/// authors' on 3 x 32 x 32.
impl CriticSize {
    /// The size, checked.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when pictures are smaller than 4 x 4.
    pub fn new(image: [usize; 3], width: usize) -> Result<Self, LearnError> {
        if image[1] < 4 || image[2] < 4 {
            return Err(LearnError::Invalid(format!(
                "a discriminator looks at pictures of at least 4 x 4, not {} x {}",
                image[1], image[2]
            )));
        }
        Ok(Self { image, width })
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.plan().iter().map(|(len, _)| len).sum()
    }

    /// Floating-point operations of one picture's forward pass.
    pub fn forward_flops(&self) -> u64 {
        let [channels, high, wide] = self.image.map(|n| n as u64);
        let (first, second) = (self.width as u64, 2 * self.width as u64);
        let (half, quarter) = ((high / 2) * (wide / 2), (high / 4) * (wide / 4));
        2 * (half * first * channels * 16 + quarter * second * first * 16 + quarter * second)
    }

    /// A fresh discriminator.
    pub fn init(&self, stream: &mut Stream) -> Critic {
        Critic { params: draw(&self.plan(), stream), adam: Adam::new(self.params()) }
    }

    /// One step of Adam on `(BCE(made, 0) + BCE(real, 1)) / 2`: each the sum over patches, mean over its batch.
    /// Gives the loss before the step.
    pub fn learn(
        &self,
        critic: &mut Critic,
        (made, real): (&[f32], &[f32]),
        rate: f32,
        device: &Device,
    ) -> f64 {
        let (value, gradient) = self.graded(&critic.params, (made, real), device);
        critic.params = critic.adam.step(&critic.params, &gradient, rate);
        value
    }

    /// The loss of [`CriticSize::learn`], and its gradient by the parameters.
    pub(super) fn graded(
        &self,
        params: &Flat,
        (made, real): (&[f32], &[f32]),
        device: &Device,
    ) -> (f64, Flat) {
        let leaves = leaves(&self.plan(), params, device);
        let of = |pictures: &[f32], is_real: bool| {
            let pictures = images(pictures, self.image, device).autodiff();
            cross_entropy(self.judge(&leaves, pictures), is_real)
        };
        let loss = (of(made, false) + of(real, true)) / 2.0;
        let value = read(loss.clone().inner()).first().map_or(f64::NAN, |v| f64::from(*v));
        (value, gather(&leaves, &mut loss.backward()))
    }

    /// `BCE(made, 1)`, summed over patches, mean over the batch, and its gradient by the pictures: what tells a
    /// generator how to look real.
    pub fn wish(&self, critic: &Critic, made: &[f32], device: &Device) -> (f64, Vec<f32>) {
        let leaves: Vec<_> = super::layers::cut(&self.plan(), &critic.params, device)
            .into_iter()
            .map(Tensor::autodiff)
            .collect();
        let pictures = images(made, self.image, device).autodiff().require_grad();
        let loss = cross_entropy(self.judge(&leaves, pictures.clone()), true);
        let value = read(loss.clone().inner()).first().map_or(f64::NAN, |v| f64::from(*v));
        let mut gradients = loss.backward();
        let slope = pictures.grad_remove(&mut gradients).map(read);
        (value, slope.unwrap_or_else(|| vec![0.0; made.len()]))
    }

    fn plan(&self) -> Plan {
        let (channels, first, second) = (self.image[0], self.width, 2 * self.width);
        let conv = |inputs: usize, outputs: usize, window: usize| {
            let start = Start::of(inputs * window);
            [(inputs * outputs * window, start), (outputs, start)]
        };
        let mut plan: Plan = conv(channels, first, 16).to_vec();
        plan.extend(conv(first, second, 16));
        plan.extend([(second, Start::Ones), (second, Start::Zeros)]);
        plan.extend(conv(second, 1, 1));
        plan
    }

    /// A logit for each patch, `[batch, 1, height / 4, width / 4]`.
    fn judge(&self, params: &[Tensor<1>], pictures: Tensor<4>) -> Tensor<4> {
        let (channels, first, second) = (self.image[0], self.width, 2 * self.width);
        let halving = || ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
        let weight = params[0].clone().reshape([first, channels, 4, 4]);
        let seen = leaky(conv2d(pictures, weight, Some(params[1].clone()), halving()));
        let weight = params[2].clone().reshape([second, first, 4, 4]);
        let seen = conv2d(seen, weight, Some(params[3].clone()), halving());
        let seen = leaky(normalised(seen, &params[4], &params[5]));
        let weight = params[6].clone().reshape([1, second, 1, 1]);
        let one = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        conv2d(seen, weight, Some(params[7].clone()), one)
    }
}

/// Binary cross-entropy of logits against one answer, summed over patches, mean over the batch.
fn cross_entropy(logits: Tensor<4>, is_real: bool) -> Tensor<1> {
    let batch = logits.dims()[0] as f32;
    let against = if is_real { logits.neg() } else { logits };
    // ln(1 + e^x) without a large exponent.
    let small = (against.clone().abs().neg().exp() + 1.0).log();
    (activation::relu(against) + small).sum() / batch
}
