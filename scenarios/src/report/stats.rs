//! The few statistics that the pages need.

use serde::{Deserialize, Serialize};

/// A mean over seeds with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the 95 % interval (Student's t); `None` with fewer than two values.
    pub half_width: Option<f64>,
    /// Number of values.
    pub n: usize,
}

impl Estimate {
    /// Lowest and highest of two values, whose interval says little; `None` of any other number of values.
    pub fn of_two(&self) -> Option<(f64, f64)> {
        let half = self.half_width.filter(|_| self.n == 2)? / student_t(1);
        Some((self.mean - half, self.mean + half))
    }
}

/// Mean over seeds at one place of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// Place on the axis.
    pub x: f64,
    /// Mean over the curves.
    pub mean: f64,
    /// The smallest curve here.
    pub low: f64,
    /// The largest curve here.
    pub high: f64,
}

/// Mean of `values`; `None` of none.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean and 95 % interval of the finite ones among `values`: mean ± t(0.975, n − 1) · s / √n with the
/// sample's standard deviation s. `None` when none is finite.
pub fn estimate(values: impl IntoIterator<Item = f64>) -> Option<Estimate> {
    let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let (mean, n) = (mean(&values)?, values.len());
    let half_width = (n > 1).then(|| {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        student_t(n - 1) * (squares / (n - 1) as f64 / n as f64).sqrt()
    });
    Some(Estimate { mean, half_width, n })
}

/// The 97.5 % point of Student's t with 1 to 30 degrees of freedom.
const STUDENT: [f64; 30] = [
    12.70620474,
    4.30265273,
    3.18244631,
    2.77644511,
    2.57058184,
    2.44691185,
    2.36462425,
    2.30600414,
    2.26215716,
    2.22813885,
    2.20098516,
    2.17881283,
    2.16036866,
    2.14478669,
    2.13144955,
    2.11990530,
    2.10981558,
    2.10092204,
    2.09302405,
    2.08596345,
    2.07961384,
    2.07387307,
    2.06865761,
    2.06389856,
    2.05953855,
    2.05552944,
    2.05183052,
    2.04840714,
    2.04522964,
    2.04227246,
];

/// The 97.5 % point of Student's t: a table up to 30 degrees of freedom, then the expansion in 1/ν of
/// Abramowitz and Stegun 26.7.5 (error below 1e-5 there).
pub fn student_t(degrees: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    match degrees {
        0 => f64::INFINITY,
        1..=30 => STUDENT[degrees - 1],
        _ => {
            let nu = degrees as f64;
            let first = (Z.powi(3) + Z) / 4.0;
            let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
            let third = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0;
            Z + first / nu + second / nu.powi(2) + third / nu.powi(3)
        }
    }
}

/// The `q` quantile (0 to 1) of the finite ones among `values`, on the straight line between the two order
/// statistics around (n − 1) q. `None` when none is finite.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let sorted = sorted(values);
    let place = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

/// Mean over the worst tenth of the finite ones among `values`, at least one of them. `None` when none is
/// finite.
pub fn worst_decile(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    mean(&sorted[..sorted.len().div_ceil(10)])
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    finite
}

/// Mean of what `counts[value]` counts. `None` when nothing was counted.
pub fn histogram_mean(counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let weighted: f64 =
        counts.iter().enumerate().map(|(value, count)| value as f64 * *count as f64).sum();
    (total > 0).then(|| weighted / total as f64)
}

/// The smallest value that at least the share `q` of what `counts[value]` counts does not exceed. `None`
/// when nothing was counted.
pub fn histogram_quantile(counts: &[u64], q: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let need = (q.clamp(0.0, 1.0) * total as f64).ceil().max(1.0);
    let mut seen = 0;
    let place = counts.iter().position(|count| {
        seen += count;
        seen as f64 >= need
    })?;
    Some(place as f64)
}

/// Where a curve of (x, y), ordered by x, first reaches `bar`: on the straight line from the last finite
/// point below to the first finite point that is not. `None` when it never does.
pub fn first_reached(points: &[(f64, f64)], bar: f64) -> Option<f64> {
    let mut before: Option<(f64, f64)> = None;
    for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
        if y >= bar {
            return Some(before.map_or(x, |(x0, y0)| x0 + (x - x0) * (bar - y0) / (y - y0)));
        }
        before = Some((x, y));
    }
    None
}

/// Height at `x` of a curve ordered by x: straight between points, held after the last, not a number next to
/// a point whose height is not finite. `None` before the first. Where several points share an x, the last of
/// them counts.
pub fn height_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 <= x);
    let &(x0, y0) = points.get(after.checked_sub(1)?)?;
    match points.get(after) {
        Some(&(x1, y1)) if x > x0 => Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0)),
        _ => Some(y0),
    }
}

/// Mean, minimum and maximum of several curves, at every x at which one of them has a point and all have
/// begun. A curve that has ended holds its last height, because that is the model that its run leaves. Where
/// the height of any of them is not finite, all three are not a number: a mean over the others would hide
/// that a run diverged.
pub fn average(curves: &[Vec<(f64, f64)>]) -> Vec<BandPoint> {
    let placed = |curve: &Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        curve.iter().copied().filter(|point| point.0.is_finite()).collect()
    };
    let curves: Vec<_> = curves.iter().map(placed).filter(|curve| !curve.is_empty()).collect();
    let mut grid: Vec<f64> = curves.iter().flatten().map(|point| point.0).collect();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    grid.into_iter().filter_map(|x| band_point(&curves, x)).collect()
}

