//! What is wrong, in words on lines of at most 80 columns.

use crate::words::wrap;

/// Columns of a terminal.
pub(crate) const WIDTH: usize = 80;

/// Begins a line that says what to do.
const HELP: &str = "help: ";

/// `text` as an error is printed: `error: ` before its first line, its further lines below, and what stands
/// behind a line's `help: ` set off. Every line is wrapped.
pub(crate) fn complaint(text: &str) -> String {
    let mut out = String::new();
    for (number, line) in format!("error: {}", text.trim_end()).lines().enumerate() {
        let line = line.trim();
        match line.strip_prefix(HELP) {
            Some(help) if number > 0 => out += &format!("\n{}", hung("  help: ", help)),
            _ if line.is_empty() => {}
            _ => {
                wrap(line, WIDTH).iter().for_each(|line| out += &format!("{line}\n"));
            }
        }
    }
    out
}

/// Prints `text` on standard error as [`complaint`] has it.
pub(crate) fn complain(text: &str) {
    eprint!("{}", complaint(text));
}

/// Prints a remark on standard error, wrapped.
pub(crate) fn remark(text: &str) {
    eprint!("{}", narrow(text));
}

/// `text` behind `before`, further lines below its beginning.
pub(crate) fn hung(before: &str, text: &str) -> String {
    let indent = before.chars().count();
    let mut out = String::new();
    for (number, line) in wrap(text, WIDTH - indent).iter().enumerate() {
        match number {
            0 => out += &format!("{before}{line}\n"),
            _ => out += &format!("{:indent$}{line}\n", ""),
        }
    }
    out
}

/// The lines of `text`, those that are too wide wrapped, with the spaces before them kept.
pub(crate) fn narrow(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.chars().count() <= WIDTH {
            out += line;
            out.push('\n');
            continue;
        }
        let bare = line.trim_start();
        out += &hung(&line[..line.len() - bare.len()], bare);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_wrapped_and_help_is_set_off() {
        let long = "word ".repeat(30);
        let text = complaint(&format!("this is wrong: {long}\nhelp: mend it: {long}"));
        assert!(text.starts_with("error: this is wrong: word"), "{text}");
        assert!(text.contains("\n\n  help: mend it: word"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(complaint("short\nhelp: do"), "error: short\n\n  help: do\n");
    }

    #[test]
    fn what_is_narrow_stays_as_it_is() {
        let text = format!("  a  b\n\n    {}\n", "word ".repeat(20).trim_end());
        let shown = narrow(&text);
        assert!(shown.starts_with("  a  b\n\n    word") && shown.lines().count() == 4, "{shown}");
        assert!(shown.lines().skip(2).all(|line| line.starts_with("    word")), "{shown}");
    }
}
