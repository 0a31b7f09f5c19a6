//! Scripts: what a table cannot say, in the language rhai.
//!
//! A script is a list of functions that are called on their occasion (`on_start`, `on_update`, ...) and
//! answer with entries of the timeline. It sees no file, no network and no clock; its operations and the
//! sizes of its values are bounded; its random numbers come from the run's seed. What it keeps lies in
//! `this`.

mod caller;
mod functions;
mod host;
mod part;
mod value;

pub(crate) use host::Script;

use crate::diagnose::Problem;
use crate::document::{Document, Place};
use crate::spec::ScriptSection;
use crate::suggest;
use caller::Caller;
use functions::{Shared, Voice};
use offbeat_strategies::registry::{Registry, SCRIPT};
use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Engine, Position};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The functions that are called, with the number of their arguments.
const HOOKS: [(&str, usize); 7] = [
    ("on_start", 0),
    ("on_update", 1),
    ("on_version", 1),
    ("on_evaluation", 1),
    ("on_timer", 1),
    ("select", 2),
    ("weigh", 1),
];

/// Longest script, in bytes.
const LONGEST: u64 = 1 << 20;

/// A language without any way out.
fn engine(most_operations: u64, shared: &Shared) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine.set_max_operations(most_operations.max(1));
    engine.set_max_call_levels(32);
    engine.set_max_expr_depths(64, 32);
    engine.set_max_string_size(1 << 16);
    engine.set_max_array_size(100_000);
    engine.set_max_map_size(10_000);
    engine.set_max_variables(1_000);
    engine.set_max_modules(0);
    engine.disable_symbol("eval");
    engine.disable_symbol("import");
    // The core package can stop the thread, which no limit of operations bounds.
    engine.register_fn("sleep", |_: rhai::INT| no_sleep());
    engine.register_fn("sleep", |_: rhai::FLOAT| no_sleep());
    functions::register(&mut engine, shared);
    engine
}

fn no_sleep() -> Result<(), Box<rhai::EvalAltResult>> {
    Err("a script cannot sleep: set a timer".into())
}

/// Whether the script's text has `word` anywhere. A script that cannot be read has nothing; why is told where it is
/// opened.
pub(crate) fn says(section: &ScriptSection, word: &str) -> bool {
    read(&section.file).is_ok_and(|text| text.contains(word))
}

