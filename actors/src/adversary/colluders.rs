//! A little is enough (Baruch, Baruch and Goldberg 2019): a change that hides among the honest ones.

use offbeat_kernel::hardship::normal_quantile;
use offbeat_learning::Flat;

/// `z_max` of the paper's algorithm 3 for `m` hostile of `n` clients: with `s = floor(n / 2 + 1) - m`
/// honest supporters needed for a majority, the score below which a share `(n - m - s) / (n - m)` of
/// normal values lies; 0 where the hostile clients are so few that the formula gives less.
pub(super) fn most_deviations(n: usize, m: usize) -> f64 {
    let honest = n.saturating_sub(m);
    let supporters = (n / 2 + 1).saturating_sub(m);
    if honest == 0 {
        return 0.0;
    }
    // A majority of their own needs no supporters: the formula has no bound, a tail of one in a
    // thousand has.
    let share = honest.saturating_sub(supporters) as f64 / honest as f64;
    normal_quantile(share.min(0.999)).max(0.0)
}

/// Coordinate by coordinate, the mean of `changes` less `z` of their standard deviations (of the
/// population, as in the authors' code).
pub(super) fn shifted_mean(changes: &[Flat], z: f64) -> Flat {
    let hosts: Vec<_> = changes.iter().map(Flat::host).collect();
    let count = hosts.len().max(1) as f64;
    let len = hosts.first().map_or(0, |host| host.len());
    let value = |place: usize| {
        let mean = hosts.iter().map(|host| f64::from(host[place])).sum::<f64>() / count;
        let squares = hosts.iter().map(|host| (f64::from(host[place]) - mean).powi(2));
        (mean - z * (squares.sum::<f64>() / count).sqrt()) as f32
    };
    Flat::new((0..len).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's example: 50 workers of which 24 are corrupted need 2 supporters, 24 / 26 = 0.923.
    #[test]
    fn deviations_by_hand() {
        assert!((most_deviations(50, 24) - 1.4261).abs() < 1e-3, "{}", most_deviations(50, 24));
        // 20 of 100: s = 31, (80 - 31) / 80 = 0.6125.
        assert!((most_deviations(100, 20) - 0.2858).abs() < 1e-3);
        // 1 of 20: s = 10, 9 / 19 lies below one half.
        assert_eq!(most_deviations(20, 1), 0.0);
        assert!((most_deviations(10, 8) - 3.0902).abs() < 1e-3);
    }

    #[test]
    fn the_shifted_mean_by_hand() {
        let changes = [Flat::new(vec![1.0, 5.0]), Flat::new(vec![3.0, 5.0])];
        assert_eq!(shifted_mean(&changes, 1.5).to_vec(), [0.5, 5.0]);
    }
}
