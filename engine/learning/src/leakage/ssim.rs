//! Structural similarity.

/// Side of the window.
const WINDOW: usize = 7;

/// Structural similarity of two images with values `0..=1` (`[channels, height, width]`), at most 1 and 1 only for
/// equal ones: the mean over all windows of 7 x 7 (or the whole side, if that is shorter) and channels of
/// `(2 m_a m_b + c1)(2 s_ab + c2) / ((m_a^2 + m_b^2 + c1)(s_a^2 + s_b^2 + c2))`, with means, variances and covariance
/// over the window, `c1 = 0.01^2`, `c2 = 0.03^2`. Source: Wang et al., IEEE TIP 2004, equation 13, with a flat window.
///
/// # Panics
/// When a length is not that of the shape.
pub fn ssim(a: &[f32], b: &[f32], [channels, height, width]: [usize; 3]) -> f64 {
    let plane = height * width;
    assert!(a.len() == channels * plane && b.len() == a.len(), "images of this shape");
    let (down, across) = (WINDOW.min(height), WINDOW.min(width));
    let (mut sum, mut windows) = (0.0, 0usize);
    for (a, b) in a.chunks_exact(plane).zip(b.chunks_exact(plane)) {
        for top in 0..=height - down {
            for left in 0..=width - across {
                let places = (top..top + down)
                    .flat_map(|row| (left..left + across).map(move |column| row * width + column));
                sum += window(places.map(|place| (f64::from(a[place]), f64::from(b[place]))));
                windows += 1;
            }
        }
    }
    sum / windows as f64
}

fn window(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    const C: (f64, f64) = (0.01 * 0.01, 0.03 * 0.03);
    let count = pairs.clone().count() as f64;
    let (a, b) = pairs.clone().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (a, b) = (a / count, b / count);
    let (mut own, mut other, mut both) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        own += (x - a) * (x - a);
        other += (y - b) * (y - b);
        both += (x - a) * (y - b);
    }
    let (spread, both) = ((own + other) / count, both / count);
    (2.0 * a * b + C.0) * (2.0 * both + C.1) / ((a * a + b * b + C.0) * (spread + C.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_by_hand() {
        let chess = [0.0f32, 1.0, 1.0, 0.0];
        assert!((ssim(&chess, &chess, [1, 2, 2]) - 1.0).abs() < 1e-12);
        // The opposite: means 1/2, variances 1/4, covariance -1/4.
        let opposite = [1.0, 0.0, 0.0, 1.0];
        let expected = (-0.5 + 0.0009) / (0.5 + 0.0009);
        assert!((ssim(&chess, &opposite, [1, 2, 2]) - expected).abs() < 1e-12);
        // Two flat images: only the means differ.
        let expected = (2.0 * 0.25 * 0.75 + 0.0001) / (0.0625 + 0.5625 + 0.0001);
        assert!((ssim(&[0.25; 192], &[0.75; 192], [3, 8, 8]) - expected).abs() < 1e-9);
    }
}
