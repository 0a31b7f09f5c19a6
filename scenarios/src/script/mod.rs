//! Scripts: what a table cannot say, in the language rhai.
//!
//! A script is a list of functions that are called on their occasion (`on_start`, `on_update`, ...) and
//! answer with entries of the timeline. It sees no file, no network and no clock; its operations and the
//! sizes of its values are bounded; its random numbers come from the run's seed. What it keeps lies in
//! `this`.

mod functions;
mod host;
mod value;

pub(crate) use host::Script;

use crate::diagnose::Problem;
use crate::document::{Document, Place};
use crate::spec::ScriptSection;
use crate::suggest;
use functions::Shared;
use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Engine, Position};
use std::path::{Path, PathBuf};

/// The functions that are called, with the number of their arguments.
const HOOKS: [(&str, usize); 5] =
    [("on_start", 0), ("on_update", 1), ("on_version", 1), ("on_evaluation", 1), ("on_timer", 1)];

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
    functions::register(&mut engine, shared);
    engine
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
        vec![Problem::new("missing_file", message).at(place, "named here").about("script.file")]
    })?;
    let engine = engine(section.most_operations, &Shared::default());
    let source = document.add_source(&path.display().to_string(), &text);
    let at = |position: Position| place(source, &text, position);
    let ast = engine.compile(&text).map_err(|error| {
        let message = format!("the script cannot be understood: {}", error.err_type());
        vec![Problem::new("script", message).at(Some(at(error.position())), "here").about("script")]
    })?;
    let problems = wrong_functions(&ast, source);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Functions that would never be called, or with another number of arguments.
fn wrong_functions(ast: &AST, source: usize) -> Vec<Problem> {
    let names: Vec<&str> = HOOKS.iter().map(|(name, _)| *name).collect();
    let mut problems = Vec::new();
    for function in ast.iter_functions() {
        let (name, found) = (function.name, function.params.len());
        let problem = match HOOKS.iter().find(|(hook, _)| *hook == name) {
            Some((_, wanted)) if *wanted == found => continue,
            Some((_, wanted)) => {
                let message = format!("`{name}` takes {wanted} arguments, not {found}");
                Problem::new("script", message)
            }
            None if name.starts_with("on_") => {
                let message = format!("nothing calls a function `{name}`");
                Problem::new("script", message).help(suggest::of(name, &names, "functions"))
            }
            None => continue,
        };
        let start = Some(Place { source, span: 0..0 });
        problems.push(problem.at(start, "in this script").about("script"));
    }
    if !ast.iter_functions().any(|function| names.contains(&function.name)) && problems.is_empty() {
        let message = format!("the script has none of the functions {}", suggest::list(&names));
        let start = Some(Place { source, span: 0..0 });
        problems.push(Problem::new("script", message).at(start, "in this script").about("script"));
    }
    problems
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let size =
        std::fs::metadata(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    if size.len() > LONGEST {
        return Err(format!("`{shown}` has {} bytes: a script has at most {LONGEST}", size.len()));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot read `{shown}`: {error}"))
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
    let start = (before + start).min(text.len());
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
    let shown = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let ast = engine.compile(&text).map_err(|error| format!("{shown}: {error}"))?;
    Ok(Script::new(engine, (ast, &text), shown, scene, shared))
}

pub(crate) use functions::{Fixed, Shared as ScriptShared};
