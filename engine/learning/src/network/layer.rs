//! Layers as plain data, and the shapes that flow between them.

use crate::error::LearnError;
use crate::layout::Part;
use serde::{Deserialize, Serialize};

/// One layer of a network. Trainers read these and decide how to compute them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `body(x) + shortcut(x)`; an empty shortcut is the identity.
    Residual {
        /// The layers of the main branch.
        body: Vec<Layer>,
        /// The layers of the short branch.
        shortcut: Vec<Layer>,
    },
}

/// What is added to the variance by group normalisation.
pub const GROUP_NORM_EPSILON: f32 = 1e-5;

/// The shape of one sample between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A vector of this length.
    Vector(usize),
    /// Channels, height, width.
    Image(usize, usize, usize),
}

impl Shape {
    /// The shape with these dimensions: `[length]` or `[channels, height, width]`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] for any other number of dimensions, or when one is 0.
    pub fn new(dimensions: &[usize]) -> Result<Self, LearnError> {
        match *dimensions {
            [length] if length > 0 => Ok(Self::Vector(length)),
            [channels, height, width] if channels * height * width > 0 => {
                Ok(Self::Image(channels, height, width))
            }
            _ => Err(LearnError::Invalid(format!(
                "a sample has the shape {dimensions:?}; networks take [length] or \
                 [channels, height, width], none of them 0"
            ))),
        }
    }

    /// Numbers in one sample.
    pub fn len(self) -> usize {
        match self {
            Self::Vector(length) => length,
            Self::Image(channels, height, width) => channels * height * width,
        }
    }

    /// Whether a sample has no numbers.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn image(self, what: &str) -> Result<(usize, usize, usize), LearnError> {
        match self {
            Self::Image(channels, height, width) => Ok((channels, height, width)),
            Self::Vector(length) => Err(LearnError::Invalid(format!(
                "{what} needs samples of shape [channels, height, width], not [{length}]"
            ))),
        }
    }
}

impl Layer {
    /// The shape that comes out when `input` goes in.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the layer does not take such a shape; names the layer.
    pub fn output(&self, input: Shape) -> Result<Shape, LearnError> {
        match self {
            Self::Linear { name, inputs, outputs } => match input {
                Shape::Vector(length) if length == *inputs => Ok(Shape::Vector(*outputs)),
                other => Err(mismatch(name, &format!("vectors of length {inputs}"), other)),
            },
            Self::Conv { .. } => self.conv_output(input),
            Self::Relu => Ok(input),
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
        let (channels, height, width) = input.image(name)?;
        let smallest = height.min(width) + 2 * padding;
        if channels != *inputs || *kernel == 0 || *stride == 0 || smallest < *kernel {
            let wanted =
                format!("{inputs} channels of at least {kernel} x {kernel} with padding {padding}");
            return Err(mismatch(name, &wanted, input));
        }
        let size = |length: usize| (length + 2 * padding - kernel) / stride + 1;
        Ok(Shape::Image(*outputs, size(height), size(width)))
    }

    /// Width of the input when the layer can be a head.
    pub(super) fn inputs_of_head(&self) -> Option<usize> {
        match self {
            Self::Linear { inputs, .. } => Some(*inputs),
            _ => None,
        }
    }

    /// Its tensors: name, shape; the weight first.
    pub(super) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let weight = |name: &str| format!("{name}.weight");
        let bias = |name: &str| format!("{name}.bias");
        match self {
            Self::Linear { name, inputs, outputs } => {
                vec![(weight(name), vec![*outputs, *inputs]), (bias(name), vec![*outputs])]
            }
            Self::Conv { name, inputs, outputs, kernel, bias: with_bias, .. } => {
                let mut tensors = vec![(weight(name), vec![*outputs, *inputs, *kernel, *kernel])];
                if *with_bias {
                    tensors.push((bias(name), vec![*outputs]));
                }
                tensors
            }
            Self::GroupNorm { name, channels, .. } => {
                vec![(weight(name), vec![*channels]), (bias(name), vec![*channels])]
            }
            Self::Residual { body, shortcut } => {
                body.iter().chain(shortcut).flat_map(Self::tensors).collect()
            }
            Self::Relu | Self::MaxPool(_) | Self::GlobalAvgPool | Self::Flatten => Vec::new(),
        }
    }

    /// Multiplications with an addition in one forward pass of one sample.
    pub(super) fn products(&self, input: Shape) -> Result<u64, LearnError> {
        Ok(match self {
            Self::Linear { inputs, outputs, .. } => (inputs * outputs) as u64,
            Self::Conv { inputs, kernel, .. } => {
                (self.output(input)?.len() * inputs * kernel * kernel) as u64
            }
            Self::Residual { body, shortcut } => {
                chain_products(body, input)? + chain_products(shortcut, input)?
            }
            _ => 0,
        })
    }
}

/// The shape after a chain of layers.
///
/// # Errors
/// [`LearnError::Invalid`] from the first layer that does not fit.
pub fn chain(layers: &[Layer], input: Shape) -> Result<Shape, LearnError> {
    layers.iter().try_fold(input, |shape, layer| layer.output(shape))
}

/// Multiply-adds of a chain of layers, for one sample.
pub(super) fn chain_products(layers: &[Layer], input: Shape) -> Result<u64, LearnError> {
    let mut shape = input;
    let mut sum = 0;
    for layer in layers {
        sum += layer.products(shape)?;
        shape = layer.output(shape)?;
    }
    Ok(sum)
}

/// The tensors of a chain, with the last linear layer as the head.
pub(super) fn chain_tensors(layers: &[Layer]) -> Vec<(String, Vec<usize>, Part)> {
    let is_linear = |layer: &Layer| matches!(layer, Layer::Linear { .. });
    let last = layers.iter().rposition(is_linear);
    let part = |index| if Some(index) == last { Part::Head } else { Part::Backbone };
    let tensors = layers.iter().enumerate().flat_map(|(index, layer)| {
        layer.tensors().into_iter().map(move |(name, shape)| (name, shape, part(index)))
    });
    tensors.collect()
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
        assert_eq!(conv(2, 1).products(image).expect("fits"), 8 * 5 * 4 * 27);
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
