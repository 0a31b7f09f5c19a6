//! Which kernel computes a layer.

use super::activation::{Dropout, Gelu, Sigmoid};
use super::batch_norm::BatchNorm;
use super::columns::Windows;
use super::conv::Conv;
use super::cosine::Cosine;
use super::depthwise::Depthwise;
use super::grn::Grn;
use super::kernel::Kernel;
use super::layer_norm::LayerNorm;
use super::linear::Linear;
use super::norm::GroupNorm;
use super::overlap_pool::OverlapMaxPool;
use super::pooling::{Copy, GlobalAvgPool, MaxPool};
use crate::error::LearnError;
use crate::layout::{Entry, Layout};
use crate::network::{Layer, Shape};
use std::ops::Range;

/// Makes kernels for the layers of one network, in their order.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    layout: &'a Layout,
    dropouts: usize,
}

impl<'a> Compiler<'a> {
    /// For a network with this layout.
    pub(super) fn new(layout: &'a Layout) -> Self {
        Self { layout, dropouts: 0 }
    }

    fn place(&self, name: &str, tensor: &str) -> Result<Range<usize>, LearnError> {
        let name = format!("{name}.{tensor}");
        let entry = self.layout.entry(&name).map(Entry::range);
        entry.ok_or_else(|| LearnError::Invalid(format!("the layout has no tensor {name}")))
    }

    /// The kernel of a layer that takes `input` and gives `output`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the layout lacks a tensor of the layer.
    pub(super) fn kernel(
        &mut self,
        layer: &Layer,
        input: Shape,
        output: Shape,
    ) -> Result<Box<dyn Kernel>, LearnError> {
        let (height, width) = sides(input);
        let plane = places(input);
        Ok(match layer {
            Layer::Linear { name, inputs, outputs } => Box::new(Linear {
                inputs: *inputs,
                outputs: *outputs,
                weight: self.place(name, "weight")?,
                bias: self.place(name, "bias")?,
            }),
            Layer::Cosine { name, inputs, outputs } => Box::new(Cosine {
                inputs: *inputs,
                outputs: *outputs,
                weight: self.place(name, "weight")?,
            }),
            Layer::Conv { name, inputs, outputs, bias, .. } => Box::new(Conv {
                windows: windows(layer, *inputs, input, output),
                outputs: *outputs,
                weight: self.place(name, "weight")?,
                bias: if *bias { Some(self.place(name, "bias")?) } else { None },
            }),
            Layer::Depthwise { name, channels, .. } => Box::new(Depthwise {
                windows: windows(layer, *channels, input, output),
                weight: self.place(name, "weight")?,
                bias: self.place(name, "bias")?,
            }),
            Layer::MaxPool(size) => Box::new(MaxPool { size: *size, height, width }),
            Layer::OverlapMaxPool { .. } => {
                let channels = input.len() / plane;
                Box::new(OverlapMaxPool { windows: windows(layer, channels, input, output) })
            }
            Layer::GlobalAvgPool => Box::new(GlobalAvgPool { plane: height * width }),
            Layer::GroupNorm { name, groups, channels } => Box::new(GroupNorm {
                groups: *groups,
                channels: *channels,
                plane: height * width,
                scale: self.place(name, "weight")?,
                shift: self.place(name, "bias")?,
            }),
            Layer::BatchNorm { name, channels } => Box::new(BatchNorm {
                channels: *channels,
                plane,
                scale: self.place(name, "weight")?,
                shift: self.place(name, "bias")?,
                mean: self.place(name, "running_mean")?,
                variance: self.place(name, "running_var")?,
            }),
            Layer::LayerNorm { name, channels } => Box::new(LayerNorm {
                channels: *channels,
                plane,
                scale: self.place(name, "weight")?,
                shift: self.place(name, "bias")?,
            }),
            Layer::Grn { name, channels } => Box::new(Grn {
                channels: *channels,
                plane,
                gamma: self.place(name, "gamma")?,
                beta: self.place(name, "beta")?,
            }),
            Layer::Gelu => Box::new(Gelu),
            Layer::Sigmoid => Box::new(Sigmoid),
            Layer::Dropout(_) => {
                self.dropouts += 1;
                Box::new(Dropout { index: self.dropouts - 1 })
            }
            Layer::Relu | Layer::Flatten | Layer::Residual { .. } => Box::new(Copy),
        })
    }
}

/// The windows of a convolution or pooling.
fn windows(layer: &Layer, channels: usize, input: Shape, output: Shape) -> Windows {
    let (kernel, stride, padding) = match layer {
        Layer::Conv { kernel, stride, padding, .. } => (*kernel, *stride, *padding),
        Layer::OverlapMaxPool { kernel, stride, padding } => (*kernel, *stride, *padding),
        Layer::Depthwise { kernel, padding, .. } => (*kernel, 1, *padding),
        _ => (1, 1, 0),
    };
    let ((height, width), (out_height, out_width)) = (sides(input), sides(output));
    Windows { channels, height, width, kernel, stride, padding, out_height, out_width }
}

fn sides(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Vector(length) => (1, length),
        Shape::Image(_, height, width) => (height, width),
    }
}

/// Places of each channel; a number of a vector is a channel of its own.
fn places(shape: Shape) -> usize {
    match shape {
        Shape::Vector(_) => 1,
        Shape::Image(_, height, width) => height * width,
    }
}
