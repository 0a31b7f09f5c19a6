//! Labels from the gradient of the last layer.

use super::Scene;

/// The label of one sample: the class whose row of the last weight's gradient has the least sum. Source: Zhao et al.,
/// "iDLG: Improved Deep Leakage from Gradients", 2020, section 3. Right for features that are not negative, such as
/// sigmoids; for features of both signs see [`by_signs`].
pub fn by_row_sums(scene: &Scene) -> usize {
    let rows = rows(scene);
    let sum = |row: &Vec<f32>| row.iter().map(|x| f64::from(*x)).sum::<f64>();
    least(rows.iter().map(sum))
}

/// The label of one sample, whatever the features' signs: row `c` is `(p_c - y_c) h`, so that the true row alone
/// points against all others; taken is the row whose largest inner product with another is least. (Same paper.)
pub fn by_signs(scene: &Scene) -> usize {
    let rows = rows(scene);
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let norms: Vec<f64> = rows
        .iter()
        .map(|row| -> f64 { product(row, row) })
        .map(|square: f64| square.sqrt())
        .collect();
    let worst = |own: usize| {
        let others = (0..rows.len()).filter(|other| *other != own);
        let cosine = |other: usize| {
            let product: f64 = product(&rows[own], &rows[other]);
            let norms = norms[own] * norms[other];
            if norms > 0.0 { product / norms } else { 0.0 }
        };
        others.map(cosine).fold(f64::NEG_INFINITY, f64::max)
    };
    least((0..rows.len()).map(worst))
}

/// Rows of the last weight's gradient, one for each class.
fn rows(scene: &Scene) -> Vec<Vec<f32>> {
    let victim = scene.victim();
    let (classes, features) = (victim.classes(), victim.features());
    let gradient = scene.gradient().host();
    let start = gradient.len() - classes - classes * features;
    let weight = &gradient[start..gradient.len() - classes];
    weight.chunks_exact(features).map(<[f32]>::to_vec).collect()
}

fn least(values: impl Iterator<Item = f64>) -> usize {
    values.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place)
}
