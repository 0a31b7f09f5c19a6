//! Random changes of images: mirrored, cut out of a padded frame, with a rectangle erased.

use crate::plan::Augment;
use offbeat_kernel::Stream;
use rand::RngExt;

/// Rectangles that are tried before an image stays whole.
const TRIES: usize = 100;

/// The dimensions of each channel of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Frame {
    /// Writes `image` to `out` with random changes. What is off draws nothing.
    pub(super) fn augment(
        &self,
        settings: &Augment,
        stream: &mut Stream,
        image: &[f32],
        out: &mut [f32],
    ) {
        let mirrored = settings.mirror > 0.0 && stream.random::<f32>() < settings.mirror;
        let pad = settings.pad_crop;
        let (top, left) = match pad {
            0 => (0, 0),
            pad => (stream.random_range(0..=2 * pad), stream.random_range(0..=2 * pad)),
        };
        self.cut(image, out, (top, left), pad, mirrored);
        if settings.erase > 0.0 && stream.random::<f32>() < settings.erase {
            self.erase(stream, out);
        }
    }

    /// Writes `image` to `out`, left and right exchanged.
    pub(super) fn mirror(&self, image: &[f32], out: &mut [f32]) {
        self.cut(image, out, (0, 0), 0, true);
    }

    /// The window of the image's size at `(top, left)` of the image with `pad` zeros around it.
    fn cut(
        &self,
        image: &[f32],
        out: &mut [f32],
        (top, left): (usize, usize),
        pad: usize,
        mirrored: bool,
    ) {
        let planes = image.chunks_exact(self.height * self.width);
        for (plane, out) in planes.zip(out.chunks_exact_mut(self.height * self.width)) {
            for (y, row) in out.chunks_exact_mut(self.width).enumerate() {
                let source = (y + top).checked_sub(pad).filter(|y| *y < self.height);
                let Some(source) = source.map(|y| &plane[y * self.width..][..self.width]) else {
                    row.fill(0.0);
                    continue;
                };
                for (x, value) in row.iter_mut().enumerate() {
                    let at = (x + left).checked_sub(pad).filter(|x| *x < self.width);
                    let place = at.map(|x| if mirrored { self.width - 1 - x } else { x });
                    *value = place.map_or(0.0, |x| source[x]);
                }
            }
        }
    }

    /// Fills a random rectangle (Zhong et al. 2020, algorithm 1): area and aspect uniform.
    fn erase(&self, stream: &mut Stream, image: &mut [f32]) {
        let (height, width) = (self.height as f32, self.width as f32);
        for _ in 0..TRIES {
            let area = stream.random_range(0.02..=0.4f32) * height * width;
            let aspect = stream.random_range(0.3..=1.0 / 0.3f32);
            let rows = (area * aspect).sqrt().round() as usize;
            let columns = (area / aspect).sqrt().round() as usize;
            let (y, x) = (stream.random_range(0..self.height), stream.random_range(0..self.width));
            if rows * columns > 0 && y + rows <= self.height && x + columns <= self.width {
                return self.fill(stream, image, (y, x), (rows, columns));
            }
        }
    }

    fn fill(
        &self,
        stream: &mut Stream,
        image: &mut [f32],
        (y, x): (usize, usize),
        (rows, columns): (usize, usize),
    ) {
        for plane in image.chunks_exact_mut(self.height * self.width) {
            let low = plane.iter().copied().fold(f32::INFINITY, f32::min);
            let high = plane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for row in plane.chunks_exact_mut(self.width).skip(y).take(rows) {
                for value in &mut row[x..x + columns] {
                    *value = low + (high - low) * stream.random::<f32>();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    const FRAME: Frame = Frame { height: 3, width: 2 };

    fn stream() -> Stream {
        SeedTree::new(8).stream(Purpose::Training, 0, 0)
    }

    #[test]
    fn windows_by_hand() {
        let image: Vec<f32> = (1..=12).map(|i| i as f32).collect();
        let mut out = vec![f32::NAN; image.len()];
        FRAME.mirror(&image, &mut out);
        assert_eq!(out, [2.0, 1.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0, 10.0, 9.0, 12.0, 11.0]);
        FRAME.cut(&image, &mut out, (0, 0), 1, false);
        assert_eq!(out, [0.0, 0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 7.0, 0.0, 9.0]);
        FRAME.cut(&image, &mut out, (2, 1), 1, false);
        assert_eq!(out, [3.0, 4.0, 5.0, 6.0, 0.0, 0.0, 9.0, 10.0, 11.0, 12.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_off_draws_nothing_and_what_is_on_has_its_frequency() {
        let image: Vec<f32> = (1..=12).map(|i| i as f32).collect();
        let mut out = vec![0.0; image.len()];
        let (mut used, mut fresh) = (stream(), stream());
        FRAME.augment(&Augment::default(), &mut used, &image, &mut out);
        assert_eq!(out, image);
        assert_eq!(used.random::<u64>(), fresh.random::<u64>());
        let settings = Augment { mirror: 0.25, ..Augment::default() };
        let mirrored = (0..4000).filter(|_| {
            FRAME.augment(&settings, &mut used, &image, &mut out);
            out[0] == 2.0
        });
        // 1000 expected, standard deviation 27.
        assert!(mirrored.count().abs_diff(1000) < 120);
    }

    #[test]
    fn erased_rectangles_have_the_area_of_the_paper() {
        let frame = Frame { height: 40, width: 30 };
        let image: Vec<f32> = (0..1200).map(|i| i as f32).collect();
        let (mut stream, mut out) = (stream(), vec![0.0; 1200]);
        let settings = Augment { erase: 1.0, ..Augment::default() };
        let mut areas = Vec::new();
        for _ in 0..200 {
            frame.augment(&settings, &mut stream, &image, &mut out);
            let changed: Vec<usize> = (0..1200).filter(|i| out[*i] != image[*i]).collect();
            let (rows, columns): (Vec<_>, Vec<_>) =
                changed.iter().map(|i| (i / 30, i % 30)).unzip();
            let side = |places: &[usize]| {
                let (low, high) = (places.iter().min(), places.iter().max());
                high.zip(low).map_or(0, |(high, low)| high - low + 1)
            };
            let (height, width) = (side(&rows), side(&columns));
            // Every pixel in the rectangle is new, but for the few that are drawn as they were.
            assert!(changed.len() + 5 > height * width, "{} {height} {width}", changed.len());
            assert!(out.iter().all(|value| (0.0..=1199.0).contains(value)));
            areas.push((height * width) as f32 / 1200.0);
        }
        assert!(areas.iter().all(|area| (0.015..0.43).contains(area)), "{areas:?}");
        let (small, large) = (areas.iter().any(|a| *a < 0.1), areas.iter().any(|a| *a > 0.25));
        assert!(small && large, "{areas:?}");
    }
}
