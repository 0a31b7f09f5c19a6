//! Numbers as whole multiples of a small step, in the field.

use super::SecureError;
use super::field::{Element, MODULUS};

/// Fixed-point numbers: multiples of `2^-fraction_bits` from `-range` to `range`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedPoint {
    /// Bits behind the point.
    pub fraction_bits: u32,
    /// The largest size of a number, above 0.
    pub range: f64,
}

impl FixedPoint {
    fn scale(&self) -> f64 {
        f64::from(self.fraction_bits).exp2()
    }

    /// Whether the sum of `count` numbers always fits into the field.
    ///
    /// # Errors
    /// [`SecureError::NoRoom`].
    pub fn room(&self, count: usize) -> Result<(), SecureError> {
        let largest = (self.range * self.scale()).ceil() * count as f64;
        if largest <= (MODULUS / 2) as f64 {
            return Ok(());
        }
        Err(SecureError::NoRoom { count, range: self.range, fraction_bits: self.fraction_bits })
    }

    /// Each value rounded to the nearest step.
    ///
    /// # Errors
    /// [`SecureError::OutOfRange`] for the first that is no number, or too large.
    pub fn encode(&self, values: &[f32]) -> Result<Vec<Element>, SecureError> {
        let scale = self.scale();
        let one = |(place, value): (usize, &f32)| {
            let wide = f64::from(*value);
            match wide.abs() <= self.range {
                true => Ok(Element::signed((wide * scale).round() as i64)),
                false => Err(SecureError::OutOfRange { place, value: *value, range: self.range }),
            }
        };
        values.iter().enumerate().map(one).collect()
    }

    /// The numbers that a sum stands for.
    pub fn decode(&self, sum: &[Element]) -> Vec<f32> {
        let scale = self.scale();
        sum.iter().map(|element| (element.to_signed() as f64 / scale) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POINT: FixedPoint = FixedPoint { fraction_bits: 24, range: 16.0 };

    proptest! {
        #[test]
        fn numbers_come_back_to_half_a_step(
            values in proptest::collection::vec(-16.0f32..=16.0, 0..40),
        ) {
            let back = POINT.decode(&POINT.encode(&values).expect("in range"));
            for (value, back) in values.iter().zip(back) {
                // Half a step, and the rounding of the decoded number to f32.
                let most = 0.5f64.powi(25) + 0.5f64.powi(24) * f64::from(value.abs());
                prop_assert!((f64::from(*value) - f64::from(back)).abs() <= most);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for bad in [16.1, -17.0, f32::NAN, f32::INFINITY] {
            let error = POINT.encode(&[1.0, bad]).expect_err("out of range");
            assert!(matches!(error, SecureError::OutOfRange { place: 1, .. }), "{error}");
        }
        // 16 * 2^24 = 2^28; 2^32 of them are the 2^60 that is one too many.
        assert_eq!(POINT.room((1 << 32) - 1), Ok(()));
        let error = POINT.room((1 << 32) + 1).expect_err("too many");
        assert!(matches!(error, SecureError::NoRoom { .. }), "{error}");
    }
}
