//! Which reconstruction belongs to which original: batches come back in any order.

/// For each original the reconstruction that belongs to it, so that the sum of squared differences is least over all
/// ways to pair them (Hungarian method, `n^3`). Both are `n x pixels`.
///
/// # Panics
/// When they differ in length or hold no whole images.
pub fn match_images(originals: &[f32], found: &[f32], pixels: usize) -> Vec<usize> {
    assert!(originals.len() == found.len() && pixels > 0, "as many images as originals");
    assert!(originals.len().is_multiple_of(pixels), "whole images");
    let difference = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let row = |a| found.chunks_exact(pixels).map(|b| difference(a, b)).collect();
    let costs: Vec<Vec<f64>> = originals.chunks_exact(pixels).map(row).collect();
    assign(&costs)
}

/// The cheapest assignment of columns to rows of a square table (Jonker and Volgenant's shortest augmenting paths).
fn assign(costs: &[Vec<f64>]) -> Vec<usize> {
    let count = costs.len();
    // Place 0 stands for "none"; rows and columns count from 1.
    let (mut rows, mut columns) = (vec![0.0; count + 1], vec![0.0; count + 1]);
    let mut row_of = vec![0; count + 1];
    for row in 1..=count {
        row_of[0] = row;
        let mut column = 0;
        let (mut least, mut way) = (vec![f64::INFINITY; count + 1], vec![0; count + 1]);
        let mut used = vec![false; count + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let (own, mut delta, mut next) = (row_of[column], f64::INFINITY, 0);
            for other in (1..=count).filter(|other| !used[*other]) {
                let cost = costs[own - 1][other - 1] - rows[own] - columns[other];
                if cost < least[other] {
                    (least[other], way[other]) = (cost, column);
                }
                if next == 0 || least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            for other in 0..=count {
                if used[other] {
                    rows[row_of[other]] += delta;
                    columns[other] -= delta;
                } else {
                    least[other] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    let mut column_of = vec![0; count];
    (1..=count).for_each(|column| column_of[row_of[column] - 1] = column - 1);
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_greedy_choice_is_not_the_best() {
        // The nearest pair (1 and 1.1) would leave 0 with 9.
        assert_eq!(match_images(&[1.0, 0.0], &[1.1, 9.0], 1), [1, 0]);
        assert_eq!(match_images(&[0.0, 5.0, 9.0], &[9.1, 0.2, 5.3], 1), [1, 2, 0]);
    }

    fn cheapest(costs: &[Vec<f64>], row: usize, taken: &mut Vec<usize>) -> f64 {
        if row == costs.len() {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for column in 0..costs.len() {
            if !taken.contains(&column) {
                taken.push(column);
                best = best.min(costs[row][column] + cheapest(costs, row + 1, taken));
                taken.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn nothing_is_cheaper(table in (1usize..6).prop_flat_map(|n| {
            proptest::collection::vec(proptest::collection::vec(0.0f64..10.0, n), n)
        })) {
            let chosen = assign(&table);
            let cost: f64 = chosen.iter().enumerate().map(|(row, column)| table[row][*column]).sum();
            prop_assert!((cost - cheapest(&table, 0, &mut Vec::new())).abs() < 1e-9);
        }
    }
}
