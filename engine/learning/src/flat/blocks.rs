//! Passes over long vectors, block by block and without branches inside a block, so that they run in vectors and
//! read each number once.

use crate::wide::simd;

/// Elements of a block: three blocks fit into a processor's nearest cache.
pub(super) const BLOCK: usize = 4096;

/// `values += factor * (a - b)` for each term, in their order.
pub(super) fn add_differences(values: &mut [f32], terms: &[(f32, &[f32], &[f32])]) {
    simd!({
        for (index, values) in values.chunks_mut(BLOCK).enumerate() {
            for (factor, a, b) in terms {
                let (a, b) = (&a[index * BLOCK..], &b[index * BLOCK..]);
                for ((value, a), b) in values.iter_mut().zip(a).zip(b) {
                    *value += factor * (a - b);
                }
            }
        }
    });
}

/// Whether every value is a finite number.
pub(super) fn all_finite(values: &[f32]) -> bool {
    simd!(values.iter().fold(true, |all, value| all & value.is_finite()))
}

/// The first place where the absolute value, or that of the difference to `from`, is not at most `most`.
pub(super) fn first_beyond(values: &[f32], from: &[f32], most: f32) -> Option<usize> {
    let within =
        |(value, from): (&f32, &f32)| (value.abs() <= most) & ((value - from).abs() <= most);
    let block = simd!({
        let mut blocks = values.chunks(BLOCK).zip(from.chunks(BLOCK));
        blocks.position(|(values, from)| {
            !values.iter().zip(from).fold(true, |all, pair| all & within(pair))
        })
    })?;
    let mut pairs = values.iter().zip(from).skip(block * BLOCK);
    pairs.position(|pair| !within(pair)).map(|place| block * BLOCK + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_differences_are_added_as_one_after_the_other() {
        let values = |seed: usize| -> Vec<f32> {
            let value = |i| ((i * 7919 + seed * 104_729) % 1013) as f32 / 97.0 - 5.0;
            (0..2 * BLOCK + 17).map(value).collect()
        };
        let (start, base) = (values(1), values(2));
        let others: Vec<Vec<f32>> = (3..8).map(values).collect();
        let terms: Vec<(f32, &[f32], &[f32])> =
            (1u8..).zip(&others).map(|(i, a)| (0.1 * f32::from(i), &a[..], &base[..])).collect();
        let (mut together, mut apart) = (start.clone(), start);
        add_differences(&mut together, &terms);
        for (factor, a, b) in terms {
            for (place, value) in apart.iter_mut().enumerate() {
                *value += factor * (a[place] - b[place]);
            }
        }
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&together), bits(&apart));
    }

    #[test]
    fn the_first_value_out_of_range_is_found() {
        let from = vec![-9.0; 3 * BLOCK];
        let far = |at: usize, value: f32| {
            let mut values = vec![1.0; 3 * BLOCK];
            values[at] = value;
            (first_beyond(&values, &from, 10.0), all_finite(&values))
        };
        assert_eq!(far(0, 1.0), (None, true));
        assert_eq!(first_beyond(&[0.5], &[-9.5], 9.9), Some(0), "its difference is too large");
        for at in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK - 1] {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.1, -19.1, 10.1] {
                assert_eq!(far(at, value), (Some(at), value.is_finite()), "{value}");
            }
        }
        assert!(all_finite(&[]));
    }
}
