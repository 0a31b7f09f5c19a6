//! Deep leakage from gradients: samples whose gradient is the observed one.
//!
//! Sources: Zhu, Liu, Han, "Deep Leakage from Gradients", NeurIPS 2019, algorithm 1; Zhao, Mopuri, Bilen, "iDLG", 2020,
//! which takes the label from [`by_signs`] instead of searching for it.

use super::distance::squared;
use super::scene::{read, value};
use super::{Lbfgs, Minimum, Reconstruction, Scene, by_signs};
use burn::tensor::activation;
use offbeat_kernel::Stream;
use rand_distr::{Distribution, StandardNormal};

/// Settings of [`dlg`] and [`idlg`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dlg {
    /// The search.
    pub search: Lbfgs,
}

/// DLG: looks for images and soft labels (the softmax of free numbers) together, from normal noise, by L-BFGS on the
/// sum of squared differences of the gradients. Results are not cut to `0..=1`.
pub fn dlg(scene: &Scene, settings: &Dlg, stream: &mut Stream) -> Reconstruction {
    let (pixels, classes) = (scene.victim().pixels(), scene.victim().classes());
    let split = scene.batch() * pixels;
    let start = normal(split + scene.batch() * classes, stream);
    let found = settings.search.minimise(start, |both| {
        let images = scene.leaf(&both[..split], pixels);
        let free = scene.leaf(&both[split..], classes);
        let targets = activation::softmax(free.clone(), 1);
        let loss = squared(&scene.fake(images.clone(), targets), scene.observed());
        let gradients = loss.backward();
        let mut slopes = images.grad(&gradients).map(read).unwrap_or_default();
        slopes.extend(free.grad(&gradients).map(read).unwrap_or_default());
        slopes.resize(both.len(), 0.0);
        (value(&loss), slopes)
    });
    let labels = found.place[split..].chunks_exact(classes).map(largest).collect();
    reconstruction(found, split, labels)
}

/// iDLG: the label of a single sample is inferred first, then the image is looked for alone. For more than one sample
/// the labels must be known: give them.
pub fn idlg(
    scene: &Scene,
    labels: Option<&[usize]>,
    settings: &Dlg,
    stream: &mut Stream,
) -> Reconstruction {
    let labels = known_or_inferred(scene, labels);
    let pixels = scene.victim().pixels();
    let split = scene.batch() * pixels;
    let found = settings.search.minimise(normal(split, stream), |images| {
        let images = scene.leaf(images, pixels);
        let loss = squared(&scene.fake(images.clone(), scene.targets(&labels)), scene.observed());
        let gradients = loss.backward();
        let mut slopes = images.grad(&gradients).map(read).unwrap_or_default();
        slopes.resize(split, 0.0);
        (value(&loss), slopes)
    });
    reconstruction(found, split, labels)
}

/// The labels given, or the inferred one for all samples.
pub(super) fn known_or_inferred(scene: &Scene, labels: Option<&[usize]>) -> Vec<usize> {
    match labels {
        Some(labels) if labels.len() == scene.batch() => labels.to_vec(),
        _ => vec![by_signs(scene); scene.batch()],
    }
}

pub(super) fn normal(count: usize, stream: &mut Stream) -> Vec<f32> {
    (0..count).map(|_| StandardNormal.sample(stream)).collect()
}

/// Place of the largest number, of equal ones the first.
pub(super) fn largest(row: &[f32]) -> usize {
    let better = |best: usize, place: usize| if row[place] > row[best] { place } else { best };
    (0..row.len()).fold(0, better)
}

fn reconstruction(found: Minimum, split: usize, labels: Vec<usize>) -> Reconstruction {
    let Minimum { mut place, value, evaluations } = found;
    place.truncate(split);
    Reconstruction { images: place, labels, loss: value, evaluations }
}
