//! Passes over whole arrays, element by element.

use super::kernel::simd;

/// `max(x, 0)` in place; a NaN stays one, so that a diverged training is noticed.
#[inline(always)]
pub(super) fn relu(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

/// ReLU of a whole array.
pub(super) fn relu_all(values: &mut [f32]) {
    simd!(values.iter_mut().for_each(|value| *value = relu(*value)));
}

/// Sets the gradient to 0 where ReLU's output is 0.
pub(super) fn mask(gradient: &mut [f32], output: &[f32]) {
    simd!({
        for (gradient, output) in gradient.iter_mut().zip(output) {
            *gradient = if *output > 0.0 { *gradient } else { 0.0 };
        }
    });
}

/// `rows += bias` for each row of length `bias.len()`, then ReLU when asked.
pub(super) fn add_bias(rows: &mut [f32], bias: &[f32], with_relu: bool) {
    simd!({
        for row in rows.chunks_exact_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                let sum = *value + bias;
                *value = if with_relu { relu(sum) } else { sum };
            }
        }
    });
}

/// Adds `bias[c]` to the whole of plane `c` (`plane` numbers each), then ReLU when asked.
pub(super) fn add_plane_bias(values: &mut [f32], plane: usize, bias: &[f32], with_relu: bool) {
    simd!({
        for (values, bias) in values.chunks_exact_mut(plane).zip(bias) {
            for value in values {
                let sum = *value + bias;
                *value = if with_relu { relu(sum) } else { sum };
            }
        }
    });
}

/// `out = sum of the rows`, rows of length `out.len()`, in order.
pub(super) fn sum_rows(out: &mut [f32], rows: &[f32]) {
    simd!({
        out.fill(0.0);
        for row in rows.chunks_exact(out.len()) {
            out.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    });
}

/// Writes to `out` (`[rows, ..]`) the transpose of `source` (`[.., rows]`), both row-major.
pub(super) fn transpose(out: &mut [f32], source: &[f32], rows: usize) {
    let columns = out.len() / rows;
    simd!({
        // Bands of 16 columns: one cache line of each row is filled before it leaves the cache.
        for (band, source) in source.chunks(16 * rows).enumerate() {
            for (row, out) in out.chunks_exact_mut(columns).enumerate() {
                let places = out[16 * band..].iter_mut();
                places
                    .zip(source[row..].iter().step_by(rows))
                    .for_each(|(out, value)| *out = *value);
            }
        }
    });
}

/// The sum in 16 interleaved partial sums, which are then added in order.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    sum_of(values, values, |value, _| value)
}

/// The sum of `term(a, b)` over pairs, in 16 interleaved partial sums.
#[inline(always)]
pub(super) fn sum_of(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| term(*a, *b)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Writes `source` to `out`, or adds it.
pub(super) fn put(out: &mut [f32], source: &[f32], add: bool) {
    if add {
        simd!(out.iter_mut().zip(source).for_each(|(out, source)| *out += source));
    } else {
        out.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu_keeps_nan_and_its_mask_is_strict() {
        assert!(relu(f32::NAN).is_nan());
        assert_eq!((relu(-1.0), relu(2.0)), (0.0, 2.0));
        let mut gradient = [1.0, 2.0, 3.0];
        mask(&mut gradient, &[0.0, 0.5, 2.0]);
        assert_eq!(gradient, [0.0, 2.0, 3.0]);
    }

    #[test]
    fn transposes_are_right() {
        let (rows, columns) = (5, 37);
        let source: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
        let mut out = vec![f32::NAN; rows * columns];
        transpose(&mut out, &source, rows);
        assert!(
            out.iter().enumerate().all(|(i, v)| *v == source[i % columns * rows + i / columns])
        );
    }

    #[test]
    fn sums_are_complete() {
        let values: Vec<f32> = (0..37).map(|i| i as f32).collect();
        assert_eq!(sum(&values), 666.0);
        let mut rows = [0.0; 2];
        sum_rows(&mut rows, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(rows, [4.0, 6.0]);
        let mut planes = [1.0, -2.0, 3.0, -4.0];
        add_plane_bias(&mut planes, 2, &[1.0, -1.0], true);
        assert_eq!(planes, [2.0, 0.0, 2.0, 0.0]);
    }
}
