//! Layers as plain data, and the shapes they take and give.

use super::shape::Shape;
use crate::error::LearnError;
use serde::{Deserialize, Serialize};

/// One layer of a network. Trainers read these and decide how to compute them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// `y = x W^T + b` on vectors; `W` is `[outputs, inputs]`.
    Linear {
        /// Name of its tensors before `.weight` and `.bias`.
        name: String,
        /// Width of the input.
        inputs: usize,
        /// Width of the output.
        outputs: usize,
    },
    /// Cross-correlation with zero padding; the weight is `[outputs, inputs, kernel, kernel]`.
    Conv {
        /// Name of its tensors before `.weight` and `.bias`.
        name: String,
        /// Channels of the input.
        inputs: usize,
        /// Channels of the output.
        outputs: usize,
        /// Height and width of the window.
        kernel: usize,
        /// Steps between windows, in both directions.
        stride: usize,
        /// Zeros added on each of the four sides.
        padding: usize,
        /// Whether a bias for each output channel is added.
        bias: bool,
    },
    /// `max(x, 0)`, element by element.
    Relu,
    /// `1 / (1 + exp(-x))`, element by element.
    Sigmoid,
    /// The largest value of each `size x size` window, without overlap; rows and columns that do not
    /// fill a window are left out.
    MaxPool(usize),
    /// The mean over height and width: `[channels, height, width]` to `[channels]`.
    GlobalAvgPool,
    /// `[channels, height, width]` to one vector, row-major.
    Flatten,
    /// Group normalisation with a scale and a shift for each channel (Wu and He, 2018), epsilon 1e-5,
    /// biased variance. Needs no running statistics, hence suits federations.
    GroupNorm {
        /// Name of its tensors before `.weight` and `.bias`.
        name: String,
        /// Groups of channels that share a mean and a variance.
        groups: usize,
        /// Channels; a multiple of `groups`.
        channels: usize,
    },
    /// `y = x W^T` of vectors and rows of `W` that are scaled to length 1: cosines, from -1 to 1. The head
    /// that margin losses need.
    Cosine {
        /// Name of its tensor before `.weight`.
        name: String,
        /// Width of the input.
        inputs: usize,
        /// Width of the output.
        outputs: usize,
    },
    /// A convolution of each channel by itself, stride 1, with a bias; the weight is
    /// `[channels, 1, kernel, kernel]`.
    Depthwise {
        /// Name of its tensors before `.weight` and `.bias`.
        name: String,
        /// Channels of input and output.
        channels: usize,
        /// Height and width of the window.
        kernel: usize,
        /// Zeros added on each of the four sides.
        padding: usize,
    },
    /// `x * P(X <= x)` for a standard normal `X` (Hendrycks and Gimpel, 2016), the exact form.
    Gelu,
    /// The largest value of each `kernel x kernel` window; what lies outside the image never wins.
    OverlapMaxPool {
        /// Height and width of the window.
        kernel: usize,
        /// Steps between windows, in both directions.
        stride: usize,
        /// Places added on each of the four sides, at most half the kernel.
        padding: usize,
    },
    /// Batch normalisation of vectors or images (Ioffe and Szegedy, 2015) as PyTorch has it: a scale and
    /// a shift for each channel, [`NORM_EPSILON`]. Training normalises with mean and biased variance of
    /// the batch and moves the running mean and the running unbiased variance by
    /// [`BATCH_NORM_MOMENTUM`] towards the batch's; evaluation normalises with the running ones. A batch
    /// with one number for each channel has no variance: it is normalised with the running statistics,
    /// which stay as they are.
    BatchNorm {
        /// Name of its tensors before `.weight`, `.bias`, `.running_mean` and `.running_var`.
        name: String,
        /// Channels of an image, or the length of a vector.
        channels: usize,
    },
    /// Normalisation over the channels at each place, with a scale and a shift for each channel (Ba et al.
    /// 2016), [`LAYER_NORM_EPSILON`].
    LayerNorm {
        /// Name of its tensors before `.weight` and `.bias`.
        name: String,
        /// Channels of an image, or the length of a vector.
        channels: usize,
    },
    /// Global response normalisation of images (Woo et al. 2023, ConvNeXt V2, algorithm 1):
    /// `gamma_c * x * N_c + beta_c + x` with `G_c` the norm of channel `c` over all places and
    /// `N_c = G_c / (mean of G + 1e-6)`.
    Grn {
        /// Name of its tensors before `.gamma` and `.beta`.
        name: String,
        /// Channels.
        channels: usize,
    },
    /// In training, each number is 0 with this probability `p`, and otherwise divided by `1 - p`
    /// (Srivastava et al. 2014); in evaluation nothing happens.
    Dropout(f32),
    /// `body(x) + shortcut(x)`; an empty shortcut is the identity.
    Residual {
        /// The layers of the main branch.
        body: Vec<Layer>,
        /// The layers of the short branch.
        shortcut: Vec<Layer>,
    },
}

