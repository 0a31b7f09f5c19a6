//! Lanes over virtual time, one per client, with a piece for each task.

use super::frame::Frame;
use super::nothing;
use super::scale::{Axis, Ends, Scale};
use crate::report::html::escape;
use crate::report::quantity::Quantity;
use std::fmt::Write;

/// A piece of a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    /// Begin in seconds.
    pub(crate) start: f64,
    /// End in seconds.
    pub(crate) end: f64,
    /// Which kind, an index into [`Timeline::kinds`].
    pub(crate) kind: usize,
}

/// One lane.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// Its name, plain text.
    pub(crate) name: String,
    /// Its pieces, in any order.
    pub(crate) pieces: Vec<Piece>,
}

/// Lanes over virtual time.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<'a> {
    /// What it shows, in words.
    pub(crate) name: &'a str,
    /// Whose lanes they are.
    pub(crate) lane: &'a str,
    /// The lanes from above.
    pub(crate) lanes: &'a [Lane],
    /// Classes of the kinds of pieces; later kinds are drawn over earlier ones.
    pub(crate) kinds: &'a [&'a str],
    /// End of the axis at least, in seconds.
    pub(crate) reach: f64,
    /// Times in seconds at which something happened to all of it, and what.
    pub(crate) marks: &'a [(f64, &'a str)],
}

/// Pieces of one kind nearer than this (in units of the picture, about a pixel) are drawn as one.
const NEAR: f64 = 1.2;

impl Timeline<'_> {
    /// The picture, and whether pieces were joined; a sentence where there is no piece.
    pub(crate) fn svg(&self) -> (String, bool) {
        let end = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.pieces)
            .map(|piece| piece.end)
            .filter(|end| end.is_finite());
        let Some(end) = end.reduce(f64::max) else {
            return (nothing("Nothing to draw: no client has begun a task."), false);
        };
        let frame = self.frame(end.max(self.reach));
        let mut joined = false;
        let mut out = self.names(&frame);
        for (kind, class) in self.kinds.iter().enumerate() {
            let mut path = String::new();
            for (place, lane) in self.lanes.iter().enumerate() {
                let (pieces, fewer) = drawn(&frame, lane, kind);
                joined |= fewer;
                let y = self.middle(&frame, place);
                for (x, width) in pieces {
                    let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}");
                }
            }
            // Kinds differ in height too, for readers who cannot tell the colours.
            let height = self.pitch() * if kind == 0 { 0.8 } else { 0.5 };
            if !path.is_empty() {
                let _ = writeln!(
                    out,
                    "<path class=\"{class}\" stroke-width=\"{height:.1}\" d=\"{path}\"/>"
                );
            }
        }
        out.push_str(&self.mark_lines(&frame));
        (frame.svg(self.name, &out), joined)
    }

    /// A dashed line for each mark, with what happened as its title.
    fn mark_lines(&self, frame: &Frame) -> String {
        let mut out = String::new();
        for (at, what) in self.marks {
            let _ = writeln!(
                out,
                "<path class=\"happened\" d=\"M{:.1} {:.1}V{:.1}\"><title>{}</title></path>",
                frame.px(*at),
                frame.top,
                frame.bottom(),
                escape(what)
            );
        }
        out
    }

    /// Distance of lanes.
    fn pitch(&self) -> f64 {
        if self.lanes.len() > 24 { 12.0 } else { 18.0 }
    }

    /// Height in the picture of the middle of a lane.
    fn middle(&self, frame: &Frame, place: usize) -> f64 {
        frame.top + self.pitch() * (place as f64 + 0.5)
    }

    fn frame(&self, end: f64) -> Frame {
        let x = Axis { label: "virtual time", quantity: Quantity::Seconds };
        let y = Axis { label: self.lane, quantity: Quantity::Plain };
        // The y axis has names instead of ticks: a scale whose only tick lies outside of the picture.
        let mut y = Scale::fit(y, 0.0, 1.0, 1, Ends::Data);
        (y.low, y.high) = (0.25, 0.75);
        let longest = self.lanes.iter().map(|lane| lane.name.chars().count()).max().unwrap_or(1);
        let height = 26.0 + self.pitch() * self.lanes.len() as f64 + 46.0;
        let left = 14.0 + 7.2 * longest.max(4) as f64;
        Frame {
            width: 960.0,
            height,
            left,
            top: 26.0,
            x: Scale::fit(x, 0.0, end, 10, Ends::Data),
            y,
        }
    }

    fn names(&self, frame: &Frame) -> String {
        let mut out = String::new();
        for (place, lane) in self.lanes.iter().enumerate() {
            let y = self.middle(frame, place);
            let _ = writeln!(
                out,
                "<text class=\"lane\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><path class=\"gridline\" d=\"M{:.1} {y:.1}H{:.1}\"/>",
                frame.left - 6.0,
                y + 3.5,
                escape(&lane.name),
                frame.left,
                frame.right()
            );
        }
        out
    }
}

