//! Learning without labels: a network sees an image with patches hidden and says what is there.
//!
//! Sources: He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022 (mean squared error on what is
//! hidden); Ma et al., "Disjoint Masking with Joint Distillation" (DMJD), 2023 (a smooth absolute error on what is
//! visible beside it). The network is any that gives as many outputs as an image has numbers; its last layer paints the
//! image, what is below it are the features that something else may use. [`trial`] says how good they are.

pub mod linear;
pub mod trial;

use crate::LearnError;
use crate::network::Shape;
use offbeat_kernel::Stream;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the smooth absolute error turns from a square into a line (DMJD).
pub(crate) const BEND: f32 = 2.0;

/// The objective: which patches are hidden, and what the answer costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Masked {
    /// Side of a patch in pixels; it divides the sides of the images.
    #[schemars(range(min = 1))]
    pub patch: usize,
    /// Share of the patches that is hidden, above 0 and below 1; at least one patch is hidden and one visible.
    pub share: f64,
    /// Weight of the error on what is visible.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub visible_weight: f32,
}

impl Default for Masked {
    fn default() -> Self {
        Self { patch: 2, share: 0.5, visible_weight: 0.0 }
    }
}

impl Masked {
    /// Channels, height and width of images that go into a network, if the settings fit them.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] for vectors, or naming the setting.
    pub fn image(&self, input: Shape) -> Result<[usize; 3], LearnError> {
        let Shape::Image(channels, height, width) = input else {
            return Err(LearnError::Invalid(
                "only pictures have patches to hide, and these data are vectors; use digits, mnist or fashion-mnist"
                    .into(),
            ));
        };
        let image = [channels, height, width];
        self.check(image).map(|()| image)
    }

    /// Whether the settings fit images `[channels, height, width]`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] naming the setting.
    pub fn check(&self, [_, height, width]: [usize; 3]) -> Result<(), LearnError> {
        let divides = |side: usize| self.patch > 0 && side.is_multiple_of(self.patch);
        let patches = || (height / self.patch) * (width / self.patch);
        if !(divides(height) && divides(width)) || patches() < 2 {
            return Err(LearnError::Invalid(format!(
                "patches of {0} x {0} in images of {height} x {width}; choose a side that divides both and leaves at least two patches",
                self.patch
            )));
        }
        if !(self.share > 0.0 && self.share < 1.0) {
            return Err(LearnError::Invalid(format!(
                "a share of {} of the patches cannot be hidden; choose one above 0 and below 1",
                self.share
            )));
        }
        if !(self.visible_weight >= 0.0 && self.visible_weight.is_finite()) {
            return Err(LearnError::Invalid(format!(
                "the error on visible patches cannot weigh {}; choose 0 or more",
                self.visible_weight
            )));
        }
        Ok(())
    }

    /// How many of `patches` are hidden.
    fn hidden(&self, patches: usize) -> usize {
        ((self.share * patches as f64).round() as usize).clamp(1, patches - 1)
    }

    /// For each of `batch` images which numbers are hidden, `batch x channels x height x width`: the same patches in
    /// all channels, drawn without replacement. The settings must fit ([`Masked::check`]).
    pub fn draw(
        &self,
        batch: usize,
        [channels, height, width]: [usize; 3],
        stream: &mut Stream,
        mask: &mut Vec<bool>,
    ) {
        let (plane, across) = (height * width, width / self.patch);
        let patches = height / self.patch * across;
        mask.clear();
        mask.resize(batch * channels * plane, false);
        for image in mask.chunks_exact_mut(channels * plane) {
            let mut wanted = self.hidden(patches);
            for place in 0..patches {
                // As many of the rest as are still wanted: every set of that size is as likely as any other.
                if stream.random_range(0..patches - place) >= wanted {
                    continue;
                }
                wanted -= 1;
                let corner = place / across * self.patch * width + place % across * self.patch;
                for row in (0..channels * self.patch)
                    .map(|row| row / self.patch * plane + row % self.patch * width + corner)
                {
                    image[row..row + self.patch].fill(true);
                }
            }
        }
    }

