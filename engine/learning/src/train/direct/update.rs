//! One step of stochastic gradient descent on flat slices.

use super::kernel::{grown, simd};
use crate::plan::LocalPlan;
use std::ops::Range;

/// What the steps of one training have in common.
#[derive(Debug)]
pub(in crate::train) struct Update<'a> {
    /// The plan.
    pub(in crate::train) plan: &'a LocalPlan,
    /// Stretches of the parameters and their learning rates.
    pub(in crate::train) rates: &'a [(Range<usize>, f32)],
    /// The prefix of the start that came from the server, for the proximal term.
    pub(in crate::train) received: &'a [f32],
    /// What is added to every gradient.
    pub(in crate::train) correction: Option<&'a [f32]>,
}

impl Update<'_> {
    /// Whether a step depends on nothing but the parameters, their gradient and their velocity.
    #[cfg(feature = "tch")]
    pub(in crate::train) fn is_local(&self) -> bool {
        self.plan.objective.proximal == 0.0 && self.correction.is_none()
    }

    /// Changes `params` by one step along `gradient`, which is used up. `velocity` is needed only with
    /// momentum; whatever it held before the first step is overwritten.
    pub(in crate::train) fn step(
        &self,
        params: &mut [f32],
        gradient: &mut [f32],
        velocity: &mut Vec<f32>,
        first: bool,
    ) {
        let (sgd, proximal) = (&self.plan.sgd, self.plan.objective.proximal);
        simd!({
            if proximal != 0.0 {
                let terms = params.iter().zip(self.received);
                gradient
                    .iter_mut()
                    .zip(terms)
                    .for_each(|(g, (w, start))| *g += proximal * (w - start));
            }
            if let Some(correction) = self.correction {
                gradient.iter_mut().zip(correction).for_each(|(g, c)| *g += c);
            }
            if sgd.weight_decay != 0.0 {
                gradient
                    .iter_mut()
                    .zip(params.iter())
                    .for_each(|(g, w)| *g += sgd.weight_decay * w);
            }
        });
        if sgd.momentum != 0.0 {
            let velocity = grown(velocity, gradient.len());
            simd!(self.gain(gradient, velocity, first));
        }
        simd!({
            for (range, rate) in self.rates {
                let gradient = &gradient[range.clone()];
                params[range.clone()].iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * g);
            }
        });
    }

    /// Brings the velocity up to date and turns the gradient into the direction of the step.
    #[inline(always)]
    fn gain(&self, gradient: &mut [f32], velocity: &mut [f32], first: bool) {
        let (momentum, nesterov) = (self.plan.sgd.momentum, self.plan.sgd.nesterov);
        for (g, v) in gradient.iter_mut().zip(velocity) {
            *v = if first { *g } else { momentum * *v + *g };
            *g = if nesterov { *g + momentum * *v } else { *v };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Objective;
    use crate::plan::{LastBatch, Sgd, Work};

    /// Two steps on two parameters with gradients (1, 1) and (2, 2), computed by hand.
    fn two_steps(sgd: Sgd, proximal: f32, correction: Option<&[f32]>) -> [f32; 2] {
        let objective = Objective { proximal, ..Objective::default() };
        let plan = LocalPlan {
            work: Work::Steps(2),
            batch: 1,
            last_batch: LastBatch::Keep,
            sgd,
            objective,
            ..LocalPlan::default()
        };
        let rates = [(0..1, 0.5), (1..2, 0.25)];
        let received = [1.0];
        let update = Update { plan: &plan, rates: &rates, received: &received, correction };
        let (mut params, mut velocity) = ([1.0, 1.0], vec![99.0; 2]);
        update.step(&mut params, &mut [1.0, 1.0], &mut velocity, true);
        update.step(&mut params, &mut [2.0, 2.0], &mut velocity, false);
        params
    }

    #[test]
    fn steps_by_hand() {
        let plain = Sgd::default;
        assert_eq!(two_steps(plain(), 0.0, None), [-0.5, 0.25]);
        // v = 1, then 0.5 + 2 = 2.5.
        let momentum = Sgd { momentum: 0.5, ..plain() };
        assert_eq!(two_steps(momentum.clone(), 0.0, None), [1.0 - 0.5 * 3.5, 1.0 - 0.25 * 3.5]);
        // 1 + 0.5 = 1.5, then 2 + 1.25 = 3.25.
        let nesterov = Sgd { nesterov: true, ..momentum };
        assert_eq!(two_steps(nesterov, 0.0, None), [1.0 - 0.5 * 4.75, 1.0 - 0.25 * 4.75]);
        // Decay 1: g = 2, w = 0, g = 2, w = -1; and g = 2, w = 0.5, g = 2.5, w = -0.125.
        assert_eq!(two_steps(Sgd { weight_decay: 1.0, ..plain() }, 0.0, None), [-1.0, -0.125]);
        // Proximal 1 on the first alone: w = 0.5, g = 2 - 0.5, w = -0.25.
        assert_eq!(two_steps(plain(), 1.0, None), [-0.25, 0.25]);
        assert_eq!(two_steps(plain(), 0.0, Some(&[1.0, -1.0])), [-1.5, 0.75]);
    }
}
