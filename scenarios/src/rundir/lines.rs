//! Rows of `metrics.csv` as text. A run writes seven of them for each task, so this is done without the
//! general machinery: what rows of one record have in common is written once, and most numbers are whole
//! microseconds or counts, which need no search for the shortest decimal.

use super::table::Row;
use offbeat_kernel::{Time, Version};
use std::io::Write;

/// Writes rows to `W`, each as one line.
#[derive(Debug)]
pub struct Lines<W: Write> {
    out: W,
    line: Vec<u8>,
    /// What the line at hand has in common with the one before.
    head: Option<Head>,
    /// Its length.
    head_len: usize,
}

/// The columns up to the version.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Head {
    kind: &'static str,
    at: Time,
    wall_seconds: f64,
    version: Version,
}

impl<W: Write> Lines<W> {
    /// Lines that go on behind what `out` has.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::with_capacity(128), head: None, head_len: 0 }
    }

    /// Writes the names of columns.
    ///
    /// # Errors
    /// When `W` refuses.
    pub fn names(&mut self, names: &[&str]) -> std::io::Result<()> {
        writeln!(self.out, "{}", names.join(","))
    }

    /// Writes one row, at so many seconds of real time.
    ///
    /// # Errors
    /// When `W` refuses.
    pub fn row(&mut self, row: &Row, wall_seconds: f64) -> std::io::Result<()> {
        let head = Head { kind: row.kind, at: row.at, wall_seconds, version: row.version };
        self.line.truncate(self.head_len);
        if self.head != Some(head) {
            self.begin(head);
        }
        if let Some(client) = row.client {
            digits(&mut self.line, u64::from(client.0));
        }
        self.line.push(b',');
        text(&mut self.line, &row.metric);
        self.line.push(b',');
        number(&mut self.line, row.value);
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    fn begin(&mut self, head: Head) {
        let line = &mut self.line;
        line.clear();
        text(line, head.kind);
        line.push(b',');
        number(line, head.at.seconds());
        line.push(b',');
        let micros = (head.wall_seconds * 1e6).round() as u64;
        digits(line, micros / MILLION);
        line.push(b'.');
        line.extend_from_slice(&six(micros % MILLION));
        line.push(b',');
        digits(line, head.version.0);
        line.push(b',');
        (self.head, self.head_len) = (Some(head), line.len());
    }

    /// Hands everything on.
    ///
    /// # Errors
    /// When `W` refuses.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.out
    }
}

const MILLION: u64 = 1_000_000;

/// A field, in quotes where it needs them.
fn text(line: &mut Vec<u8>, field: &str) {
    if !field.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        line.extend_from_slice(field.as_bytes());
        return;
    }
    line.push(b'"');
    line.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

/// The shortest decimal that reads back as `value`, as Rust displays it.
fn number(line: &mut Vec<u8>, value: f64) {
    // Fifteen digits tell all decimals apart, so the one with whole millionths is the shortest.
    let micros = (value * 1e6).round();
    let short = (0.0..1e15).contains(&micros) && micros / 1e6 == value && value.is_sign_positive();
    if !short {
        // A vector takes everything.
        let _ = write!(line, "{value}");
        return;
    }
    let micros = micros as u64;
    digits(line, micros / MILLION);
    if !micros.is_multiple_of(MILLION) {
        line.push(b'.');
        line.extend_from_slice(&six(micros % MILLION));
        while line.pop_if(|last| *last == b'0').is_some() {}
    }
}

/// A whole number.
fn digits(line: &mut Vec<u8>, mut number: u64) {
    let (mut text, mut first) = ([0u8; 20], 20);
    loop {
        first -= 1;
        text[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line.extend_from_slice(&text[first..]);
}

/// A number below a million with all its places.
fn six(mut number: u64) -> [u8; 6] {
    let mut text = [0; 6];
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rundir::table::COLUMNS;
    use offbeat_kernel::ClientId;
    use proptest::prelude::*;

    fn shown(value: f64) -> String {
        let mut line = Vec::new();
        number(&mut line, value);
        String::from_utf8(line).expect("digits")
    }

    #[test]
    fn lines_are_those_of_the_csv_writer() {
        let metrics = ["seconds", "a, b", "said \"no\"", "two\nlines", ""];
        let (mut own, mut other) = (Lines::new(Vec::new()), csv::Writer::from_writer(Vec::new()));
        own.names(&COLUMNS).expect("a vector");
        other.write_record(COLUMNS).expect("a vector");
        for (i, metric) in metrics.into_iter().enumerate() {
            let row = Row {
                kind: "task",
                at: Time::from_micros(1_500_000 + i as u64 / 2),
                version: Version(3),
                client: (i > 0).then_some(ClientId(i as u32 * 10)),
                metric: metric.into(),
                value: 0.1 * i as f64,
            };
            own.row(&row, 0.25).expect("a vector");
            let client = row.client.map(|client| client.0.to_string()).unwrap_or_default();
            let (at, value) = (row.at.seconds().to_string(), row.value.to_string());
            let cells = ["task", &at, "0.250000", "3", &client, metric, &value];
            other.write_record(cells).expect("a vector");
        }
        let other = other.into_inner().expect("a vector");
        assert_eq!(String::from_utf8(own.out), String::from_utf8(other));
    }

    #[test]
    fn odd_numbers_are_shown_as_ever() {
        for value in [0.0, -0.0, f64::NAN, f64::INFINITY, 1e300, 5e-324, 1e9, 1e15, 0.1 + 0.2] {
            assert_eq!(shown(value), value.to_string());
        }
    }

    proptest! {
        #[test]
        fn numbers_are_shown_as_ever(bits: u64, micros in 0u64..4_000_000_000_000_000, many: u32) {
            for value in [f64::from_bits(bits), micros as f64 / 1e6, f64::from(many), 1.0 / f64::from(many)] {
                prop_assert_eq!(shown(value), value.to_string());
            }
        }
    }
}
