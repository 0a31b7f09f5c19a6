//! Bars over a numeric axis: histograms, and figures by class.

use super::frame::Frame;
use super::legend::{Entry, legend};
use super::nothing;
use super::scale::{Axis, Ends, Scale};
use crate::report::html::escape;
use std::fmt::Write;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// Left end on the axis.
    pub(crate) from: f64,
    /// Right end on the axis.
    pub(crate) to: f64,
    /// Height in base units; a bar that is not finite is left out.
    pub(crate) value: f64,
    /// What it says under the pointer, plain text.
    pub(crate) title: String,
}

/// A place on the x axis to mark.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Where.
    pub(crate) x: f64,
    /// What, plain text.
    pub(crate) name: String,
}

/// Bars over a numeric axis.
#[derive(Clone, Debug)]
pub(crate) struct BarChart<'a> {
    /// What it shows, in words.
    pub(crate) name: &'a str,
    /// The x axis.
    pub(crate) x: Axis<'a>,
    /// The y axis; it begins at zero.
    pub(crate) y: Axis<'a>,
    /// The bars, from left to right.
    pub(crate) bars: &'a [Bar],
    /// Marked places, at most two.
    pub(crate) marks: &'a [Mark],
    /// Which colour the bars have.
    pub(crate) colour: usize,
    /// Upper end of the y axis at least, in base units.
    pub(crate) reach: f64,
}

impl BarChart<'_> {
    /// The picture; a sentence where no bar has a height.
    pub(crate) fn svg(&self) -> String {
        let drawn: Vec<&Bar> = self.bars.iter().filter(|bar| bar.value.is_finite()).collect();
        let (Some(first), Some(last)) = (self.bars.first(), self.bars.last()) else {
            return nothing("Nothing to draw: nothing was counted.");
        };
        let tallest = drawn.iter().map(|bar| bar.value).fold(self.reach, f64::max);
        let frame = Frame::small(
            Scale::fit(self.x, first.from, last.to, 6, Ends::Data),
            Scale::fit(self.y, 0.0, tallest, 5, Ends::Ticks),
        );
        let bars: String = drawn.iter().map(|bar| self.bar(&frame, bar)).collect();
        let picture = frame.svg(self.name, &(bars + self.mark_lines(&frame).as_str()));
        picture + self.mark_names().as_str()
    }

    fn bar(&self, frame: &Frame, bar: &Bar) -> String {
        let (left, right, top) = (frame.px(bar.from), frame.px(bar.to), frame.py(bar.value));
        // Narrow bars touch, wider ones leave a gap, as far as there is room for one.
        let gap = ((right - left) * 0.12).min(3.0);
        let height = (frame.bottom() - top).max(if bar.value > 0.0 { 1.0 } else { 0.0 });
        format!(
            "<rect class=\"fill c{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}</title></rect>\n",
            self.colour % super::COLOURS,
            left + gap / 2.0,
            frame.bottom() - height,
            (right - left - gap).max(0.4),
            escape(&bar.title)
        )
    }

    /// A line through the picture at each mark, in front of a wider one that parts it from the bars.
    fn mark_lines(&self, frame: &Frame) -> String {
        let mut out = String::new();
        for (place, mark) in self.marks.iter().enumerate() {
            let (x, top, bottom) = (frame.px(mark.x), frame.top, frame.bottom());
            let line = format!("d=\"M{x:.1} {top:.1}V{bottom:.1}\"");
            let _ = writeln!(
                out,
                "<path class=\"halo\" {line}/><path class=\"mark m{place}\" {line}/>"
            );
        }
        out
    }

    /// What the marks are: below the picture, where names cannot lie over bars or each other.
    fn mark_names(&self) -> String {
        let entry = |(place, mark): (usize, &Mark)| Entry {
            name: mark.name.clone(),
            class: format!("mark m{place}"),
            area: false,
        };
        legend(&self.marks.iter().enumerate().map(entry).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::quantity::Quantity;

    fn chart(bars: &[Bar], marks: &[Mark]) -> String {
        let axis = |label| Axis { label, quantity: Quantity::Count };
        BarChart {
            name: "h",
            x: axis("staleness"),
            y: axis("updates"),
            bars,
            marks,
            colour: 0,
            reach: 0.0,
        }
        .svg()
    }

    fn bar(from: f64, value: f64) -> Bar {
        Bar { from, to: from + 1.0, value, title: format!("<{value}>") }
    }

    #[test]
    fn heights_are_in_proportion() {
        let text = chart(&[bar(0.0, 10.0), bar(1.0, 5.0), bar(2.0, 0.0), bar(3.0, f64::NAN)], &[]);
        assert!(
            text.contains("height=\"214.0\"")
                && text.contains("height=\"107.0\"")
                && text.contains("height=\"0.0\""),
            "{text}"
        );
        assert_eq!((text.matches("<rect").count(), text.matches("&lt;").count()), (3, 3));
    }

    #[test]
    fn no_bars_give_a_sentence_and_zeros_a_picture() {
        assert!(chart(&[], &[]).starts_with("<p"));
        assert!(chart(&[bar(0.0, 0.0)], &[]).starts_with("<svg"));
    }

    #[test]
    fn marks_are_lines_with_names_below() {
        let mark = |x| Mark { x, name: format!("at <{x}>") };
        let text = chart(&[bar(0.0, 1.0), bar(1.0, 1.0)], &[mark(1.0), mark(2.0)]);
        // Three characters of ticks: the area reaches from 35.6 to 466; its middle is 250.8.
        assert!(
            text.contains("class=\"mark m0\" d=\"M250.8 ")
                && text.contains("class=\"mark m1\" d=\"M466.0 "),
            "{text}"
        );
        let (_, below) = text.split_once("</svg>\n<ul").expect("names after the picture");
        assert!(below.contains("at &lt;1&gt;") && below.contains("at &lt;2&gt;"), "{below}");
    }
}
