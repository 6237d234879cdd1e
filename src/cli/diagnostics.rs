//! How a diagnostic looks to people: as a compiler's.
//!
//! ```text
//! error[unknown-field]: `spec` has no field `lifecyle`
//!     --> models/vision/digits/versions/1.0.0.yaml:7:3
//!      |
//!    7 |   lifecyle: staged
//!      |   ^^^^^^^^
//!      = help: did you mean `lifecycle`?
//! ```

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use super::Page;
use crate::check::diagnostic::Place;
use crate::check::{Diagnostic, Severity};
use crate::platform::redact::{is_hidden, visible};

/// How many columns of a line are shown; of a longer one the part around the place.
const MAX_COLUMNS: usize = 120;

/// How many columns before a place are shown of a line that is cut.
const LEAD: usize = 40;

/// How many columns a tab takes: enough to see it, whatever the reader's terminal does.
const TAB: &str = "    ";

/// Columns for line numbers: records have fewer than 10,000 lines.
const GUTTER: usize = 4;

const BOLD: Style = Style::new().bold();
const BLUE: Style = BOLD.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Blue)));

/// Writes one diagnostic.
pub(super) fn write(page: &mut Page, diagnostic: &Diagnostic) -> fmt::Result {
    let (word, color) = word(diagnostic.severity);
    let style = BOLD.fg_color(Some(color.into()));
    let message = visible(&diagnostic.message);
    writeln!(
        page,
        "{style}{word}[{}]{style:#}{BOLD}: {message}{BOLD:#}",
        diagnostic.code
    )?;
    places(page, diagnostic)?;
    if let Some(help) = &diagnostic.help {
        let help = visible(help);
        writeln!(
            page,
            "{:GUTTER$} {BLUE}={BLUE:#} {BOLD}help{BOLD:#}: {help}",
            ""
        )?;
    }
    Ok(())
}

/// Writes where a diagnostic is, and what else has to do with it, with the lines themselves.
pub(super) fn places(page: &mut Page, diagnostic: &Diagnostic) -> fmt::Result {
    let (_, color) = word(diagnostic.severity);
    let style = BOLD.fg_color(Some(color.into()));
    place(
        page,
        "-->",
        &diagnostic.path,
        diagnostic.place.as_ref(),
        ('^', style, None),
    )?;
    for related in &diagnostic.related {
        let under = ('-', BLUE, Some(related.message.as_str()));
        place(page, ":::", &related.path, related.place.as_ref(), under)?;
    }
    Ok(())
}

const fn word(severity: Severity) -> (&'static str, AnsiColor) {
    match severity {
        Severity::Error => ("error", AnsiColor::Red),
        Severity::Warning => ("warning", AnsiColor::Yellow),
        Severity::Note => ("note", AnsiColor::Cyan),
    }
}

/// Writes where something is, the line itself, and what is under it.
fn place(
    page: &mut Page,
    arrow: &str,
    path: &str,
    place: Option<&Place>,
    (mark, style, label): (char, Style, Option<&str>),
) -> fmt::Result {
    let path = visible(path);
    let label = label.map_or(String::new(), |label| format!(" {}", visible(label)));
    let Some(place) = place else {
        return match label.as_str() {
            "" => writeln!(page, "{:GUTTER$}{BLUE}{arrow}{BLUE:#} {path}", ""),
            _ => writeln!(page, "{:GUTTER$}{BLUE}{arrow}{BLUE:#} {path}:{label}", ""),
        };
    };
    let (line, column) = (place.start.line, place.start.column);
    writeln!(
        page,
        "{:GUTTER$}{BLUE}{arrow}{BLUE:#} {path}:{line}:{column}",
        ""
    )?;
    let Shown {
        text,
        before,
        under,
    } = Shown::of(place);
    let marks = String::from(mark).repeat(under);
    writeln!(page, "{:GUTTER$} {BLUE}|{BLUE:#}", "")?;
    writeln!(page, "{BLUE}{line:>GUTTER$} |{BLUE:#} {text}")?;
    writeln!(
        page,
        "{:GUTTER$} {BLUE}|{BLUE:#} {:before$}{style}{marks}{label}{style:#}",
        "", ""
    )
}

