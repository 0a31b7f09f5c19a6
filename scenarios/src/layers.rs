//! The files that a scenario builds on: `extends` and `include`.
//!
//! A file lies over the files that it includes, the last of them on top, and these over the scenario
//! that it extends. Each of these files may build on others in the same way. Whoever closes a circle is
//! refused with the way round.

use crate::diagnose::Problem;
use crate::document::{Document, Node, Place, Source, Value};
use crate::files;
use crate::outside::Fence;
use std::path::{Path, PathBuf};

/// Most files that one scenario is made of.
const MOST_FILES: usize = 64;

/// Longest chain of files that build on each other.
const DEEPEST: usize = 16;

/// Longest scenario file, in bytes.
pub(crate) const LONGEST: u64 = 16 << 20;

/// A file of a scenario, lowest first.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Its path as messages show it.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// The files that the scenario at `path` with `text` is made of, itself last. What is wrong with the
/// references between them is added to `problems`.
pub(crate) fn layers(
    path: &Path,
    text: &str,
    fence: &Fence,
    problems: &mut Vec<Problem>,
) -> Vec<Layer> {
    let mut gather = Gather { found: Vec::new(), chain: Vec::new(), fence, problems };
    gather.add(path, text.to_string());
    gather.found
}

/// The texts of `layers`, as a document takes them.
pub(crate) fn sources(layers: &[Layer]) -> Vec<Source> {
    let source =
        |layer: &Layer| Source { name: layer.path.display().to_string(), text: layer.text.clone() };
    layers.iter().map(source).collect()
}

struct Gather<'a> {
    found: Vec<Layer>,
    /// The files that lead to the present one.
    chain: Vec<PathBuf>,
    fence: &'a Fence,
    problems: &'a mut Vec<Problem>,
}

/// A file that another one names.
struct Named {
    key: &'static str,
    /// Its path, seen from where the command is called.
    path: PathBuf,
    /// Its path as it was written.
    written: PathBuf,
    span: std::ops::Range<usize>,
}

impl Gather<'_> {
    fn add(&mut self, path: &Path, text: String) {
        self.chain.push(path.to_path_buf());
        let document = Document::parse("", &text, &[], &mut Vec::new());
        let mut wrong = Vec::new();
        for named in self.named(&document, path, &mut wrong) {
            match self.open(&named, path) {
                Ok(Some(text)) => self.add(&named.path, text),
                Ok(None) => {}
                Err(problem) => wrong.push((problem, named.span, named.key)),
            }
        }
        // Only now is it known how many texts lie below this one.
        let source = self.found.len();
        for (problem, span, key) in wrong {
            let place = Place { source, span };
            self.problems.push(problem.at(Some(place), "asked for here").about(key));
        }
        self.found.push(Layer { path: path.to_path_buf(), text });
        self.chain.pop();
    }

    /// The files that `document`, read from `path`, builds on, lowest first.
    fn named(
        &self,
        document: &Document,
        path: &Path,
        wrong: &mut Vec<(Problem, std::ops::Range<usize>, &'static str)>,
    ) -> Vec<Named> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut found = Vec::new();
        let mut take = |key: &'static str, node: &Node| match &node.value {
            Value::Text(text) => {
                let span = node.place.span.clone();
                found.push(Named { key, path: folder.join(text), written: text.into(), span });
            }
            _ => {
                let message = format!("`{key}` takes a path in quotes, not {}", node.in_words());
                wrong.push((Problem::new("wrong_type", message), node.place.span.clone(), key));
            }
        };
        if let Some(node) = document.find("extends") {
            take("extends", node);
        }
        match document.find("include").map(|node| (&node.value, node)) {
            Some((Value::List(nodes), _)) => nodes.iter().for_each(|node| take("include", node)),
            Some((_, node)) => {
                let message = format!("`include` takes a list of paths, not {}", node.in_words());
                let problem = Problem::new("wrong_type", message)
                    .help("write `include = [\"parts/phones.toml\"]`");
                wrong.push((problem, node.place.span.clone(), "include"));
            }
            None => {}
        }
        found
    }

    /// The text of a named file; nothing where the count of files was complained about already.
    fn open(&self, named: &Named, from: &Path) -> Result<Option<String>, Problem> {
        self.fence.allows(&named.path, &named.written)?;
        let same = |path: &PathBuf| real(path) == real(&named.path);
        if let Some(start) = self.chain.iter().position(same) {
            let mut way: Vec<String> = self.chain[start..].iter().map(|p| shown(p)).collect();
            way.push(shown(&named.path));
            let message = format!("`{}` builds on itself: {}", shown(from), way.join(" -> "));
            return Err(Problem::new("circle", message).help(
                "remove one of these references; shared keys belong in a file of their own",
            ));
        }
        if self.chain.len() >= DEEPEST || self.found.len() >= MOST_FILES {
            let message = format!(
                "too many files: at most {MOST_FILES} in all, and {DEEPEST} that build on each other"
            );
            return Err(Problem::new("too_large", message).help("put shared keys into fewer files"));
        }
        read(&named.path).map(Some)
    }
}

/// Reads a file of a scenario.
pub(crate) fn read(path: &Path) -> Result<String, Problem> {
    let long = std::fs::metadata(path).is_ok_and(|about| about.len() > LONGEST);
    if long {
        let message = format!("`{}` is longer than {} MiB", path.display(), LONGEST >> 20);
        return Err(Problem::new("too_large", message).help("is this a scenario?"));
    }
    let help = "a relative path counts from the folder of the file that names it";
    std::fs::read_to_string(path).map_err(|error| files::unreadable(path, &error, help))
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
