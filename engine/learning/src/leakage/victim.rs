//! Models under attack: forward and backward pass as tensor operations.

use crate::flat::Flat;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, activation};
use offbeat_kernel::Stream;
use rand::RngExt;

/// What stands between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `1 / (1 + exp(-x))`: the victims of the published attacks.
    Sigmoid,
    /// `max(x, 0)`: its second derivative is zero, which makes attacks by gradient harder.
    Relu,
}

/// One layer. All batches are `[batch, numbers]`.
#[derive(Clone, Debug)]
enum Layer {
    Linear {
        inputs: usize,
        outputs: usize,
    },
    Conv {
        input: [usize; 3],
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    /// Means of 2 x 2.
    Pool {
        input: [usize; 3],
    },
    Act(Activation),
}

/// A model with softmax cross-entropy: its gradient is a graph of tensor operations of its own.
///
/// Parameters lie in one flat vector: weight and bias of each layer, in order; a linear weight is
/// `[outputs, inputs]`, a convolution's `[outputs, inputs, kernel, kernel]`.
#[derive(Clone, Debug)]
pub struct Victim {
    input: [usize; 3],
    classes: usize,
    layers: Vec<Layer>,
}

impl Victim {
    /// Softmax regression on images `[channels, height, width]`.
    pub fn softmax(input: [usize; 3], classes: usize) -> Self {
        let layers = vec![Layer::Linear { inputs: input.iter().product(), outputs: classes }];
        Self { input, classes, layers }
    }

    /// A hidden layer, an activation and a linear layer.
    pub fn mlp(input: [usize; 3], hidden: usize, classes: usize, act: Activation) -> Self {
        let layers = vec![
            Layer::Linear { inputs: input.iter().product(), outputs: hidden },
            Layer::Act(act),
            Layer::Linear { inputs: hidden, outputs: classes },
        ];
        Self { input, classes, layers }
    }

    /// The LeNet that GRNN attacks, on 3 x 32 x 32: convolutions 3-6-16 of 5 x 5, each with sigmoid and means of
    /// 2 x 2, then 400-120-84-classes with sigmoids. 69,656 parameters at 100 classes. (Which pooling the authors
    /// use is not in their text; means keep the model smooth.)
    pub fn lenet(classes: usize) -> Self {
        let act = || Layer::Act(Activation::Sigmoid);
        let conv =
            |input, outputs| Layer::Conv { input, outputs, kernel: 5, stride: 1, padding: 0 };
        let layers = vec![
            conv([3, 32, 32], 6),
            act(),
            Layer::Pool { input: [6, 28, 28] },
            conv([6, 14, 14], 16),
            act(),
            Layer::Pool { input: [16, 10, 10] },
            Layer::Linear { inputs: 400, outputs: 120 },
            act(),
            Layer::Linear { inputs: 120, outputs: 84 },
            act(),
            Layer::Linear { inputs: 84, outputs: classes },
        ];
        Self { input: [3, 32, 32], classes, layers }
    }

    /// The LeNet that DLG attacks, on images whose sides are multiples of 4: three convolutions to 12 channels of
    /// 5 x 5 with padding 2 and strides 2, 2, 1, with sigmoids, and a linear layer.
    pub fn strided_lenet(input: [usize; 3], classes: usize) -> Self {
        let [channels, height, width] = input;
        let conv =
            |input, stride| Layer::Conv { input, outputs: 12, kernel: 5, stride, padding: 2 };
        let act = || Layer::Act(Activation::Sigmoid);
        let layers = vec![
            conv([channels, height, width], 2),
            act(),
            conv([12, height / 2, width / 2], 2),
            act(),
            conv([12, height / 4, width / 4], 1),
            act(),
            Layer::Linear { inputs: 12 * (height / 4) * (width / 4), outputs: classes },
        ];
        Self { input, classes, layers }
    }

