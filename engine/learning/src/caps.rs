//! Caps on the unit sphere: what a client is told of the faces of others, as extra negatives of its margin loss.
//!
//! The consensus-aware loss of PrivacyFace (Meng et al., ICLR 2022), as far as its idea is known; the paper's own
//! formula could not be read, so this is the form that follows from it: every foreign cluster, a cap with centre `p` and
//! angular radius `r`, adds a negative logit `s cos(max(angle(feature, p) - r, 0))`, which compares the feature with the
//! cap's nearest point. Inside a cap the logit is highest and flat.

use crate::error::LearnError;
use crate::flat::Flat;

/// Caps with centres of length 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caps {
    width: usize,
    /// Row-major, `width` columns, of length 1.
    centres: Vec<f32>,
    /// Angular radii, 0 to pi / 2.
    radii: Vec<f32>,
}

impl Caps {
    /// Caps from rows of a centre and a radius: `width + 1` numbers each. Rows without a direction are left out,
    /// centres are brought to length 1.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the numbers are no whole rows, not finite, or a radius is out of range.
    pub fn from_rows(rows: &Flat, width: usize) -> Result<Self, LearnError> {
        if !rows.len().is_multiple_of(width + 1) {
            return Err(LearnError::Invalid(format!(
                "caps: {} numbers are no rows of {width} coordinates and a radius",
                rows.len()
            )));
        }
        let mut caps = Self { width, ..Self::default() };
        for row in rows.host().chunks_exact(width + 1) {
            let (centre, radius) = row.split_at(width);
            let square: f64 = centre.iter().map(|x| f64::from(*x).powi(2)).sum();
            if !square.is_finite() || !(0.0..=std::f32::consts::FRAC_PI_2).contains(&radius[0]) {
                return Err(LearnError::Invalid(format!(
                    "caps: a centre must be finite and a radius from 0 to pi / 2, not {}",
                    radius[0]
                )));
            }
            if square > 0.0 {
                let scale = 1.0 / square.sqrt();
                caps.centres.extend(centre.iter().map(|x| (f64::from(*x) * scale) as f32));
                caps.radii.push(radius[0]);
            }
        }
        Ok(caps)
    }

    /// Number of caps.
    pub fn len(&self) -> usize {
        self.radii.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.radii.is_empty()
    }

    /// Coordinates of a centre.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The centres, row-major.
    pub fn centres(&self) -> &[f32] {
        &self.centres
    }

    /// The radii.
    pub fn radii(&self) -> &[f32] {
        &self.radii
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_brought_to_length_one() {
        let rows = Flat::new(vec![3.0, 4.0, 0.5, 0.0, 0.0, 1.0, 0.0, -2.0, 0.0]);
        let caps = Caps::from_rows(&rows, 2).expect("three rows, one empty");
        assert_eq!((caps.len(), caps.width()), (2, 2));
        assert_eq!((caps.centres(), caps.radii()), (&[0.6, 0.8, 0.0, -1.0][..], &[0.5, 0.0][..]));
        assert!(Caps::from_rows(&Flat::zeros(0), 2).expect("none").is_empty());
        for wrong in [vec![1.0, 0.0], vec![1.0, 0.0, 2.0], vec![f32::NAN, 0.0, 0.1]] {
            assert!(Caps::from_rows(&Flat::new(wrong), 2).is_err());
        }
    }
}