/// What is added to the variance by group and batch normalisation.
pub const NORM_EPSILON: f32 = 1e-5;

/// What is added to the variance by layer normalisation (the value of ConvNeXt).
pub const LAYER_NORM_EPSILON: f32 = 1e-6;

/// How far running statistics move towards those of the batch.
pub const BATCH_NORM_MOMENTUM: f32 = 0.1;

/// What is added to the mean norm by global response normalisation.
pub const GRN_EPSILON: f32 = 1e-6;

/// What is added to a sum of squares before its root is taken, so that the root has a slope at zero.
pub const ROOT_EPSILON: f32 = 1e-12;

impl Layer {
    /// The shape that comes out when `input` goes in.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the layer does not take such a shape; names the layer.
    pub fn output(&self, input: Shape) -> Result<Shape, LearnError> {
        match self {
            Self::Linear { name, inputs, outputs } | Self::Cosine { name, inputs, outputs } => {
                match input {
                    Shape::Vector(length) if length == *inputs => Ok(Shape::Vector(*outputs)),
                    other => Err(mismatch(name, &format!("vectors of length {inputs}"), other)),
                }
            }
            Self::Conv { .. } => self.conv_output(input),
            Self::Relu | Self::Sigmoid | Self::Gelu => Ok(input),
            Self::Dropout(rate) if (0.0..1.0).contains(rate) => Ok(input),
            Self::Dropout(rate) => Err(LearnError::Invalid(format!(
                "dropout with probability {rate}; give one from 0 up to but not including 1"
            ))),
            Self::Depthwise { .. } | Self::OverlapMaxPool { .. } => self.window_output(input),
            Self::BatchNorm { name, channels } | Self::LayerNorm { name, channels } => {
                match input {
                    Shape::Vector(have) | Shape::Image(have, ..) if have == *channels => Ok(input),
                    other => Err(mismatch(name, &format!("{channels} channels"), other)),
                }
            }
            Self::Grn { name, channels } => match input.image(name)? {
                (have, ..) if have == *channels => Ok(input),
                _ => Err(mismatch(name, &format!("{channels} channels"), input)),
            },
            Self::MaxPool(size) => {
                let (channels, height, width) = input.image("max pooling")?;
                if *size == 0 || height < *size || width < *size {
                    return Err(mismatch(
                        "max pooling",
                        &format!("images of at least {size} x {size}"),
                        input,
                    ));
                }
                Ok(Shape::Image(channels, height / size, width / size))
            }
            Self::GlobalAvgPool => input.image("average pooling").map(|(c, _, _)| Shape::Vector(c)),
            Self::Flatten => Ok(Shape::Vector(input.len())),
            Self::GroupNorm { name, groups, channels } => {
                let (have, ..) = input.image(name)?;
                if have != *channels || *groups == 0 || channels % groups != 0 {
                    let wanted = format!("{channels} channels in {groups} equal groups");
                    return Err(mismatch(name, &wanted, input));
                }
                Ok(input)
            }
            Self::Residual { body, shortcut } => {
                let (long, short) = (chain(body, input)?, chain(shortcut, input)?);
                if long != short {
                    return Err(mismatch(
                        "a residual sum",
                        &format!("two branches of shape {long:?}"),
                        short,
                    ));
                }
                Ok(long)
            }
        }
    }

    fn conv_output(&self, input: Shape) -> Result<Shape, LearnError> {
        let Self::Conv { name, inputs, outputs, kernel, stride, padding, .. } = self else {
            return Ok(input);
        };
        let sides = windows(name, input, *inputs, (*kernel, *stride, *padding))?;
        Ok(Shape::Image(*outputs, sides.0, sides.1))
    }

    /// The output of layers whose windows slide over each channel by itself.
    fn window_output(&self, input: Shape) -> Result<Shape, LearnError> {
        let (name, channels, window) = match self {
            Self::Depthwise { name, channels, kernel, padding } => {
                (name.as_str(), *channels, (*kernel, 1, *padding))
            }
            Self::OverlapMaxPool { kernel, stride, padding } => {
                let (channels, ..) = input.image("max pooling")?;
                if 2 * padding > *kernel || *kernel > 15 {
                    let wanted = "windows of at most 15 and a padding of at most half of it";
                    return Err(mismatch("max pooling", wanted, input));
                }
                ("max pooling", channels, (*kernel, *stride, *padding))
            }
            _ => return Ok(input),
        };
        let sides = windows(name, input, channels, window)?;
        Ok(Shape::Image(channels, sides.0, sides.1))
    }

