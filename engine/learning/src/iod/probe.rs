//! Forward and backward pass of a network for losses that somebody else computes from its logits.

use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::Network;
use crate::train::autodiff::network::{features, head};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;

use super::layers::read;

/// A network whose answers are pulled back to its inputs or parameters.
#[derive(Clone, Debug)]
pub struct Probe {
    network: Arc<Network>,
    device: Device,
}

/// What a backward pass gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// The network's answers `[batch, classes]`, row-major.
    pub logits: Vec<f32>,
    /// The gradient by the inputs `[batch, inputs]`.
    pub inputs: Vec<f32>,
    /// The gradient by the parameters.
    pub params: Flat,
}

impl Probe {
    /// A probe of `network`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the network has batch normalisation or dropout: its answers would not be a function
    /// of each picture alone.
    pub fn new(network: Arc<Network>, device: &Device) -> Result<Self, LearnError> {
        let layout = network.layout();
        if layout.trained() < layout.len() || !network.dropouts().is_empty() {
            return Err(LearnError::Invalid(
                "distillation without data takes networks without batch normalisation and dropout; use mlp, cnn or \
                 resnet"
                    .into(),
            ));
        }
        Ok(Self { network, device: device.clone().inner() })
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The answers `[batch, classes]` to inputs `[batch, inputs]`, row-major.
    pub fn logits(&self, params: &Flat, inputs: &[f32]) -> Vec<f32> {
        let params = self.tensors(params);
        read(head(
            &self.network,
            &params,
            features(&self.network, &params, self.matrix(inputs), None).values,
        ))
    }

    /// The answers, and the gradients of `sum(slope * logits)`; `slope` is asked for the derivative by the answers
    /// once they are known.
    pub fn pull_back(
        &self,
        params: &Flat,
        inputs: &[f32],
        slope: impl FnOnce(&[f32]) -> Vec<f64>,
    ) -> Pulled {
        let leaves: Vec<Tensor<1>> =
            self.tensors(params).into_iter().map(|t| t.autodiff().require_grad()).collect();
        let pictures = self.matrix(inputs).autodiff().require_grad();
        let seen = features(&self.network, &leaves, pictures.clone(), None).values;
        let answers = head(&self.network, &leaves, seen);
        let logits = read(answers.clone().inner());
        let slope: Vec<f32> = slope(&logits).into_iter().map(|s| s as f32).collect();
        let slope = Tensor::<2>::from_data(TensorData::new(slope, answers.dims()), &self.device);
        let mut gradients = (answers * slope.autodiff()).sum().backward();
        let by_inputs = pictures.grad_remove(&mut gradients).map(read);
        Pulled {
            logits,
            inputs: by_inputs.unwrap_or_else(|| vec![0.0; inputs.len()]),
            params: super::layers::gather(&leaves, &mut gradients),
        }
    }

    fn tensors(&self, params: &Flat) -> Vec<Tensor<1>> {
        let entries = self.network.layout().entries().iter();
        entries.map(|entry| params.slice(entry.range()).tensor(&self.device)).collect()
    }

    fn matrix(&self, inputs: &[f32]) -> Tensor<2> {
        let width = self.network.input().len();
        let shape = [inputs.len() / width, width];
        Tensor::from_data(TensorData::new(inputs.to_vec(), shape), &self.device)
    }
}
