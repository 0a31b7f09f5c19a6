//! Learning curves, from data to HTML.

use super::chart::{Axis, LineChart, Series, figure};
use super::data::EvalPoint;
use super::quantity::{Quantity, grouped};
use super::target::Target;

/// What curves run along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    /// Virtual time.
    Time,
    /// Updates that arrived.
    Updates,
    /// Bytes sent in both directions.
    Bytes,
}

impl Along {
    /// All of them, in the order in which pages show them.
    pub(crate) const ALL: [Self; 3] = [Self::Time, Self::Updates, Self::Bytes];

    /// Where an evaluation lies, in base units.
    pub(crate) fn of(self, evaluation: &EvalPoint) -> f64 {
        match self {
            Self::Time => evaluation.virtual_seconds,
            Self::Updates => evaluation.updates as f64,
            Self::Bytes => evaluation.bytes() as f64,
        }
    }

    /// The name in a heading.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Time => "virtual time",
            Self::Updates => "updates",
            Self::Bytes => "bytes",
        }
    }

    /// The axis; with `edges`, edge servers stand between the server and the clients.
    fn axis(self, edges: bool) -> Axis<'static> {
        match (self, edges) {
            (Self::Time, _) => Axis { label: "virtual time", quantity: Quantity::Seconds },
            (Self::Updates, false) => {
                Axis { label: "updates that arrived", quantity: Quantity::Count }
            }
            (Self::Updates, true) => {
                Axis { label: "updates that arrived at the server", quantity: Quantity::Count }
            }
            (Self::Bytes, false) => {
                Axis { label: "bytes sent, up and down", quantity: Quantity::Bytes }
            }
            (Self::Bytes, true) => {
                Axis { label: "bytes between server and edge servers", quantity: Quantity::Bytes }
            }
        }
    }
}

/// What curves stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    /// Whether edge servers stand between the server and the clients.
    edges: bool,
    /// What is raced for.
    target: Option<&'a Target>,
}

impl<'a> Setting<'a> {
    /// With edge servers or without, with a target or without.
    pub(crate) fn of(edges: bool, target: Option<&'a Target>) -> Self {
        Self { edges, target }
    }
}

/// What curves show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Accuracy.
    Accuracy,
    /// Loss.
    Loss,
}

impl Shown {
    /// The value of an evaluation.
    pub(crate) fn of(self, evaluation: &EvalPoint) -> f64 {
        match self {
            Self::Accuracy => evaluation.accuracy,
            Self::Loss => evaluation.loss,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
        }
    }

    fn axis(self) -> Axis<'static> {
        let quantity = if self == Self::Accuracy { Quantity::Share } else { Quantity::Plain };
        Axis { label: self.name(), quantity }
    }
}

/// Curves of one figure along one axis, with the target where that is of this figure.
pub(crate) fn curves(
    shown: Shown,
    along: Along,
    series: &[Series],
    setting: &Setting<'_>,
    notes: &[String],
) -> String {
    let title = format!(
        "{} against {}",
        if shown == Shown::Accuracy { "Accuracy" } else { "Loss" },
        along.name()
    );
    let bar = match (shown, setting.target) {
        (Shown::Accuracy, Some(Target::Accuracy(value)))
        | (Shown::Loss, Some(Target::Loss(value))) => Some((*value, format!("target {value}"))),
        _ => None,
    };
    let mut notes = notes.to_vec();
    let mut drawn = series.to_vec();
    if shown == Shown::Loss
        && let Some(ceiling) = cap(&mut drawn)
    {
        notes.push(format!("Losses above {} are drawn at that height.", grouped(ceiling, 2)));
    }
    let chart = LineChart {
        name: &title,
        x: along.axis(setting.edges),
        y: shown.axis(),
        series: &drawn,
        bar,
    };
    figure(&title, &chart.svg(), &notes)
}

/// Lowers what lies above four times the highest first value, and gives that height where anything did: one
/// run that diverges would flatten all other curves.
fn cap(series: &mut [Series]) -> Option<f64> {
    let first = |series: &Series| series.points.iter().map(|point| point.1).find(|y| y.is_finite());
    let ceiling =
        4.0 * series.iter().filter_map(first).reduce(f64::max).filter(|first| *first > 0.0)?;
    let mut lowered = false;
    let mut lower = |y: &mut f64| {
        if y.is_finite() && *y > ceiling {
            (*y, lowered) = (ceiling, true);
        }
    };
    for series in series {
        series.points.iter_mut().for_each(|point| lower(&mut point.1));
        series.band.iter_mut().for_each(|band| {
            lower(&mut band.1);
            lower(&mut band.2);
        });
    }
    lowered.then_some(ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_that_diverges_does_not_flatten_the_others() {
        let of = |points: Vec<(f64, f64)>| Series { points, ..Series::default() };
        let mut both =
            [of(vec![(0.0, 2.0), (1.0, 1.0)]), of(vec![(0.0, 2.5), (1.0, 1e9), (2.0, f64::NAN)])];
        assert_eq!(cap(&mut both), Some(10.0));
        assert_eq!((both[0].points[1].1, both[1].points[1].1), (1.0, 10.0));
        assert_eq!(cap(&mut [of(vec![(0.0, 2.0), (1.0, 7.9)])]), None);
        assert_eq!(cap(&mut []), None);
    }
}
