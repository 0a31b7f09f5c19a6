//! How clients compare.

use offbeat_kernel::ClientId;
use offbeat_learning::evaluate::Evaluation;

/// Accuracy over clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Mean over clients, each counting once.
    pub mean: f64,
    /// The worst client's.
    pub worst: f64,
    /// The best client's.
    pub best: f64,
}

impl Spread {
    /// Of the clients that have samples; `None` without any.
    pub fn of(clients: &[(ClientId, Evaluation)]) -> Option<Self> {
        let accuracies = clients.iter().filter(|(_, e)| e.samples > 0).map(|(_, e)| e.accuracy);
        let (mut count, mut sum, mut worst, mut best) =
            (0u32, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for accuracy in accuracies {
            count += 1;
            sum += accuracy;
            worst = worst.min(accuracy);
            best = best.max(accuracy);
        }
        (count > 0).then(|| Self { mean: sum / f64::from(count), worst, best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_leaves_out_clients_without_samples() {
        let of = |samples, accuracy| Evaluation { samples, accuracy, ..Evaluation::default() };
        let clients =
            [(ClientId(0), of(4, 0.5)), (ClientId(1), of(0, 0.0)), (ClientId(2), of(1, 1.0))];
        assert_eq!(Spread::of(&clients), Some(Spread { mean: 0.75, worst: 0.5, best: 1.0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}