    /// Channels, height and width of an image.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Numbers of an image.
    pub fn pixels(&self) -> usize {
        self.input.iter().product()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Lengths of the parameter tensors, in order: weight, bias, weight, bias, ..
    pub fn lens(&self) -> Vec<usize> {
        let of = |layer: &Layer| match layer {
            Layer::Linear { inputs, outputs } => vec![inputs * outputs, *outputs],
            Layer::Conv { input, outputs, kernel, .. } => {
                vec![outputs * input[0] * kernel * kernel, *outputs]
            }
            Layer::Pool { .. } | Layer::Act(_) => Vec::new(),
        };
        self.layers.iter().flat_map(of).collect()
    }

    /// Number of parameters.
    pub fn params(&self) -> usize {
        self.lens().iter().sum()
    }

    /// Inputs of the last layer.
    pub fn features(&self) -> usize {
        self.lens().iter().rev().nth(1).map_or(0, |weight| weight / self.classes)
    }

    /// Parameters uniform in `+-bound`: the published attacks draw them from +-0.5.
    pub fn init(&self, bound: f32, stream: &mut Stream) -> Flat {
        let draw = |_| (2.0 * stream.random::<f32>() - 1.0) * bound;
        Flat::new((0..self.params()).map(draw).collect())
    }

    /// The logits `[batch, classes]` of images `[batch, pixels]`. `params` are flat tensors, as [`Victim::lens`] says.
    pub fn logits(&self, params: &[Tensor<1>], images: Tensor<2>) -> Tensor<2> {
        self.forward(params, images).pop().unwrap_or_else(|| unreachable!("a victim has layers"))
    }

    /// Gradient of the mean cross-entropy between the model's softmax and `targets` (`[batch, classes]`, rows add up
    /// to 1): a flat tensor for each tensor of `params`. Derivatives by images and targets go through it.
    pub fn gradient(
        &self,
        params: &[Tensor<1>],
        images: Tensor<2>,
        targets: Tensor<2>,
    ) -> Vec<Tensor<1>> {
        let outputs = self.forward(params, images.clone());
        let batch = images.dims()[0];
        let logits = outputs[outputs.len() - 1].clone();
        let mut error = (activation::softmax(logits, 1) - targets) / batch as f32;
        let mut gradients = Vec::with_capacity(params.len());
        let mut left = params.len();
        for (place, layer) in self.layers.iter().enumerate().rev() {
            let input = if place == 0 { images.clone() } else { outputs[place - 1].clone() };
            if layer.has_params() {
                left -= 2;
                let (weight, bias) = layer.gradients(input.clone(), error.clone());
                gradients.push(bias);
                gradients.push(weight);
            }
            if place > 0 {
                error = layer.backward(params.get(left), input, outputs[place].clone(), error);
            }
        }
        gradients.reverse();
        gradients
    }

    /// The output of every layer.
    fn forward(&self, params: &[Tensor<1>], images: Tensor<2>) -> Vec<Tensor<2>> {
        let mut params = params.iter();
        let (mut batch, mut outputs) = (images, Vec::with_capacity(self.layers.len()));
        for layer in &self.layers {
            let own = layer.has_params().then(|| (params.next(), params.next()));
            batch = match own {
                Some((Some(weight), Some(bias))) => {
                    layer.apply(batch, weight.clone(), bias.clone())
                }
                _ => layer.transform(batch),
            };
            outputs.push(batch.clone());
        }
        outputs
    }
}

impl Layer {
    fn has_params(&self) -> bool {
        matches!(self, Self::Linear { .. } | Self::Conv { .. })
    }