    /// Makes of images what the network sees: hidden numbers are 0.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn hide(images: &mut [f32], mask: &[bool]) {
        assert_eq!(images.len(), mask.len(), "a mask for each number");
        images.iter_mut().zip(mask).filter(|(_, hidden)| **hidden).for_each(|(x, _)| *x = 0.0);
    }

    /// How much the error of a hidden and of a visible number counts in the loss of an image.
    pub(crate) fn weights(&self, mask: &[bool]) -> [f32; 2] {
        let hidden = mask.iter().filter(|hidden| **hidden).count();
        let visible = (mask.len() - hidden).max(1);
        [1.0 / hidden.max(1) as f32, self.visible_weight / visible as f32]
    }

    /// The loss of an image's outputs: the mean of `d^2` over hidden numbers, plus `visible_weight` times the mean over
    /// visible ones of `d^2 / 4` below 2 and `|d| - 1` above, where `d` is output minus image. Its gradient by the outputs,
    /// times `share`, is written to `gradient`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn loss(
        &self,
        (outputs, images): (&[f32], &[f32]),
        mask: &[bool],
        share: f32,
        gradient: &mut [f32],
    ) -> f64 {
        assert_eq!((outputs.len(), images.len()), (mask.len(), mask.len()), "equal lengths");
        assert_eq!(gradient.len(), mask.len(), "equal lengths");
        let [per_hidden, per_visible] = self.weights(mask);
        let mut loss = 0.0;
        let pairs = outputs.iter().zip(images).zip(mask).zip(gradient);
        for (((output, image), hidden), gradient) in pairs {
            let off = output - image;
            let (weight, error, slope) = match (hidden, off.abs() < BEND) {
                (true, _) => (per_hidden, off * off, 2.0 * off),
                (false, true) => (per_visible, off * off / (2.0 * BEND), off / BEND),
                (false, false) => (per_visible, off.abs() - BEND / 2.0, off.signum()),
            };
            loss += f64::from(weight) * f64::from(error);
            *gradient = share * weight * slope;
        }
        loss
    }

    /// Appends the losses of a batch of `batch` images, and writes the gradient of their mean to `gradient`.
    pub(crate) fn losses(
        &self,
        (outputs, images): (&[f32], &[f32]),
        mask: &[bool],
        (batch, gradient, losses): (usize, &mut [f32], &mut Vec<f64>),
    ) {
        let len = outputs.len() / batch;
        let share = 1.0 / batch as f32;
        let rows = outputs.chunks_exact(len).zip(images.chunks_exact(len));
        let places = mask.chunks_exact(len).zip(gradient.chunks_exact_mut(len));
        losses.extend(
            rows.zip(places).map(|(pair, (mask, gradient))| self.loss(pair, mask, share, gradient)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;
    use offbeat_kernel::{Purpose, SeedTree};
    use proptest::prelude::*;

    fn stream(counter: u64) -> Stream {
        SeedTree::new(2).stream(Purpose::Training, 0, counter)
    }

    fn graded(masked: &Masked, outputs: &[f32], images: &[f32], mask: &[bool]) -> (f64, Vec<f32>) {
        let mut gradient = vec![0.0; mask.len()];
        (masked.loss((outputs, images), mask, 1.0, &mut gradient), gradient)
    }

    fn drawn(masked: &Masked, batch: usize, shape: [usize; 3], stream: &mut Stream) -> Vec<bool> {
        let mut mask = Vec::new();
        masked.draw(batch, shape, stream, &mut mask);
        mask
    }

    #[test]
    fn losses_by_hand() {
        let masked = Masked { visible_weight: 0.5, ..Masked::default() };
        let mask = [true, true, false, false];
        let (loss, gradient) = graded(&masked, &[1.0, 2.0, 1.0, 5.0], &[0.0, 5.0, 0.0, 1.0], &mask);
        // Hidden: (1 + 9) / 2. Visible: 0.5 * (1/4 + 3) / 2.
        assert!((loss - (5.0 + 0.8125)).abs() < 1e-6);
        assert_eq!(gradient, [1.0, -3.0, 0.125, 0.25]);
    }

    #[test]
    fn patches_are_hidden_as_a_whole_and_in_all_channels() {
        let masked = Masked { patch: 2, share: 0.3, visible_weight: 0.0 };
        let mask = drawn(&masked, 50, [2, 4, 6], &mut stream(0));
        let mut counts = [0; 6];
        for image in mask.chunks_exact(48) {
            assert_eq!(image[..24], image[24..]);
            let patch = |y: usize, x: usize| image[2 * y * 6 + 2 * x];
            let hidden = (0..6).filter(|p| patch(p / 3, p % 3));
            for at in hidden.clone() {
                counts[at] += 1;
                let corner = 2 * (at / 3) * 6 + 2 * (at % 3);
                assert!([0, 1, 6, 7].iter().all(|offset| image[corner + offset]));
            }
            assert_eq!((hidden.count(), image.iter().filter(|h| **h).count()), (2, 16));
        }
        assert!(counts.iter().all(|count| (6..=28).contains(count)), "{counts:?}");
        assert_eq!(mask, drawn(&masked, 50, [2, 4, 6], &mut stream(0)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |masked: Masked| masked.check([1, 8, 8]).map_err(|error| error.to_string());
        assert!(check(Masked { patch: 3, ..Masked::default() }).is_err());
        assert!(check(Masked { patch: 0, ..Masked::default() }).is_err());
        assert!(check(Masked { patch: 8, ..Masked::default() }).is_err());
        assert!(
            check(Masked { share: 1.0, ..Masked::default() }).expect_err("all").contains("below 1")
        );
        assert!(check(Masked { visible_weight: -1.0, ..Masked::default() }).is_err());
        assert_eq!(check(Masked::default()), Ok(()));
        assert!(Masked::default().image(Shape::Vector(64)).is_err());
    }

    /// A linear map from the visible to the whole image learns, without labels, what digits look like: on images it has
    /// not met its error on hidden pixels falls well below that of the mean image.
    #[test]
    fn hidden_pixels_are_learned_from_visible_ones() {
        let (split, masked, shape) =
            (digits(), Masked { share: 0.25, ..Masked::default() }, [1, 8, 8]);
        let mut stream = stream(1);
        let mut weights = vec![0.0f32; 64 * 65];
        let apply = |weights: &[f32], seen: &[f32]| -> Vec<f32> {
            let answer = |image: &[f32], row: &[f32]| {
                row[64] + image.iter().zip(row).map(|(x, w)| x * w).sum::<f32>()
            };
            let rows = |image| weights.chunks_exact(65).map(move |row| answer(image, row));
            seen.chunks_exact(64).flat_map(rows).collect()
        };
        let images = &split.train.features;
        let seen = |images: &[f32], mask: &[bool]| {
            let mut seen = images.to_vec();
            Masked::hide(&mut seen, mask);
            seen
        };
        for epoch in 0..12 {
            let rate = if epoch < 8 { 2.0 } else { 0.5 };
            for batch in images.chunks_exact(16 * 64) {
                let mask = drawn(&masked, 16, shape, &mut stream);
                let seen = seen(batch, &mask);
                let (_, gradient) = graded(&masked, &apply(&weights, &seen), batch, &mask);
                for (image, slopes) in seen.chunks_exact(64).zip(gradient.chunks_exact(64)) {
                    for (row, slope) in weights.chunks_exact_mut(65).zip(slopes) {
                        row[..64].iter_mut().zip(image).for_each(|(w, x)| *w -= rate * slope * x);
                        row[64] -= rate * slope;
                    }
                }
            }
        }
        let test = &split.test.features;
        let count = test.len() / 64;
        let mask = drawn(&masked, count, shape, &mut stream);
        let mean: Vec<f32> = (0..64)
            .map(|at| images.iter().skip(at).step_by(64).sum::<f32>() / (images.len() / 64) as f32)
            .collect();
        let learned = graded(&masked, &apply(&weights, &seen(test, &mask)), test, &mask).0;
        let flat = graded(&masked, &mean.repeat(count), test, &mask).0;
        assert!(learned < 0.7 * flat, "{learned} {flat}");
    }

    proptest! {
        #[test]
        fn the_gradient_is_that_of_finite_differences(
            pairs in proptest::collection::vec((-4.0f32..4.0, -1.0f32..1.0, any::<bool>()), 2..12),
            weight in 0.0f32..2.0,
        ) {
            let masked = Masked { visible_weight: weight, ..Masked::default() };
            let outputs: Vec<f32> = pairs.iter().map(|pair| pair.0).collect();
            let images: Vec<f32> = pairs.iter().map(|pair| pair.1).collect();
            let mask: Vec<bool> = pairs.iter().map(|pair| pair.2).collect();
            let (_, gradient) = graded(&masked, &outputs, &images, &mask);
            for place in 0..outputs.len() {
                let moved = |by: f32| {
                    let mut there = outputs.clone();
                    there[place] += by;
                    graded(&masked, &there, &images, &mask).0
                };
                let numeric = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                prop_assert!((numeric - f64::from(gradient[place])).abs() < 5e-3);
            }
        }
    }
}
