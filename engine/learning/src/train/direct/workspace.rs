//! The buffers of one running training, used again by the next one.

use super::kernel::{Memory, Scratch, grown};
use super::program::Program;
use crate::train::gather::Buffers;
use std::sync::{Mutex, PoisonError};

/// All memory that training needs beside the parameters. Nothing in it carries over from one use to the
/// next but its size.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// What each slot holds.
    pub(super) values: Vec<Vec<f32>>,
    /// Gradient of the loss by each slot.
    pub(super) gradients: Vec<Vec<f32>>,
    /// What each step remembers.
    pub(super) memories: Vec<Memory>,
    /// Shared by all steps.
    pub(super) scratch: Scratch,
    /// Gradient of the loss by all parameters.
    pub(super) gradient: Vec<f32>,
    /// Velocity of all parameters.
    pub(super) velocity: Vec<f32>,
    /// Loss of each sample of the batch.
    pub(super) losses: Vec<f64>,
    /// Gradient of the loss by the features that does not come through the head; empty for none.
    pub(super) by_features: Vec<f32>,
    /// What the batches are made in.
    pub(super) gather: Buffers,
}

impl Workspace {
    /// Makes room for a forward pass of `batch` samples.
    pub(super) fn fit(&mut self, program: &Program, batch: usize) {
        self.values.resize_with(program.slots().len(), Vec::new);
        self.memories.resize_with(program.len(), Memory::default);
        for (values, (len, _)) in self.values.iter_mut().zip(program.slots()) {
            grown(values, batch * len);
        }
    }

    /// Makes room for a backward pass of `batch` samples as well, with `params` parameters.
    pub(super) fn fit_backward(&mut self, program: &Program, batch: usize, params: usize) {
        self.fit(program, batch);
        self.gradients.resize_with(program.slots().len(), Vec::new);
        for (values, (len, learned)) in self.gradients.iter_mut().zip(program.slots()) {
            if *learned {
                grown(values, batch * len);
            }
        }
        grown(&mut self.gradient, params);
    }
}

/// Workspaces that no one uses at the moment: at most as many as trainings have run at the same time.
#[derive(Debug, Default)]
pub(super) struct Workspaces(Mutex<Vec<Workspace>>);

impl Workspaces {
    /// Runs `f` with a workspace of its own.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Workspace) -> R) -> R {
        // A panic elsewhere leaves the list whole, so a poisoned lock is as good as any.
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = taken.unwrap_or_default();
        let result = f(&mut workspace);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        result
    }
}
