//! How much a linear classifier reads from features: the usual measure of what was learnt without labels.

/// A linear classifier on features: ridge regression on one number for each class, in closed form.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearProbe {
    /// Mean and reciprocal standard deviation of each feature.
    scales: Vec<(f64, f64)>,
    /// A row of weights for each class.
    weights: Vec<Vec<f64>>,
    /// What each class has without any feature: its share.
    shares: Vec<f64>,
}

/// Weight of the squared weights for each sample: features are brought to deviation 1 first.
const RIDGE: f64 = 1e-2;

impl LinearProbe {
    /// Fits features `[samples, width]` to labels below `classes`. Time is samples times width squared, plus width cubed.
    ///
    /// # Panics
    /// When there are not `width` features for each label.
    pub fn fit(features: &[f32], width: usize, labels: &[u32], classes: usize) -> Self {
        assert_eq!(features.len(), width * labels.len(), "features for each label");
        let count = labels.len().max(1) as f64;
        let scales = scales(features, width, count);
        let mut gram = vec![0.0; width * width];
        let mut sides = vec![vec![0.0; width]; classes];
        let mut shares = vec![0.0; classes];
        for (row, label) in features.chunks_exact(width.max(1)).zip(labels) {
            let row = scaled(row, &scales);
            for (at, x) in row.iter().enumerate() {
                gram[at * width..][..=at].iter_mut().zip(&row).for_each(|(sum, y)| *sum += x * y);
            }
            // Features have mean 0, so that the classes' shares need not be taken off.
            if let Some(side) = sides.get_mut(*label as usize) {
                side.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x);
                shares[*label as usize] += 1.0 / count;
            }
        }
        (0..width).for_each(|at| gram[at * width + at] += RIDGE * count);
        factor(&mut gram, width);
        let weights = sides.into_iter().map(|side| solve(&gram, side)).collect();
        Self { scales, weights, shares }
    }

    /// The class of a sample; of equal ones the first.
    pub fn class(&self, features: &[f32]) -> usize {
        let row = scaled(features, &self.scales);
        let value = |class: usize| {
            let products = row.iter().zip(&self.weights[class]).map(|(x, w)| x * w);
            self.shares[class] + products.sum::<f64>()
        };
        let values: Vec<f64> = (0..self.weights.len()).map(value).collect();
        (0..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
    }
}

fn scales(features: &[f32], width: usize, count: f64) -> Vec<(f64, f64)> {
    let column = |at: usize| features.iter().skip(at).step_by(width).map(|x| f64::from(*x));
    let one = |at: usize| {
        let mean = column(at).sum::<f64>() / count;
        let variance = column(at).map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        // A feature that never changes says nothing.
        (mean, if variance > 0.0 { variance.sqrt().recip() } else { 0.0 })
    };
    (0..width).map(one).collect()
}

fn scaled(row: &[f32], scales: &[(f64, f64)]) -> Vec<f64> {
    row.iter().zip(scales).map(|(x, (mean, scale))| (f64::from(*x) - mean) * scale).collect()
}

/// Cholesky's factor of a symmetric, positive definite matrix, in place of its lower half.
fn factor(matrix: &mut [f64], width: usize) {
    for row in 0..width {
        for column in 0..=row {
            let dot: f64 =
                (0..column).map(|k| matrix[row * width + k] * matrix[column * width + k]).sum();
            let rest = matrix[row * width + column] - dot;
            matrix[row * width + column] = match row == column {
                // The ridge keeps it above 0; rounding could not.
                true => rest.max(f64::MIN_POSITIVE).sqrt(),
                false => rest / matrix[column * width + column],
            };
        }
    }
}

/// The solution for a right side, from the factor.
fn solve(factor: &[f64], mut side: Vec<f64>) -> Vec<f64> {
    let width = side.len();
    for row in 0..width {
        let known: f64 = (0..row).map(|k| factor[row * width + k] * side[k]).sum();
        side[row] = (side[row] - known) / factor[row * width + row];
    }
    for row in (0..width).rev() {
        let known: f64 = (row + 1..width).map(|k| factor[k * width + row] * side[k]).sum();
        side[row] = (side[row] - known) / factor[row * width + row];
    }
    side
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let mut matrix = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let whole = matrix.clone();
        factor(&mut matrix, 3);
        let found = solve(&matrix, vec![1.0, -2.0, 0.5]);
        for (row, want) in whole.chunks(3).zip([1.0, -2.0, 0.5]) {
            let have: f64 = row.iter().zip(&found).map(|(a, x)| a * x).sum();
            assert!((have - want).abs() < 1e-12, "{have} {want}");
        }
    }

    #[test]
    fn a_line_between_two_heaps() {
        // The first feature tells, at any scale; the second is noise, the third never changes.
        let rows: Vec<[f32; 3]> = (0..40)
            .map(|i| [1e3 * (i % 2) as f32 + (i % 7) as f32, ((i * 37) % 11) as f32, 5.0])
            .collect();
        let labels: Vec<u32> = (0..40).map(|i| 2 * (i % 2)).collect();
        let probe = LinearProbe::fit(rows.as_flattened(), 3, &labels, 3);
        for (row, label) in rows.iter().zip(&labels) {
            assert_eq!(probe.class(row), *label as usize);
        }
        // Features that say nothing: the most frequent class.
        let flat = LinearProbe::fit(&[1.0; 5], 1, &[2, 1, 2, 0, 2], 3);
        assert_eq!(flat.class(&[9.0]), 2);
    }

    /// By hand: x = -1, 1 with deviation 1, classes 0 and 1: weight 1 / (2 + 2 ridge) either way.
    #[test]
    fn weights_by_hand() {
        let probe = LinearProbe::fit(&[-1.0, 1.0], 1, &[0, 1], 2);
        let weight = 1.0 / (2.0 + 2.0 * RIDGE);
        assert!((probe.weights[0][0] + weight).abs() < 1e-12);
        assert!((probe.weights[1][0] - weight).abs() < 1e-12);
        assert_eq!(probe.shares, [0.5, 0.5]);
    }
}
