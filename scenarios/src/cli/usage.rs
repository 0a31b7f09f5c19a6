//! Wrong usage: what the parser of the command line says, on 80 columns, with the name that was meant.

use super::Cli;
use crate::complaint::narrow;
use crate::suggest;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// Begins a line of the parser that says what to do.
const TIP: &str = "  tip: ";

/// What was asked for; or, when that makes no sense, the exit code, all being told.
pub(super) fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        let asked = matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        );
        if asked {
            error.exit();
        }
        eprint!("{}", told(&error));
        ExitCode::from(2)
    })
}

/// The error in words.
fn told(error: &clap::Error) -> String {
    let mut text = String::new();
    let mut helped = false;
    for line in error.render().to_string().lines() {
        // That a value may stand behind `--` helps nobody here: no command takes one that begins with `-`.
        match line.strip_prefix(TIP) {
            Some(tip) if tip.contains("'-- ") => {}
            Some(tip) => {
                helped = true;
                text += &format!("  help: {tip}\n");
            }
            None => text += &format!("{line}\n"),
        }
    }
    if let Some(help) = help(error).filter(|_| !helped) {
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        text = format!("{first}\n\n  help: {help}\n{rest}");
    }
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    narrow(&text)
}

/// What was meant, as far as that can be said.
fn help(error: &clap::Error) -> Option<String> {
    let given = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let wrong = given(ContextKind::InvalidSubcommand)?;
            let command = Cli::command();
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let near = suggest::nearest(wrong, &names);
            Some(match near.first() {
                Some(near) => format!("did you mean `offbeat {near}`?"),
                None => "`offbeat --help` lists the commands".into(),
            })
        }
        ErrorKind::UnknownArgument => {
            let wrong = given(ContextKind::InvalidArg)?;
            let number = wrong.strip_prefix('-').is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_ascii_digit()) && rest.parse::<f64>().is_ok()
            });
            Some(match number {
                true => "no option takes a number below 0".into(),
                false => "`--help` behind a command lists its options".into(),
            })
        }
        ErrorKind::ValueValidation => {
            let wrong = given(ContextKind::InvalidArg)?;
            let address = "give an address and a port, such as 127.0.0.1:9100";
            wrong.contains("--prometheus").then(|| address.into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &[&str]) -> String {
        let args = std::iter::once("offbeat").chain(args.iter().copied());
        told(&Cli::try_parse_from(args).expect_err("wrong usage"))
    }

    #[test]
    fn the_name_that_was_meant_is_told_on_eighty_columns() {
        for (args, words) in [
            (&["rnu", "s.toml"][..], "help: did you mean `offbeat run`?"),
            (&["chekc", "s.toml"], "check"),
            (&["zzzz"], "`offbeat --help` lists the commands"),
            (&["run", "s.toml", "--sed", "1"], "--se"),
            (&["run", "s.toml", "--bogus"], "`--help` behind a command lists its options"),
            (&["run", "s.toml", "--seed", "-1"], "no option takes a number below 0"),
            (&["run", "s.toml", "--prometheus", "foo"], "help: give an address and a port"),
            (&["fork", "r", "--at", "banana"], "expected a number and s, min, h or d"),
        ] {
            let text = said(args);
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(words), "{args:?}: {text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert!(!text.contains("'-- "), "{text}");
        }
    }
}