/// A line as it is printed, and which of its columns are meant.
struct Shown {
    text: String,
    before: usize,
    under: usize,
}

impl Shown {
    fn of(place: &Place) -> Self {
        let excerpt = &place.excerpt;
        let cells: Vec<(String, usize)> = excerpt.text.chars().map(cell).collect();
        let start = (place.start.column - excerpt.column).min(cells.len());
        let end = match place.end.line == place.start.line {
            true => (place.end.column.saturating_sub(excerpt.column)).clamp(start, cells.len()),
            false => cells.len(),
        };
        let columns =
            |cells: &[(String, usize)]| cells.iter().map(|(_, width)| width).sum::<usize>();
        let mut first = 0;
        while columns(&cells[first..start]) > LEAD && columns(&cells[first..]) > MAX_COLUMNS {
            first += 1;
        }
        let mut last = cells.len();
        while columns(&cells[first..last]) > MAX_COLUMNS {
            last -= 1;
        }
        let end = end.min(last).max(start);
        let (cut_before, cut_behind) = (first > 0 || excerpt.column > 1, last < cells.len());
        let text: String = cells[first..last]
            .iter()
            .map(|(text, _)| text.as_str())
            .collect();
        let text = match (cut_before, cut_behind) {
            (true, true) => format!("…{text}…"),
            (true, false) => format!("…{text}"),
            (false, true) => format!("{text}…"),
            (false, false) => text,
        };
        Self {
            before: columns(&cells[first..start]) + usize::from(cut_before),
            under: columns(&cells[start..end]).max(1),
            text: text.trim_end().to_owned(),
        }
    }
}

/// A character as it is printed, and how many columns it takes.
fn cell(c: char) -> (String, usize) {
    if c == '\t' {
        return (TAB.to_owned(), TAB.len());
    }
    if is_hidden(c) {
        let text: String = c.escape_unicode().collect();
        let width = text.len();
        return (text, width);
    }
    (c.to_string(), c.width().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::codes;
    use crate::check::yaml::Span;

    fn shown(source: &str, what: &str) -> String {
        let start = source.find(what).unwrap();
        let place = Place::of(source.as_bytes(), Span::new(start, start + what.len()));
        let diagnostic = Diagnostic::error(&codes::WRONG_VALUE, "a\u{1b}.yaml", "it is \u{7}wrong")
            .at(place.clone())
            .help("write it right")
            .related("b.yaml", Some(place), "it is here")
            .related("c.yaml", None, "it was there");
        let mut page = Page::default();
        write(&mut page, &diagnostic).unwrap();
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    #[test]
    fn a_diagnostic_looks_like_a_compilers() {
        insta::assert_snapshot!(shown("kind: Model\nspec: {title: x}\n", "title"), @r#"
        error[wrong-value]: it is \u{7}wrong
            --> a\u{1b}.yaml:2:8
             |
           2 | spec: {title: x}
             |        ^^^^^
            ::: b.yaml:2:8
             |
           2 | spec: {title: x}
             |        ----- it is here
            ::: c.yaml: it was there
             = help: write it right
        "#);
    }

    #[test]
    fn carets_stand_under_what_is_meant() {
        for (source, what) in [
            ("\tkey: value", "value"),
            ("键: 值 x", "x"),
            ("a: \u{202e}b c", "c"),
            ("a: e\u{301}é x", "x"),
            ("a: [1,\n 2]", "[1,\n 2]"),
        ] {
            let shown = shown(source, what);
            let lines: Vec<_> = shown.lines().collect();
            let (text, marks) = (lines[3], lines[4]);
            let at = marks.find('^').unwrap();
            let first = what.chars().next().unwrap();
            let columns: usize = text[..text.find(first).unwrap()]
                .chars()
                .map(|c| c.width().unwrap_or(0))
                .sum();
            assert_eq!(at, columns, "{shown}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let source = format!("a: {}X{}", "b ".repeat(1000), "c ".repeat(1000));
        let shown = shown(&source, "X");
        assert!(
            shown.lines().all(|line| line.chars().count() < 140),
            "{shown}"
        );
        let lines: Vec<_> = shown.lines().collect();
        let column = |line: &str, c| line.chars().position(|other| other == c);
        assert_eq!(column(lines[3], 'X'), column(lines[4], '^'));
    }
}
