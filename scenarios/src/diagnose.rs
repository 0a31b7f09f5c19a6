//! What is wrong with a scenario, shown with the line that is wrong.

mod clip;

use crate::document::{Document, Place, Source};
use clip::Clipped;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode,
};
use serde::Serialize;
use std::fmt;

/// Width of the printed errors, in columns.
const WIDTH: usize = 80;

/// Stands for `-` while lines are wrapped: a name such as `over-selection` stays whole.
const HYPHEN: &str = "\u{e000}";

/// One thing that is wrong, or surely not meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: &'static str,
    message: String,
    help: Option<String>,
    labels: Vec<(Place, String)>,
    about: String,
    warning: bool,
}

impl Problem {
    /// An error. `code` names its kind, such as `unknown_key`.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
            labels: Vec::new(),
            about: String::new(),
            warning: false,
        }
    }

    /// The same as a warning: the run goes on.
    pub fn as_warning(mut self) -> Self {
        self.warning = true;
        self
    }

    /// Underlines `place` and writes `label` under it.
    pub fn at(mut self, place: Option<Place>, label: impl Into<String>) -> Self {
        self.labels.extend(place.map(|place| (place, label.into())));
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says something else about what to do.
    pub(crate) fn set_help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    /// What to do, if that was said.
    pub(crate) fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Says which key it is about, so that one key is not reported twice.
    pub fn about(mut self, path: &str) -> Self {
        self.about = path.to_string();
        self
    }

    /// The kind of problem, such as `unknown_key`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The key it is about; empty when it is about the whole file.
    pub fn path(&self) -> &str {
        &self.about
    }

    /// Whether it is a warning only.
    pub fn is_warning(&self) -> bool {
        self.warning
    }

    fn order(&self) -> (usize, usize) {
        self.labels.first().map_or((0, 0), |(place, _)| (place.source, place.span.start))
    }
}

/// All that is wrong with one scenario, in the order of the text.
#[derive(Clone, Debug)]
pub struct Problems {
    file: String,
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

/// A problem as plain data, for `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct PlainProblem<'a> {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Its kind.
    pub code: &'a str,
    /// What is wrong.
    pub message: &'a str,
    /// What to do.
    pub help: Option<&'a str>,
    /// The key it is about.
    pub path: &'a str,
    /// The file, or `--set`.
    pub source: Option<&'a str>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
}

impl Problems {
    /// Gathers the problems of a document and sorts them by place.
    pub fn new(document: &Document, problems: Vec<Problem>) -> Self {
        Self::of_sources(document.name(), document.sources().to_vec(), problems)
    }

    /// A problem of a file that could not even be read.
    pub fn of_file(name: &str, problem: Problem) -> Self {
        let source = Source { name: name.into(), text: String::new() };
        Self::of_sources(name, vec![source], vec![problem])
    }

    fn of_sources(file: &str, sources: Vec<Source>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(Problem::order);
        Self { file: file.into(), sources, problems }
    }

    /// These problems and one more.
    pub fn and(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }

    /// The problems, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// Whether one of them forbids the run.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| !problem.warning)
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The printed form: one block a problem, at most 80 columns, then a line that counts them.
    pub fn render(&self, colour: bool) -> String {
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
        let mut text = String::new();
        for problem in &self.problems {
            let shown = self.shown(problem);
            // Writing into a string cannot fail; a failing formatter only shortens the message.
            if handler.render_report(&mut text, &shown).is_err() {
                text.push_str(&problem.message);
            }
            text.push('\n');
        }
        text.push_str(&self.count());
        let text = text.replace(HYPHEN, "-");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_start_matches('\n').to_string() + "\n"
    }

    /// The same as plain data.
    pub fn plain(&self) -> Vec<PlainProblem<'_>> {
        self.problems.iter().map(|problem| self.plain_one(problem)).collect()
    }

    fn plain_one<'a>(&'a self, problem: &'a Problem) -> PlainProblem<'a> {
        let place = problem.labels.first().and_then(|(place, _)| self.position(place));
        PlainProblem {
            severity: if problem.warning { "warning" } else { "error" },
            code: problem.code,
            message: &problem.message,
            help: problem.help.as_deref(),
            path: &problem.about,
            source: place.map(|place| place.0),
            line: place.map(|place| place.1),
            column: place.map(|place| place.2),
        }
    }

    fn source(&self, problem: &Problem) -> Option<Clipped> {
        let (first, _) = problem.labels.first()?;
        let source = self.sources.get(first.source)?;
        let marks = problem.labels.iter().filter(|(place, _)| place.source == first.source);
        let marks: Vec<_> = marks.map(|(place, _)| place.span.clone()).collect();
        Some(Clipped::new(&source.name, &source.text, &marks, WIDTH))
    }

    /// A problem as it is printed.
    fn shown<'a>(&'a self, problem: &'a Problem) -> Shown<'a> {
        let help = match (&problem.help, self.elsewhere(problem)) {
            (help, None) => help.clone(),
            (Some(help), Some(other)) => Some(format!("{help} ({other})")),
            (None, Some(other)) => Some(other),
        };
        let message = problem.message.replace('-', HYPHEN);
        let help = help.map(|help| help.replace('-', HYPHEN));
        Shown { problem, message, help, source: self.source(problem), file: self.file() }
    }

    /// The places of a problem that are in other texts than its first one, in words.
    fn elsewhere(&self, problem: &Problem) -> Option<String> {
        let (first, _) = problem.labels.first()?;
        let others = problem.labels.iter().filter(|(place, _)| place.source != first.source);
        let places: Vec<String> = others
            .filter_map(|(place, label)| {
                let (name, line, column) = self.position(place)?;
                Some(format!("{label}: {name}:{line}:{column}"))
            })
            .collect();
        (!places.is_empty()).then(|| places.join(", "))
    }

    /// File, line and column of a place.
    fn position(&self, place: &Place) -> Option<(&str, usize, usize)> {
        let source = self.sources.get(place.source)?;
        let before = source.text.get(..place.span.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Some((source.name.as_str(), line, column))
    }

    fn file(&self) -> &str {
        &self.file
    }

    fn count(&self) -> String {
        let errors = self.problems.iter().filter(|problem| !problem.warning).count();
        let warnings = self.problems.len() - errors;
        let plural = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        let name = self.file();
        match (errors, warnings) {
            (0, 0) => format!("{name}: no problems"),
            (0, _) => format!("{name}: {}", plural(warnings, "warning")),
            (_, 0) => format!("{name}: {}", plural(errors, "error")),
            _ => format!("{name}: {}, {}", plural(errors, "error"), plural(warnings, "warning")),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// A problem in miette's terms.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    message: String,
    help: Option<String>,
    source: Option<Clipped>,
    file: &'a str,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_none() && !self.problem.message.contains(self.file) {
            write!(f, "{}: ", self.file)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(if self.problem.warning { Severity::Warning } else { Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let number = self.problem.labels.first()?.0.source;
        let source = self.source.as_ref()?;
        let labels = self.problem.labels.iter().filter(move |(place, _)| place.source == number);
        Some(Box::new(labels.map(|(place, text)| {
            LabeledSpan::new_with_span(Some(text.clone()), source.moved(&place.span))
        })))
    }
}