    /// Width of the input when the layer can be a head.
    pub(super) fn inputs_of_head(&self) -> Option<usize> {
        match self {
            Self::Linear { inputs, .. } | Self::Cosine { inputs, .. } => Some(*inputs),
            _ => None,
        }
    }
}

/// The shape after a chain of layers.
///
/// # Errors
/// [`LearnError::Invalid`] from the first layer that does not fit.
pub fn chain(layers: &[Layer], input: Shape) -> Result<Shape, LearnError> {
    layers.iter().try_fold(input, |shape, layer| layer.output(shape))
}

/// Rows and columns of windows `(kernel, stride, padding)` over images of `channels` channels.
fn windows(
    name: &str,
    input: Shape,
    wanted: usize,
    (kernel, stride, padding): (usize, usize, usize),
) -> Result<(usize, usize), LearnError> {
    let (channels, height, width) = input.image(name)?;
    let smallest = height.min(width) + 2 * padding;
    if channels != wanted || kernel == 0 || stride == 0 || smallest < kernel {
        let wanted =
            format!("{wanted} channels of at least {kernel} x {kernel} with padding {padding}");
        return Err(mismatch(name, &wanted, input));
    }
    let size = |length: usize| (length + 2 * padding - kernel) / stride + 1;
    Ok((size(height), size(width)))
}

fn mismatch(name: &str, wanted: &str, got: Shape) -> LearnError {
    LearnError::Invalid(format!("{name} takes {wanted}, but gets {got:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(stride: usize, padding: usize) -> Layer {
        let name = "c".into();
        Layer::Conv { name, inputs: 3, outputs: 8, kernel: 3, stride, padding, bias: true }
    }

    #[test]
    fn shapes_by_hand() {
        let image = Shape::Image(3, 9, 8);
        assert_eq!(conv(1, 1).output(image).expect("fits"), Shape::Image(8, 9, 8));
        assert_eq!(conv(2, 1).output(image).expect("fits"), Shape::Image(8, 5, 4));
        assert_eq!(Layer::MaxPool(2).output(image).expect("fits"), Shape::Image(3, 4, 4));
        assert_eq!(Layer::GlobalAvgPool.output(image).expect("fits"), Shape::Vector(3));
        assert_eq!(Layer::Flatten.output(image).expect("fits"), Shape::Vector(216));
        let pool = |kernel, stride, padding| Layer::OverlapMaxPool { kernel, stride, padding };
        assert_eq!(pool(3, 2, 1).output(image).expect("fits"), Shape::Image(3, 5, 4));
        let depthwise = Layer::Depthwise { name: "d".into(), channels: 3, kernel: 7, padding: 3 };
        assert_eq!(depthwise.output(image).expect("fits"), image);
        let norm = |channels| Layer::BatchNorm { name: "b".into(), channels };
        assert_eq!(norm(3).output(image).expect("fits"), image);
        assert_eq!(norm(5).output(Shape::Vector(5)).expect("fits"), Shape::Vector(5));
        assert!(norm(4).output(image).is_err() && pool(3, 2, 2).output(image).is_err());
        assert!(Layer::Grn { name: "g".into(), channels: 5 }.output(Shape::Vector(5)).is_err());
        assert!(Layer::Dropout(1.0).output(image).is_err());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = conv(1, 0).output(Shape::Image(1, 9, 9)).expect_err("one channel, not three");
        assert!(error.to_string().starts_with("c takes 3 channels"), "{error}");
        assert!(conv(1, 0).output(Shape::Image(3, 2, 9)).is_err());
        assert!(conv(0, 0).output(Shape::Image(3, 9, 9)).is_err());
        assert!(Layer::MaxPool(2).output(Shape::Image(3, 1, 9)).is_err());
        assert!(Layer::MaxPool(2).output(Shape::Vector(4)).is_err());
        let norm = Layer::GroupNorm { name: "n".into(), groups: 2, channels: 3 };
        assert!(norm.output(Shape::Image(3, 2, 2)).is_err());
        let residual = Layer::Residual { body: vec![conv(2, 1)], shortcut: vec![] };
        assert!(residual.output(Shape::Image(3, 8, 8)).is_err());
        assert!(Shape::new(&[2, 2]).is_err() && Shape::new(&[0]).is_err());
    }
}
