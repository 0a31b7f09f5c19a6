//! What a layer does by hand, and the memory it does it in.

pub(super) use crate::wide::simd;
use std::fmt::Debug;

/// A layer's forward and backward pass on a batch. All arrays are row-major, samples first.
pub(super) trait Kernel: Debug + Send + Sync {
    /// Computes `output` (`batch` samples) from `input`, with ReLU applied when `pass.relu`.
    fn forward(
        &self,
        pass: Forward<'_>,
        output: &mut [f32],
        memory: &mut Memory,
        scratch: &mut Scratch,
    );

    /// Writes the gradient of its own parameters into `pass.gradient` and adds or writes the gradient of
    /// the input. `pass.output_gradient` has been masked by ReLU already.
    fn backward(&self, pass: Backward<'_>, memory: &Memory, scratch: &mut Scratch);

    /// Changes parameters that no gradient changes (running statistics) after a forward pass in training.
    fn settle(&self, _params: &mut [f32], _memory: &Memory) {}

    /// Whether it has parameters.
    fn learns(&self) -> bool {
        false
    }
}

/// What goes into a forward pass.
#[derive(Debug)]
pub(super) struct Forward<'a> {
    /// All parameters of the network.
    pub(super) params: &'a [f32],
    /// The layer's input.
    pub(super) input: &'a [f32],
    /// Samples in the batch.
    pub(super) batch: usize,
    /// Whether ReLU follows.
    pub(super) relu: bool,
    /// Whether the pass belongs to a training, not to an evaluation.
    pub(super) training: bool,
    /// The masks of dropout in training; empty in evaluation.
    pub(super) masks: &'a [Vec<f32>],
}

/// What goes into a backward pass, and where its results go.
#[derive(Debug)]
pub(super) struct Backward<'a> {
    /// All parameters of the network.
    pub(super) params: &'a [f32],
    /// The layer's input, as in the forward pass.
    pub(super) input: &'a [f32],
    /// Samples in the batch.
    pub(super) batch: usize,
    /// Gradient of the loss by the layer's output.
    pub(super) output_gradient: &'a [f32],
    /// Gradient of the loss by the layer's input; `None` when no one needs it.
    pub(super) input_gradient: Option<&'a mut [f32]>,
    /// Whether to add to the input's gradient rather than to overwrite it.
    pub(super) add: bool,
    /// The masks of dropout, as in the forward pass.
    pub(super) masks: &'a [Vec<f32>],
    /// Gradient of the loss by all parameters of the network.
    pub(super) gradient: &'a mut [f32],
}

/// What a layer remembers from the forward to the backward pass. Buffers grow and are never given back.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Numbers: means and inverse deviations.
    pub(super) floats: Vec<f32>,
    /// Small choices: which place of a window was largest.
    pub(super) choices: Vec<u8>,
}

/// Memory that layers share, since none needs it after its own pass.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Planes of several samples side by side.
    pub(super) block: Vec<f32>,
    /// Windows as columns: of one sample, or of several side by side.
    pub(super) columns: Vec<f32>,
    /// One sample with its zero padding.
    pub(super) padded: Vec<f32>,
    /// A product whose transpose is wanted.
    pub(super) transposed: Vec<f32>,
}

/// The first `len` elements, after growing to that length.
pub(super) fn grown<T: Clone + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}
