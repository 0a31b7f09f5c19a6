//! Inverting gradients by their direction.
//!
//! Source: Geiping et al., "Inverting Gradients: How easy is it to break privacy in federated learning?", NeurIPS
//! 2020, equation 4.

use super::descent::Adam;
use super::distance::{absolute_variation, cosine};
use super::dlg::{known_or_inferred, normal};
use super::scene::{read, value};
use super::{Reconstruction, Scene};
use offbeat_kernel::Stream;

/// Settings of [`inverting_gradients`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inverting {
    /// Steps of Adam.
    pub steps: usize,
    /// Size of a step; a tenth of it after 3/8, 5/8 and 7/8 of the steps each.
    pub rate: f32,
    /// Weight of the total variation.
    pub variation: f32,
    /// Whether only the signs of the slopes count.
    pub signed: bool,
}

impl Default for Inverting {
    fn default() -> Self {
        Self { steps: 4800, rate: 0.1, variation: 0.1, signed: false }
    }
}

impl Inverting {
    /// Size of step number `step`.
    fn rate_at(&self, step: usize) -> f32 {
        let drops = [3, 5, 7].iter().filter(|part| 8 * step >= **part * self.steps).count();
        self.rate * 0.1f32.powi(drops as i32)
    }
}

/// Looks for images whose gradient points where the observed one does: `1 - cos + variation * TV`, by Adam from normal
/// noise, cut to `0..=1` after each step. Labels as for [`idlg`](super::idlg). The best images met are returned;
/// their loss is that of the last evaluation of them.
pub fn inverting_gradients(
    scene: &Scene,
    labels: Option<&[usize]>,
    settings: &Inverting,
    stream: &mut Stream,
) -> Reconstruction {
    let labels = known_or_inferred(scene, labels);
    let (pixels, shape) = (scene.victim().pixels(), scene.victim().input());
    let mut images = normal(scene.batch() * pixels, stream);
    let mut best = (f64::INFINITY, images.clone());
    let mut adam = Adam::default();
    for step in 0..settings.steps {
        let leaf = scene.leaf(&images, pixels);
        let distance = cosine(&scene.fake(leaf.clone(), scene.targets(&labels)), scene.observed());
        let loss = distance + absolute_variation(leaf.clone(), shape) * settings.variation;
        let now = value(&loss);
        if now < best.0 {
            best = (now, images.clone());
        }
        let gradients = loss.backward();
        let Some(mut slopes) = leaf.grad(&gradients).map(read) else { break };
        if settings.signed {
            slopes
                .iter_mut()
                .for_each(|slope| *slope = if *slope == 0.0 { 0.0 } else { slope.signum() });
        }
        if !slopes.iter().all(|slope| slope.is_finite()) {
            break;
        }
        adam.step(&mut images, &slopes, settings.rate_at(step));
        images.iter_mut().for_each(|pixel| *pixel = pixel.clamp(0.0, 1.0));
    }
    let (loss, images) = best;
    Reconstruction { images, labels, loss, evaluations: settings.steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_shrink_at_the_eighths() {
        let settings = Inverting { steps: 80, rate: 1.0, ..Inverting::default() };
        let rates = [0, 29, 30, 49, 50, 69, 70, 79].map(|step| settings.rate_at(step));
        for (rate, expected) in rates.iter().zip([1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3]) {
            assert!((rate / expected - 1.0).abs() < 1e-5);
        }
    }
}