fn band_point(curves: &[Vec<(f64, f64)>], x: f64) -> Option<BandPoint> {
    let heights: Vec<f64> =
        curves.iter().map(|curve| height_at(curve, x)).collect::<Option<_>>()?;
    if heights.iter().any(|height| !height.is_finite()) {
        return Some(BandPoint { x, mean: f64::NAN, low: f64::NAN, high: f64::NAN });
    }
    Some(BandPoint {
        x,
        mean: mean(&heights)?,
        low: heights.iter().copied().fold(f64::INFINITY, f64::min),
        high: heights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: Option<f64>, right: f64) {
        let left = left.expect("a value");
        assert!((left - right).abs() < 1e-9 * right.abs().max(1.0), "{left} is not {right}");
    }

    #[test]
    fn the_interval_of_three_values_is_the_one_computed_by_hand() {
        // Mean 4, squares 4 + 0 + 4 = 8, s = 2, s / sqrt(3) = 1.154700538, times 4.30265273.
        let found = estimate([2.0, 4.0, f64::NAN, 6.0]).expect("three finite values");
        assert_eq!((found.mean, found.n), (4.0, 3));
        near(found.half_width, 4.302_652_73 * 1.154_700_538_379_251_5);
    }

    #[test]
    fn one_value_has_no_interval_and_none_no_mean() {
        assert_eq!(estimate([7.0]), Some(Estimate { mean: 7.0, half_width: None, n: 1 }));
        assert_eq!(estimate([f64::NAN]), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn student_points_agree_with_published_tables() {
        for (degrees, point) in [(1, 12.7062), (2, 4.3027), (9, 2.2622), (30, 2.0423)] {
            assert!((student_t(degrees) - point).abs() < 5e-5, "{degrees}");
        }
        for (degrees, point) in
            [(31, 2.039_513), (40, 2.021_075), (60, 2.000_298), (120, 1.979_930)]
        {
            assert!((student_t(degrees) - point).abs() < 1e-5, "{degrees}");
        }
        assert!(student_t(0).is_infinite());
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        near(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        near(quantile(&[4.0, 1.0, f64::NAN, 3.0, 2.0], 0.95), 3.85);
        near(quantile(&[5.0], 0.95), 5.0);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_worst_decile_of_eleven_is_the_mean_of_two() {
        let values: Vec<f64> = (0..11).rev().map(f64::from).collect();
        near(worst_decile(&values), 0.5);
        near(worst_decile(&[0.3, 0.9]), 0.3);
        assert_eq!(worst_decile(&[]), None);
    }

    #[test]
    fn histograms_give_mean_and_quantile() {
        let counts = [5, 3, 0, 2];
        near(histogram_mean(&counts), 0.9);
        near(histogram_quantile(&counts, 0.5), 0.0);
        near(histogram_quantile(&counts, 0.8), 1.0);
        near(histogram_quantile(&counts, 0.95), 3.0);
        assert_eq!(histogram_mean(&[0, 0]), None);
        assert_eq!(histogram_quantile(&[], 0.5), None);
        assert_eq!(histogram_quantile(&[0, 0], 0.5), None);
    }

    #[test]
    fn a_target_is_reached_on_the_line_between_two_points() {
        let points = [(0.0, 0.1), (10.0, 0.5), (15.0, f64::NAN), (20.0, 0.9), (30.0, 0.2)];
        near(first_reached(&points, 0.7), 15.0);
        near(first_reached(&points, 0.5), 10.0);
        near(first_reached(&points, 0.05), 0.0);
        assert_eq!(first_reached(&points, 0.95), None);
        assert_eq!(first_reached(&[], 0.5), None);
    }

    #[test]
    fn curves_are_averaged_where_all_have_begun_and_held_after_their_end() {
        let short = vec![(0.0, 0.0), (10.0, 1.0)];
        let long = vec![(5.0, 0.0), (15.0, 0.5)];
        let found = average(&[short, long]);
        let flat: Vec<_> = found.iter().map(|p| (p.x, p.mean, p.low, p.high)).collect();
        assert_eq!(flat, [(5.0, 0.25, 0.0, 0.5), (10.0, 0.625, 0.25, 1.0), (15.0, 0.75, 0.5, 1.0)]);
        assert!(average(&[]).is_empty());
    }

    #[test]
    fn a_curve_that_diverges_leaves_a_gap_in_the_mean() {
        let curves = [
            vec![(0.0, 1.0), (10.0, 3.0), (20.0, 5.0)],
            vec![(0.0, 1.0), (10.0, 1.0), (15.0, f64::NAN)],
        ];
        let means: Vec<f64> = average(&curves).iter().map(|point| point.mean).collect();
        assert_eq!(means[..2], [1.0, 2.0]);
        assert!(means.len() == 4 && means[2..].iter().all(|mean| mean.is_nan()), "{means:?}");
    }

    #[test]
    fn a_step_at_one_place_takes_its_later_height() {
        let points = [(0.0, 0.0), (1.0, 0.2), (1.0, 0.6), (2.0, 0.8)];
        near(height_at(&points, 1.0), 0.6);
        near(height_at(&points, 1.5), 0.7);
        assert_eq!(height_at(&points, -1.0), None);
        near(first_reached(&points, 0.4), 1.0);
    }
}
