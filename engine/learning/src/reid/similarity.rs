//! Inner products of all pairs of rows of two matrices, block by block.
//!
//! Every product is summed in the same order whatever the block and the processor: sixteen running sums
//! that are folded pairwise. Results are the same bits on every machine.

use crate::wide::simd;

/// Running sums of one product.
const LANES: usize = 16;

/// Rows of the left matrix that pass over the right one together.
const TOGETHER: usize = 4;

/// Rows of the right matrix that stay in the cache: 64 KiB of 512 columns.
const TILE: usize = 32;

/// `out[i * n + j]` = inner product of row `i` of `a` and row `j` of `b`; both are row-major with `dims`
/// columns, `n` is the number of rows of `b`.
///
/// # Panics
/// When the slices do not hold whole rows or `out` has another length.
pub fn products(a: &[f32], b: &[f32], dims: usize, out: &mut [f32]) {
    let rows = |values: &[f32]| values.len().checked_div(dims).unwrap_or(0);
    let (m, n) = (rows(a), rows(b));
    assert_eq!((a.len(), b.len(), out.len()), (m * dims, n * dims, m * n), "lengths of matrices");
    if out.is_empty() {
        return;
    }
    simd!(blocked(a, b, dims, out));
}

#[inline(always)]
fn blocked(a: &[f32], b: &[f32], dims: usize, out: &mut [f32]) {
    let n = b.len() / dims;
    // A tile of the right matrix stays in the cache while all rows of the left one pass.
    for (tile, b) in b.chunks(TILE * dims).enumerate() {
        let first = tile * TILE;
        for (a, out) in a.chunks(TOGETHER * dims).zip(out.chunks_mut(TOGETHER * n)) {
            pass(a, b, dims, n, &mut out[first..]);
        }
    }
}

/// The products of up to [`TOGETHER`] rows with a tile; `out` starts at the tile's first column and has a
/// row every `n` numbers.
#[inline(always)]
fn pass(a: &[f32], b: &[f32], dims: usize, n: usize, out: &mut [f32]) {
    if a.len() == TOGETHER * dims {
        let rows: [&[f32]; TOGETHER] = std::array::from_fn(|i| &a[i * dims..(i + 1) * dims]);
        for (j, b) in b.chunks_exact(dims).enumerate() {
            for (i, product) in dots(rows, b).into_iter().enumerate() {
                out[i * n + j] = product;
            }
        }
        return;
    }
    for (i, a) in a.chunks_exact(dims).enumerate() {
        for (j, b) in b.chunks_exact(dims).enumerate() {
            out[i * n + j] = dots([a], b)[0];
        }
    }
}

/// The products of several rows with one.
#[inline(always)]
fn dots<const R: usize>(rows: [&[f32]; R], b: &[f32]) -> [f32; R] {
    let (b, rest_b) = b.as_chunks::<LANES>();
    // Cut to one length, so that no place is checked within the loop.
    let whole = rows.map(|row| &row.as_chunks::<LANES>().0[..b.len()]);
    let mut sums = [[0.0f32; LANES]; R];
    for (at, b) in b.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(whole) {
            *sums = std::array::from_fn(|lane| sums[lane] + row[at][lane] * b[lane]);
        }
    }
    for (sums, row) in sums.iter_mut().zip(rows) {
        let rest = row[LANES * b.len()..].iter().zip(rest_b);
        sums.iter_mut().zip(rest).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.map(folded)
}

#[inline(always)]
fn folded(mut sums: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// The rows scaled to length 1. Rows that are zero or not finite become zero, so that they are similar to
/// nothing.
pub fn unit_rows(values: &[f32], dims: usize) -> Vec<f32> {
    let mut unit = values.to_vec();
    for row in unit.chunks_exact_mut(dims.max(1)) {
        let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        let scale = if norm > 0.0 && norm.is_finite() { 1.0 / norm } else { 0.0 };
        row.iter_mut()
            .for_each(|x| *x = if scale > 0.0 { (f64::from(*x) * scale) as f32 } else { 0.0 });
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_two_loops(m in 0usize..11, n in 0usize..70, dims in 1usize..70, seed: u32) {
            // Small integers: every sum is exact, whatever its order.
            let number = |i: usize| ((i as u32).wrapping_mul(7919).wrapping_add(seed) % 17) as f32 - 8.0;
            let a: Vec<f32> = (0..m * dims).map(number).collect();
            let b: Vec<f32> = (0..n * dims).map(|i| number(i + 31)).collect();
            let mut out = vec![f32::NAN; m * n];
            products(&a, &b, dims, &mut out);
            for i in 0..m {
                for j in 0..n {
                    let product: f32 = (0..dims).map(|k| a[i * dims + k] * b[j * dims + k]).sum();
                    prop_assert_eq!(out[i * n + j], product);
                }
            }
        }
    }

    #[test]
    fn a_product_does_not_depend_on_its_place() {
        let a: Vec<f32> = (0..9 * 37).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut all = vec![0.0; 81];
        products(&a, &a, 37, &mut all);
        for i in 0..9 {
            let mut row = vec![0.0; 9];
            products(&a[i * 37..(i + 1) * 37], &a, 37, &mut row);
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&row), bits(&all[i * 9..(i + 1) * 9]));
        }
    }

    #[test]
    fn unit_rows_have_length_one_or_zero() {
        let unit = unit_rows(&[3.0, 4.0, 0.0, 0.0, f32::NAN, 1.0, 1e30, 0.0], 2);
        assert_eq!(unit, [0.6, 0.8, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
