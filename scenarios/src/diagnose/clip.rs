//! Long lines of a source, cut around what is marked in them.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::ops::Range;

/// Columns before the text of a shown line, beside its number.
const GUTTER: usize = 5;
/// Columns of a line that stay before the first mark, at most.
const BEFORE: usize = 26;
/// Stands for what was cut.
const GAP: char = '…';

/// A text with its long lines cut; places in it are those of the whole text, moved.
#[derive(Debug)]
pub(super) struct Clipped {
    name: String,
    text: String,
    lines: Vec<Line>,
}

/// One line.
#[derive(Debug)]
struct Line {
    /// Where it begins in the whole text and in the cut one.
    begins: (usize, usize),
    /// What of it is shown, in bytes from its beginning.
    kept: Range<usize>,
    /// Bytes of the mark that stands for what was cut before that.
    gap: usize,
}

impl Clipped {
    /// `text` for a terminal of `width` columns, with `marks` in it.
    pub(super) fn new(name: &str, text: &str, marks: &[Range<usize>], width: usize) -> Self {
        let digits = text.lines().count().max(1).to_string().len();
        let room = width.saturating_sub(GUTTER + digits).max(2 * BEFORE);
        let (mut shown, mut lines, mut begin) = (String::with_capacity(text.len()), Vec::new(), 0);
        for whole in text.split_inclusive('\n') {
            let bare = whole.trim_end_matches(['\n', '\r']);
            let inside = |mark: &&Range<usize>| (begin..begin + whole.len()).contains(&mark.start);
            let mark = marks.iter().filter(inside).min_by_key(|mark| mark.start);
            let first = mark.map_or(0, |mark| bare.get(..mark.start - begin).map_or(0, letters));
            let kept = window(bare, first, room);
            let gap = if kept.start > 0 { GAP.len_utf8() } else { 0 };
            lines.push(Line { begins: (begin, shown.len()), kept: kept.clone(), gap });
            if kept.start > 0 {
                shown.push(GAP);
            }
            shown += bare.get(kept.clone()).unwrap_or_default();
            if kept.end < bare.len() {
                shown.push(GAP);
            }
            shown += &whole[bare.len()..];
            begin += whole.len();
        }
        Self { name: name.into(), text: shown, lines }
    }

    /// A place of the whole text in the cut one.
    pub(super) fn moved(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        start..self.place(range.end).max(start)
    }

    fn place(&self, at: usize) -> usize {
        let number = self.lines.partition_point(|line| line.begins.0 <= at);
        let Some(line) = number.checked_sub(1).map(|number| &self.lines[number]) else { return at };
        let inside = (at - line.begins.0).clamp(line.kept.start, line.kept.end);
        // The end of a line stays behind its last letter.
        let beyond = (at - line.begins.0).saturating_sub(line.kept.end).min(1);
        let place = line.begins.1 + line.gap + inside - line.kept.start;
        (place + beyond).min(self.text.len())
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// The bytes of a line that are shown: all, or `room` letters around the one at `first`.
fn window(line: &str, first: usize, room: usize) -> Range<usize> {
    let all = letters(line);
    if all <= room {
        return 0..line.len();
    }
    let from = if first < room / 2 { 0 } else { first - BEFORE };
    let to = (from + room - 2).min(all);
    let byte = |letter: usize| line.char_indices().nth(letter).map_or(line.len(), |(at, _)| at);
    byte(from)..byte(to)
}

impl SourceCode for Clipped {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        // Columns are those of the whole line, in bytes.
        let cut =
            self.lines.get(found.line()).map_or(0, |line| line.kept.start.saturating_sub(line.gap));
        let column = if found.column() > 0 { found.column() + cut } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            found.line(),
            column,
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice::from_ref;

    #[test]
    fn a_long_line_is_cut_around_its_mark_and_short_ones_stay() {
        let long = format!("key = {{ {} }}", "name = 1, ".repeat(30));
        let text = format!("short = 1\n{long}\nlast = 2\n");
        let at = 10 + long.rfind("name").expect("there");
        let mark = at..at + 4;
        let clipped = Clipped::new("s.toml", &text, from_ref(&mark), 80);
        assert!(clipped.text.starts_with("short = 1\n…") && clipped.text.ends_with("\nlast = 2\n"));
        assert!(clipped.text.lines().all(|line| letters(line) <= 74), "{}", clipped.text);
        assert_eq!(&clipped.text[clipped.moved(&(at..at + 4))], "name");
        let end = text.rfind("last").expect("there");
        assert_eq!(&clipped.text[clipped.moved(&(end..end + 4))], "last");
        let span = clipped.moved(&(at..at + 4));
        let span = SourceSpan::from((span.start, span.len()));
        let found = clipped.read_span(&span, 0, 0).expect("inside");
        assert_eq!((found.line(), found.column()), (1, at - 10));
        let early = 10..13;
        let first = Clipped::new("s.toml", &text, from_ref(&early), 80);
        assert!(
            first.text.contains("\nkey = {") && first.text.contains("…\nlast"),
            "{}",
            first.text
        );
    }
}
