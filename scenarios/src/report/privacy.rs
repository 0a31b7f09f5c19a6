//! What a run revealed of its clients: how epsilon grew, and what accuracy it bought.

use super::chart::{Axis, LineChart, Series, figure};
use super::data::{EvalPoint, RunData};
use super::html::note;
use super::quantity::Quantity;
use super::thin;

/// Points at most on a curve.
const POINTS: usize = 500;

/// The charts and what they mean; empty where nothing protects the clients.
pub(super) fn privacy(run: &RunData) -> String {
    let Some(spent) = run.privacy else { return String::new() };
    let delta = spent.delta;
    let mut out = String::from("<div class=\"grid\">\n");
    let epsilon = Axis { label: "epsilon", quantity: Quantity::Plain };
    let time = Axis { label: "virtual time", quantity: Quantity::Seconds };
    let accuracy = Axis { label: "accuracy", quantity: Quantity::Share };
    out += &chart(run, "Epsilon against virtual time", (time, epsilon), |point, epsilon| {
        (point.virtual_seconds, epsilon)
    });
    out += &chart(run, "Accuracy against epsilon", (epsilon, accuracy), |point, epsilon| {
        (epsilon, point.accuracy)
    });
    out += "</div>\n";
    let whose = [
        (spent.central, "what the published models reveal"),
        (spent.local, "what its updates reveal to the server"),
    ];
    for (value, what) in whose {
        if let Some(value) = value {
            out += &note(&format!(
                "Epsilon is {value:.3} at delta {delta:e}: {what} of the client of which most is known, with all \
                 its samples."
            ));
        }
    }
    out
}

/// One curve over the evaluations whose epsilon is known and finite.
fn chart(
    run: &RunData,
    title: &str,
    (x, y): (Axis<'_>, Axis<'_>),
    of: impl Fn(&EvalPoint, f64) -> (f64, f64),
) -> String {
    // The model of version 0 has seen nobody.
    let at = |point: &EvalPoint| point.epsilon.or((point.version == 0).then_some(0.0));
    let known = run.evaluations.iter().filter_map(|point| Some((point, at(point)?)));
    let finite = known.filter(|(_, epsilon)| epsilon.is_finite());
    let points: Vec<_> = finite.map(|(point, epsilon)| of(point, epsilon)).collect();
    let points = thin::curve(points, POINTS).points;
    let series = Series { name: run.shown_label().to_string(), index: 0, points, band: Vec::new() };
    let chart = LineChart { name: title, x, y, series: &[series], bar: None };
    figure(title, &chart.svg(), &[])
}