/// Begin and width of the pieces of one kind in one lane, with near ones joined, and whether any were.
fn drawn(frame: &Frame, lane: &Lane, kind: usize) -> (Vec<(f64, f64)>, bool) {
    let finite =
        |piece: &&Piece| piece.kind == kind && piece.start.is_finite() && piece.end.is_finite();
    let place = |piece: &Piece| (frame.px(piece.start), frame.px(piece.end.max(piece.start)));
    let mut places: Vec<(f64, f64)> = lane.pieces.iter().filter(finite).map(place).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let before = places.len();
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (from, to) in places {
        match kept.last_mut() {
            // Only what is too short to be seen on its own is joined: long tasks stay apart.
            Some(last)
                if from - last.1 < NEAR && (to - from < 2.0 * NEAR || last.1 - last.0 < NEAR) =>
            {
                last.1 = last.1.max(to);
            }
            _ => kept.push((from, to)),
        }
    }
    let fewer = kept.len() < before;
    // A hairline of background between neighbours, where there is room for it.
    let width =
        |from: f64, to: f64| if to - from > 3.0 { to - from - 0.6 } else { (to - from).max(0.8) };
    (kept.into_iter().map(|(from, to)| (from, width(from, to))).collect(), fewer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(pieces: Vec<Piece>) -> Lane {
        Lane { name: "7".into(), pieces }
    }

    fn svg(lanes: &[Lane]) -> (String, bool) {
        Timeline {
            lane: "client",
            name: "t",
            lanes,
            kinds: &["span c0", "span c1"],
            reach: 100.0,
            marks: &[(25.0, "cut")],
        }
        .svg()
    }

    #[test]
    fn pieces_lie_at_their_times() {
        let (text, joined) = svg(&[lane(vec![
            Piece { start: 0.0, end: 50.0, kind: 0 },
            Piece { start: 50.0, end: 100.0, kind: 1 },
        ])]);
        // The area reaches from 14 + 4 * 7.2 = 42.8 to 946; half of it is 451.6, less a hairline.
        assert!(
            text.contains("d=\"M42.8 35.0h451.0") && text.contains("M494.4 35.0h451.0"),
            "{text}"
        );
        assert!(text.contains("<title>cut</title>"), "{text}");
        assert!(!joined && text.contains("virtual time (s)"));
    }

    #[test]
    fn ten_thousand_short_tasks_become_few_pieces() {
        let pieces: Vec<_> = (0..10_000)
            .map(|n| Piece {
                start: f64::from(n) * 0.01,
                end: f64::from(n) * 0.01 + 0.005,
                kind: 0,
            })
            .collect();
        let (text, joined) = svg(&[lane(pieces)]);
        assert!(joined && text.len() < 20_000, "{}", text.len());
    }

    #[test]
    fn no_piece_gives_a_sentence() {
        assert!(svg(&[]).0.starts_with("<p"));
        assert!(svg(&[lane(vec![])]).0.starts_with("<p"));
    }
}