/// Compiles the script that a scenario in `folder` names. What is wrong with it is shown in its own
/// text, which is added to the document.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn check(
    section: &ScriptSection,
    folder: &Path,
    document: &mut Document,
) -> Result<(), Vec<Problem>> {
    let path = folder.join(&section.file);
    let text = read(&path).map_err(|message| {
        let place = document.place("script.file");
        vec![
            Problem::new("missing_file", message)
                .at(place, "named here")
                .help("a relative path counts from the folder of the scenario")
                .about("script.file"),
        ]
    })?;
    let engine = engine(section.most_operations, &Shared::default());
    let source = document.add_source(&path.display().to_string(), &text);
    let at = |position: Position| place(source, &text, position);
    let ast = engine.compile(&text).map_err(|error| {
        let message = format!("the script cannot be understood: {}", error.err_type());
        vec![
            Problem::new("script", message)
                .at(Some(at(error.position())), "here")
                .help("what is missing may belong before this place: a bracket, a quote or a `;`")
                .about("script"),
        ]
    })?;
    let problems = wrong_functions(&ast, source, &text);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Functions that would never be called, or with another number of arguments.
fn wrong_functions(ast: &AST, source: usize, text: &str) -> Vec<Problem> {
    let names: Vec<&str> = HOOKS.iter().map(|(name, _)| *name).collect();
    let mut problems = Vec::new();
    for function in ast.iter_functions() {
        let (name, found) = (function.name, function.params.len());
        let problem = match HOOKS.iter().find(|(hook, _)| *hook == name) {
            Some((_, wanted)) if *wanted == found => continue,
            Some((_, wanted)) => {
                let message = format!("`{name}` takes {wanted} arguments, not {found}");
                let help = "give it the arguments that it is called with";
                Problem::new("script", message).help(help)
            }
            None if name.starts_with("on_") => {
                let message = format!("nothing calls a function `{name}`");
                Problem::new("script", message).help(suggest::of(name, &names, "functions"))
            }
            None => continue,
        };
        problems.push(problem.at(Some(named(source, text, name)), "here").about("script"));
    }
    if !ast.iter_functions().any(|function| names.contains(&function.name)) && problems.is_empty() {
        let message = format!("the script has none of the functions {}", suggest::list(&names));
        let start = Some(Place { source, span: 0..0 });
        let help = "write one of them, such as `fn on_start() { }`";
        let problem = Problem::new("script", message).at(start, "in this script").help(help);
        problems.push(problem.about("script"));
    }
    problems
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if size.len() > LONGEST {
        return Err(format!("`{shown}` has {} bytes: a script has at most {LONGEST}", size.len()));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no script `{}`", path.display()),
        _ => format!("cannot read `{}`: {error}", path.display()),
    }
}

/// The place of the name of a function in a script's text.
fn named(source: usize, text: &str, name: &str) -> Place {
    let lines = text.split_inclusive('\n').scan(0, |end, line| {
        let start = *end;
        *end += line.len();
        Some((start, line))
    });
    let mut found = lines.filter_map(|(start, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let after = code.find("fn ")? + 3;
        let blank = code[after..].len() - code[after..].trim_start().len();
        let rest = code[after..].trim_start().strip_prefix(name)?;
        let whole = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        whole.then_some(start + after + blank)
    });
    let start = found.next();
    Place { source, span: start.map_or(0..0, |start| start..start + name.len()) }
}

/// The place of a position in a script's text.
fn place(source: usize, text: &str, position: Position) -> Place {
    let line = position.line().unwrap_or(1) - 1;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[before.min(text.len())..];
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let start = rest.char_indices().nth(column).map_or(rest.len(), |(index, _)| index);
    let word = rest[start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
    let len = word.map(char::len_utf8).sum::<usize>().max(1);
    // The end of the text is shown at its last character.
    let last = text.trim_end().char_indices().last().map_or(0, |(index, _)| index);
    let start = (before + start).min(last);
    Place { source, span: start..(start + len).min(text.len()) }
}

/// Opens the script of a resolved scenario, whose paths are absolute.
///
/// # Errors
/// Why it cannot be used, in words.
pub(crate) fn open(
    section: &ScriptSection,
    scene: crate::happenings::Scene,
    shared: Shared,
) -> Result<Script, String> {
    let path: &PathBuf = &section.file;
    let text = read(path)?;
    let engine = engine(section.most_operations, &shared);
    let name = shown(path);
    let ast = engine.compile(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok(Script::new(engine, (ast, &text), name, scene, shared))
}

/// Parts of the strategy that the script answers for, as the registry makes them. `shared` is filled in
/// before the first is made.
pub(crate) fn register(
    registry: &mut Registry,
    section: &ScriptSection,
    shared: &Arc<OnceLock<Shared>>,
) {
    let maker = |voice: Voice, function: &'static str| {
        let (section, shared) = (section.clone(), shared.clone());
        move || -> Result<part::Part, String> {
            let shared = shared.get().cloned().unwrap_or_default().speaking_for(voice);
            let caller = caller(&section, shared)?;
            match caller.has(function) {
                true => Ok(part::Part::new(caller)),
                false => Err(format!(
                    "strategy.{function} is `script`, but `{}` has no function `{function}`",
                    caller.name
                )),
            }
        }
    };
    let select = maker(Voice::Select, "select");
    registry.select.add(SCRIPT, move |_| Ok(Box::new(select()?)));
    let weigh = maker(Voice::Weigh, "weigh");
    registry.weigh.add(SCRIPT, move |_| Ok(Box::new(weigh()?)));
}

/// The compiled script of a resolved scenario.
fn caller(section: &ScriptSection, shared: Shared) -> Result<Caller, String> {
    let text = read(&section.file)?;
    let engine = engine(section.most_operations, &shared);
    let name = shown(&section.file);
    let ast = engine.compile(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok(Caller::new(engine, ast, name, shared))
}

/// What messages call a script.
fn shown(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into())
}

pub(crate) use functions::{Fixed, Shared as ScriptShared};
