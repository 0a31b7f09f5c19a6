//! Learning without labels: a network sees an image with patches hidden and says what is there.
//!
//! Sources: He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022 (mean squared error on what is
//! hidden); Ma et al., "Disjoint Masking with Joint Distillation" (DMJD), 2023 (a smooth absolute error on what is
//! visible beside it). The network is any that gives as many outputs as an image has numbers.

use crate::LearnError;
use offbeat_kernel::Stream;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the smooth absolute error turns from a square into a line (DMJD).
const BEND: f32 = 2.0;

/// The objective: which patches are hidden, and what the answer costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Masked {
    /// Side of a patch in pixels; it divides the sides of the images.
    pub patch: usize,
    /// Share of the patches that is hidden, above 0 and below 1; at least one patch is hidden and one visible.
    pub share: f64,
    /// Weight of the error on what is visible.
    pub visible_weight: f32,
}

impl Default for Masked {
    fn default() -> Self {
        Self { patch: 2, share: 0.5, visible_weight: 0.0 }
    }
}

impl Masked {
    /// Whether the settings fit images `[channels, height, width]`.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] naming the setting.
    pub fn check(&self, [_, height, width]: [usize; 3]) -> Result<(), LearnError> {
        let divides = |side: usize| self.patch > 0 && side.is_multiple_of(self.patch);
        let patches = || (height / self.patch) * (width / self.patch);
        if !(divides(height) && divides(width)) || patches() < 2 {
            return Err(LearnError::Invalid(format!(
                "patches of {0} x {0} in images of {height} x {width}: choose a side that divides both and leaves at least two patches",
                self.patch
            )));
        }
        if !(self.share > 0.0 && self.share < 1.0) {
            return Err(LearnError::Invalid(format!(
                "a share of {} of the patches cannot be hidden: choose one above 0 and below 1",
                self.share
            )));
        }
        if !(self.visible_weight >= 0.0 && self.visible_weight.is_finite()) {
            return Err(LearnError::Invalid(format!(
                "the error on visible patches cannot weigh {}: choose 0 or more",
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
    /// all channels, drawn without replacement.
    ///
    /// # Errors
    /// As [`Masked::check`].
    pub fn draw(
        &self,
        batch: usize,
        shape: [usize; 3],
        stream: &mut Stream,
    ) -> Result<Vec<bool>, LearnError> {
        self.check(shape)?;
        let [channels, height, width] = shape;
        let across = width / self.patch;
        let patches = height / self.patch * across;
        let mut mask = Vec::with_capacity(batch * channels * height * width);
        for _ in 0..batch {
            let mut order: Vec<usize> = (0..patches).collect();
            let mut hidden = vec![false; patches];
            for place in 0..self.hidden(patches) {
                let chosen = stream.random_range(place..patches);
                order.swap(place, chosen);
                hidden[order[place]] = true;
            }
            for row in (0..channels).flat_map(|_| 0..height) {
                mask.extend((0..width).map(|x| hidden[row / self.patch * across + x / self.patch]));
            }
        }
        Ok(mask)
    }

    /// What the network sees: hidden numbers are 0.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn seen(images: &[f32], mask: &[bool]) -> Vec<f32> {
        assert_eq!(images.len(), mask.len(), "a mask for each number");
        images.iter().zip(mask).map(|(value, hidden)| if *hidden { 0.0 } else { *value }).collect()
    }

    /// The loss of a batch's outputs and its gradient by them: the mean of `d^2` over hidden numbers, plus
    /// `visible_weight` times the mean over visible ones of `d^2 / 4` below 2 and `|d| - 1` above, where `d` is output
    /// minus image.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn loss(&self, outputs: &[f32], images: &[f32], mask: &[bool]) -> (f64, Vec<f32>) {
        assert_eq!((outputs.len(), images.len()), (mask.len(), mask.len()), "equal lengths");
        let hidden = mask.iter().filter(|hidden| **hidden).count();
        let per_hidden = 1.0 / hidden.max(1) as f32;
        let per_visible = self.visible_weight / (mask.len() - hidden).max(1) as f32;
        let (mut loss, mut gradient) = (0.0, Vec::with_capacity(mask.len()));
        for ((output, image), hidden) in outputs.iter().zip(images).zip(mask) {
            let off = output - image;
            let (weight, error, slope) = match (hidden, off.abs() < BEND) {
                (true, _) => (per_hidden, off * off, 2.0 * off),
                (false, true) => (per_visible, off * off / (2.0 * BEND), off / BEND),
                (false, false) => (per_visible, off.abs() - BEND / 2.0, off.signum()),
            };
            loss += f64::from(weight) * f64::from(error);
            gradient.push(weight * slope);
        }
        (loss, gradient)
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

    #[test]
    fn losses_by_hand() {
        let masked = Masked { visible_weight: 0.5, ..Masked::default() };
        let mask = [true, true, false, false];
        let (loss, gradient) = masked.loss(&[1.0, 2.0, 1.0, 5.0], &[0.0, 5.0, 0.0, 1.0], &mask);
        // Hidden: (1 + 9) / 2. Visible: 0.5 * (1/4 + 3) / 2.
        assert!((loss - (5.0 + 0.8125)).abs() < 1e-6);
        assert_eq!(gradient, [1.0, -3.0, 0.125, 0.25]);
    }

    #[test]
    fn patches_are_hidden_as_a_whole_and_in_all_channels() {
        let masked = Masked { patch: 2, share: 0.3, visible_weight: 0.0 };
        let mask = masked.draw(50, [2, 4, 6], &mut stream(0)).expect("fits");
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
        assert_eq!(mask, masked.draw(50, [2, 4, 6], &mut stream(0)).expect("fits"));
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
        for epoch in 0..12 {
            let rate = if epoch < 8 { 2.0 } else { 0.5 };
            for batch in images.chunks_exact(16 * 64) {
                let mask = masked.draw(16, shape, &mut stream).expect("fits");
                let seen = Masked::seen(batch, &mask);
                let (_, gradient) = masked.loss(&apply(&weights, &seen), batch, &mask);
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
        let mask = masked.draw(count, shape, &mut stream).expect("fits");
        let mean: Vec<f32> = (0..64)
            .map(|at| images.iter().skip(at).step_by(64).sum::<f32>() / (images.len() / 64) as f32)
            .collect();
        let learned = masked.loss(&apply(&weights, &Masked::seen(test, &mask)), test, &mask).0;
        let flat = masked.loss(&mean.repeat(count), test, &mask).0;
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
            let (_, gradient) = masked.loss(&outputs, &images, &mask);
            for place in 0..outputs.len() {
                let moved = |by: f32| {
                    let mut there = outputs.clone();
                    there[place] += by;
                    masked.loss(&there, &images, &mask).0
                };
                let numeric = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                prop_assert!((numeric - f64::from(gradient[place])).abs() < 5e-3);
            }
        }
    }
}
