//! First-order optimizers of the attacks.

use burn::tensor::Tensor;

/// Adam on numbers in host memory (Kingma and Ba, 2015), with the usual constants.
#[derive(Debug, Default)]
pub(super) struct Adam {
    steps: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// One step of size `rate`.
    pub(super) fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f32) {
        const BETAS: (f32, f32) = (0.9, 0.999);
        self.first.resize(values.len(), 0.0);
        self.second.resize(values.len(), 0.0);
        self.steps += 1;
        let [one, two] = [BETAS.0, BETAS.1].map(|beta| 1.0 - beta.powi(self.steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, slope), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
            *first = BETAS.0 * *first + (1.0 - BETAS.0) * slope;
            *second = BETAS.1 * *second + (1.0 - BETAS.1) * slope * slope;
            *value -= rate * (*first / one) / ((*second / two).sqrt() + 1e-8);
        }
    }
}

/// RMSprop with momentum on tensors, in PyTorch's form: `v = 0.99 v + 0.01 g^2`, `b = momentum b + g / (sqrt v + 1e-8)`,
/// `x = x - rate b`.
#[derive(Debug)]
pub(super) struct RmsProp {
    rate: f32,
    momentum: f32,
    state: Vec<Option<(Tensor<1>, Tensor<1>)>>,
}

impl RmsProp {
    pub(super) fn new(rate: f32, momentum: f32, tensors: usize) -> Self {
        Self { rate, momentum, state: vec![None; tensors] }
    }

    /// One step. `gradients` holds one for each tensor, outside of any graph.
    pub(super) fn step(&mut self, values: &mut [Tensor<1>], gradients: Vec<Tensor<1>>) {
        for ((value, gradient), state) in values.iter_mut().zip(gradients).zip(&mut self.state) {
            let fresh = gradient.clone().square() * 0.01;
            let (mean, buffer) = match state.take() {
                Some((mean, buffer)) => (mean * 0.99 + fresh, Some(buffer)),
                None => (fresh, None),
            };
            let scaled = gradient / (mean.clone().sqrt() + 1e-8);
            let buffer = match buffer {
                Some(buffer) => buffer * self.momentum + scaled,
                None => scaled,
            };
            *value = value.clone() - buffer.clone() * self.rate;
            *state = Some((mean, buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn two_steps_of_adam_by_hand() {
        let (mut adam, mut x) = (Adam::default(), [1.0f32]);
        adam.step(&mut x, &[4.0], 0.1);
        assert!((x[0] - 0.9).abs() < 1e-6);
        // First moment 0.9 * 0.4 - 0.1 * 2 = 0.16 over 0.19; second 0.999 * 0.016 + 0.004 over 0.001999.
        adam.step(&mut x, &[-2.0], 0.1);
        let expected = 0.9 - 0.1 * (0.16 / 0.19) / (0.019_984f32 / 0.001_999).sqrt();
        assert!((x[0] - expected).abs() < 1e-5, "{} {expected}", x[0]);
    }

    #[test]
    fn two_steps_of_rmsprop_by_hand() {
        let tensor = |x: f32| Tensor::<1>::from_data([x], &Device::flex());
        let (mut rms, mut x) = (RmsProp::new(0.01, 0.5, 1), [tensor(1.0)]);
        rms.step(&mut x, vec![tensor(3.0)]);
        rms.step(&mut x, vec![tensor(3.0)]);
        // Means 0.09 and 0.1791; buffers 10 and 5 + 3 / 0.42320.
        let expected = 1.0 - 0.01 * 10.0 - 0.01 * (5.0 + 3.0 / 0.1791f32.sqrt());
        let got: f32 = x[0].clone().into_scalar();
        assert!((got - expected).abs() < 1e-5, "{got} {expected}");
    }
}
