//! A network as a list of kernels that read and write numbered slots, and its two passes.

use super::compile::Compiler;
use super::elementwise::{mask, put, relu};
use super::kernel::{Backward, Forward, Kernel, simd};
use super::workspace::Workspace;
use crate::error::LearnError;
use crate::network::{Layer, Network, Shape};

/// The kernels in order. Slot 0 is the input, the last step writes the logits.
#[derive(Debug)]
pub(super) struct Program {
    steps: Vec<Step>,
    /// Numbers per sample in each slot, and whether they depend on parameters.
    slots: Vec<(usize, bool)>,
}

/// How far a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To what goes into the head.
    Features,
    /// To the outputs of the head.
    Logits,
}

/// One pass of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    /// Samples in the batch.
    pub(super) batch: usize,
    /// How far it goes.
    pub(super) until: Until,
    /// The masks of dropout; `None` in evaluation.
    pub(super) masks: Option<&'a [Vec<f32>]>,
}

#[derive(Debug)]
struct Step {
    action: Action,
    output: usize,
    relu: bool,
}

#[derive(Debug)]
enum Action {
    /// A layer; `add` says that its input's gradient has been written before in the backward pass.
    Layer { kernel: Box<dyn Kernel>, input: usize, add: bool },
    /// The sum of two slots.
    Sum { inputs: [usize; 2], add: [bool; 2] },
}

impl Program {
    /// Compiles a network.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when layers and layout do not belong together.
    pub(super) fn new(network: &Network) -> Result<Self, LearnError> {
        let mut program = Self { steps: Vec::new(), slots: vec![(network.input().len(), false)] };
        let mut compiler = Compiler::new(network.layout());
        program.chain(network.layers(), &mut compiler, network.input(), 0)?;
        program.find_additions();
        Ok(program)
    }

    /// Numbers per sample of each slot.
    pub(super) fn slots(&self) -> &[(usize, bool)] {
        &self.slots
    }

    /// Number of steps.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The slot that holds the logits.
    pub(super) fn logits(&self) -> usize {
        self.steps.last().map_or(0, |step| step.output)
    }

    /// The slot that goes into the head.
    pub(super) fn features(&self) -> usize {
        match self.steps.last().map(|step| &step.action) {
            Some(Action::Layer { input, .. }) => *input,
            _ => self.logits(),
        }
    }

    /// The steps of a pass: the last one is the head.
    fn steps(&self, until: Until) -> &[Step] {
        let head = usize::from(until == Until::Features);
        &self.steps[..self.steps.len().saturating_sub(head)]
    }

    fn chain(
        &mut self,
        layers: &[Layer],
        compiler: &mut Compiler<'_>,
        input: Shape,
        slot: usize,
    ) -> Result<(Shape, usize), LearnError> {
        let (mut shape, mut slot, mut layers) = (input, slot, layers.iter().peekable());
        while let Some(layer) = layers.next() {
            let output = layer.output(shape)?;
            let relu = *layer == Layer::Relu || layers.peek() == Some(&&Layer::Relu);
            let action = match layer {
                // The numbers stay as they are, so a ReLU that follows is left to its own turn.
                Layer::Flatten => None,
                Layer::Residual { body, shortcut } => {
                    let (_, long) = self.chain(body, compiler, shape, slot)?;
                    let (_, short) = self.chain(shortcut, compiler, shape, slot)?;
                    Some(Action::Sum { inputs: [long, short], add: [false; 2] })
                }
                layer => {
                    let kernel = compiler.kernel(layer, shape, output)?;
                    Some(Action::Layer { kernel, input: slot, add: false })
                }
            };
            if let Some(action) = action {
                if relu && *layer != Layer::Relu {
                    layers.next();
                }
                slot = self.push(action, output.len(), relu);
            }
            shape = output;
        }
        Ok((shape, slot))
    }

    fn push(&mut self, action: Action, len: usize, relu: bool) -> usize {
        let learned = match &action {
            Action::Layer { kernel, input, .. } => kernel.learns() || self.slots[*input].1,
            Action::Sum { inputs: [a, b], .. } => self.slots[*a].1 || self.slots[*b].1,
        };
        let output = self.slots.len();
        self.slots.push((len, learned));
        self.steps.push(Step { action, output, relu });
        output
    }

