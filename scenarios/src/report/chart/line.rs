//! Curves, each with an optional band around it.

use super::frame::Frame;
use super::scale::{Axis, Ends, Scale};
use super::{nothing, series_class};
use crate::report::html::escape;
use std::fmt::Write;

/// One curve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// Its name, plain text.
    pub(crate) name: String,
    /// Which colour and dash it has.
    pub(crate) index: usize,
    /// (x, y) in base units, ordered by x. A point that is not finite parts the curve.
    pub(crate) points: Vec<(f64, f64)>,
    /// (x, lowest y, highest y), ordered by x; empty for a curve without a band.
    pub(crate) band: Vec<(f64, f64, f64)>,
}

/// Curves over a common axis.
#[derive(Clone, Debug)]
pub(crate) struct LineChart<'a> {
    /// What it shows, in words.
    pub(crate) name: &'a str,
    /// The x axis; it begins at zero.
    pub(crate) x: Axis<'a>,
    /// The y axis.
    pub(crate) y: Axis<'a>,
    /// The curves.
    pub(crate) series: &'a [Series],
    /// A height to mark with its name: the target.
    pub(crate) bar: Option<(f64, String)>,
}

impl LineChart<'_> {
    /// The picture; a sentence where no curve has a finite point.
    pub(crate) fn svg(&self) -> String {
        let finite = || {
            self.series
                .iter()
                .flat_map(|s| &s.points)
                .filter(|p| p.0.is_finite() && p.1.is_finite())
        };
        if finite().next().is_none() {
            return nothing("Nothing to draw: no evaluation with a finite value.");
        }
        // The axis is as long as the run, even where the curve ends in values that are not finite.
        let places = self.series.iter().flat_map(|s| &s.points).map(|point| point.0);
        let reach = places.filter(|x| x.is_finite()).fold(0.0, f64::max);
        let (low, high) = self.heights(finite().map(|point| point.1));
        let frame = Frame::small(
            Scale::fit(self.x, 0.0, reach, 5, Ends::Data),
            Scale::fit(self.y, low, high, 5, Ends::Ticks),
        );
        let bands: String = self.series.iter().map(|series| band(&frame, series)).collect();
        let lines: String = self.series.iter().map(|series| line(&frame, series)).collect();
        frame.svg(self.name, &(bands + lines.as_str() + self.bar_line(&frame).as_str()))
    }

    fn heights(&self, drawn: impl Iterator<Item = f64>) -> (f64, f64) {
        let bands =
            self.series.iter().flat_map(|series| &series.band).flat_map(|band| [band.1, band.2]);
        let bar = self.bar.iter().map(|bar| bar.0);
        let all = drawn.chain(bands).chain(bar).filter(|y| y.is_finite());
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
    }

    fn bar_line(&self, frame: &Frame) -> String {
        self.bar.as_ref().map_or_else(String::new, |(height, name)| {
            let (left, right, y) = (frame.left, frame.right(), frame.py(*height));
            // At the right end, where curves are flat, and above the line only where there is no room below.
            let text = if frame.bottom() - y < 18.0 { y - 5.0 } else { y + 14.0 };
            format!(
                "<path class=\"bar\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>\
                 <text class=\"barname\" text-anchor=\"end\" x=\"{:.1}\" y=\"{text:.1}\">{}</text>\n",
                right - 5.0,
                escape(name)
            )
        })
    }
}

fn line(frame: &Frame, series: &Series) -> String {
    let mut path = String::new();
    let mut lone = String::new();
    let finite = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    for run in series.points.split(|point| !point.0.is_finite() || !point.1.is_finite()) {
        for (place, point) in run.iter().filter(finite).enumerate() {
            let (letter, x, y) =
                (if place == 0 { 'M' } else { 'L' }, frame.px(point.0), frame.py(point.1));
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
        }
        if let [point] = run {
            // A line needs two points; one alone is a dot.
            let (x, y) = (frame.px(point.0), frame.py(point.1));
            let _ = write!(
                lone,
                "<circle class=\"dot c{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>",
                series.index % super::COLOURS
            );
        }
    }
    let (class, name) = (series_class(series.index), escape(&series.name));
    format!("<path class=\"line {class}\" data-name=\"{name}\" d=\"{path}\"/>{lone}\n")
}

fn band(frame: &Frame, series: &Series) -> String {
    let mut path = String::new();
    for run in series
        .band
        .split(|(x, low, high)| !(x + low + high).is_finite())
        .filter(|run| run.len() > 1)
    {
        let upper = run.iter().map(|band| (band.0, band.2));
        let lower = run.iter().rev().map(|band| (band.0, band.1));
        for (place, (x, y)) in upper.chain(lower).enumerate() {
            let letter = if place == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", frame.px(x), frame.py(y));
        }
        path.push('z');
    }
    if path.is_empty() {
        return path;
    }
    format!("<path class=\"band c{}\" d=\"{path}\"/>\n", series.index % super::COLOURS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::quantity::Quantity;

    fn chart(series: &[Series], bar: Option<(f64, String)>) -> String {
        LineChart {
            name: "accuracy",
            x: Axis { label: "virtual time", quantity: Quantity::Seconds },
            y: Axis { label: "accuracy", quantity: Quantity::Share },
            series,
            bar,
        }
        .svg()
    }

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let series =
            Series { name: "a".into(), points: vec![(0.0, 0.0), (60.0, 1.0)], ..Series::default() };
        let text = chart(&[series], None);
        // Three characters of ticks: the area reaches from 14 + 3 * 7.2 to 480 - 14, and from 32 to 292 - 46.
        assert!(text.contains("d=\"M35.6 246.0L466.0 32.0\""), "{text}");
        assert!(text.contains(">virtual time (s)</text>"), "{text}");
    }

    #[test]
    fn what_is_not_finite_parts_the_curve() {
        let points =
            vec![(0.0, 0.1), (1.0, 0.2), (2.0, f64::NAN), (3.0, 0.4), (4.0, f64::INFINITY)];
        let text = chart(&[Series { points, ..Series::default() }], None);
        assert_eq!(
            (text.matches("<circle").count(), text.contains("NaN"), text.contains("inf")),
            (1, false, false)
        );
        let path = text
            .split("class=\"line")
            .nth(1)
            .and_then(|rest| rest.split("d=\"").nth(1))
            .expect("a path");
        assert_eq!(path.split('"').next().expect("its end").matches('M').count(), 2);
    }

    #[test]
    fn nothing_finite_gives_a_sentence() {
        assert!(chart(&[], None).starts_with("<p"));
        let points = vec![(0.0, f64::NAN)];
        assert!(
            chart(&[Series { points, ..Series::default() }], Some((0.5, "t".into())))
                .starts_with("<p")
        );
    }

    #[test]
    fn the_axis_holds_the_target_too() {
        let series = Series { points: vec![(0.0, 0.1), (9.0, 0.3)], ..Series::default() };
        let text = chart(&[series], Some((0.8, "target <0.8>".into())));
        assert!(text.contains("target &lt;0.8&gt;") && text.contains(">0.8</text>"), "{text}");
    }
}