    /// Forward pass of a layer with parameters.
    fn apply(&self, batch: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<2> {
        match self {
            Self::Linear { inputs, outputs } => {
                batch.matmul(weight.reshape([*outputs, *inputs]).transpose()) + bias.unsqueeze()
            }
            Self::Conv { input: [channels, height, width], outputs, kernel, stride, padding } => {
                let samples = batch.dims()[0];
                let images = batch.reshape([samples, *channels, *height, *width]);
                let weight = weight.reshape([*outputs, *channels, *kernel, *kernel]);
                let options = ConvOptions::new([*stride; 2], [*padding; 2], [1, 1], 1);
                conv2d(images, weight, Some(bias), options).flatten(1, 3)
            }
            _ => batch,
        }
    }

    /// Forward pass of a layer without.
    fn transform(&self, batch: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Act(Activation::Sigmoid) => activation::sigmoid(batch),
            Self::Act(Activation::Relu) => activation::relu(batch),
            Self::Pool { input: [channels, height, width] } => {
                let samples = batch.dims()[0];
                let blocks = batch.reshape([samples * channels, height / 2, 2, width / 2, 2]);
                let means = blocks.mean_dim(4).mean_dim(2);
                means.reshape([samples, channels * (height / 2) * (width / 2)])
            }
            _ => batch,
        }
    }

    /// Gradients of weight and bias, flat, from the input and the error of the output.
    fn gradients(&self, input: Tensor<2>, error: Tensor<2>) -> (Tensor<1>, Tensor<1>) {
        let samples = input.dims()[0];
        match self {
            Self::Conv { input: [channels, height, width], outputs, kernel, stride, padding } => {
                let [out_height, out_width] =
                    [height, width].map(|side| (side + 2 * padding - kernel) / stride + 1);
                let images = input.reshape([samples, *channels, *height, *width]).swap_dims(0, 1);
                let error = error.reshape([samples, *outputs, out_height, out_width]);
                let bias = error.clone().sum_dim(3).sum_dim(2).sum_dim(0).reshape([*outputs]);
                // The error slides over the images; its steps are the stride.
                let options = ConvOptions::new([1, 1], [*padding; 2], [*stride; 2], 1);
                let weight = conv2d(images, error.swap_dims(0, 1), None, options);
                let weight = weight.slice([0..*channels, 0..*outputs, 0..*kernel, 0..*kernel]);
                let len = outputs * channels * kernel * kernel;
                (weight.swap_dims(0, 1).reshape([len]), bias)
            }
            _ => {
                let [outputs, inputs] = [error.dims()[1], input.dims()[1]];
                let weight = error.clone().transpose().matmul(input);
                (weight.reshape([outputs * inputs]), error.sum_dim(0).reshape([outputs]))
            }
        }
    }

    /// The error of the input from that of the output.
    fn backward(
        &self,
        weight: Option<&Tensor<1>>,
        input: Tensor<2>,
        output: Tensor<2>,
        error: Tensor<2>,
    ) -> Tensor<2> {
        let samples = error.dims()[0];
        match (self, weight) {
            (Self::Linear { inputs, outputs }, Some(weight)) => {
                error.matmul(weight.clone().reshape([*outputs, *inputs]))
            }
            (Self::Conv { input: shape, outputs, kernel, stride, padding }, Some(weight)) => {
                let [channels, height, width] = *shape;
                let [out_height, out_width] =
                    [height, width].map(|side| (side + 2 * padding - kernel) / stride + 1);
                let error = error.reshape([samples, *outputs, out_height, out_width]);
                let weight = weight.clone().reshape([*outputs, channels, *kernel, *kernel]);
                // Rows and columns at the end that no step of the kernel reached.
                let rest = [height, width].map(|side| (side + 2 * padding - kernel) % stride);
                let options =
                    ConvTransposeOptions::new([*stride; 2], [*padding; 2], rest, [1, 1], 1);
                conv_transpose2d(error, weight, None, options).flatten(1, 3)
            }
            (Self::Pool { input: [channels, height, width] }, _) => {
                let small = [samples * channels, height / 2, 1, width / 2, 1];
                let large = [samples * channels, height / 2, 2, width / 2, 2];
                let spread: Tensor<5> = error.reshape(small).expand(large);
                spread.reshape([samples, channels * height * width]) / 4.0
            }
            (Self::Act(Activation::Sigmoid), _) => error * output.clone() * (output.neg() + 1.0),
            (Self::Act(Activation::Relu), _) => error * input.greater_elem(0.0).float(),
            _ => error,
        }
    }
}
