//! Tables and lists of fields for people: without lines, as wide as the terminal at most.
//!
//! A word is never broken: names, digests and URLs are there to be copied. Where the longest words
//! of a row don't fit, the terminal wraps it.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::platform::redact::printable;
use crate::record::yaml::to_yaml;

/// `rows` under `headers`; on a terminal long cells are wrapped, elsewhere nothing is.
pub(super) fn table<R>(headers: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut words: Vec<usize> = headers.iter().map(|header| longest_word(header)).collect();
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.iter().copied());
    for row in rows {
        let cells: Vec<_> = row.into_iter().map(|cell| lines(&cell)).collect();
        for (width, cell) in words.iter_mut().zip(&cells) {
            *width = longest_word(cell).max(*width);
        }
        table.add_row(cells);
    }
    for (column, width) in table.column_iter_mut().zip(words) {
        // The first column begins at the edge, and nothing comes after the last.
        column.set_padding((0, GAP));
        let width = Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX).saturating_add(GAP));
        column.set_constraint(ColumnConstraint::LowerBoundary(width));
    }
    let text = table.to_string();
    let lines = text.lines().map(str::trim_end);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The same without the columns that say nothing in any row.
pub(super) fn table_of_said<const N: usize>(
    headers: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    let said: Vec<usize> = (0..N)
        .filter(|column| rows.iter().any(|row| row[*column] != NOTHING))
        .collect();
    let headers: Vec<&str> = said.iter().map(|column| headers[*column]).collect();
    let cells = |row: &[String; N]| -> Vec<String> {
        said.iter().map(|column| row[*column].clone()).collect()
    };
    table(&headers, rows.iter().map(cells))
}

/// How far columns stand from each other.
const GAP: u16 = 2;

fn longest_word(text: &str) -> usize {
    text.split_whitespace()
        .map(UnicodeWidthStr::width)
        .max()
        .unwrap_or(0)
}

/// Each line of `text` without control characters.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n")
}

/// What stands in a cell for nothing.
pub(super) const NOTHING: &str = "-";

/// A value, or [`NOTHING`].
pub(super) fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// Values with commas between them, or [`NOTHING`].
pub(super) fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() {
        return NOTHING.to_owned();
    }
    values.join(", ")
}

/// `onnx 17`, or the name alone.
pub(super) fn with_version(name: &str, version: Option<&String>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

/// The day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// A size as people write it: `1.21 MiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Names and values, one pair a line, the values below each other.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a value.
    pub(super) fn add<T: ToString + ?Sized>(&mut self, name: &str, value: &T) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// Adds a value, if there is one.
    pub(super) fn add_some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(name, &value);
        }
    }

    /// Adds values with commas between them, if there are any.
    pub(super) fn add_all<T: ToString>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
        if !values.is_empty() {
            self.add(name, &values.join(", "));
        }
    }

    /// Adds values one below the other, if there are any.
    pub(super) fn add_lines(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<_> = values.into_iter().collect();
        if !values.is_empty() {
            self.add(name, &values.join("\n"));
        }
    }

    /// Adds a part of a record as the record has it, if it says anything.
    pub(super) fn add_yaml(&mut self, name: &str, part: &impl Serialize) {
        let value = serde_json::to_value(part).expect("a record's keys are strings");
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.add(name, to_yaml(&value).trim_end());
        }
    }

    pub(super) fn into_text(self) -> String {
        let names = self.0.iter().map(|(name, _)| name.width());
        let indent = 4 + names.max().unwrap_or(0);
        let room = terminal_width().map(|width| width.saturating_sub(indent));
        let mut text = String::new();
        for (name, value) in self.0 {
            let lines = value.lines().map(printable);
            let lines = lines.flat_map(|line| wrapped(&line, room));
            let value = lines.collect::<Vec<_>>().join(&format!("\n{:indent$}", ""));
            let name = format!("  {name}");
            text.push_str(format!("{name:indent$}{value}").trim_end());
            text.push('\n');
        }
        text
    }
}

/// How wide the terminal is; nothing where there is none, or where it does not say.
fn terminal_width() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// `line` in lines of at most `room` columns, but for longer words.
fn wrapped(line: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.filter(|room| line.width() > *room) else {
        return vec![line.to_owned()];
    };
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.last_mut().expect("there is one from the beginning");
        if last.is_empty() {
            last.push_str(word);
        } else if last.width() + 1 + word.width() <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_only() {
        let digest = "sha256:0123456789";
        let text = format!("the bytes are {digest} and no other");
        let lines = ["the bytes", "are", digest, "and no", "other"];
        assert_eq!(wrapped(&text, Some(10)), lines);
        assert_eq!(wrapped(&text, None), [&*text]);
        assert_eq!(wrapped("", Some(0)), [""]);
    }

    #[test]
    fn fields_stand_below_each_other() {
        let mut fields = Fields::default();
        fields.add("a", "one\ntwo");
        fields.add_some("none", None::<&str>);
        fields.add_all("longer", ["x", "y"]);
        fields.add_all("nothing", [""; 0]);
        fields.add("bell", "\u{7}");
        assert_eq!(
            fields.into_text(),
            "  a       one\n          two\n  longer  x, y\n  bell    \\u{7}\n"
        );
    }
}
