//! Calls a script's functions.

use super::functions::Shared;
use super::value::Plain;
use offbeat_kernel::codec;
use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Scope};
use std::sync::atomic::Ordering;

/// A compiled script with what it keeps.
pub(super) struct Caller {
    engine: Engine,
    ast: AST,
    /// What messages call it.
    pub(super) name: String,
    shared: Shared,
    /// What the script keeps: `this` in its functions.
    state: Dynamic,
    scope: Scope<'static>,
    functions: Vec<String>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Caller {
    pub(super) fn new(engine: Engine, ast: AST, name: String, shared: Shared) -> Self {
        let functions = ast.iter_functions().map(|function| function.name.to_string()).collect();
        let (state, scope) = (Dynamic::from_map(Map::new()), Scope::new());
        Self { engine, ast, name, shared, state, scope, functions }
    }

    /// Whether the script has this function.
    pub(super) fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|own| own == function)
    }

    /// Calls `function`.
    ///
    /// # Errors
    /// What went wrong, with file, line and column.
    pub(super) fn call(
        &mut self,
        function: &str,
        arguments: Vec<Dynamic>,
    ) -> Result<Dynamic, String> {
        let options =
            CallFnOptions::new().eval_ast(false).rewind_scope(true).bind_this_ptr(&mut self.state);
        let (engine, scope, ast) = (&self.engine, &mut self.scope, &self.ast);
        engine.call_fn_with_options::<Dynamic>(options, scope, ast, function, arguments).map_err(
            |error| {
                let position = error.position();
                let place = match (position.line(), position.position()) {
                    (Some(line), Some(column)) => format!(":{line}:{column}"),
                    (Some(line), None) => format!(":{line}"),
                    _ => String::new(),
                };
                let mut error = *error;
                error.clear_position();
                format!("{}{place}: {error} (in `{function}`)", self.name)
            },
        )
    }

    /// What the script keeps, and how many random numbers it drew.
    ///
    /// # Errors
    /// When it keeps what cannot be written.
    pub(super) fn save(&self) -> Result<Vec<u8>, String> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { engine: _, ast: _, name, shared, state, scope: _, functions: _ } = self;
        let state = Plain::of(state)
            .map_err(|kind| format!("{name}: `this` keeps a {kind}, which has no plain form"))?;
        let drawn = shared.drawn.load(Ordering::Relaxed);
        codec::encode(&(state, drawn)).map_err(|error| error.to_string())
    }

    /// Puts back what [`Caller::save`] gave.
    ///
    /// # Errors
    /// When the bytes are no such state.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (state, drawn): (Plain, u64) =
            codec::decode(bytes).map_err(|error| error.to_string())?;
        self.state = state.into_dynamic();
        self.shared.drawn.store(drawn, Ordering::Relaxed);
        Ok(())
    }
}
