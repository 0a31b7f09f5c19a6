//! A picture of originals beside reconstructions.

use super::match_images;
use super::metrics::shown;
use crate::reid::sheet::Sheet;

const GAP: usize = 4;
const PAPER: u8 = 24;

/// Rows of images: the originals first, then each of `found` (`batch x pixels`) in the originals' order, enlarged `zoom`
/// times. Images have one channel (grey) or three.
///
/// # Panics
/// When a row differs from the originals in length.
pub fn sheet(originals: &[f32], found: &[&[f32]], shape: [usize; 3], zoom: usize) -> Sheet {
    let [channels, height, width] = shape;
    let (pixels, zoom) = (channels * height * width, zoom.max(1));
    let batch = originals.len() / pixels;
    let (cell_height, cell_width) = (height * zoom + GAP, width * zoom + GAP);
    let size = (batch * cell_width + GAP, (found.len() + 1) * cell_height + GAP);
    let mut sheet =
        Sheet { width: size.0, height: size.1, pixels: vec![PAPER; size.0 * size.1 * 3] };
    let in_order: Vec<usize> = (0..batch).collect();
    let mut rows = vec![(originals, in_order)];
    for images in found {
        let cut: Vec<f32> = images.iter().map(|pixel| shown(*pixel)).collect();
        rows.push((images, match_images(originals, &cut, pixels)));
    }
    for (row, (images, order)) in rows.into_iter().enumerate() {
        for (column, at) in order.into_iter().enumerate() {
            let image = &images[at * pixels..][..pixels];
            let corner = (GAP + column * cell_width, GAP + row * cell_height);
            for (y, x) in (0..height * zoom).flat_map(|y| (0..width * zoom).map(move |x| (y, x))) {
                let place = y / zoom * width + x / zoom;
                let colour = |channel: usize| {
                    let plane = channel.min(channels - 1) * height * width;
                    (shown(image[plane + place]) * 255.0).round() as u8
                };
                let at = ((corner.1 + y) * sheet.width + corner.0 + x) * 3;
                (0..3).for_each(|channel| sheet.pixels[at + channel] = colour(channel));
            }
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reconstructions_stand_below_their_originals() {
        let originals = [0.0, 1.0];
        let sheet = sheet(&originals, &[&[0.8, 0.2]], [1, 1, 1], 1);
        let at = |column: usize, row: usize| sheet.pixels[(row * sheet.width + column) * 3];
        let step = 1 + GAP;
        assert_eq!((at(GAP, GAP), at(GAP + step, GAP)), (0, 255));
        assert_eq!((at(GAP, GAP + step), at(GAP + step, GAP + step)), (51, 204));
        assert_eq!(at(0, 0), PAPER);
    }
}
