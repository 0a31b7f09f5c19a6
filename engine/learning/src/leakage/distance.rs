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

/// What GRNN minimises of two gradients at the Euclidean distance `r`: `r^2 + r`. The slope of a root at 0 is infinite,
/// so that it stops a little above.
pub(super) fn squared_and_straight(fake: &[Tensor<1>], observed: &[Tensor<1>]) -> Tensor<1> {
    let square = squared(fake, observed);
    square.clone() + (square + 1e-20).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    type Variation = fn(Tensor<2>, [usize; 3]) -> Tensor<1>;

    /// Two images of 2 x 2 x 3 with no two neighbours alike.
    const PIXELS: [f32; 24] = [
        0.1, 0.9, 0.4, 0.7, 0.2, 0.6, 0.3, 0.8, 0.05, 0.95, 0.15, 0.5, //
        0.6, 0.1, 0.8, 0.3, 0.7, 0.2, 0.9, 0.4, 0.55, 0.25, 0.75, 0.05,
    ];
    const SHAPE: [usize; 3] = [2, 2, 3];

    fn graded(of: Variation, pixels: &[f32], shape: [usize; 3]) -> (f64, Vec<f32>) {
        let len: usize = shape.iter().product();
        let data = TensorData::new(pixels.to_vec(), [pixels.len() / len, len]);
        let leaf = Tensor::<2>::from_data(data, &Device::flex()).autodiff().require_grad();
        let found = of(leaf.clone(), shape);
        let slopes = leaf.grad(&found.backward()).expect("used");
        (super::super::scene::value(&found), super::super::scene::read(slopes))
    }

    #[test]
    fn variations_by_hand() {
        // Down 3 and -1, to the right 2 and -2.
        let pixels = [0.0, 2.0, 3.0, 1.0];
        assert_eq!(graded(absolute_variation, &pixels, [1, 2, 2]).0, 2.0 + 2.0);
        // 2 ((9 + 1) / 2 + (4 + 4) / 2).
        assert_eq!(graded(squared_variation, &pixels, [1, 2, 2]).0, 18.0);
        // Two images of which one is flat: half of it.
        let two = [&pixels[..], &[0.5; 4]].concat();
        assert_eq!(graded(squared_variation, &two, [1, 2, 2]).0, 9.0);
    }

    #[test]
    fn slopes_of_variations_are_those_of_finite_differences() {
        for of in [absolute_variation as Variation, squared_variation] {
            let (_, slopes) = graded(of, &PIXELS, SHAPE);
            for (place, slope) in slopes.into_iter().enumerate() {
                let moved = |by: f32| {
                    let mut pixels = PIXELS;
                    pixels[place] += by;
                    graded(of, &pixels, SHAPE).0
                };
                let numeric = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((numeric - f64::from(slope)).abs() < 1e-4, "{place}: {numeric} {slope}");
            }
        }
    }
}
