//! The plotting area of a chart: its place in the picture, its grid and its axes.

use super::scale::Scale;
use crate::report::html::escape;
use std::fmt::Write;

/// A plotting area with an x and a y axis.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Width of the picture.
    pub(crate) width: f64,
    /// Height of the picture.
    pub(crate) height: f64,
    /// Left edge of the plotting area.
    pub(crate) left: f64,
    /// Upper edge of the plotting area.
    pub(crate) top: f64,
    /// The x axis.
    pub(crate) x: Scale,
    /// The y axis.
    pub(crate) y: Scale,
}

/// Room right of the plotting area.
const RIGHT: f64 = 14.0;
/// Room below the plotting area, for ticks and the label.
const BOTTOM: f64 = 46.0;
/// Width of a digit at the size of tick labels, with some reserve.
const DIGIT: f64 = 7.2;

impl Frame {
    /// The frame of a small chart, its left edge as far in as the y axis' ticks need.
    pub(crate) fn small(x: Scale, y: Scale) -> Self {
        let longest = y.ticks().iter().map(|(_, text)| text.chars().count()).max().unwrap_or(1);
        Self {
            width: 480.0,
            height: 292.0,
            left: 14.0 + DIGIT * longest.max(3) as f64,
            top: 32.0,
            x,
            y,
        }
    }

    /// Right edge of the plotting area.
    pub(crate) fn right(&self) -> f64 {
        self.width - RIGHT
    }

    /// Lower edge of the plotting area.
    pub(crate) fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    /// Place of an x in base units.
    pub(crate) fn px(&self, x: f64) -> f64 {
        self.left + self.x.part(x) * (self.right() - self.left)
    }

    /// Place of a y in base units.
    pub(crate) fn py(&self, y: f64) -> f64 {
        self.bottom() - self.y.part(y) * (self.bottom() - self.top)
    }

    /// The picture around `content` (SVG). `name` says in words what it shows. The script reads the place
    /// and the range of the plotting area from the `data-` attributes.
    pub(crate) fn svg(&self, name: &str, content: &str) -> String {
        let (left, top, right, bottom) = (self.left, self.top, self.right(), self.bottom());
        format!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-plot=\"{left:.1} {top:.1} {right:.1} {bottom:.1}\" \
             data-range=\"{} {} {} {}\" data-x=\"{}\" data-y=\"{}\">\n{}{content}</svg>\n",
            self.width,
            self.height,
            escape(name),
            self.x.low,
            self.x.high,
            self.y.low,
            self.y.high,
            escape(&self.x.label),
            escape(&self.y.label),
            self.axes()
        )
    }

    fn axes(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let (left, right, top, bottom) = (self.left, self.right(), self.top, self.bottom());
        for (part, text) in self.y.ticks() {
            let y = bottom - part * (bottom - top);
            let _ = write!(out, "<path class=\"gridline\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>");
            let _ = writeln!(
                out,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 6.0,
                y + 4.0
            );
        }
        for (part, text) in self.x.ticks() {
            let x = left + part * (right - left);
            // The last text stays inside of the picture.
            let reach = DIGIT / 2.0 * text.chars().count() as f64;
            let (anchor, place) =
                if x + reach > self.width { ("end", self.width) } else { ("middle", x) };
            let _ = write!(out, "<path class=\"axis\" d=\"M{x:.1} {bottom:.1}v4\"/>");
            let _ = writeln!(
                out,
                "<text class=\"tick\" x=\"{place:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>",
                bottom + 17.0
            );
        }
        let _ = writeln!(out, "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>");
        let _ =
            writeln!(out, "<text class=\"name\" x=\"4\" y=\"13\">{}</text>", escape(&self.y.label));
        let middle = (left + right) / 2.0;
        let below = self.height - 6.0;
        let _ = writeln!(
            out,
            "<text class=\"name\" x=\"{middle:.1}\" y=\"{below:.1}\" text-anchor=\"middle\">{}</text>",
            escape(&self.x.label)
        );
        out
    }
}
