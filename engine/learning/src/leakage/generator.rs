//! GRNN's generator: noise to images and soft labels.
//!
//! Source: Ren, Deng, Xie, "GRNN: Generative Regression Neural Network", ACM TIST 2022, section 3, in the form of the
//! authors' code.

use crate::LearnError;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData, activation};
use offbeat_kernel::Stream;
use rand::RngExt;

/// Length of the noise of one sample.
pub(super) const NOISE: usize = 128;

/// Side of the first images, and their channels.
const SIDE: usize = 4;

/// The shape of a generator; parameters are apart from it.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    /// Channels after each block, the noise's first.
    channels: Vec<usize>,
    classes: usize,
}

impl Generator {
    /// A generator of square images whose side is 8, 16, 32, .. .
    pub(super) fn new(image: [usize; 3], classes: usize) -> Result<Self, LearnError> {
        let [channels, height, width] = image;
        if height != width || !height.is_power_of_two() || !(8..=256).contains(&height) {
            return Err(LearnError::Invalid(format!(
                "GRNN makes square images with sides of 8, 16, 32, 64, 128 or 256 pixels, not {height} x {width}: scale them first"
            )));
        }
        // Doubled once for each block; the channels are halved, down to those of the image.
        let blocks = (height / SIDE).ilog2() as usize;
        let inner = (1..blocks).map(|block| (NOISE >> block).max(1));
        let channels = std::iter::once(NOISE).chain(inner).chain(std::iter::once(channels));
        Ok(Self { channels: channels.collect(), classes })
    }

    /// Lengths of the parameter tensors with the bounds of their first values: uniform in `+-bound`, or all 1.
    fn tensors(&self) -> Vec<(usize, Start)> {
        let uniform = |fan_in: usize| Start::Uniform(1.0 / (fan_in as f32).sqrt());
        let label = uniform(NOISE);
        // A transposed convolution takes its fan-in over the outputs.
        let grow = 2 * NOISE * SIDE * SIDE;
        let mut tensors = vec![
            (self.classes * NOISE, label),
            (self.classes, label),
            (grow * NOISE, uniform(grow)),
            (2 * NOISE, uniform(grow)),
        ];
        for pair in self.channels.windows(2) {
            tensors.push((2 * pair[1] * pair[0] * 9, uniform(pair[0] * 9)));
            tensors.extend([(2 * pair[1], Start::Ones), (2 * pair[1], Start::Zeros)]);
        }
        tensors
    }

    /// Fresh parameters, as PyTorch starts such layers.
    pub(super) fn init(&self, device: &Device, stream: &mut Stream) -> Vec<Tensor<1>> {
        let tensor = |(len, start): (usize, Start)| {
            let values: Vec<f32> = match start {
                Start::Uniform(bound) => {
                    (0..len).map(|_| (2.0 * stream.random::<f32>() - 1.0) * bound).collect()
                }
                Start::Ones => vec![1.0; len],
                Start::Zeros => vec![0.0; len],
            };
            Tensor::from_data(TensorData::new(values, [len]), device)
        };
        self.tensors().into_iter().map(tensor).collect()
    }

    /// Soft labels `[batch, classes]` and images `[batch, pixels]` in `0..=1` from noise `[batch, NOISE]`.
    pub(super) fn make(&self, params: &[Tensor<1>], noise: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let batch = noise.dims()[0];
        let weight = params[0].clone().reshape([self.classes, NOISE]);
        let labels = noise.clone().matmul(weight.transpose()) + params[1].clone().unsqueeze();
        // On a single pixel a transposed convolution is a linear layer.
        let grown = noise.matmul(params[2].clone().reshape([NOISE, 2 * NOISE * SIDE * SIDE]));
        let grown: Tensor<4> = grown.reshape([batch, 2 * NOISE, SIDE, SIDE]);
        let mut images = gate(grown + params[3].clone().reshape([1, 2 * NOISE, 1, 1]));
        for (pair, own) in self.channels.windows(2).zip(params[4..].chunks_exact(3)) {
            let weight = own[0].clone().reshape([2 * pair[1], pair[0], 3, 3]);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let convolved = conv2d(doubled(images), weight, None, options);
            images = gate(normalised(convolved, own[1].clone(), own[2].clone()));
        }
        (activation::softmax(labels, 1), activation::sigmoid(images).flatten(1, 3))
    }

    #[cfg(test)]
    pub(super) fn params(&self) -> usize {
        self.tensors().iter().map(|(len, _)| len).sum()
    }
}

/// How a parameter tensor starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    Uniform(f32),
    Ones,
    Zeros,
}

/// GLU: the first half of the channels times the sigmoid of the second.
fn gate(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let half = channels / 2;
    let values = images.clone().slice([0..batch, 0..half, 0..height, 0..width]);
    let gates = images.slice([0..batch, half..channels, 0..height, 0..width]);
    values * activation::sigmoid(gates)
}

/// Every pixel becomes 2 x 2.
fn doubled(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let small: Tensor<5> = images.reshape([batch * channels, height, 1, width, 1]);
    let large: Tensor<5> = small.expand([batch * channels, height, 2, width, 2]);
    large.reshape([batch, channels, 2 * height, 2 * width])
}

/// Batch normalisation by the batch's own figures.
fn normalised(images: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let rows = images.swap_dims(0, 1).reshape([channels, batch * height * width]);
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    let unit = centred / (variance + 1e-5).sqrt();
    let rows = unit * scale.reshape([channels, 1]) + shift.reshape([channels, 1]);
    rows.reshape([channels, batch, height, width]).swap_dims(0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leakage::scene::read;
    use offbeat_kernel::{Purpose, SeedTree};

    #[test]
    fn sizes_are_the_published_ones() {
        let generator = Generator::new([3, 32, 32], 100).expect("a power of two");
        assert_eq!(generator.channels, [128, 64, 32, 3]);
        // 0.71 million and 12.9 thousand.
        assert_eq!(100 * NOISE + 100, 12_900);
        let image = 4096 * 128 + 256 + 128 * 128 * 9 + 256 + 64 * 64 * 9 + 128 + 6 * 32 * 9 + 12;
        assert_eq!(generator.params() - 12_900, image);
        assert!((700_000..720_000).contains(&image));
        assert!(Generator::new([1, 28, 28], 10).is_err());
    }

    #[test]
    fn what_is_made_are_images_and_shares() {
        let generator = Generator::new([1, 16, 16], 7).expect("a power of two");
        let mut stream = SeedTree::new(1).stream(Purpose::Adversary, 0, 0);
        let params = generator.init(&Device::flex(), &mut stream);
        let noise = Tensor::ones([2, NOISE], &Device::flex());
        let (labels, images) = generator.make(&params, noise);
        assert_eq!((labels.dims(), images.dims()), ([2, 7], [2, 256]));
        assert!(read(images).iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        for row in read(labels).chunks_exact(7) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}