    /// In the backward pass the first user of a slot writes its gradient and the others add to it.
    fn find_additions(&mut self) {
        let mut touched = vec![false; self.slots.len()];
        let mut touch = |slot: usize| std::mem::replace(&mut touched[slot], true);
        for step in self.steps.iter_mut().rev() {
            match &mut step.action {
                Action::Layer { input, add, .. } => *add = touch(*input),
                Action::Sum { inputs, add } => *add = inputs.map(&mut touch),
            }
        }
    }

    /// Runs `batch` samples, which lie in slot 0, through the network.
    pub(super) fn forward(&self, params: &[f32], work: &mut Workspace, pass: Pass<'_>) {
        let Pass { batch, until, masks } = pass;
        let training = masks.is_some();
        let masks = masks.unwrap_or_default();
        for (index, step) in self.steps(until).iter().enumerate() {
            let mut whole = std::mem::take(&mut work.values[step.output]);
            let output = &mut whole[..batch * self.slots[step.output].0];
            match &step.action {
                Action::Layer { kernel, input, .. } => {
                    let input = &work.values[*input][..batch * self.slots[*input].0];
                    let relu = step.relu;
                    let pass = Forward { params, input, batch, relu, training, masks };
                    kernel.forward(pass, output, &mut work.memories[index], &mut work.scratch);
                }
                Action::Sum { inputs: [a, b], .. } => {
                    let inputs = work.values[*a].iter().zip(&work.values[*b]);
                    simd!({
                        for (out, (a, b)) in output.iter_mut().zip(inputs) {
                            *out = if step.relu { relu(a + b) } else { a + b };
                        }
                    });
                }
            }
            work.values[step.output] = whole;
        }
    }

    /// Brings running statistics up to date after a forward pass in training.
    pub(super) fn settle(&self, params: &mut [f32], work: &Workspace, until: Until) {
        for (step, memory) in self.steps(until).iter().zip(&work.memories) {
            if let Action::Layer { kernel, .. } = &step.action {
                kernel.settle(params, memory);
            }
        }
    }

    /// Finds the gradient by all parameters in `work.gradient`, from the gradient by the logits or the
    /// features, which lies in its slot. From the features, that of the head is not written.
    pub(super) fn backward(&self, params: &[f32], work: &mut Workspace, pass: Pass<'_>) {
        let Pass { batch, until, masks } = pass;
        let masks = masks.unwrap_or_default();
        for (index, step) in self.steps(until).iter().enumerate().rev() {
            if !self.slots[step.output].1 {
                continue;
            }
            let mut whole = std::mem::take(&mut work.gradients[step.output]);
            let output_gradient = &mut whole[..batch * self.slots[step.output].0];
            if step.relu {
                mask(output_gradient, &work.values[step.output]);
            }
            match &step.action {
                Action::Layer { kernel, input, add } => {
                    let (len, wanted) = self.slots[*input];
                    let input_gradient = &mut work.gradients[*input];
                    let pass = Backward {
                        params,
                        input: &work.values[*input][..batch * len],
                        batch,
                        output_gradient,
                        input_gradient: wanted.then(|| &mut input_gradient[..batch * len]),
                        add: *add,
                        masks,
                        gradient: &mut work.gradient,
                    };
                    kernel.backward(pass, &work.memories[index], &mut work.scratch);
                }
                Action::Sum { inputs, add } => {
                    for (input, add) in
                        inputs.iter().zip(add).filter(|(input, _)| self.slots[**input].1)
                    {
                        put(
                            &mut work.gradients[*input][..output_gradient.len()],
                            output_gradient,
                            *add,
                        );
                    }
                }
            }
            work.gradients[step.output] = whole;
            if until == Until::Logits && index + 1 == self.steps.len() {
                let own = std::mem::take(&mut work.by_features);
                let sums = work.gradients[self.features()].iter_mut();
                sums.zip(&own).for_each(|(sum, own)| *sum += own);
                work.by_features = own;
            }
        }
    }
}
