//! What a linear layer's gradient says outright.
//!
//! Source: Phong et al., "Privacy-Preserving Deep Learning via Additively Homomorphic Encryption", 2018, section 3: for
//! one sample `dL/dW_i = dL/db_i * x`, so that the quotient is the input, whatever follows the layer.

use super::{Scene, Victim};

/// The input of a linear layer with a bias from its gradients (`weight` is `[outputs, inputs]`): over all outputs the
/// least-squares quotient `sum_i db_i dW_i / sum_i db_i^2`. Exact for one sample, a mixture for several, `None` where
/// no bias has a gradient.
///
/// # Panics
/// When `weight` does not hold a row for each bias.
pub fn linear_input(weight: &[f32], bias: &[f32]) -> Option<Vec<f32>> {
    assert!(!bias.is_empty() && weight.len().is_multiple_of(bias.len()), "a row for each bias");
    let inputs = weight.len() / bias.len();
    let squares: f64 = bias.iter().map(|b| f64::from(*b).powi(2)).sum();
    if squares == 0.0 || !squares.is_finite() {
        return None;
    }
    let mut sums = vec![0.0f64; inputs];
    for (row, bias) in weight.chunks_exact(inputs).zip(bias) {
        sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += f64::from(*bias) * f64::from(*w));
    }
    Some(sums.into_iter().map(|sum| (sum / squares) as f32).collect())
}

/// The image that [`linear_input`] finds at the first layer of a victim; `None` when that is a convolution.
pub fn first_layer(scene: &Scene) -> Option<Vec<f32>> {
    let (weight, bias) = first(scene.victim())?;
    let gradient = scene.gradient().host();
    linear_input(&gradient[..weight], &gradient[weight..weight + bias])
}

/// Lengths of the first layer's weight and bias, when it takes whole images.
fn first(victim: &Victim) -> Option<(usize, usize)> {
    let lens = victim.lens();
    (lens[0] == lens[1] * victim.pixels()).then_some((lens[0], lens[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_by_hand() {
        // x = (2, -1, 0.5), biases' gradients 0.3 and -0.7.
        let weight = [0.6, -0.3, 0.15, -1.4, 0.7, -0.35];
        let found = linear_input(&weight, &[0.3, -0.7]).expect("a gradient");
        for (found, x) in found.iter().zip([2.0, -1.0, 0.5]) {
            assert!((found - x).abs() < 1e-6);
        }
        assert_eq!(linear_input(&weight, &[0.0, 0.0]), None);
    }
}
