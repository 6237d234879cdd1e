//! What a check says: one [`Diagnostic`] for each thing that is wrong, with its place.

use serde::{Serialize, Serializer};

use super::secrets;
use super::yaml::{Position, Span};
use crate::record::Code;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It can't be merged so.
    Error,
    /// It can, but is likely not meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// One thing that a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable name.
    pub code: &'static Code,
    /// How much it weighs.
    pub severity: Severity,
    /// The file, from the yard's root, with `/`.
    pub path: String,
    /// Where in the file; `None` if it is about the file as a whole.
    pub place: Option<Place>,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// Another place that has to do with a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub path: String,
    /// Where in the file.
    pub place: Option<Place>,
    /// What it has to do with it.
    pub message: String,
}

/// A range of a file, with the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its bytes.
    pub span: Span,
    /// Where it begins.
    pub start: Position,
    /// Where it ends, exclusive.
    pub end: Position,
    /// The text around its beginning.
    pub excerpt: Excerpt,
}

/// A line of a file, or of a very long line the part around a place; secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, without its line break.
    pub text: String,
    /// Which column of the line the text begins at, from 1.
    pub column: usize,
}

/// How much of a line is kept before and behind a place, in bytes: four screens.
const EXCERPT_BYTES: usize = 400;

impl Place {
    /// Bytes `span` of `source`.
    pub fn of(source: &[u8], span: Span) -> Self {
        let start = Position::of(source, span.start);
        Self {
            span,
            start,
            end: Position::of(source, span.end.max(span.start)),
            excerpt: Excerpt::around(source, span.start, start.column),
        }
    }
}

impl Excerpt {
    fn around(source: &[u8], offset: usize, column: usize) -> Self {
        use super::yaml::{line_end, line_start};
        let offset = offset.min(source.len());
        let line = line_start(source, offset);
        let from = line.max(offset.saturating_sub(EXCERPT_BYTES));
        let to = line_end(source, offset).min(offset + EXCERPT_BYTES);
        // A cut through a character leaves bytes that are none: they go.
        let lead = source[from..offset]
            .iter()
            .take_while(|&&byte| from > line && byte & 0xc0 == 0x80)
            .count();
        let before = String::from_utf8_lossy(&source[from + lead..offset]);
        let mut behind = String::from_utf8_lossy(&source[offset..to]).into_owned();
        if to < line_end(source, offset) {
            behind.truncate(behind.trim_end_matches('\u{fffd}').len());
        }
        let before = before.trim_start_matches('\u{feff}');
        Self {
            column: column - before.chars().count().min(column - 1),
            text: secrets::masked(&format!("{before}{behind}")),
        }
    }
}

impl Diagnostic {
    /// An error about file `path` as a whole.
    pub fn error(code: &'static Code, path: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: path.to_owned(),
            place: None,
            message: secrets::masked(&message.into()),
            help: None,
            related: Vec::new(),
        }
    }

    /// The same, weighing less or more.
    #[must_use]
    pub fn weighing(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(secrets::masked(&help.into()));
        self
    }

    /// The same with another place that has to do with it.
    #[must_use]
    pub fn related(mut self, path: &str, place: Option<Place>, message: impl Into<String>) -> Self {
        self.related.push(Related {
            path: path.to_owned(),
            place,
            message: message.into(),
        });
        self
    }
}

/// What machines read: places as lines and columns from 1, the end exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    related: &'a [Related],
}

impl<'a> Flat<'a> {
    fn new(path: &'a str, place: Option<&Place>, message: &'a str) -> Self {
        Self {
            code: None,
            severity: None,
            path,
            line: place.map(|place| place.start.line),
            column: place.map(|place| place.start.column),
            end_line: place.map(|place| place.end.line),
            end_column: place.map(|place| place.end.column),
            message,
            help: None,
            related: &[],
        }
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat {
            code: Some(self.code.id),
            severity: Some(self.severity),
            help: self.help.as_deref(),
            related: &self.related,
            ..Flat::new(&self.path, self.place.as_ref(), &self.message)
        }
        .serialize(serializer)
    }
}

impl Serialize for Related {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat::new(&self.path, self.place.as_ref(), &self.message).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_very_long_line_only_the_part_around_the_place_is_kept() {
        let line = "ü".repeat(5000);
        let source = format!("a: 1\n{line}X{line}\n");
        let at = source.find('X').unwrap();
        let place = Place::of(source.as_bytes(), Span::new(at, at + 1));
        assert_eq!((place.start.line, place.start.column), (2, 5001));
        let Excerpt { text, column } = place.excerpt;
        assert!(text.len() <= 2 * EXCERPT_BYTES);
        let offset = text.chars().position(|c| c == 'X').unwrap();
        assert_eq!(column + offset, 5001);
        assert!(!text.contains('\u{fffd}'));
    }
}
