//! Tells a script what happens, and understands what it answers.

use super::caller::Caller;
use super::functions::Shared;
use super::value::Plain;
use crate::happenings::Scene;
use crate::spec::TimelineEntry;
use offbeat_actors::hooks::{Hooks, Occasion, Told, Wants};
use offbeat_actors::timeline::Action;
use offbeat_kernel::Time;
use rhai::{AST, Dynamic, Engine, INT};

/// Most entries that one call can answer with.
const MOST: usize = 1_000;

/// A script that runs.
#[derive(Debug)]
pub(crate) struct Script {
    caller: Caller,
    scene: Scene,
    /// Its text calls `accuracy()` or `loss()`.
    asks_for_figures: bool,
}

impl Script {
    pub(super) fn new(
        engine: Engine,
        (ast, text): (AST, &str),
        name: String,
        scene: Scene,
        shared: Shared,
    ) -> Self {
        let asks_for_figures = ["accuracy(", "loss("].iter().any(|call| text.contains(call));
        Self { caller: Caller::new(engine, ast, name, shared), scene, asks_for_figures }
    }

    /// Understands an answer: nothing, an entry of the timeline, or a list of them.
    fn understand(&self, function: &str, answer: &Dynamic) -> Result<Vec<Action>, String> {
        if answer.is_unit() {
            return Ok(Vec::new());
        }
        let wrong =
            |reason: String| format!("{}: what `{function}` answers: {reason}", self.caller.name);
        let entries = match Plain::of(answer).map_err(|kind| wrong(format!("a {kind}")))? {
            Plain::List(entries) if entries.len() > MOST => {
                return Err(wrong(format!("{} entries; at most {MOST}", entries.len())));
            }
            Plain::List(entries) => entries,
            entry @ Plain::Table(_) => vec![entry],
            _ => return Err(wrong("must be nothing, a map or a list of maps".into())),
        };
        let mut actions = Vec::new();
        for entry in entries {
            let entry: TimelineEntry =
                serde_json::from_value(entry.into_json()).map_err(|e| wrong(e.to_string()))?;
            if entry.at_minutes.or(entry.every_minutes).is_some() || entry.when.is_some() {
                let reason = "it happens now: use a `timer` for later";
                return Err(wrong(reason.into()));
            }
            let found = self.scene.actions(&entry).map_err(|problems| {
                let words = problems.into_iter().map(|(key, message)| match key.is_empty() {
                    true => message,
                    false => format!("`{key}`: {message}"),
                });
                wrong(words.collect::<Vec<_>>().join("; "))
            })?;
            actions.extend(found);
        }
        Ok(actions)
    }
}

/// A map of a few numbers.
pub(super) fn map<const N: usize>(entries: [(&str, Dynamic); N]) -> Dynamic {
    Dynamic::from_map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

/// A whole number as a script has it.
pub(super) fn whole(number: u64) -> Dynamic {
    Dynamic::from_int(INT::try_from(number).unwrap_or(INT::MAX))
}

/// The function for an occasion, and what it is given.
fn prepared(occasion: Occasion<'_>) -> (&'static str, Option<Dynamic>) {
    match occasion {
        Occasion::Start => ("on_start", None),
        Occasion::Timer(name) => ("on_timer", Some(name.to_string().into())),
        Occasion::Told(Told::Update { task, client, base, samples, completeness, invited }) => {
            let update = map([
                ("task", whole(task.0)),
                ("client", whole(client.0.into())),
                ("base", whole(base.0)),
                ("samples", whole(*samples)),
                ("completeness", Dynamic::from_float(*completeness)),
                ("invited_minutes", Dynamic::from_float(invited.seconds() / 60.0)),
            ]);
            ("on_update", Some(update))
        }
        Occasion::Told(Told::Version { version, merged }) => {
            let made = map([("version", whole(version.0)), ("merged", whole(*merged))]);
            ("on_version", Some(made))
        }
        Occasion::Told(Told::Evaluation { version, at, accuracy, loss }) => {
            let found = map([
                ("version", whole(version.0)),
                ("at_minutes", Dynamic::from_float(at.seconds() / 60.0)),
                ("accuracy", Dynamic::from_float(*accuracy)),
                ("loss", Dynamic::from_float(*loss)),
            ]);
            ("on_evaluation", Some(found))
        }
    }
}

impl Hooks for Script {
    fn wants(&self) -> Wants {
        Wants {
            updates: self.caller.has("on_update"),
            versions: self.caller.has("on_version"),
            // A script may also ask for the figures wherever it likes.
            evaluations: self.caller.has("on_evaluation") || self.asks_for_figures,
        }
    }

    fn on(&mut self, occasion: Occasion<'_>, now: Time) -> Result<Vec<Action>, String> {
        let (function, argument) = prepared(occasion);
        if !self.caller.has(function) {
            return Ok(Vec::new());
        }
        let answer = self.caller.call(function, argument.into_iter().collect());
        let actions = answer.and_then(|answer| self.understand(function, &answer));
        actions.map_err(|reason| format!("{reason}, at virtual time {now}"))
    }

    fn save(&self) -> Result<Vec<u8>, String> {
        self.caller.save()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.caller.restore(bytes)
    }
}
