//! What an attacker has: a model, a gradient, and how many samples were behind it.

use super::Victim;
use crate::LearnError;
use crate::flat::Flat;
use burn::tensor::{Device, Tensor, TensorData};

/// A gradient that was overheard.
#[derive(Debug)]
pub struct Scene {
    victim: Victim,
    batch: usize,
    device: Device,
    params: Vec<Tensor<1>>,
    observed: Vec<Tensor<1>>,
    gradient: Flat,
}

/// What an attack found.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// `batch x pixels`.
    pub images: Vec<f32>,
    /// A label for each image.
    pub labels: Vec<usize>,
    /// The distance between the gradients at the end, as the attack measures it.
    pub loss: f64,
    /// How often the victim's gradient was computed.
    pub evaluations: usize,
}

/// The mean gradient that an update of plain gradient descent holds: `(start - end) / (rate * steps)`. After one
/// step on one batch it is the gradient itself.
///
/// # Panics
/// When the lengths differ.
pub fn gradient_of_update(start: &Flat, end: &Flat, rate: f32, steps: usize) -> Flat {
    let mut gradient = start.minus(end);
    gradient.scale(1.0 / (rate * steps.max(1) as f32));
    gradient
}

impl Scene {
    /// A scene on `device` (any; autodiff is added): the gradient of `batch` samples at `params`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the lengths do not fit the victim, or the batch is empty.
    pub fn new(
        victim: Victim,
        params: &Flat,
        gradient: Flat,
        batch: usize,
        device: &Device,
    ) -> Result<Self, LearnError> {
        let wanted = victim.params();
        if params.len() != wanted || gradient.len() != wanted || batch == 0 {
            return Err(LearnError::Invalid(format!(
                "an attack on a model of {wanted} parameters with {} parameters, a gradient of {} numbers and {batch} samples: lengths must agree, and there must be samples",
                params.len(),
                gradient.len()
            )));
        }
        let device = device.clone().inner();
        let params = cut(&victim, params, &device);
        let observed = cut(&victim, &gradient, &device);
        Ok(Self { victim, batch, device, params, observed, gradient })
    }

    /// The gradient of the victim on samples: what a client would send. `images` is `batch x pixels`.
    ///
    /// # Panics
    /// When images and labels do not agree in number, or a label is no class.
    pub fn gradient_on(
        victim: &Victim,
        params: &Flat,
        images: &[f32],
        labels: &[usize],
        device: &Device,
    ) -> Flat {
        let device = device.clone().inner();
        let params = cut(victim, params, &device);
        let images = matrix(images, labels.len(), victim.pixels(), &device);
        let targets = one_hot(labels, victim.classes(), &device);
        Flat::new(read(Tensor::cat(victim.gradient(&params, images, targets), 0)))
    }

    /// The model.
    pub fn victim(&self) -> &Victim {
        &self.victim
    }

    /// How many samples are looked for.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// What was overheard.
    pub fn gradient(&self) -> &Flat {
        &self.gradient
    }

    /// The tensors of what was overheard, as [`Victim::lens`] says.
    pub(super) fn observed(&self) -> &[Tensor<1>] {
        &self.observed
    }

    /// The gradient that samples would give, as a graph.
    pub(super) fn fake(&self, images: Tensor<2>, targets: Tensor<2>) -> Vec<Tensor<1>> {
        let params: Vec<_> = self.params.iter().map(|param| param.clone().autodiff()).collect();
        self.victim.gradient(&params, images, targets)
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// A matrix of numbers as a leaf of a new graph.
    pub(super) fn leaf(&self, values: &[f32], columns: usize) -> Tensor<2> {
        matrix(values, self.batch, columns, &self.device).autodiff().require_grad()
    }

    /// Labels as rows with a single 1, outside of any graph's leaves.
    pub(super) fn targets(&self, labels: &[usize]) -> Tensor<2> {
        one_hot(labels, self.victim.classes(), &self.device).autodiff()
    }
}

fn cut(victim: &Victim, flat: &Flat, device: &Device) -> Vec<Tensor<1>> {
    let mut start = 0;
    let piece = |len: usize| {
        start += len;
        flat.slice(start - len..start).tensor(device)
    };
    victim.lens().into_iter().map(piece).collect()
}

fn matrix(values: &[f32], rows: usize, columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [rows, columns]), device)
}

fn one_hot(labels: &[usize], classes: usize, device: &Device) -> Tensor<2> {
    let mut rows = vec![0.0; labels.len() * classes];
    labels.iter().enumerate().for_each(|(row, label)| rows[row * classes + label] = 1.0);
    matrix(&rows, labels.len(), classes, device)
}

/// The values of a tensor, row-major.
pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let len = tensor.shape().num_elements();
    Flat::from_tensor(tensor.reshape([len])).to_vec()
}

/// The value of a tensor of one element that belongs to a graph.
pub(super) fn value(tensor: &Tensor<1>) -> f64 {
    read(tensor.clone().inner()).first().map_or(f64::NAN, |value| f64::from(*value))
}
