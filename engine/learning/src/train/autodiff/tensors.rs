//! Parameters as tensors, and their steps.

use crate::flat::Flat;
use crate::layout::{Layout, Part};
use crate::plan::{LocalPlan, Sgd};
use crate::train::rates::rates;
use burn::tensor::{Device, Gradients, Tensor};
use std::ops::Range;

/// The parameters of one training: one flat tensor for each entry of the layout, outside of any graph.
#[derive(Debug)]
pub(super) struct Parameters {
    values: Vec<Tensor<1>>,
    velocity: Vec<Option<Tensor<1>>>,
}

/// What does not change during one training.
#[derive(Debug)]
pub(super) struct Constants {
    sgd: Sgd,
    proximal: f32,
    entries: Vec<Constant>,
}

/// The constants of one entry of the layout.
#[derive(Debug)]
struct Constant {
    /// Learning rate; `None` for what is not trained.
    rate: Option<f32>,
    /// How many of its first elements the proximal term covers, and where they started.
    received: Option<Tensor<1>>,
    /// What is added to every gradient.
    correction: Option<Tensor<1>>,
}

impl Constants {
    /// Collects the constants of a training on `device`.
    pub(super) fn new(
        layout: &Layout,
        plan: &LocalPlan,
        start: &Flat,
        received: usize,
        correction: Option<&Flat>,
        device: &Device,
    ) -> Self {
        let rates = rates(layout, &plan.sgd, plan.objective.loss);
        let rate_at = |place: usize| rates.iter().find(|(range, _)| range.contains(&place));
        let entries = layout.entries().iter().map(|entry| {
            let (range, covered) = (entry.range(), entry.offset..entry.range().end.min(received));
            let proximal = plan.objective.proximal != 0.0 && !covered.is_empty();
            Constant {
                rate: rate_at(entry.offset)
                    .filter(|_| entry.part != Part::Buffer)
                    .map(|(_, rate)| *rate),
                received: proximal.then(|| start.slice(covered).tensor(device)),
                correction: correction.map(|correction| correction.slice(range).tensor(device)),
            }
        });
        Self {
            sgd: plan.sgd.clone(),
            proximal: plan.objective.proximal,
            entries: entries.collect(),
        }
    }
}

impl Parameters {
    /// Cuts a flat vector into tensors on `device`; it may lack the entries at the end.
    pub(super) fn new(layout: &Layout, start: &Flat, device: &Device) -> Self {
        let values: Vec<_> = layout
            .entries()
            .iter()
            .take_while(|entry| entry.range().end <= start.len())
            .map(|entry| start.slice(entry.range()).tensor(device))
            .collect();
        let velocity = vec![None; values.len()];
        Self { values, velocity }
    }

    /// The parameters as they are.
    pub(super) fn bare(&self) -> &[Tensor<1>] {
        &self.values
    }

    /// The parameters as leaves of a new graph.
    pub(super) fn tracked(&self) -> Vec<Tensor<1>> {
        self.values.iter().map(|value| value.clone().autodiff().require_grad()).collect()
    }

    /// One step of gradient descent, exactly as [`Sgd`] says.
    pub(super) fn step(
        &mut self,
        tracked: &[Tensor<1>],
        mut gradients: Gradients,
        constants: &Constants,
    ) {
        let places =
            self.values.iter_mut().zip(&mut self.velocity).zip(tracked).zip(&constants.entries);
        for (((value, velocity), tracked), constant) in places {
            let (Some(rate), Some(gradient)) = (constant.rate, tracked.grad_remove(&mut gradients))
            else {
                continue;
            };
            let gradient = constant.whole(gradient, value, constants);
            let direction = constants.sgd.direction(gradient, velocity);
            *value = value.clone() - direction * rate;
        }
    }

    /// Replaces what no gradient changes: running statistics, by their places in the layout.
    pub(super) fn settle(&mut self, statistics: Vec<(usize, Tensor<1>)>) {
        for (place, value) in statistics {
            self.values[place] = value;
        }
    }

    /// The parameters as one vector on their device.
    pub(super) fn into_flat(self) -> Flat {
        Flat::from_tensor(Tensor::cat(self.values, 0))
    }
}

impl Constant {
    /// The gradient with proximal term, correction and weight decay.
    fn whole(
        &self,
        mut gradient: Tensor<1>,
        value: &Tensor<1>,
        constants: &Constants,
    ) -> Tensor<1> {
        if let Some(start) = &self.received {
            let covered: [Range<usize>; 1] = std::array::from_fn(|_| 0..start.dims()[0]);
            let pull = (value.clone().slice(covered.clone()) - start.clone()) * constants.proximal;
            let part = gradient.clone().slice(covered.clone()) + pull;
            gradient = gradient.slice_assign(covered, part);
        }
        if let Some(correction) = &self.correction {
            gradient = gradient + correction.clone();
        }
        if constants.sgd.weight_decay != 0.0 {
            gradient = gradient + value.clone() * constants.sgd.weight_decay;
        }
        gradient
    }
}

impl Sgd {
    /// Brings the velocity up to date and gives the direction of the step.
    pub(super) fn direction<const D: usize>(
        &self,
        gradient: Tensor<D>,
        velocity: &mut Option<Tensor<D>>,
    ) -> Tensor<D> {
        if self.momentum == 0.0 {
            return gradient;
        }
        let gained = match velocity.take() {
            Some(old) => old * self.momentum + gradient.clone(),
            None => gradient.clone(),
        };
        *velocity = Some(gained.clone());
        if self.nesterov { gradient + gained * self.momentum } else { gained }
    }
}
