//! The shell of a page and the small pieces that both pages use.

use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Text with the five characters replaced that mean something in HTML and SVG, and with control
/// characters, which no page may hold, left out.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            letter if letter.is_control() => {}
            letter => safe.push(letter),
        }
    }
    safe
}

/// A whole page. `title` is plain text, `body` is HTML.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(title)
    )
}

/// A section with a heading (plain text) around `body` (HTML).
pub(crate) fn section(heading: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(heading))
}

/// Key figures as a grid of names and values (plain text).
pub(crate) fn tiles(figures: &[(&str, String)]) -> String {
    let mut out = String::from("<dl class=\"tiles\">\n");
    for (name, value) in figures {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out + "</dl>\n"
}

/// A short remark below a picture or a table (plain text).
pub(crate) fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>\n", escape(text))
}

/// A table that scrolls sideways where it is too wide. The cells are HTML; the first of a row is its head.
pub(crate) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
    for cell in head {
        let _ = write!(out, "<th scope=\"col\">{cell}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let (open, close) =
                if place == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            let _ = write!(out, "{open}{cell}{close}");
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody></table></div>\n"
}

/// A label (plain text) that is cut where there is no room, with the whole of it on hover.
pub(crate) fn label(text: &str) -> String {
    let text = escape(text);
    format!("<span class=\"label\" title=\"{text}\">{text}</span>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_escaped() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&\u{0}\n"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp; "
        );
        let evil = "</title><script>alert(1)</script>";
        let text = page(
            evil,
            &[section(evil, ""), tiles(&[(evil, evil.into())]), note(evil), label(evil)].concat(),
        );
        assert!(!text.contains("<script>alert"));
        assert_eq!(text.matches("&lt;script&gt;alert(1)").count(), 7);
    }

    #[test]
    fn the_shell_asks_for_nothing_outside() {
        let text = page("x", "");
        for word in ["http", "//", "@import", "url(", "src=", "fetch", "<link"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
