//! How far two gradients are apart, and how rough an image is. All are graphs of tensor operations.

use burn::tensor::Tensor;

/// Sum of squared differences over all tensors.
pub(super) fn squared(fake: &[Tensor<1>], observed: &[Tensor<1>]) -> Tensor<1> {
    total(fake, observed, |fake, observed| (fake - observed).square().sum())
}

/// `1 - cos` of the angle between the two gradients as wholes.
pub(super) fn cosine(fake: &[Tensor<1>], observed: &[Tensor<1>]) -> Tensor<1> {
    let product = total(fake, observed, |fake, observed| (fake * observed).sum());
    let own = total(fake, observed, |fake, _| fake.square().sum());
    let other = total(fake, observed, |_, observed| observed.square().sum());
    (product / (own * other + 1e-30).sqrt()).neg() + 1.0
}

fn total(
    fake: &[Tensor<1>],
    observed: &[Tensor<1>],
    term: impl Fn(Tensor<1>, Tensor<1>) -> Tensor<1>,
) -> Tensor<1> {
    let terms = fake.iter().zip(observed).map(|(f, o)| term(f.clone(), o.clone().autodiff()));
    Tensor::cat(terms.collect(), 0).sum()
}

/// Differences of neighbours down and to the right, of images `[batch, pixels]`.
fn slopes(images: Tensor<2>, [channels, height, width]: [usize; 3]) -> [Tensor<3>; 2] {
    let planes = images.dims()[0] * channels;
    let images = images.reshape([planes, height, width]);
    let down = images.clone().slice([0..planes, 1..height, 0..width])
        - images.clone().slice([0..planes, 0..height - 1, 0..width]);
    let right = images.clone().slice([0..planes, 0..height, 1..width])
        - images.slice([0..planes, 0..height, 0..width - 1]);
    [down, right]
}

/// Total variation of Geiping et al.: mean absolute slope down plus mean absolute slope to the right.
pub(super) fn absolute_variation(images: Tensor<2>, shape: [usize; 3]) -> Tensor<1> {
    let [down, right] = slopes(images, shape);
    down.abs().mean() + right.abs().mean()
}

/// Total variation of GRNN: `2 (sum down^2 / n_down + sum right^2 / n_right) / batch`, with the counts of one image.
pub(super) fn squared_variation(images: Tensor<2>, shape: [usize; 3]) -> Tensor<1> {
    // Dividing by the counts of the whole batch is dividing by those of one image and by the batch.
    let [down, right] = slopes(images, shape);
    (down.square().mean() + right.square().mean()) * 2.0
}
