//! k-means of numbers on a line.

/// What [`means`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// The centres, rising; as many as were asked for, or one for each distinct value when these are fewer.
    pub centres: Vec<f32>,
    /// Mean squared distance to the nearest centre.
    pub error: f64,
}

/// Rounds of Lloyd's algorithm, at most.
const ROUNDS: usize = 50;

/// Up to `count` centres for `sorted` (rising, finite), by Lloyd's algorithm: once from centres at equal ranks,
/// once from centres spread by the cube root of the density; the better result, of equal ones the first. No random numbers.
/// A round takes `count * log(len)` operations.
pub fn means(sorted: &[f32], count: usize) -> Means {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() <= count {
        return Means { centres: distinct, error: 0.0 };
    }
    let sums = Sums::new(sorted);
    let last = sorted.len() - 1;
    let ranks = (0..count).map(|i| f64::from(sorted[(2 * i + 1) * last / (2 * count)]));
    let by_rank = lloyd(sorted, &sums, ranks.collect());
    let by_density = lloyd(sorted, &sums, by_density(sorted, count));
    if by_density.error < by_rank.error { by_density } else { by_rank }
}

/// Centres as dense as the cube root of the values' density, which is best for many centres (Panter and Dite, 1951).
/// Between neighbours that lie a gap apart the density is about one over the gap.
fn by_density(sorted: &[f32], count: usize) -> Vec<f64> {
    let weight = |pair: &[f32]| (f64::from(pair[1]) - f64::from(pair[0])).powf(2.0 / 3.0);
    let whole: f64 = sorted.windows(2).map(weight).sum();
    let (mut centres, mut sum) = (Vec::with_capacity(count), 0.0);
    for pair in sorted.windows(2) {
        sum += weight(pair);
        while centres.len() < count
            && sum * (2 * count) as f64 >= whole * (2 * centres.len() + 1) as f64
        {
            centres.push(f64::from(pair[1]));
        }
    }
    // Rounding may leave the last one out.
    let last = sorted.last().map_or(0.0, |last| f64::from(*last));
    centres.resize(count, last);
    centres
}

/// Place of the centre that is nearest to `value`, of equally near ones the lower. `centres` rise and are not empty.
pub(super) fn nearest(centres: &[f32], value: f32) -> usize {
    let above = centres.partition_point(|centre| *centre < value);
    if above == 0 {
        return 0;
    }
    if above == centres.len() {
        return above - 1;
    }
    let (below, over) = (f64::from(centres[above - 1]), f64::from(centres[above]));
    if f64::from(value) - below <= over - f64::from(value) { above - 1 } else { above }
}

/// Sums over the first so many values and their squares, around the middle one.
struct Sums {
    middle: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Sums {
    fn new(sorted: &[f32]) -> Self {
        let middle = f64::from(sorted[sorted.len() / 2]);
        let (mut first, mut second) = (vec![0.0], vec![0.0]);
        let (mut a, mut b) = (0.0, 0.0);
        for value in sorted {
            let value = f64::from(*value) - middle;
            a += value;
            b += value * value;
            first.push(a);
            second.push(b);
        }
        Self { middle, first, second }
    }

    /// Mean of the values from place `from` to before `to`.
    fn mean(&self, from: usize, to: usize) -> f64 {
        self.middle + (self.first[to] - self.first[from]) / (to - from) as f64
    }

    /// Sum of their squared distances to `centre`.
    fn spread(&self, from: usize, to: usize, centre: f64) -> f64 {
        let centre = centre - self.middle;
        let (first, second) =
            (self.first[to] - self.first[from], self.second[to] - self.second[from]);
        (second - 2.0 * centre * first + centre * centre * (to - from) as f64).max(0.0)
    }
}

fn lloyd(sorted: &[f32], sums: &Sums, mut centres: Vec<f64>) -> Means {
    let mut cuts = cuts(sorted, &centres);
    for _ in 0..ROUNDS {
        for (place, centre) in centres.iter_mut().enumerate() {
            if cuts[place] < cuts[place + 1] {
                *centre = sums.mean(cuts[place], cuts[place + 1]);
            }
        }
        let moved = self::cuts(sorted, &centres);
        if moved == cuts {
            break;
        }
        cuts = moved;
    }
    // The error is that of the centres as they travel.
    let mut centres: Vec<f32> = centres.into_iter().map(|centre| centre as f32).collect();
    centres.sort_by(f32::total_cmp);
    let exact: Vec<f64> = centres.iter().map(|centre| f64::from(*centre)).collect();
    let cuts = self::cuts(sorted, &exact);
    let each = exact.iter().enumerate().map(|(i, c)| sums.spread(cuts[i], cuts[i + 1], *c));
    let error = each.sum::<f64>() / sorted.len() as f64;
    Means { centres, error }
}

/// Where the cells of rising centres begin, and the end of the last.
fn cuts(sorted: &[f32], centres: &[f64]) -> Vec<usize> {
    let border = |pair: &[f64]| {
        let middle = (pair[0] + pair[1]) / 2.0;
        sorted.partition_point(|value| f64::from(*value) <= middle)
    };
    let inner = centres.windows(2).map(border);
    std::iter::once(0).chain(inner).chain(std::iter::once(sorted.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn two_heaps_by_hand() {
        let found = means(&[0.0, 1.0, 10.0, 12.0], 2);
        assert_eq!(found.centres, [0.5, 11.0]);
        assert_eq!(found.error, (0.25 + 0.25 + 1.0 + 1.0) / 4.0);
        assert_eq!(means(&[3.0, 3.0, 4.0], 2), Means { centres: vec![3.0, 4.0], error: 0.0 });
        assert_eq!(nearest(&[0.5, 11.0], 5.75), 0);
        assert_eq!(nearest(&[0.5, 11.0], 5.76), 1);
    }

    /// Distortions of the best quantisers of a normal variable: Max, "Quantizing for Minimum Distortion", 1960,
    /// table I.
    #[test]
    fn normal_numbers_are_quantised_as_well_as_published() {
        let mut stream = SeedTree::new(3).stream(Purpose::Custom, 0, 0);
        let mut values: Vec<f32> =
            (0..200_000).map(|_| StandardNormal.sample(&mut stream)).collect();
        values.sort_by(f32::total_cmp);
        for (count, published) in [(2, 0.3634), (4, 0.1175), (8, 0.03454), (16, 0.009497)] {
            let ratio = means(&values, count).error / published;
            assert!((0.98..1.03).contains(&ratio), "{count} levels: {ratio}");
        }
    }
}
