//! The server's generator: noise to pictures.

use super::adam::Adam;
use super::layers::{
    Plan, Start, cut, doubled, draw, gather, leaky, leaves, normalised, read, smoothly_doubled,
};
use crate::error::LearnError;
use crate::flat::Flat;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData, activation};
use offbeat_kernel::Stream;
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// The shape of a generator; its parameters are apart from it. From noise a linear layer makes pictures of a quarter of
/// the sides with `4 width` channels; two doublings and three 3 x 3 convolutions of `2 width`, `width` and the
/// picture's channels follow, with batch normalisation by each batch's own figures and a sigmoid at the end. With noise
/// of 100 and width 64 it has the 2.03 million parameters of the authors' on 3 x 32 x 32.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    image: [usize; 3],
    noise: usize,
    width: usize,
    /// Smallest and largest value of a pixel.
    range: [f32; 2],
    device: Device,
}

impl Generator {
    /// A generator of pictures `[channels, height, width]` with pixels in `range`, from `noise` numbers.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the sides are no multiples of 4.
    pub fn new(
        image: [usize; 3],
        (noise, width): (usize, usize),
        range: [f32; 2],
        device: &Device,
    ) -> Result<Self, LearnError> {
        let [channels, high, wide] = image;
        if high % 4 != 0 || wide % 4 != 0 || channels * high * wide == 0 {
            return Err(LearnError::Invalid(format!(
                "the generator makes pictures whose sides are multiples of 4, not {high} x {wide}; use digits, mnist \
                 or fashion-mnist"
            )));
        }
        Ok(Self { image, noise, width, range, device: device.clone().inner() })
    }

    /// Numbers of a picture.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.plan().iter().map(|(len, _)| len).sum()
    }

    /// Fresh parameters, as PyTorch starts such layers.
    pub fn init(&self, stream: &mut Stream) -> Flat {
        draw(&self.plan(), stream)
    }

    /// Noise for `count` pictures.
    pub fn noise(&self, count: usize, stream: &mut Stream) -> Vec<f32> {
        (0..count * self.noise).map(|_| StandardNormal.sample(stream)).collect()
    }

    /// Pictures `[count, pixels]` from noise, row-major. They are made in batches of `batch`, since a batch is
    /// normalised by itself.
    pub fn make(&self, params: &Flat, noise: &[f32], batch: usize) -> Vec<f32> {
        let params = cut(&self.plan(), params, &self.device);
        let pieces = noise.chunks(batch.max(1) * self.noise);
        pieces.flat_map(|noise| read(self.paint(&params, noise, |tensor| tensor))).collect()
    }

    /// The gradient by the parameters for that by the pictures made of `noise` as one batch.
    pub fn pull_back(&self, params: &Flat, noise: &[f32], by_pictures: &[f32]) -> Flat {
        let leaves = leaves(&self.plan(), params, &self.device);
        let pictures = self.paint(&leaves, noise, Tensor::autodiff);
        let shape = pictures.dims();
        let slope: Tensor<4> =
            Tensor::from_data(TensorData::new(by_pictures.to_vec(), shape), &self.device);
        let mut gradients = (pictures * slope.autodiff()).sum().backward();
        gather(&leaves, &mut gradients)
    }

    /// The parameters after one step of Adam against the gradient by the pictures.
    pub fn step(
        &self,
        (params, adam): (&Flat, &mut Adam),
        noise: &[f32],
        by_pictures: &[f32],
        rate: f32,
    ) -> Flat {
        let gradient = self.pull_back(params, noise, by_pictures);
        adam.step(params, &gradient, rate)
    }

    /// Places of the convolutions' input channels and outputs.
    fn convolutions(&self) -> [(usize, usize); 3] {
        let width = self.width;
        [(4 * width, 2 * width), (2 * width, width), (width, self.image[0])]
    }

    fn plan(&self) -> Plan {
        let [_, high, wide] = self.image;
        let grown = 4 * self.width * (high / 4) * (wide / 4);
        let linear = Start::of(self.noise);
        let norm = |channels| [(channels, Start::Ones), (channels, Start::Zeros)];
        let mut plan = vec![(grown * self.noise, linear), (grown, linear)];
        plan.extend(norm(4 * self.width));
        for (place, (inputs, outputs)) in self.convolutions().into_iter().enumerate() {
            let start = Start::of(9 * inputs);
            plan.extend([(9 * inputs * outputs, start), (outputs, start)]);
            plan.extend(norm(outputs).into_iter().filter(|_| place < 2));
        }
        plan
    }

    /// Pictures `[batch, channels, height, width]`; `constant` brings numbers where the parameters are: into a graph or
    /// not.
    fn paint(
        &self,
        params: &[Tensor<1>],
        noise: &[f32],
        constant: fn(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<4> {
        let batch = noise.len() / self.noise;
        let [_, high, wide] = self.image;
        let (channels, grown) = (4 * self.width, params[1].dims()[0]);
        let noise = TensorData::new(noise.to_vec(), [batch, self.noise]);
        let noise = constant(Tensor::from_data(noise, &self.device));
        let weight = params[0].clone().reshape([grown, self.noise]);
        let small = noise.matmul(weight.transpose()) + params[1].clone().unsqueeze();
        let small: Tensor<4> = small.reshape([batch, channels, high / 4, wide / 4]);
        let mut images = doubled(normalised(small, &params[2], &params[3]));
        let places: [Range<usize>; 3] = [4..8, 8..12, 12..14];
        for (round, (place, shape)) in places.into_iter().zip(self.convolutions()).enumerate() {
            let own = &params[place];
            images = convolved(images, shape, own);
            images = match round {
                0 => {
                    let seen = leaky(normalised(images, &own[2], &own[3]));
                    smoothly_doubled(seen, &self.device, constant)
                }
                1 => leaky(normalised(images, &own[2], &own[3])),
                _ => images,
            };
        }
        let [low, high] = self.range;
        activation::sigmoid(images) * (high - low) + low
    }
}

fn convolved(images: Tensor<4>, (inputs, outputs): (usize, usize), own: &[Tensor<1>]) -> Tensor<4> {
    let weight = own[0].clone().reshape([outputs, inputs, 3, 3]);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    conv2d(images, weight, Some(own[1].clone()), options)
}
